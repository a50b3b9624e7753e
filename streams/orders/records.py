"""What a record changes in the ledger when the clock reaches its label: a function per kind, named in streams/orders/stage.py."""

from dataclasses import dataclass, replace
from typing import Any

from schemas.records import AccountRow, MaterialRow, OrderRow, PendingRow, QualityState, Total
from streams import boundary
from streams.boundary import Original
from streams.orders import public_state as order_state
from streams.orders import retention
from streams.orders.declarations import totals_of
from streams.orders.memory import OrdersMemory
from streams.step import Step
from tables.decisions import BAD_UNIT, POST, decide
from tables.orders import account as ledger
from tables.orders import order as orders
from tables.orders import order_state as states
from tables.orders.account import STOCK, row_key
from tables.orders.conversions import renewed
from tables.orders.due import above_at_once
from tables.orders.late_scrap import received
from tables.orders.plant_rules import PlantRules
from tables.refusal import RefusedValue
from tables.row_kinds import MATERIAL_ROWS

STAGE = "orders"


@dataclass(slots=True)
class Reached:
    """A record whose label the clock of its plant has reached."""

    step: Step
    memory: OrdersMemory
    plant: PlantRules
    record: Any
    pending: PendingRow
    """As it waited."""
    changed: set[str]
    """Row keys of the accounts that are looked at again at this tick: a handler adds to them."""
    label: int


# -- master data and quantities


def material(reached: Reached) -> None:
    step, record, plant = reached.step, reached.record, reached.plant
    key = MATERIAL_ROWS.key(record.plant, record.material)
    known: MaterialRow | None = step.rows.get(key)
    oldest = 0 if reached.memory.uses(record.plant, record.material) else reached.label - retention.keep_us(plant)
    row = renewed(known, record, reached.label, oldest)
    try:
        plant.know(row)
    except RefusedValue as refusal:
        boundary.refuse(step, STAGE, refusal.refusal.code, refusal.refusal.detail, Original(record))
        return
    step.rows.put(key, row)
    reached.memory.told(key, row)
    if known is None or replace(known, told_at=row.told_at) != row:
        reached.changed.update(reached.memory.concerned(record.plant, record.material))


def quality(reached: Reached) -> None:
    step, record = reached.step, reached.record
    key = orders.row_key(record.plant, record.order)
    row: OrderRow = step.rows.get(key) or OrderRow(record.plant, record.order)
    lot = f"{record.material}|{record.lot}"
    if (lot in row.held_lots) != record.held:
        row.held_lots = sorted({*row.held_lots, lot} if record.held else {*row.held_lots} - {lot})
        step.rows.put(key, row)
    order_state.judged(step, reached.memory, record, reached.label)


def declared(reached: Reached) -> None:
    record, epoch = reached.record, reached.step.state.log_epoch
    shift = reached.plant.times.calendar.shift_at(record.occurred_at)
    for stated in totals_of(record, shift.business_date, epoch, reached.pending.inbox_offset):
        _total(reached, stated)


def total(reached: Reached) -> None:
    _total(reached, reached.record)


def _total(reached: Reached, total: Total) -> None:
    step, periods, pending = reached.step, reached.plant.times.periods, reached.pending
    original = Original(reached.record, value=pending.record, offset=pending.inbox_offset)
    if retention.refused(step, STAGE, total, reached.memory.now, original):
        return
    if total.kind == "scrap" and total.position != STOCK and periods and not periods.is_open(total.business_date, total.label):
        scrap = ledger.accounts_of(total, retention.born_epoch(step.state, total.plant))[0]
        accounts = reached.memory.accounts_of(orders.row_key(total.plant, total.order))
        rows = [step.rows.get(key) for key in sorted(accounts)]
        in_stock = received(rows, total, periods.closes_at(total.business_date[:7]), reached.plant.units)
        kept, late = ledger.late_split(step.rows.get(row_key(scrap)) or scrap, total, in_stock)
        _receive(reached, kept)
        _receive(reached, late, late=True)
    else:
        _receive(reached, total)


def _receive(reached: Reached, total: Total, late: bool = False) -> None:
    step, memory, plant, changed = reached.step, reached.memory, reached.plant, reached.changed
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


def _counts(step: Step, memory: OrdersMemory, total: Total) -> set[str]:
    """Note what the operation's counters count; the first time, all of the order's accounts are looked at again."""
    key, counts = orders.row_key(total.plant, total.order), f"{total.operation}|{total.kind}"
    order: OrderRow = step.rows.get(key) or OrderRow(total.plant, total.order)
    if counts in order.counted:
        return set()
    order.counted = sorted([*order.counted, counts])
    step.rows.put(key, order)
    return memory.accounts_of(key)


