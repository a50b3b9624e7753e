"""Stage orders (key plant|order): the ledger. Totals and order events in; postings, public totals and order states out.

Everything waits until the plant's clock reaches its label and is then folded in the order (T, kind, source, raw position);
then each account that is due becomes a posting (streams/orders/book.py). What is issued next depends on what was issued, never
on outcomes.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from schemas.records import (
    AccountRow,
    ClockRepaired,
    ConfigActivated,
    EndpointOrdered,
    MaterialChanged,
    MaterialConsumed,
    OperatorDecision,
    OrderAcknowledged,
    OrderChanged,
    OrderClosed,
    OrderCompleted,
    OrderHandedOver,
    OrderRejected,
    OrderReleased,
    Outcome,
    PendingRow,
    ProductionDeclared,
    QualityState,
    ReworkDeclared,
    ReworkReturned,
    ScrapDeclared,
    Tick,
    Total,
    UpstreamOrdered,
)
from schemas.topics import DELIVERY_INBOX, ORDERS_INBOX, PLANT_UPSTREAMS
from streams import boundary
from streams.announcements import known_configurations
from streams.boundary import AT_ONCE, Handling
from streams.clock import activate, intakes_of, observe, schedule, watch_of
from streams.endpoints import newcomers, tell_all
from streams.figures import PARKED, SILENT, Figure, known_code, owner
from streams.orders import public_state as order_state
from streams.orders import records, retention
from streams.orders.book import Book
from streams.orders.memory import OrdersMemory
from streams.orders.put_off import PutOff, order_of
from streams.orders.records import Reached
from streams.repairs import repair
from streams.silence import Watch, changes_of_silence, ordered, silent
from streams.step import Step, Topology, at_once, sender
from tables.orders.conversions import with_conversions
from tables.orders.plant_rules import PlantRules, plant_rules
from tables.plant.units import UnitTable
from tables.row_kinds import ACCOUNT_ROWS, MATERIAL_ROWS

MOST_WOKEN_PER_TICK = 50
"""Orders at rest that are looked at again at one tick; with their accounts some hundred rows."""
_CONFIGURED = "configured "
"""Mark of a plant whose configuration changed with its last tick."""


class OrdersStage:
    name = "orders"
    version = 1

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._memory: dict[int, OrdersMemory] = {}
        self._put_off: dict[int, PutOff] = {}
        """Of the fold that goes on."""

    def remember(self, step: Step) -> Iterator[None]:
        memory = self._memory[step.partition] = OrdersMemory(step.rows)
        memory.silent.update((plant, set(silent(step.state, plant))) for plant in step.state.configurations)
        yield from memory.remember()

    def taken_over(self, step: Step) -> None:
        at_once(self.remember(step))

    def left(self, partition: int) -> None:
        self._memory.pop(partition, None)
        self._put_off.pop(partition, None)

    def figures(self) -> Iterator[Figure]:
        parked: Counter[tuple[str, str]] = Counter()
        for memory in self._memory.copy().values():
            for (plant, code), count in memory.parked.counts().items():
                parked[plant, known_code(code)] += count
        for (plant, code), count in parked.items():
            yield Figure(PARKED, (plant, code, owner(code)), count)
        for memory in self._memory.copy().values():
            for plant, upstreams in memory.silent.copy().items():
                yield from (Figure(SILENT, (plant, upstream), 1) for upstream in upstreams.copy())

    # -- in

    def fold(self, step: Step) -> None:
        memory = self._memory[step.partition]
        put_off = self._put_off[step.partition] = PutOff(step, memory, self._topology.endpoints)
        self._greet(step)
        for message, record, handling in boundary.records(step, self.name, HANDLERS):
            if handling.rank == AT_ONCE:
                handling.handle(self, step, memory, record)
                continue
            row = PendingRow(record.label, message.value, message.offset, step.state.log_epoch)
            identity, outdated = handling.identity(record), partial(records.outdated, step, record)
            memory.waiting.add(record.plant, record.label, handling.rank, identity, row, outdated)
        put_off.end()

    def _greet(self, step: Step) -> None:
        """An endpoint that is new in the installation hears which configurations there are."""
        for name, partition in newcomers(step.state, self._topology.endpoints):
            for known in known_configurations(step.state, intakes_of(self._topology)):
                step.emit(DELIVERY_INBOX, name, known, partition)

    def _configured(self, step: Step, memory: OrdersMemory, record: ConfigActivated) -> None:
        schedule(step.state, record)
        self._to_delivery(step, record)

    def _ordered(self, step: Step, memory: OrdersMemory, record: UpstreamOrdered) -> None:
        ordered(step.state, record)

    def _endpoint(self, step: Step, memory: OrdersMemory, record: EndpointOrdered) -> None:
        """It waits for no clock: who pauses an ERP means now. One that names none means the only one."""
        endpoints = self._topology.endpoints
        name = record.endpoint or (min(endpoints) if len(endpoints) == 1 else "")
        if name in endpoints:
            step.emit(DELIVERY_INBOX, name, replace(record, endpoint=name), endpoints[name])
            return
        detail = f"the installation has no endpoint `{name}`" if name else "the order does not say which endpoint"
        detail += f": there are {', '.join(sorted(endpoints))}"
        boundary.refuse(step, self.name, "ENDPOINT_UNKNOWN", detail, boundary.Original(record))

    def _outcome(self, step: Step, memory: OrdersMemory, outcome: Outcome) -> None:
        """Status only: it decides nothing here."""
        row: AccountRow | None = step.rows.get(ACCOUNT_ROWS.key(outcome.account))
        for posting in row.issued if row is not None else ():
            taken_back = posting.status == "cancelled" and outcome.status == "closed"  # a repeat long after the decision
            if posting.posting_id == outcome.posting_id and posting.status != "accepted" and not taken_back:
                posting.status, posting.erp_document = outcome.status, outcome.erp_document
                posting.code, posting.detail = outcome.code, outcome.detail
                if outcome.replaced_by:
                    posting.replaced_ids = [*posting.replaced_ids, posting.posting_id]
                    posting.posting_id, posting.posting_date = outcome.replaced_by, outcome.posting_date
                step.rows.put(ACCOUNT_ROWS.key(outcome.account), row)
        if row is not None:
            memory.taken(ACCOUNT_ROWS.key(outcome.account), row)

    def _me(self, step: Step) -> str:
        return sender(self.name, ORDERS_INBOX, step.partition)

    def _to_delivery(self, step: Step, record: Any) -> None:
        tell_all(step, self._topology.endpoints, record)

    def _tick(self, step: Step, memory: OrdersMemory, tick: Tick) -> None:
        advance = observe(step.state, tick, self._watch(step, tick.plant))
        self._tell_silence(step, memory, tick.plant)
        if advance is None:
            return
        self._load(step, memory, tick.plant)
        memory.now = advance.now
        rules, changed, later = memory.plants[tick.plant], set[str](), self._put_off[step.partition]
        resumes = step.state.marks.get(_CONFIGURED + tick.plant, 0)
        within = rules.configuration.plant.mes.acknowledge_within_us
        calm = not (tick.final or resumes or step.careful) and later.is_calm(tick.plant, rules, advance, within)
        told = [
            (label, row, step.decode(row.record)) for label, rows in memory.waiting.due(tick.plant, advance.now) for row in rows
        ]
        put_off = _put_off(later, rules, told, advance.now, calm)
        if not calm:
            changed |= self._resumed(step, memory, tick.plant)
        for label, row, record in told:
            if order_of(record) not in put_off:
                reached = Reached(step, memory, rules, record, row, changed, label)
                step.waited = row
                HANDLERS[type(record)].handle(self, reached)
        step.waited = None
        changed |= memory.woken(tick.plant, None if tick.final else MOST_WOKEN_PER_TICK)
        if changed or not calm:
            order_state.recorded(step, memory, changed, advance.now)
            book = Book(step, memory, rules, tick.plant, advance.now, tick.final)
            book.serve(changed, self._topology.endpoints)
            book.report_cut_off(advance.before)
            memory.touched |= book.touched(changed)
        order_state.watch(step, memory, rules, self.name, tick.plant, advance.now)
        order_state.figures(step, memory, rules, tick, advance)
        retention.judge(step, memory, rules, memory.touched, advance.now)
        memory.touched.clear()
        retention.forget(step, memory, rules, tick.plant, advance.now)
        if activate(step.state, tick.plant, advance.now, intakes_of(self._topology)) is not None:
            later.all_up_to_date(tick.plant)  # by the rules that held until now
            memory.plants.pop(tick.plant, None)
            step.state.marks[_CONFIGURED + tick.plant] = 1
        self._to_delivery(step, Tick(tick.plant, advance.now, self._me(step), tick.final))

    @staticmethod
    def _resumed(step: Step, memory: OrdersMemory, plant: str) -> set[str]:
        """After a new configuration: what waits may have what it waits for (a unit, a mode, a limit)."""
        if not step.state.marks.pop(_CONFIGURED + plant, 0):
            return set()
        return memory.coded(plant)

    def _watch(self, step: Step, plant: str) -> Watch:
        """One partition tells of silence."""
        return watch_of(self._topology, self.name, step.state, plant, tells=step.partition == 0)

    def _tell_silence(self, step: Step, memory: OrdersMemory, plant: str) -> None:
        hash_ = step.state.configurations.get(plant)
        if step.partition or hash_ is None or (not step.state.silent and not memory.silent[plant]):
            return
        told, memory.silent[plant] = memory.silent[plant], set(silent(step.state, plant))
        label = step.state.reached.get(plant, 0)
        for state in changes_of_silence(step.state, self._topology.configuration(hash_), told, label):
            step.emit(PLANT_UPSTREAMS, f"{plant}|{state.upstream}", state)

    def _repair(self, step: Step, memory: OrdersMemory, record: ClockRepaired) -> None:
        """What waits and what is due counts from where the clock was right."""
        if not repair(step.state, record):
            return
        self._put_off[step.partition].all_up_to_date(record.plant)
        memory.waiting.lower(record.plant, record.at)
        if record.plant in step.state.configurations:
            self._load(step, memory, record.plant)
            Book(step, memory, memory.plants[record.plant], record.plant, record.at, False).reschedule()
            retention.repair(step, memory, memory.plants[record.plant], record.plant, record.at)
        self._to_delivery(step, replace(record, sender=self._me(step)))

    def _load(self, step: Step, memory: OrdersMemory, name: str) -> None:
        """Have the plant as its configuration that holds now says."""
        hash_, known = step.state.configurations[name], memory.plants.get(name)
        if known is None or known.configuration.hash != hash_:
            configuration = self._topology.configuration(hash_)
            units = UnitTable(configuration.plant.units)
            for _, row in step.rows.scan(MATERIAL_ROWS.under(name)):
                units = with_conversions(units, row)
            memory.plants[name] = plant_rules(configuration, units)

    # -- one record, at its time

    def _decision(self, reached: Reached) -> None:
        """About something parked; who, when and why stay with the account, or with the posting: delivery takes those in, behind
        the ticks that came before."""
        if reached.record.posting_id and len(self._topology.endpoints) > 1 and not records.is_open(reached):
            records.nobodys(reached)
        elif reached.record.posting_id:
            self._to_delivery(reached.step, reached.record)
            records.note(reached)
        else:
            records.decided(reached)


def _put_off(later: PutOff, rules: PlantRules, told: Sequence[tuple[int, PendingRow, Any]], now: int, calm: bool) -> set[str]:
    """Row keys of the orders of which all that is told at this tick is put off. What was put off of the others before is served
    first; at a tick that is not `calm`, of all."""
    by_order: dict[str, list[Any]] = defaultdict(list)
    for _, _, record in told:
        by_order[order_of(record)].append(record)
    if not calm or "" in by_order or len({label for label, _, _ in told}) > 1:
        later.all_up_to_date(rules.configuration.plant.plant.id)
        return set()
    taken = {order for order, records in by_order.items() if later.take(rules, order, records, now)}
    for order in by_order.keys() - taken:
        later.up_to_date(rules.configuration.plant.plant.id, order)
    return taken


def _at_its_time(handle: Callable[[Reached], None]) -> Callable[[OrdersStage, Reached], None]:
    return lambda stage, reached: handle(reached)


HANDLERS: Mapping[type, Handling[Callable[..., None]]] = {
    Tick: Handling(AT_ONCE, OrdersStage._tick),
    ConfigActivated: Handling(AT_ONCE, OrdersStage._configured),
    ClockRepaired: Handling(AT_ONCE, OrdersStage._repair),
    UpstreamOrdered: Handling(AT_ONCE, OrdersStage._ordered),
    EndpointOrdered: Handling(AT_ONCE, OrdersStage._endpoint),
    Outcome: Handling(AT_ONCE, OrdersStage._outcome),
    MaterialChanged: Handling("00", _at_its_time(records.material)),
    OrderReleased: Handling("01", _at_its_time(records.planned)),
    OrderChanged: Handling("02", _at_its_time(records.planned)),
    OrderAcknowledged: Handling("03", _at_its_time(records.acknowledged)),
    OrderRejected: Handling("04", _at_its_time(records.refused_by_the_floor)),
    QualityState: Handling("05", _at_its_time(records.quality), records.of_a_lot),
    Total: Handling("06", _at_its_time(records.total), records.of_a_source),
    ProductionDeclared: Handling("07", _at_its_time(records.declared)),
    ScrapDeclared: Handling("08", _at_its_time(records.declared)),
    ReworkDeclared: Handling("09", _at_its_time(records.declared)),
    ReworkReturned: Handling("10", _at_its_time(records.declared)),
    MaterialConsumed: Handling("11", _at_its_time(records.declared)),
    OrderCompleted: Handling("12", _at_its_time(records.completed)),
    OrderClosed: Handling("13", _at_its_time(records.closed)),
    OrderHandedOver: Handling("14", _at_its_time(records.handed_over)),
    OperatorDecision: Handling("15", OrdersStage._decision),
}
"""What orders does with each record of its inbox: at once (stage, step, memory, record), or when the clock has reached its label.
Ranks: order of kinds within one label: master data, then quantities, then what closes."""
