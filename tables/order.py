"""An order: what master data says of it, what the shop floor reported, and what of its accounts may be posted."""

from collections.abc import Iterator
from fractions import Fraction

from schemas.configuration import Configuration
from schemas.records import (
    AccountRow,
    BomRevision,
    MaterialRow,
    Operation,
    OrderChanged,
    OrderItem,
    OrderReleased,
    OrderRow,
    SourceTotal,
)
from tables.account import STOCK, TIMES, weights
from tables.components import children_of, component_of, components_at, known_revision, mode_of, revision_of
from tables.periods import Periods
from tables.quantity import fraction
from tables.rejected import Rejected
from tables.row_kinds import ORDER_ROWS

NOT_OPEN = {"locked": "ORDER_LOCKED", "closed": "ORDER_CLOSED"}
OVER = frozenset({"ORDER_CLOSED", "ORDER_TECHNICALLY_COMPLETE"})
"""Of what no rule posts the end of the order stops nothing, and nobody has to decide about it."""
MAX_REVISIONS = 20
"""Earlier bills of material that an order keeps; a run that pinned an older one parks its consumption."""


def row_key(plant: str, order: str) -> str:
    return ORDER_ROWS.key(plant, order)


def released(row: OrderRow, event: OrderReleased | OrderChanged) -> bool:
    """Take master data in. The ERP's change number decides, not the order of arrival. False: nothing newer."""
    if row.known and (len(event.change_number), event.change_number) < (len(row.change_number), row.change_number):
        return False
    if row.known and event.change_number == row.change_number and isinstance(event, OrderReleased):
        return False
    if row.known and row.bom_revision != event.bom_revision and row.bom_revision:
        kept = [bom for bom in row.boms if bom.revision not in (row.bom_revision, event.bom_revision)]
        row.boms = [*kept, BomRevision(row.bom_revision, row.components)][-MAX_REVISIONS:]
    row.known = True
    row.change_number, row.bom_revision, row.order_type = event.change_number, event.bom_revision, event.order_type
    row.automatic_receipt, row.backflush = event.automatic_receipt, event.backflush
    row.items, row.operations, row.components = event.items, event.operations, event.components
    set_status(row, event.status, event.label)
    return True


def set_status(row: OrderRow, status: str, label: int) -> None:
    """`label`: when it holds from; what was made later than a technical completion is no correction of it."""
    if status != "technically_complete":
        row.technically_complete_at = 0
    elif row.status != status or not row.technically_complete_at:
        row.technically_complete_at = label
    row.status = status


def is_completed(order: OrderRow, operation: str) -> bool:
    return order.completed or operation in order.completed_operations


def operation_of(order: OrderRow, operation: str) -> Operation | None:
    return next((entry for entry in order.operations if entry.operation == operation), None)


def receives(order: OrderRow, operation: str) -> bool:
    """Exactly one operation receives into stock; the others are confirmations without stock (docs/domain.md, Operations and
    receipt)."""
    found = operation_of(order, operation)
    return found is not None and found.receipt


def confirmed_with(order: OrderRow, operation: str) -> list[str]:
    """The operations that the ERP confirms when `operation` is confirmed: itself, and before a milestone all the others
    (docs/domain.md, Milestones)."""
    found = operation_of(order, operation)
    if found is None or found.confirm != "milestone":
        return [operation]
    return [entry.operation for entry in order.operations[: order.operations.index(found) + 1]]


def item_of(order: OrderRow, material: str) -> OrderItem | None:
    return next((item for item in order.items if item.material == material), None)


def planned_unit(configuration: Configuration, order: OrderRow, account: AccountRow) -> str:
    """The unit in which the order plans what the account is of; empty: it does not."""
    if account.kind == "consumption":
        component = component_of(components_at(configuration, order, revision_of(account)), account)
        return component.quantity.unit if component is not None else ""
    item = item_of(order, account.material)
    return item.quantity.unit if item is not None else ""


