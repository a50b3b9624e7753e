"""An order: what master data says of it, what the shop floor reported, and what of its accounts may be posted."""

from collections.abc import Sequence
from fractions import Fraction

from schemas.configuration import Configuration
from schemas.records import (
    AccountRow,
    BomRevision,
    Component,
    Operation,
    OrderChanged,
    OrderItem,
    OrderReleased,
    OrderRow,
    SourceTotal,
)
from tables.orders.account import STOCK, weights
from tables.orders.components import Pin, component_of, components_for, mode_of, phantom_of, pin_of, pinned
from tables.quantity import fraction
from tables.refusal import Refusal
from tables.row_kinds import ORDER_ROWS

MAX_REVISIONS = 20
"""Earlier bills of material that an order keeps; a run that pinned an older one parks its consumption."""


OVER = frozenset({"closed", "technically_complete"})


def row_key(plant: str, order: str) -> str:
    return ORDER_ROWS.key(plant, order)


def released(row: OrderRow, event: OrderReleased | OrderChanged) -> bool:
    """Take master data in. The ERP's change number decides, not the order of arrival. False: nothing newer."""
    if reused(row, event):
        _begin_again(row, event)
    elif row.known and not _is_newer(row, event):
        return False
    if row.known and (row.bom_revision, row.components) != (event.bom_revision, event.components):
        until = max([event.occurred_at, *(bom.until for bom in row.boms)])
        row.boms = [*row.boms, BomRevision(row.bom_revision, row.components, until)][-MAX_REVISIONS:]
    row.known = True
    row.change_number, row.bom_revision, row.order_type = event.change_number, event.bom_revision, event.order_type
    row.automatic_receipt, row.backflush = event.automatic_receipt, event.backflush
    row.items, row.operations, row.components = event.items, event.operations, event.components
    set_status(row, event.status or row.status or "released", event.label)
    return True


def reused(row: OrderRow, event: OrderReleased | OrderChanged) -> bool:
    """Does the ERP use the number for another order? Released after this one was over, with another main product, or with another
    plan under a change number that is no greater (docs/domain.md, Reused numbers). A repeat of the release is none."""
    if not isinstance(event, OrderReleased) or not row.known or row.status not in OVER or event.occurred_at <= row.over_at:
        return False
    if event.status not in ("", "released"):
        return False
    newer = _is_newer(row, event)
    same = (event.items, event.operations, event.components) == (row.items, row.operations, row.components)
    return _main(event.items) != _main(row.items) or not (newer or same)


def _is_newer(row: OrderRow, event: OrderReleased | OrderChanged) -> bool:
    """By the ERP's change number; a change may bear that of the release."""
    known, told = (len(row.change_number), row.change_number), (len(event.change_number), event.change_number)
    return told > known or (told == known and isinstance(event, OrderChanged))


def _main(items: Sequence[OrderItem]) -> set[str]:
    return {item.material for item in items if item.role == "main"}


def _begin_again(row: OrderRow, event: OrderReleased | OrderChanged) -> None:
    """What happened to the former order did not happen to this one; its accounts stay what they were."""
    row.began_at, row.over_at, row.status = event.occurred_at, 0, ""
    row.completed, row.completed_at, row.completed_operations, row.final_sent = False, 0, [], []
    row.acknowledged, row.acknowledged_at, row.rejected, row.overdue, row.released_at = False, 0, "", False, 0
    row.started, row.started_at, row.handed_over, row.handed_over_at = False, 0, False, 0


def refusal(configuration: Configuration, event: OrderReleased | OrderChanged) -> Refusal | None:
    """Why the order cannot be taken: exactly one operation receives into stock (docs/domain.md, Operations and receipt). None of
    them may where the ERP has no receipt by confirmations (`book.yield.receipt: none`)."""
    receiving = [entry.operation for entry in event.operations if entry.receipt]
    if len(receiving) > 1:
        return Refusal("ORDER_INVALID", f"operations {', '.join(receiving)} of order {event.order} all receive into stock")
    if not receiving and configuration.erp.booking("yield").receipt != "none":
        return Refusal("ORDER_INVALID", f"no operation of order {event.order} receives into stock")
    return None


def set_status(row: OrderRow, status: str, label: int) -> None:
    """`label`: when it holds from; what was made later than a technical completion is no correction of it."""
    if status != "technically_complete":
        row.technically_complete_at = 0
    elif row.status != status or not row.technically_complete_at:
        row.technically_complete_at = label
    if status not in OVER:
        row.over_at = 0
    elif row.status not in OVER or not row.over_at:
        row.over_at = label
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
    """The operations that the ERP confirms when `operation` is confirmed: itself, and with a milestone those since the milestone
    before it (docs/domain.md, Milestones)."""
    before: list[str] = []
    for entry in order.operations:
        if entry.operation == operation:
            return [*before, operation] if entry.confirm == "milestone" else [operation]
        before = [] if entry.confirm == "milestone" else [*before, *([entry.operation] if entry.confirm != "none" else [])]
    return [operation]