# -- what happens to an order


def _order_of(reached: Reached) -> OrderRow:
    plant, order = reached.record.plant, reached.record.order
    return reached.step.rows.get(orders.row_key(plant, order)) or OrderRow(plant, order)


def note(reached: Reached, order: OrderRow | None = None) -> None:
    """Something happened to the order: its accounts are looked at again, and its public state is told."""
    order = order or _order_of(reached)
    key = orders.row_key(order.plant, order.order)
    reached.changed.update(reached.memory.accounts_of(key))
    reached.memory.touched.add(key)
    order_state.publish(reached.step, reached.memory, order, reached.label)


def is_open(reached: Reached) -> bool:
    """The posting that is decided about was issued for the order, and is not in the ERP."""
    key = orders.row_key(reached.record.plant, reached.record.order)
    rows: list[AccountRow] = [reached.step.rows.get(name) for name in reached.memory.accounts_of(key)]
    wanted = reached.record.posting_id
    return any(one.posting_id == wanted and one.status != "accepted" for row in rows for one in row.issued)


def nobodys(reached: Reached) -> None:
    """No endpoint has anything to decide about it."""
    name = reached.record.posting_id
    detail = f"order {reached.record.order} has no posting {name}, or it is in the ERP"
    boundary.refuse(reached.step, STAGE, "NOTHING_PARKED", detail, _original(reached))


def planned(reached: Reached) -> None:
    order = _order_of(reached)
    refusal = orders.refusal(reached.plant.configuration, reached.record)
    if refusal is not None:
        boundary.refuse(reached.step, STAGE, refusal.code, refusal.detail, _original(reached))
        return
    if not orders.released(order, reached.record):
        return
    states.planned(order, reached.record, reached.label)
    order_state.to_the_mes(reached.step, reached.plant, order, reached.label)
    note(reached, order)


def acknowledged(reached: Reached) -> None:
    order = _order_of(reached)
    states.answered(order, reached.label)
    note(reached, order)


def refused_by_the_floor(reached: Reached) -> None:
    order, record = _order_of(reached), reached.record
    states.answered(order, reached.label, rejected=record.reason or "no reason given")
    detail = f"the shop floor refused order {record.order}: {record.reason}"
    boundary.refuse(reached.step, STAGE, "ORDER_REJECTED", detail, _original(reached))
    note(reached, order)


def completed(reached: Reached) -> None:
    order, operation = _order_of(reached), reached.record.operation
    if not operation and not order.completed:
        order.completed, order.completed_at = True, reached.label
    if operation and operation not in order.completed_operations:
        order.completed_operations.append(operation)
    note(reached, order)


def closed(reached: Reached) -> None:
    order = _order_of(reached)
    orders.set_status(order, reached.record.status, reached.label)
    note(reached, order)


def handed_over(reached: Reached) -> None:
    order = _order_of(reached)
    order.handed_over, order.handed_over_at = True, reached.label
    note(reached, order)


def decided(reached: Reached) -> None:
    """A person decides about something parked: it stays with the account."""
    order = _order_of(reached)
    _decide(reached)
    note(reached, order)


def _decide(reached: Reached) -> None:
    step, decision = reached.step, reached.record
    if decision.decision == POST and decision.code == BAD_UNIT:
        detail = f"order {decision.order}: nothing can be posted in a unit that nobody converts"
        boundary.refuse(step, STAGE, "DECISION_INVALID", detail, _original(reached))
        return
    taken = False
    for key in sorted(reached.memory.accounts_of(orders.row_key(decision.plant, decision.order))):
        row = step.rows.get(key)
        if decision.account in ("", key[2:]) and decide(row, decision):
            step.rows.put(key, row)
            taken = True
    if not taken:
        detail = f"nothing of order {decision.order} is parked with {decision.code}"
        boundary.refuse(step, STAGE, "NOTHING_PARKED", detail, _original(reached))


def _original(reached: Reached) -> Original:
    return Original(reached.record, offset=reached.pending.inbox_offset)


# -- while a record waits


def outdated(step: Step, record: Any, known: PendingRow) -> bool:
    """Of one source key the newest version waits on, not the last to arrive: a sender may repeat itself."""
    return type(record) is not Total or ledger.version_of(step.decode(known.record)) <= ledger.version_of(record)


def of_a_source(total: Total) -> str:
    """Which source of which account; a second total of it replaces the first."""
    parts = (total.source_key, total.order, total.operation, total.material, total.lot, total.kind, total.reason)
    return "|".join((*parts, total.business_date))


def of_a_lot(state: QualityState) -> str:
    return f"{state.order}|{state.material}|{state.lot}"