def authority_of(configuration: Configuration, order: OrderRow, operation: str) -> str:
    found = operation_of(order, operation)
    if found is not None and found.quantity_from != "plant":
        return found.quantity_from
    return configuration.plant.plant.quantity_from


def counted_at(order: OrderRow, operation: str) -> set[str]:
    """What counters have counted at the operation: gross, good."""
    return {kind for kind in ("gross", "good") if f"{operation}|{kind}" in order.counted}


def weights_of(configuration: Configuration, order: OrderRow, account: AccountRow) -> dict[str, int]:
    """How each source counts in the account: 1, -1, or 0 (a check). One authority per quantity, one mode per component:
    the figures of the other ways to know it are checks (docs/domain.md, Authority and Consumption modes)."""
    if account.kind != "consumption":
        authority = authority_of(configuration, order, account.operation)
        found = weights(account, authority, configuration.rules.yield_.is_, counted_at(order, account.operation))
        checks = {key for key, source in account.sources.items() if is_check(configuration, authority, source)}
        return {key: 0 if key in checks else weight for key, weight in found.items()}
    component = component_of(components_at(configuration, order, revision_of(account)), account)
    mode = mode_of(configuration, component, account)
    trusted = {"declared": "declarations", "metered": "counters", "ledger_backflush": "backflush"}.get(mode)
    if component is None and configuration.rules.mode_for(account.material, account.place, account.operation) is None:
        # Nobody says how it is known (unknown order, not in its bill): parked, but what was measured does not disappear.
        measured = any(source.authority == "counters" for source in account.sources.values())
        trusted = "counters" if measured else "declarations"
    scrapped = bool(account.reason)  # component scrap is an issue with a reason, in any mode
    return {key: int(scrapped or trusted is None or source.authority == trusted) for key, source in account.sources.items()}


def is_check(configuration: Configuration, authority: str, source: SourceTotal) -> bool:
    """Scrap and rework that the other authority has already: declared where the equipment has a counter of it, or counted
    where declarations hold. Declared where nothing counts it, it is no check."""
    if source.kind not in ("scrap", "rework") or source.authority == authority or source.position == STOCK:
        return False
    if source.authority == "counters":
        return authority == "declarations"
    entry = configuration.plant.equipment_for(source.equipment) if source.equipment else None
    return entry is not None and any(counter.counts == source.kind for counter in entry.counters.values())


def covered(configuration: Configuration, order: OrderRow, account: AccountRow) -> bool:
    """Confirmed by another posting: by a later milestone, or because the operation is not confirmed (docs/domain.md,
    Milestones)."""
    if account.kind != "yield":
        return False
    index = next((i for i, entry in enumerate(order.operations) if entry.operation == account.operation), None)
    if index is None or order.operations[index].receipt:
        return False
    booking = configuration.erp.booking("yield").operations
    own = order.operations[index].confirm
    if own == "none" or booking == "last" or (booking == "milestones" and own != "milestone"):
        return True
    return any(entry.confirm == "milestone" for entry in order.operations[index + 1 :])


def problems(
    configuration: Configuration,
    order: OrderRow,
    material: MaterialRow | None,
    account: AccountRow,
    periods: Periods | None = None,
    now: int = 0,
) -> Iterator[Rejected]:
    """Why this account must wait, the weightiest first; a person may let it pass one of them and not the next. They stop
    this account only (docs/domain.md, Parking and decisions)."""
    if not order.known:
        yield Rejected("UNKNOWN_ORDER", f"order {order.order} has not been released")
        return
    if order.status in NOT_OPEN:
        yield Rejected(NOT_OPEN[order.status], f"order {order.order} is {order.status}")
    if order.status == "technically_complete" and not _technically_allowed(configuration, order, account):
        yield Rejected("ORDER_TECHNICALLY_COMPLETE", f"order {order.order} is technically complete")
    if operation_of(order, account.operation) is None:
        yield Rejected("UNKNOWN_OPERATION", f"order {order.order} has no operation `{account.operation}`")
        return
    if periods is not None and configuration.erp.periods.late == "park" and not periods.is_open(account.business_date, now):
        yield Rejected("PERIOD_CLOSED", f"the period of {account.business_date} is closed")
    if account.kind in TIMES:
        return
    if not account.material:
        yield _no_material(account)
        return
    if configuration.rules.yield_.late_scrap.after_close == "park" and any(source.late for source in account.sources.values()):
        yield Rejected("LATE_SCRAP", f"scrap of {account.business_date} came after its period was closed")
    if account.kind == "consumption":
        yield from _consumption_problems(configuration, order, material, account)
        return
    item = item_of(order, account.material)
    if item is None and receives(order, account.operation):
        yield Rejected("MATERIAL_NOT_IN_ORDER", f"order {order.order} does not make {account.material}")
    if item is not None and item.batch_managed and not account.lot:
        yield from _missing_lot(configuration, account)
    yield from _long_lot(configuration, account)


