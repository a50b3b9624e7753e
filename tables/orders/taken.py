"""An order cannot give back more than it took: what is below zero of a component waits (docs/domain.md, Corrections of
postings)."""

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction

from schemas.records import AccountRow
from tables.orders.carry import age

BELOW_ZERO = "BELOW_ZERO"
Holds = Callable[[AccountRow], Fraction]
"""What an account holds, in one unit for all of the material."""


def same_component(row: AccountRow, other: AccountRow) -> bool:
    return (row.kind, row.material) == (other.kind, other.material) == ("consumption", other.material)


def beyond(rows: Iterable[AccountRow], holds: Holds) -> Iterator[tuple[AccountRow, Fraction]]:
    """Which accounts give back more than was taken, and how much of that (a positive quantity): the youngest first. `rows`: all
    of one component in an order."""
    known = [(row, holds(row)) for row in rows]
    lack = -sum((quantity for _, quantity in known), Fraction(0))
    for row, quantity in sorted(known, key=lambda one: age(one[0]), reverse=True):
        part = min(lack, -quantity)
        if part > 0:
            lack -= part
            yield row, part
