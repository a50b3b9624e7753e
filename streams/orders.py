"""Stage orders (key plant|order): the ledger. Totals and order events in; postings, public totals and order states out.

Everything waits until the plant's clock reaches its label and is then folded in the order (T, kind, source, raw position);
then each account that is due becomes a posting. What is issued next depends on what was issued, never on outcomes.
"""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import Any

from schemas.configuration import Configuration
from schemas.records import (
    AccountRow,
    ConfigActivated,
    MaterialChanged,
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
    OrderState,
    Outcome,
    PendingRow,
    ProductionTotal,
    QualityState,
    SourceTotal,
    Tick,
    Total,
)
from streams import boundary
from streams.clock import activate, clock_of, observe, schedule
from streams.declared import totals_of
from streams.equipment import calendar_of
from streams.step import Step, Topology, sender
from streams.waiting import Waiting
from tables import account as ledger
from tables import order as orders
from tables.account import BASIS, TIMES, account_key, row_key
from tables.backflush import derive
from tables.calendar import Calendar
from tables.due import due_time, enough
from tables.issue import issue
from tables.lineage import add_ranges
from tables.rejected import Refusal, Rejected
from tables.units import UnitTable

ENDPOINT = "erp"
RANKS = (
    "MaterialChanged",
    "OrderReleased",
    "OrderChanged",
    "OrderAcknowledged",
    "OrderRejected",
    "QualityState",
    "Total",
    "ProductionDeclared",
    "ScrapDeclared",
    "ReworkDeclared",
    "ReworkReturned",
    "MaterialConsumed",
    "OrderCompleted",
    "OrderClosed",
    "OrderHandedOver",
    "OperatorDecision",
)
"""Order of kinds within one label: master data, then quantities, then what closes."""
DEFAULT_DECIMALS = {"kg": 3, "l": 3, "m": 3, "t": 6, "h": 2, "min": 1, "s": 0, "ms": 0}
"""Of ERP units that no material master describes; pieces and boxes have none."""


@dataclass(slots=True)
class Plant:
    """A plant's configuration, ready for use."""

    configuration: Configuration
    calendar: Calendar
    units: UnitTable


class Memory:
    """What one partition keeps in memory; all of it is derived from rows."""

    def __init__(self, step: Step) -> None:
        self.waiting = Waiting(step.rows)
        self.accounts: dict[str, set[str]] = defaultdict(set)
        """Order row key -> row keys of its accounts."""
        self.due: dict[str, dict[str, int]] = defaultdict(dict)
        """Plant -> row key of the account -> log time."""
        for key, row in step.rows.scan("a|"):
            self.accounts[orders.row_key(row.plant, row.order)].add(key)
            if row.due_at is not None:
                self.due[row.plant][key] = row.due_at