def _no_material(account: AccountRow) -> Rejected:
    """Of a consumption: the position was empty. Of pieces: the run makes several materials, or nobody said what it makes."""
    if account.kind == "consumption":
        where = f" at position {account.place}" if account.place else ""
        return Rejected("NOTHING_LOADED", f"nothing is loaded{where} as far as anybody said, and the record names no material")
    return Rejected("MATERIAL_AMBIGUOUS", "the record names no material, and its run states none or several")


def _technically_allowed(configuration: Configuration, order: OrderRow, account: AccountRow) -> bool:
    """post_corrections: what was made before the completion, however late it is told; nothing that was made after it."""
    answer = configuration.rules.order.technically_completed
    before = [source for source in account.sources.values() if source.first_at <= order.technically_complete_at]
    return answer == "post" or (answer == "post_corrections" and (bool(before) or account.sequence > 0))


def _consumption_problems(
    configuration: Configuration, order: OrderRow, material: MaterialRow | None, account: AccountRow
) -> Iterator[Rejected]:
    revision = revision_of(account)
    if configuration.rules.order.bom == "revision_of_run" and not known_revision(order, revision):
        yield Rejected("BOM_MISMATCH", f"the run used revision {revision}, order {order.order} has {order.bom_revision}")
    components = components_at(configuration, order, revision)
    component = component_of(components, account)
    if component is None:
        yield Rejected("MATERIAL_NOT_IN_BOM", f"{account.material} is no component of order {order.order}")
        return
    if component.phantom:
        if not children_of(components, component):
            yield Rejected("PHANTOM", f"{account.material} is a phantom: it has no stock")
        return
    if configuration.erp.booking("consumption").reservation == "required" and not component.item:
        yield Rejected("RESERVATION_MISSING", f"component {account.material} of order {order.order} has no reservation item")
    managed = component.batch_managed or (material is not None and material.batch_managed)
    if managed and not account.lot:
        yield from _missing_lot(configuration, account)
    elif managed:
        yield from _long_lot(configuration, account)


def _missing_lot(configuration: Configuration, account: AccountRow) -> Iterator[Rejected]:
    if configuration.plant.lots.missing != "ignore":
        yield Rejected("LOT_MISSING", f"{account.material} is managed in batches and nobody named the lot")


def _long_lot(configuration: Configuration, account: AccountRow) -> Iterator[Rejected]:
    limit = configuration.plant.lots.erp_max_length
    if limit and len(account.lot) > limit:
        yield Rejected("LOT_TOO_LONG", f"lot {account.lot} has more than {limit} characters")


def limit(configuration: Configuration, order: OrderRow, material: str) -> Fraction | None:
    """How much of an item may be received, in the item's unit; None: unlimited (docs/domain.md, Over-delivery)."""
    item = item_of(order, material)
    stated = configuration.rules.order.over_delivery
    percent = item.over_delivery if item is not None and stated == "from_order" else stated
    if item is None or percent in ("unlimited", "from_order") or configuration.rules.order.excess == "post":
        return None
    ordered = fraction(item.quantity.amount, item.quantity.scale)
    return ordered * (1 + Fraction(percent or "0") / 100)
