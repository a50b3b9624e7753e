"""ledger_backflush: a component's consumption follows from the pieces, given to the lot that was loaded (domain rule 9)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction

from schemas.configuration import Configuration
from schemas.records import AccountRow, Component, OrderRow
from tables.account import BASIS
from tables.order import mode_of
from tables.quantity import fraction

PIECES = ("gross", "good")


def derive(
    configuration: Configuration, order: OrderRow, changed: AccountRow, accounts: Sequence[AccountRow], born_epoch: int
) -> Iterator[tuple[AccountRow, str, Fraction, str]]:
    """For each ledger_backflush component of the operation: (empty account, source key, exact quantity, unit).

    `accounts`: all of the order. Lots that no longer take part are given with quantity 0.
    """
    operation, date = changed.operation, changed.business_date
    here = [row for row in accounts if row.operation == operation and row.business_date == date]
    gross = sum((_pieces(row, PIECES) for row in here if row.kind == "yield"), Fraction(0))
    for component in order.components:
        account = _account(changed, component, "", born_epoch)
        if component.operation not in ("", operation):
            continue
        if mode_of(configuration, component, account) != "ledger_backflush":
            continue
        by_lot = _by_lot(here, component)
        by_lot[""] += gross - sum(by_lot.values(), Fraction(0))
        per_piece = fraction(component.quantity.amount, component.quantity.scale) / component.base
        source_key = f"backflush|{component.item}|{component.position}|{operation}"
        known = {row.lot for row in here if row.material == component.material and source_key in row.sources}
        for lot in sorted(known | {lot for lot, pieces in by_lot.items() if pieces}):
            amount = by_lot.get(lot, Fraction(0)) * per_piece
            yield _account(changed, component, lot, born_epoch), source_key, amount, component.quantity.unit


def _by_lot(accounts: Sequence[AccountRow], component: Component) -> dict[str, Fraction]:
    """Pieces made while a lot of the component was loaded at its position."""
    found: dict[str, Fraction] = defaultdict(Fraction)
    for row in accounts:
        for source in row.sources.values() if row.kind == BASIS else ():
            at_position = source.position == component.position or not component.position
            if at_position and source.component_material == component.material and source.component_lot:
                found[source.component_lot] += Fraction(source.numerator, source.denominator)
    return found


def _pieces(row: AccountRow, kinds: Sequence[str]) -> Fraction:
    counted = [source for source in row.sources.values() if source.kind in kinds and source.authority == "counters"]
    return sum((Fraction(source.numerator, source.denominator) for source in counted), Fraction(0))


def _account(changed: AccountRow, component: Component, lot: str, born_epoch: int) -> AccountRow:
    return AccountRow(
        changed.plant,
        changed.order,
        changed.operation,
        component.material,
        lot,
        "consumption",
        "",
        component.position,
        changed.business_date,
        born_epoch,
    )