class OrdersStage:
    name = "orders"
    version = 1

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._memory: dict[int, Memory] = {}
        self._plants: dict[str, Plant] = {}

    def taken_over(self, step: Step) -> None:
        self._memory[step.partition] = Memory(step)

    def left(self, partition: int) -> None:
        self._memory.pop(partition, None)

    # -- in

    def fold(self, step: Step) -> None:
        memory = self._memory[step.partition]
        for message, record in boundary.records(step, self.name):
            if isinstance(record, Tick):
                self._tick(step, memory, record)
            elif isinstance(record, ConfigActivated):
                schedule(step.state, record)
                endpoint = self._topology.endpoints[ENDPOINT]
                me = sender(self.name, "orders.inbox", step.partition)
                step.emit("delivery.inbox", ENDPOINT, ConfigActivated(record.plant, record.hash, record.at, me), endpoint)
            elif isinstance(record, Outcome):
                self._outcome(step, record)
            else:
                name = type(record).__name__
                identity = _identity(record)
                row = PendingRow(record.label, message.value, message.offset)
                rank = f"{RANKS.index(name):02d}"
                memory.waiting.add(record.plant, record.label, rank, identity, row, partial(_outdated, step, record))

    def _tick(self, step: Step, memory: Memory, tick: Tick) -> None:
        plant = self._plant(step, tick.plant)
        if plant is None:
            return
        advance = observe(step.state, tick, self._topology.upstreams(self.name, plant.configuration))
        if advance is None:
            return
        changed: set[str] = set()
        for label, rows in memory.waiting.due(tick.plant, advance.now):
            for row in rows:
                self._apply(step, memory, plant, step.decode(row.record), row, changed, label)
        self._serve(step, memory, plant, tick.plant, advance.now, changed, tick.final)
        if activate(step.state, tick.plant, advance.now) is not None:
            self._plants.pop(tick.plant, None)
        me = sender(self.name, "orders.inbox", step.partition)
        step.emit("delivery.inbox", ENDPOINT, Tick(tick.plant, advance.now, me, tick.final), self._topology.endpoints[ENDPOINT])

    def _plant(self, step: Step, name: str) -> Plant | None:
        hash_ = step.state.configurations.get(name)
        if hash_ is None:
            return None
        known = self._plants.get(name)
        if known is None or known.configuration.hash != hash_:
            configuration = self._topology.configuration(hash_)
            units = UnitTable(configuration.plant.units)
            for _, row in step.rows.scan(f"m|{name}|"):
                units = _with_conversions(units, row)
            known = self._plants[name] = Plant(configuration, calendar_of(configuration.plant), units)
        return known

    # -- one record, at its time

    def _apply(
        self, step: Step, memory: Memory, plant: Plant, record: Any, row: PendingRow, changed: set[str], label: int
    ) -> None:
        if isinstance(record, Total):
            self._total(step, memory, record, changed)
        elif isinstance(record, MaterialChanged):
            self._material(step, memory, plant, record, changed)
        elif isinstance(record, QualityState):
            self._quality(step, record)
        elif hasattr(record, "quantity"):
            shift = plant.calendar.shift_at(record.occurred_at)
            for total in totals_of(record, shift.business_date, step.state.log_epoch, row.inbox_offset):
                self._total(step, memory, total, changed)
        else:
            self._order_event(step, memory, record, row, changed, label)

    def _total(self, step: Step, memory: Memory, total: Total, changed: set[str]) -> None:
        for fresh in ledger.accounts_of(total, step.state.log_epoch):
            key = row_key(fresh)
            row: AccountRow = step.rows.get(key) or fresh
            if ledger.receive(row, total):
                row.since = row.since or total.label
                step.rows.put(key, row)
                memory.accounts[orders.row_key(row.plant, row.order)].add(key)
                changed.add(key)

    def _material(self, step: Step, memory: Memory, plant: Plant, record: MaterialChanged, changed: set[str]) -> None:
        row = MaterialRow(record.plant, record.material, record.unit, record.decimals, record.batch_managed, record.conversions)
        try:
            plant.units = _with_conversions(plant.units, row)
        except Refusal as refusal:
            boundary.refuse(step, self.name, refusal.rejected.code, refusal.rejected.detail, record=record, original=b"")
            return
        step.rows.put(f"m|{record.plant}|{record.material}", row)
        for keys in memory.accounts.values():
            changed.update(key for key in keys if step.rows.get(key).material == record.material)

    def _quality(self, step: Step, record: QualityState) -> None:
        for key, row in list(step.rows.scan(f"o|{record.plant}|")):
            lot = f"{record.material}|{record.lot}"
            if (lot in row.held_lots) != record.held:
                row.held_lots = sorted({*row.held_lots, lot} if record.held else {*row.held_lots} - {lot})
                step.rows.put(key, row)

    def _order_event(self, step: Step, memory: Memory, record: Any, pending: PendingRow, changed: set[str], label: int) -> None:
        key = orders.row_key(record.plant, record.order)
        order: OrderRow = step.rows.get(key) or OrderRow(record.plant, record.order)
        match record:
            case OrderReleased() | OrderChanged():
                if not orders.released(order, record):
                    return
            case OrderAcknowledged():
                order.acknowledged = True
            case OrderRejected():
                detail = f"the shop floor refused order {record.order}: {record.reason}"
                boundary.refuse(step, self.name, "ORDER_REJECTED", detail, record=record, offset=pending.inbox_offset)
            case OrderCompleted():
                order.completed = order.completed or not record.operation
                if record.operation and record.operation not in order.completed_operations:
                    order.completed_operations.append(record.operation)
            case OrderClosed():
                order.status = record.status
            case OrderHandedOver():
                order.handed_over = True
            case OperatorDecision():
                self._decide(step, memory, record)
        step.rows.put(key, order)
        changed.update(memory.accounts[key])
        self._publish_order(step, order, label)

    def _decide(self, step: Step, memory: Memory, decision: OperatorDecision) -> None:
        """A person lets something parked through; what they decided is in the log with who and why."""
        for key in memory.accounts[orders.row_key(decision.plant, decision.order)]:
            row = step.rows.get(key)
            if row.code == decision.code and decision.account in ("", account_key(row)):
                row.override = decision.code if decision.decision == "post" else ""
                step.rows.put(key, row)

    def _outcome(self, step: Step, outcome: Outcome) -> None:
        row: AccountRow | None = step.rows.get(f"a|{outcome.account}")
        for posting in row.issued if row is not None else ():
            if posting.posting_id == outcome.posting_id and posting.status != "accepted":
                posting.status, posting.erp_document = outcome.status, outcome.erp_document
                posting.code, posting.detail = outcome.code, outcome.detail
                step.rows.put(f"a|{outcome.account}", row)

    # -- accounts

    def _serve(self, step: Step, memory: Memory, plant: Plant, name: str, now: int, changed: set[str], final: bool) -> None:
        """Settle what changed, then issue what is due, both in key order: the same log gives the same postings."""
        for key in sorted(changed):
            if key.startswith("a|") and step.rows.get(key).kind in (BASIS, "yield"):
                changed.update(self._backflush(step, memory, plant, step.rows.get(key)))
        due = memory.due[name]
        ready = {key for key, at in due.items() if at <= now}
        for key in sorted(changed | ready):
            row: AccountRow = step.rows.get(key)
            if row.kind == BASIS:
                continue
            order: OrderRow = step.rows.get(orders.row_key(row.plant, row.order)) or OrderRow(row.plant, row.order)
            self._settle(step, memory, plant, order, row)
            self._post(step, plant, order, row, now, key in ready, final)
            if row.due_at is None:
                due.pop(key, None)
            else:
                due[key] = row.due_at
            step.rows.put(key, row)
            if key in changed:
                self._publish_account(step, row, now)

    def _settle(self, step: Step, memory: Memory, plant: Plant, order: OrderRow, row: AccountRow) -> None:
        """What the account holds in its ERP unit, and why it may have to wait."""
        configuration = plant.configuration
        material: MaterialRow | None = step.rows.get(f"m|{row.plant}|{row.material}")
        self._place(configuration, order, row)
        if not row.sequence:
            row.unit, row.scale = self._erp_unit(configuration, row, material)
        counts = self._weights(configuration, order, row)
        amount = ledger.recorded(row, counts, row.unit, plant.units)
        wrong = amount if isinstance(amount, Rejected) else orders.problem(configuration, order, material, row)
        if not isinstance(amount, Rejected):
            ledger.settle(row, amount)
        row.covered = orders.covered(configuration, order, row) or self._not_sent(configuration, order, row)
        row.code, row.detail, row.parked = "", "", 0
        if wrong is not None and wrong.code != row.override:
            row.code, row.detail = wrong.code, wrong.detail
            row.parked = row.target - row.posted
        elif not row.covered:
            self._limit(step, memory, plant, order, row)

    def _limit(self, step: Step, memory: Memory, plant: Plant, order: OrderRow, row: AccountRow) -> None:
        """Over-delivery: post up to the limit, park the excess only."""
        if row.kind != "yield" or not orders.receives(order, row.operation) or row.override == "OVER_DELIVERY":
            return
        most = orders.limit(plant.configuration, order, row.material)
        item = orders.item_of(order, row.material)
        if most is None or item is None:
            return
        allowed = plant.units.convert(most, item.quantity.unit, row.unit, row.material)
        if isinstance(allowed, Rejected):
            return
        others = 0
        for key in memory.accounts[orders.row_key(row.plant, row.order)]:
            other: AccountRow = step.rows.get(key)
            same = other.kind == "yield" and other.material == row.material and other.operation == row.operation
            if same and key != row_key(row):
                others += other.posted
        room = max(0, int(allowed * 10**row.scale) - others)
        if row.target > room:
            row.parked = row.target - max(room, min(row.posted, row.target))
            if row.parked:
                row.code = "OVER_DELIVERY"
                row.detail = f"order {order.order} may receive {most} {item.quantity.unit} of {row.material}"

    def _post(self, step: Step, plant: Plant, order: OrderRow, row: AccountRow, now: int, ready: bool, final: bool) -> None:
        rule_at = plant.configuration.rules.rule_for(row.kind, row.order, row.operation, row.material)
        if rule_at is None or row.covered:
            row.due_at = None
            return
        rule = rule_at.rule
        due = now if ready else due_time(row, rule, order, plant.calendar, plant.units, now)
        waits_for_counts = row.kind == "yield" and row.target < 0 <= row.posted
        if due is None or due > now or not ledger.unposted(row) or waits_for_counts:
            row.due_at = due_time(row, rule, order, plant.calendar, plant.units, now + 1) if due == now else due
            return
        if not enough(row, rule, order, plant.units, final):
            row.due_at = due_time(row, rule, order, plant.calendar, plant.units, now + 1)
            return
        counts = self._weights(plant.configuration, order, row)
        materials = f"m|{row.plant}|"
        posting = issue(
            row, rule, plant.configuration, order, counts, now, ENDPOINT, lambda material: step.rows.get(materials + material)
        )
        row.due_at, row.since = None, 0
        step.emit("delivery.inbox", ENDPOINT, posting, self._topology.endpoints[ENDPOINT])

    def _weights(self, configuration: Configuration, order: OrderRow, row: AccountRow) -> dict[str, int]:
        authority = orders.authority_of(configuration, order, row.operation)
        if row.kind == "consumption":
            return consumption_weights(configuration, order, row)
        return ledger.weights(row, authority, configuration.rules.yield_.is_)

    def _not_sent(self, configuration: Configuration, order: OrderRow, row: AccountRow) -> bool:
        """erp_backflush: the ERP derives it; what was declared about it is only a check."""
        if row.kind != "consumption":
            return False
        component = orders.component_of(order, row.operation, row.material, row.place)
        return orders.mode_of(configuration, component, row) == "erp_backflush"

    def _place(self, configuration: Configuration, order: OrderRow, row: AccountRow) -> None:
        """Receipt or issue location, and the reservation item that an issue reduces (domain rule 12)."""
        rule_at = configuration.rules.rule_for(row.kind, row.order, row.operation, row.material)
        rule = rule_at.rule if rule_at is not None else None
        if row.kind == "yield":
            item = orders.item_of(order, row.material)
            equipment = next((source.equipment for _, source in sorted(row.sources.items()) if source.equipment), "")
            entry = configuration.plant.equipment_for(equipment) if equipment else None
            row.location = (
                (rule.receipt_location if rule is not None else "")
                or (entry.receipt_location if entry is not None else "")
                or (item.receipt_location if item is not None else "")
            )
            row.reservation_item = item.item if item is not None else ""
        elif row.kind == "consumption":
            component = orders.component_of(order, row.operation, row.material, row.place)
            stated = component.issue_location if component is not None else ""
            row.location = stated or (rule.issue_location if rule is not None else "")
            row.reservation_item = component.item if component is not None else ""

    def _erp_unit(self, configuration: Configuration, row: AccountRow, material: MaterialRow | None) -> tuple[str, int]:
        """The rule's unit, the material's, the activity's, or the one that the sources count in."""
        rule_at = configuration.rules.rule_for(row.kind, row.order, row.operation, row.material)
        unit, decimals = (rule_at.rule.unit, rule_at.rule.decimals) if rule_at is not None else ("", None)
        if row.kind in TIMES:
            booking = configuration.erp.book.get(row.kind)  # type: ignore[call-overload]
            unit = unit or (booking.unit if booking is not None else "") or "ms"
            decimals = decimals if decimals is not None else (booking.decimals if booking is not None else None)
        elif not unit and material is not None:
            unit, decimals = material.unit, material.decimals if decimals is None else decimals
        unit = unit or min((source.unit for source in row.sources.values()), default="PC")
        return unit, decimals if decimals is not None else DEFAULT_DECIMALS.get(unit.lower(), 0)

    def _backflush(self, step: Step, memory: Memory, plant: Plant, row: AccountRow) -> set[str]:
        """Consumption that follows from gross, as a source of the component's account (ledger_backflush)."""
        order: OrderRow | None = step.rows.get(orders.row_key(row.plant, row.order))
        if order is None or not order.known:
            return set()
        keys = memory.accounts[orders.row_key(row.plant, row.order)]
        basis = [step.rows.get(key) for key in sorted(keys)]
        changed: set[str] = set()
        for account, source_key, amount, unit in derive(plant.configuration, order, row, basis, step.state.log_epoch):
            key = row_key(account)
            known: AccountRow | None = step.rows.get(key)
            source = known.sources.get(source_key) if known is not None else None
            if source is not None and Fraction(source.numerator, source.denominator) == amount:
                continue
            if source is None and not amount:
                continue
            target = known or account
            target.sources[source_key] = _derived(amount, unit, basis, row)
            step.rows.put(key, target)
            keys.add(key)
            changed.add(key)
        return changed

    # -- public topics

    def _publish_account(self, step: Step, row: AccountRow, now: int) -> None:
        record = ProductionTotal(
            plant=row.plant,
            account=account_key(row),
            order=row.order,
            operation=row.operation,
            material=row.material,
            lot=row.lot,
            kind=row.kind,
            reason=row.reason,
            business_date=row.business_date,
            numerator=row.recorded_numerator,
            denominator=row.recorded_denominator,
            unit=row.unit,
            as_of=now,
        )
        step.emit("production.totals", f"{row.plant}|{row.order}", record)

    def _publish_order(self, step: Step, order: OrderRow, now: int) -> None:
        record = OrderState(
            plant=order.plant,
            order=order.order,
            status=order.status,
            acknowledged=order.acknowledged,
            started=order.started,
            completed=order.completed,
            handed_over=order.handed_over,
            as_of=now,
        )
        step.emit("orders.state", f"{order.plant}|{order.order}", record)

    def clock(self, step: Step, plant: str) -> int:
        """The plant's clock in this partition (for readiness and reports)."""
        known = self._plant(step, plant)
        return clock_of(step.state, plant, self._topology.upstreams(self.name, known.configuration)) if known else 0


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
        parts = (record.material, record.lot)
    else:
        parts = (record.source, record.raw_source, f"{record.raw_offset:020d}", record.event_id)
    return "|".join(map(str, parts))


