"""What the pieces of an order need of each component, by the bill that was valid when they were made, beside what was used."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from schemas.configuration import Configuration
from schemas.records import AccountRow, Component, OrderRow
from tables.orders.account import BASIS, recorded_of
from tables.orders.backflush import account_of, made_of, substitutes
from tables.orders.components import basis_of, mode_of
from tables.orders.conversions import of_account
from tables.orders.order import confirming, operation_of_component
from tables.plant.units import UnitTable
from tables.quantity import fraction
from tables.refusal import Refusal

BY_THE_ERP = "erp_backflush"


class ComponentNeed(NamedTuple):
    """`needed` and `used`: in `unit`, exact."""

    operation: str
    material: str
    unit: str
    needed: Fraction
    used: Fraction


def needs(
    configuration: Configuration, order: OrderRow, accounts: Sequence[AccountRow], units: UnitTable
) -> Iterator[ComponentNeed]:
    """Of components that the ledger posts. What does not convert, what a substitute replaced, and what a bill does not know is
    left out: it is parked, or nobody can say what is right."""
    needed: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    without: set[tuple[str, str]] = set()
    places = {(row.operation, row.business_date) for row in accounts if row.kind in ("yield", BASIS)}
    for made_at, date in sorted(places):
        here = [row for row in accounts if (row.operation, row.business_date) == (made_at, date)]
        for operation in _stands_for(order, made_at, accounts, date):
            own = [row for row in accounts if (row.operation, row.business_date, row.kind) == (operation, date, BASIS)]
            pieces = here if operation == made_at else [*(row for row in here if row.kind != BASIS), *own]
            made, yield_share = made_of(configuration, order, pieces, units)
            for bill in made.values():
                for component in bill.components:
                    if not _counts(configuration, order, component, operation, here[0]):
                        continue
                    key = operation, component.material, component.quantity.unit
                    if substitutes(bill, component):
                        without.add(key[:2])
                    share = yield_share if basis_of(configuration, component, operation) == "yield" else Fraction(1)
                    amount = fraction(component.quantity.amount, component.quantity.scale) / component.base
                    needed[key] += bill.gross * amount * share
    for (operation, material, unit), amount in sorted(needed.items()):
        rows = [row for row in accounts if (row.kind, row.operation, row.material) == ("consumption", operation, material)]
        used = [of_account(row, recorded_of(row), unit, units) for row in rows if not row.reason and row.unit]
        known = [one for one in used if not isinstance(one, Refusal)]
        waits = any(row.apart or row.code == "BOM_MISMATCH" for row in rows)
        if (operation, material) not in without and not waits and len(known) == len(used):
            yield ComponentNeed(operation, material, unit, amount, sum(known, Fraction(0)))


def _stands_for(order: OrderRow, operation: str, accounts: Sequence[AccountRow], date: str) -> Iterator[str]:
    """The operation, unless its pieces are those of its milestone, and those that are confirmed with it."""
    by = confirming(order, operation)
    covered = any((row.operation, row.business_date, row.kind) == (by, date, "yield") for row in accounts)
    if by == operation or not covered:
        yield operation
    for entry in order.operations:
        if entry.operation != operation and confirming(order, entry.operation) == operation:
            yield entry.operation


def _counts(configuration: Configuration, order: OrderRow, component: Component, operation: str, like: AccountRow) -> bool:
    if component.phantom or component.parent or operation_of_component(order, component, operation) != operation:
        return False
    account = account_of(replace(like, operation=operation), component, "")
    return mode_of(configuration, component, account) != BY_THE_ERP
