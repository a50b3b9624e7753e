"""An order: what master data says of it, what the shop floor reported, and what of its accounts may be posted."""

from fractions import Fraction

from schemas.configuration import Configuration
from schemas.records import AccountRow, Component, MaterialRow, Operation, OrderChanged, OrderItem, OrderReleased, OrderRow
from tables.account import TIMES
from tables.quantity import fraction
from tables.rejected import Rejected

NOT_OPEN = {"locked": "ORDER_LOCKED", "closed": "ORDER_CLOSED"}


def row_key(plant: str, order: str) -> str:
    return f"o|{plant}|{order}"


def released(row: OrderRow, event: OrderReleased | OrderChanged) -> bool:
    """Take master data in. The ERP's change number decides, not the order of arrival. False: nothing newer."""
    if row.known and (len(event.change_number), event.change_number) < (len(row.change_number), row.change_number):
        return False
    if row.known and event.change_number == row.change_number and isinstance(event, OrderReleased):
        return False
    row.known = True
    row.change_number, row.bom_revision = event.change_number, event.bom_revision
    row.automatic_receipt, row.backflush = event.automatic_receipt, event.backflush
    row.items, row.operations, row.components = event.items, event.operations, event.components
    row.status = event.status
    return True


def operation_of(order: OrderRow, operation: str) -> Operation | None:
    return next((entry for entry in order.operations if entry.operation == operation), None)


def receives(order: OrderRow, operation: str) -> bool:
    """Exactly one operation receives into stock; the others are confirmations without stock (domain rule 1)."""
    found = operation_of(order, operation)
    return found is not None and found.receipt


def confirmed_with(order: OrderRow, operation: str) -> list[str]:
    """The operations that the ERP confirms when `operation` is confirmed: itself, and before a milestone all the others
    (domain rule 1)."""
    found = operation_of(order, operation)
    if found is None or found.confirm != "milestone":
        return [operation]
    return [entry.operation for entry in order.operations[: order.operations.index(found) + 1]]


def item_of(order: OrderRow, material: str) -> OrderItem | None:
    return next((item for item in order.items if item.material == material), None)


def component_of(order: OrderRow, operation: str, material: str, position: str) -> Component | None:
    """The operation's own first, at that position first, then any operation's (domain rule 12)."""
    found = [component for component in order.components if component.material == material]
    return max(
        found,
        key=lambda component: (component.operation == operation, component.position == position),
        default=None,
    )


def mode_of(configuration: Configuration, component: Component | None, account: AccountRow) -> str:
    """declared | metered | ledger_backflush | erp_backflush: what rules.yaml says, else the component's own flag."""
    position = component.position if component is not None else account.place
    stated = configuration.rules.mode_for(account.material, position, account.operation)
    if stated is not None:
        return stated.mode
    return component.mode if component is not None else "declared"


def authority_of(configuration: Configuration, order: OrderRow, operation: str) -> str:
    found = operation_of(order, operation)
    if found is not None and found.quantity_from != "plant":
        return found.quantity_from
    return configuration.plant.plant.quantity_from


def covered(configuration: Configuration, order: OrderRow, account: AccountRow) -> bool:
    """Confirmed by another posting: by a later milestone, or because the operation is not confirmed (domain rule 1)."""
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


def problem(configuration: Configuration, order: OrderRow, material: MaterialRow | None, account: AccountRow) -> Rejected | None:
    """Why this account must wait, or None. It stops this account only (design section 5, orders)."""
    if not order.known:
        return Rejected("UNKNOWN_ORDER", f"order {order.order} has not been released")
    if order.status in NOT_OPEN:
        return Rejected(NOT_OPEN[order.status], f"order {order.order} is {order.status}")
    if order.status == "technically_complete" and configuration.rules.order.technically_completed == "park":
        return Rejected("ORDER_TECHNICALLY_COMPLETE", f"order {order.order} is technically complete")
    if operation_of(order, account.operation) is None:
        return Rejected("UNKNOWN_OPERATION", f"order {order.order} has no operation `{account.operation}`")
    if account.kind in TIMES:
        return None
    if not account.material:
        return Rejected("MATERIAL_AMBIGUOUS", "the run has several outputs and the record names none")
    if account.kind == "consumption":
        return _consumption_problem(configuration, order, material, account)
    item = item_of(order, account.material)
    if item is None and receives(order, account.operation):
        return Rejected("MATERIAL_NOT_IN_ORDER", f"order {order.order} does not make {account.material}")
    if item is not None and item.batch_managed and not account.lot:
        return _missing_lot(configuration, account)
    return _long_lot(configuration, account)


def _consumption_problem(
    configuration: Configuration, order: OrderRow, material: MaterialRow | None, account: AccountRow
) -> Rejected | None:
    component = component_of(order, account.operation, account.material, account.place)
    if component is None:
        return Rejected("MATERIAL_NOT_IN_BOM", f"{account.material} is no component of order {order.order}")
    if component.phantom:
        return Rejected("PHANTOM", f"{account.material} is a phantom: it has no stock")
    managed = component.batch_managed or (material is not None and material.batch_managed)
    if managed and not account.lot:
        return _missing_lot(configuration, account)
    return _long_lot(configuration, account) if managed else None


def _missing_lot(configuration: Configuration, account: AccountRow) -> Rejected | None:
    if configuration.plant.lots.missing == "ignore":
        return None
    return Rejected("LOT_MISSING", f"{account.material} is managed in batches and nobody named the lot")


def _long_lot(configuration: Configuration, account: AccountRow) -> Rejected | None:
    limit = configuration.plant.lots.erp_max_length
    if limit and len(account.lot) > limit:
        return Rejected("LOT_TOO_LONG", f"lot {account.lot} has more than {limit} characters")
    return None


def limit(configuration: Configuration, order: OrderRow, material: str) -> Fraction | None:
    """How much of an item may be received, in the item's unit; None: unlimited (domain rule 15)."""
    item = item_of(order, material)
    stated = configuration.rules.order.over_delivery
    percent = item.over_delivery if item is not None and stated == "from_order" else stated
    if item is None or percent in ("unlimited", "from_order") or configuration.rules.order.excess == "post":
        return None
    ordered = fraction(item.quantity.amount, item.quantity.scale)
    return ordered * (1 + Fraction(percent or "0") / 100)
