"""Stage orders (key plant|order): the ledger. Totals and order events in; postings, public totals and order states out.

Everything waits until the plant's clock reaches its label and is then folded in the order (T, kind, source, raw position);
then each account that is due becomes a posting (streams/orders_book.py). What is issued next depends on what was issued, never
on outcomes.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from schemas.records import (
    AccountRow,
    ClockRepaired,
    ConfigActivated,
    MaterialChanged,
    MaterialConsumed,
    MaterialRow,
    OperatorDecision,
    OrderAcknowledged,
    OrderChanged,
    OrderClosed,
    OrderCompleted,
    OrderHandedOver,
    OrderRejected,
    OrderReleased,
    OrderRow,
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
from streams import boundary, order_state
from streams import orders_retention as retention
from streams.clock import activate, observe, schedule, watch_of
from streams.declared import totals_of
from streams.figures import PARKED, SILENT, Figure, known_code, owner
from streams.orders_book import ENDPOINT, Book
from streams.orders_memory import Memory
from streams.repairs import repair
from streams.silence import Watch, changes_of_silence, ordered, silent
from streams.step import Step, Topology, at_once, sender
from tables import account as ledger
from tables import order as orders
from tables import order_state as states
from tables.account import STOCK, row_key
from tables.decisions import BAD_UNIT, POST, decide
from tables.due import above_at_once
from tables.plant_rules import PlantRules, plant_rules, with_conversions
from tables.rejected import Refusal
from tables.row_kinds import ACCOUNT_ROWS, MATERIAL_ROWS
from tables.units import UnitTable

DECLARATIONS = (ProductionDeclared, ScrapDeclared, ReworkDeclared, ReworkReturned, MaterialConsumed)
RANKS: tuple[type, ...] = (
    MaterialChanged,
    OrderReleased,
    OrderChanged,
    OrderAcknowledged,
    OrderRejected,
    QualityState,
    Total,
    *DECLARATIONS,
    OrderCompleted,
    OrderClosed,
    OrderHandedOver,
    OperatorDecision,
)
"""Order of kinds within one label: master data, then quantities, then what closes."""
TAKES = frozenset({*RANKS, Tick, ConfigActivated, ClockRepaired, UpstreamOrdered, Outcome})

_CONFIGURED = "configured "
"""Mark of a plant whose configuration changed with its last tick."""


class OrdersStage:
    name = "orders"
    version = 1

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._memory: dict[int, Memory] = {}

    def remember(self, step: Step) -> Iterator[None]:
        memory = self._memory[step.partition] = Memory(step.rows)
        memory.silent.update((plant, set(silent(step.state, plant))) for plant in step.state.configurations)
        yield from memory.remember()

    def taken_over(self, step: Step) -> None:
        at_once(self.remember(step))

    def left(self, partition: int) -> None:
        self._memory.pop(partition, None)

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
        for message, record in boundary.records(step, self.name, TAKES):
            if isinstance(record, Tick):
                self._tick(step, memory, record)
            elif isinstance(record, ConfigActivated):
                schedule(step.state, record)
                endpoint = self._topology.endpoints[ENDPOINT]
                me = sender(self.name, "orders.inbox", step.partition)
                step.emit("delivery.inbox", ENDPOINT, ConfigActivated(record.plant, record.hash, record.at, me), endpoint)
            elif isinstance(record, ClockRepaired):
                self._repair(step, memory, record)
            elif isinstance(record, UpstreamOrdered):
                ordered(step.state, record)
            elif isinstance(record, Outcome):
                _outcome(step, memory, record)
            else:
                identity = _identity(record)
                row = PendingRow(record.label, message.value, message.offset, step.state.log_epoch)
                rank = f"{RANKS.index(type(record)):02d}"
                memory.waiting.add(record.plant, record.label, rank, identity, row, partial(_outdated, step, record))

    def _tick(self, step: Step, memory: Memory, tick: Tick) -> None:
        advance = observe(step.state, tick, self._watch(step, tick.plant))
        self._tell_silence(step, memory, tick.plant)
        if advance is None:
            return
        self._load(step, memory, tick.plant)
        memory.now = advance.now
        changed = self._resumed(step, memory, tick.plant)
        for label, rows in memory.waiting.due(tick.plant, advance.now):
            for row in rows:
                self._apply(step, memory, memory.plants[tick.plant], step.decode(row.record), row, changed, label)
        order_state.recorded(step, memory, changed, advance.now)
        endpoint = self._topology.endpoints[ENDPOINT]
        book = Book(step, memory, memory.plants[tick.plant], tick.plant, advance.now, tick.final)
        book.serve(changed, endpoint)
        book.report_cut_off(advance.before)
        order_state.watch(step, memory, memory.plants[tick.plant], self.name, tick.plant, advance.now)
        order_state.figures(step, memory, memory.plants[tick.plant], tick.plant, *advance, tick.final)
        retention.judge(step, memory, memory.plants[tick.plant], book.touched(changed) | memory.touched, advance.now)
        memory.touched.clear()
        retention.forget(step, memory, memory.plants[tick.plant], tick.plant, advance.now)
        if activate(step.state, tick.plant, advance.now) is not None:
            memory.plants.pop(tick.plant, None)
            step.state.marks[_CONFIGURED + tick.plant] = 1
        me = sender(self.name, "orders.inbox", step.partition)
        step.emit("delivery.inbox", ENDPOINT, Tick(tick.plant, advance.now, me, tick.final), endpoint)

    @staticmethod
    def _resumed(step: Step, memory: Memory, plant: str) -> set[str]:
        """After a new configuration: what waits may have what it waits for (a unit, a mode, a limit)."""
        if not step.state.marks.pop(_CONFIGURED + plant, 0):
            return set()
        return memory.coded(plant)

    def _watch(self, step: Step, plant: str) -> Watch:
        """One partition tells of silence."""
        return watch_of(self._topology, self.name, step.state, plant, tells=step.partition == 0)

    def _tell_silence(self, step: Step, memory: Memory, plant: str) -> None:
        hash_ = step.state.configurations.get(plant)
        if step.partition or hash_ is None or (not step.state.silent and not memory.silent[plant]):
            return
        told, memory.silent[plant] = memory.silent[plant], set(silent(step.state, plant))
        label = step.state.reached.get(plant, 0)
        for state in changes_of_silence(step.state, self._topology.configuration(hash_), told, label):
            step.emit("plant.upstreams", f"{plant}|{state.upstream}", state)

    def _repair(self, step: Step, memory: Memory, record: ClockRepaired) -> None:
        """What waits and what is due counts from where the clock was right."""
        if not repair(step.state, record):
            return
        memory.waiting.lower(record.plant, record.at)
        if record.plant in step.state.configurations:
            self._load(step, memory, record.plant)
            Book(step, memory, memory.plants[record.plant], record.plant, record.at, False).reschedule()
        me = sender(self.name, "orders.inbox", step.partition)
        step.emit("delivery.inbox", ENDPOINT, replace(record, sender=me), self._topology.endpoints[ENDPOINT])

    def _load(self, step: Step, memory: Memory, name: str) -> None:
        """Have the plant as its configuration that holds now says."""
        hash_, known = step.state.configurations[name], memory.plants.get(name)
        if known is None or known.configuration.hash != hash_:
            configuration = self._topology.configuration(hash_)
            units = UnitTable(configuration.plant.units)
            for _, row in step.rows.scan(MATERIAL_ROWS.under(name)):
                units = with_conversions(units, row)
            memory.plants[name] = plant_rules(configuration, units)

    # -- one record, at its time

    def _apply(
        self, step: Step, memory: Memory, plant: PlantRules, record: Any, row: PendingRow, changed: set[str], label: int
    ) -> None:
        if isinstance(record, Total):
            if not retention.refused(step, self.name, record, memory.now, record, row):
                _total(step, memory, plant, record, changed)
        elif isinstance(record, MaterialChanged):
            self._material(step, memory, plant, record, changed)
        elif isinstance(record, QualityState):
            _quality(step, record)
            order_state.judged(step, memory, record, label)
        elif isinstance(record, DECLARATIONS):
            shift = plant.times.calendar.shift_at(record.occurred_at)
            for total in totals_of(record, shift.business_date, step.state.log_epoch, row.inbox_offset):
                if not retention.refused(step, self.name, total, memory.now, record, row):
                    _total(step, memory, plant, total, changed)
        else:
            self._order_event(step, memory, plant, record, row, changed, label)

    def _material(self, step: Step, memory: Memory, plant: PlantRules, record: MaterialChanged, changed: set[str]) -> None:
        row = MaterialRow(
            record.plant, record.material, record.unit, record.decimals, record.batch_managed, record.conversions, record.label
        )
        try:
            plant.times = replace(plant.times, units=with_conversions(plant.units, row))
        except Refusal as refusal:
            boundary.refuse(step, self.name, refusal.rejected.code, refusal.rejected.detail, record=record, original=b"")
            return
        key = MATERIAL_ROWS.key(record.plant, record.material)
        step.rows.put(key, row)
        memory.told(key, row)
        changed.update(memory.accounts_with(record.plant, record.material))

    def _order_event(
        self, step: Step, memory: Memory, plant: PlantRules, record: Any, pending: PendingRow, changed: set[str], label: int
    ) -> None:
        key = orders.row_key(record.plant, record.order)
        order: OrderRow = step.rows.get(key) or OrderRow(record.plant, record.order)
        match record:
            case OrderReleased() | OrderChanged():
                if not orders.released(order, record):
                    return
                states.planned(order, record, label)
                order_state.to_the_mes(step, plant, order, label)
            case OrderAcknowledged():
                states.answered(order, label)
            case OrderRejected():
                states.answered(order, label, rejected=record.reason or "no reason given")
                detail = f"the shop floor refused order {record.order}: {record.reason}"
                boundary.refuse(step, self.name, "ORDER_REJECTED", detail, record=record, offset=pending.inbox_offset)
            case OrderCompleted():
                if not record.operation and not order.completed:
                    order.completed, order.completed_at = True, label
                if record.operation and record.operation not in order.completed_operations:
                    order.completed_operations.append(record.operation)
            case OrderClosed():
                orders.set_status(order, record.status, label)
            case OrderHandedOver():
                order.handed_over, order.handed_over_at = True, label
            case OperatorDecision():
                self._decide(step, memory, record, pending)
        changed.update(memory.accounts_of(key))
        memory.touched.add(key)
        order_state.publish(step, memory, order, label)

    def _decide(self, step: Step, memory: Memory, decision: OperatorDecision, pending: PendingRow) -> None:
        """A person decides about something parked; who, when and why stay with the account, or with the posting: delivery
        takes those in, behind the ticks that came before."""
        if decision.posting_id:
            step.emit("delivery.inbox", ENDPOINT, decision, self._topology.endpoints[ENDPOINT])
            return
        if decision.decision == POST and decision.code == BAD_UNIT:
            detail = f"order {decision.order}: nothing can be posted in a unit that nobody converts"
            boundary.refuse(step, self.name, "DECISION_INVALID", detail, record=decision, offset=pending.inbox_offset)
            return
        taken = False
        for key in sorted(memory.accounts_of(orders.row_key(decision.plant, decision.order))):
            row = step.rows.get(key)
            if decision.account in ("", key[2:]) and decide(row, decision):
                step.rows.put(key, row)
                taken = True
        if not taken:
            detail = f"nothing of order {decision.order} is parked with {decision.code}"
            boundary.refuse(step, self.name, "NOTHING_PARKED", detail, record=decision, offset=pending.inbox_offset)


def _total(step: Step, memory: Memory, plant: PlantRules, total: Total, changed: set[str]) -> None:
    periods = plant.times.periods
    if total.kind == "scrap" and total.position != STOCK and periods and not periods.is_open(total.business_date, total.label):
        scrap = ledger.accounts_of(total, retention.born_epoch(step.state, total.plant))[0]
        kept, late = ledger.late_split(step.rows.get(row_key(scrap)) or scrap, total)
        _receive(step, memory, plant, kept, changed)
        _receive(step, memory, plant, late, changed, late=True)
    else:
        _receive(step, memory, plant, total, changed)


def _counts(step: Step, memory: Memory, total: Total) -> set[str]:
    """Note what the operation's counters count; the first time, all of the order's accounts are looked at again."""
    key, counts = orders.row_key(total.plant, total.order), f"{total.operation}|{total.kind}"
    order: OrderRow = step.rows.get(key) or OrderRow(total.plant, total.order)
    if counts in order.counted:
        return set()
    order.counted = sorted([*order.counted, counts])
    step.rows.put(key, order)
    return memory.accounts_of(key)


def _receive(step: Step, memory: Memory, plant: PlantRules, total: Total, changed: set[str], late: bool = False) -> None:
    for fresh in ledger.accounts_of(total, retention.born_epoch(step.state, total.plant)):
        key = row_key(fresh)
        known: AccountRow | None = step.rows.get(key)
        row = known or fresh
        grown = ledger.grown(row, total)
        if not ledger.is_news(row, total) or (known is None and late and not grown):
            continue
        ledger.receive(row, total, late)
        if total.kind in ("gross", "good") and total.authority == "counters":
            changed.update(_counts(step, memory, total))
        rule_at = plant.rule_for(row, step.rows.get(orders.row_key(row.plant, row.order)))
        if rule_at is not None and above_at_once(row, rule_at.rule, grown, total.unit, plant.units):
            row.at_once = True
        row.since = row.since or total.label
        step.rows.put(key, row)
        memory.know(key, row)
        changed.add(key)


def _quality(step: Step, record: QualityState) -> None:
    key = orders.row_key(record.plant, record.order)
    row: OrderRow = step.rows.get(key) or OrderRow(record.plant, record.order)
    lot = f"{record.material}|{record.lot}"
    if (lot in row.held_lots) != record.held:
        row.held_lots = sorted({*row.held_lots, lot} if record.held else {*row.held_lots} - {lot})
        step.rows.put(key, row)


def _outcome(step: Step, memory: Memory, outcome: Outcome) -> None:
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


def _outdated(step: Step, record: Any, known: PendingRow) -> bool:
    """Of one source key the newest version waits on, not the last to arrive: a sender may repeat itself."""
    return not isinstance(record, Total) or ledger.version_of(step.decode(known.record)) <= ledger.version_of(record)


def _identity(record: Any) -> str:
    """What a record is about (a second one replaces it while both wait), and its place among others of its kind."""
    if isinstance(record, Total):
        parts: tuple[object, ...] = (
            record.source_key,
            record.order,
            record.operation,
            record.material,
            record.lot,
            record.kind,
            record.reason,
            record.business_date,
        )
    elif isinstance(record, QualityState):
        parts = (record.order, record.material, record.lot)
    else:
        parts = (record.source, record.raw_source, f"{record.raw_offset:020d}", record.event_id)
    return "|".join(map(str, parts))