def confirming(order: OrderRow, operation: str) -> str:
    """The operation with which this one is confirmed: the next milestone, or itself."""
    index = next((i for i, entry in enumerate(order.operations) if entry.operation == operation), None)
    if index is None or order.operations[index].confirm != "each":
        return operation
    later = (entry.operation for entry in order.operations[index + 1 :] if entry.confirm == "milestone")
    return next(later, operation)


def operation_of_component(order: OrderRow, component: Component, operation: str) -> str:
    """Where it is used; one of no operation where the order is received. `operation`: where there is none of both."""
    receiving = next((entry.operation for entry in order.operations if entry.receipt), operation)
    return component.operation or receiving


def item_of(order: OrderRow, material: str) -> OrderItem | None:
    return next((item for item in order.items if item.material == material), None)


def planned_unit(configuration: Configuration, order: OrderRow, account: AccountRow) -> str:
    """The unit in which the order plans what the account is of; empty: it does not."""
    if account.kind == "consumption":
        component = component_of(components_for(configuration, order, pinned(account), account), account)
        return component.quantity.unit if component is not None else ""
    item = item_of(order, account.material)
    return item.quantity.unit if item is not None else ""


def counted_by(configuration: Configuration, order: OrderRow, account: AccountRow) -> tuple[str, ...]:
    """What counters count (`counts`) where they are the authority for what the account is of: pieces, or what a meter shows.
    Empty: they are not."""
    if account.kind == "consumption":
        components = components_for(configuration, order, pinned(account), account)
        metered = mode_of(configuration, component_of(components, account), account) == "metered"
        return ("consumption",) if metered else ()
    return ("gross", "good") if authority_of(configuration, order, account.operation) == "counters" else ()


def comes_back(configuration: Configuration, order: OrderRow, account: AccountRow) -> bool:
    """Is it of a component of negative quantity (sprue, turnings)? It is planned to come back."""
    component = component_of(components_for(configuration, order, pinned(account), account), account)
    return component is not None and component.quantity.amount < 0


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
    if account.reason:  # component scrap is an issue with a reason, in any mode
        return dict.fromkeys(account.sources, 1)
    trusted: dict[Pin, str | None] = {}
    for pin in {pin_of(source) for source in account.sources.values()}:  # each by its own bill
        trusted[pin] = _trusted(configuration, order, account, pin)
    return {key: int(trusted[pin_of(source)] in (None, source.authority)) for key, source in account.sources.items()}


def _trusted(configuration: Configuration, order: OrderRow, account: AccountRow, pin: Pin) -> str | None:
    """Whose word counts for consumption of this bill; None: everybody's."""
    component = component_of(components_for(configuration, order, pin, account), account)
    if component is None and configuration.rules.mode_for(account.material, account.place, account.operation) is None:
        # Nobody says how it is known (unknown order, not in its bill): parked, but what was measured does not disappear.
        # A substitute that was loaded follows the pieces.
        known = {source.authority for source in account.sources.values() if source.numerator}
        return next((one for one in ("counters", "backflush") if one in known), "declarations")
    mode = mode_of(configuration, component, account)
    return {"declared": "declarations", "metered": "counters", "ledger_backflush": "backflush"}.get(mode)


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
    """Is the account of what somebody else posts? Of a confirmation that the next milestone makes, or that nobody makes
    (docs/domain.md, Milestones); of a phantom: its components' accounts; by erp_backflush: the ERP, and what was declared is
    only a check."""
    if account.kind == "consumption":
        components = components_for(configuration, order, pinned(account), account)
        if phantom_of(components, account) is not None:
            return True
        if account.reason:
            return False  # what fell on the floor no ERP derives
        return mode_of(configuration, component_of(components, account), account) == "erp_backflush"
    entry = operation_of(order, account.operation)
    if entry is None or entry.receipt or account.place == STOCK:
        return False
    booking = configuration.erp.booking("yield").operations
    if account.kind == "yield" and (booking == "last" or (booking == "milestones" and entry.confirm != "milestone")):
        return True
    return entry.confirm == "none" or confirming(order, account.operation) != account.operation


def limit(configuration: Configuration, order: OrderRow, material: str) -> Fraction | None:
    """How much of an item may be received, in the item's unit; None: unlimited (docs/domain.md, Over-delivery)."""
    item = item_of(order, material)
    stated = configuration.rules.order.over_delivery
    percent = item.over_delivery if item is not None and stated == "from_order" else stated
    if item is None or percent in ("unlimited", "from_order") or configuration.rules.order.excess == "post":
        return None
    ordered = fraction(item.quantity.amount, item.quantity.scale)
    return ordered * (1 + Fraction(percent or "0") / 100)