def _with_conversions(units: UnitTable, row: MaterialRow) -> UnitTable:
    return units.with_material(row.material, row.conversions) if row.conversions else units


def consumption_weights(configuration: Configuration, order: OrderRow, row: AccountRow) -> dict[str, int]:
    """One mode per component: the figures of the other ways to know it are checks (domain rule 9)."""
    component = orders.component_of(order, row.operation, row.material, row.place)
    mode = orders.mode_of(configuration, component, row)
    trusted = {"declared": "declarations", "metered": "counters", "ledger_backflush": "backflush"}.get(mode)
    found = {}
    for key, source in row.sources.items():
        scrapped = bool(row.reason)  # component scrap is an issue with a reason, whatever the mode
        found[key] = int(scrapped or trusted is None or source.authority == trusted)
    return found


def _derived(amount: Fraction, unit: str, basis: list[AccountRow], row: AccountRow) -> SourceTotal:
    """The source of a backflushed quantity names the raw records of the gross that it follows from."""
    lineage = [
        (source.records, source.ranges, source.first_at, source.last_at)
        for account in basis
        if account.kind == row.kind and account.operation == row.operation and account.business_date == row.business_date
        for _, source in sorted(account.sources.items())
        if source.kind in ("gross", "good", BASIS)
    ]
    ranges: list[Any] = []
    for _, entries, _, _ in lineage:
        add_ranges(ranges, entries)
    return SourceTotal(
        kind="consumption",
        authority="backflush",
        numerator=amount.numerator,
        denominator=amount.denominator,
        unit=unit,
        log_epoch=0,
        inbox_offset=0,
        fold_version=0,
        first_at=min((first for _, _, first, _ in lineage), default=0),
        last_at=max((last for _, _, _, last in lineage), default=0),
        records=sum(records for records, _, _, _ in lineage),
        ranges=ranges,
    )
