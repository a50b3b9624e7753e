"""Open rework never goes below zero (docs/domain.md, Rework): what is returned beyond it is parked until it is declared."""

from collections.abc import Sequence
from fractions import Fraction

from schemas.records import AccountRow, SourceTotal
from tables.orders.account import rework_returned
from tables.orders.conversions import in_unit
from tables.plant.units import UnitTable
from tables.refusal import Refusal

KINDS = ("rework", "yield", "scrap")


def same(row: AccountRow, other: AccountRow) -> bool:
    """Do both speak of one operation's open rework of a material? Rework of one day may be returned on another, of any lot."""
    return other.kind in KINDS and (other.operation, other.material) == (row.operation, row.material)


def beyond(row: AccountRow, accounts: Sequence[AccountRow], units: UnitTable) -> Fraction:
    """How much of `row`, in its unit, came from rework that was never open. Negative for the account of rework itself.

    `accounts`: all of the order, in key order. What is too much is looked for from the last business date back; what came
    back as scrap is parked in the scrap, the rest in the yield of the same lot and date.
    """
    rework = [other for other in accounts if other.kind == "rework" and same(row, other)]
    open_ = sum((_sum(other, row.unit, units) for other in rework), Fraction(0))
    missing = max(Fraction(0), -open_)
    for other in sorted(rework, key=lambda one: (one.business_date, one.lot), reverse=True):
        here = min(missing, max(Fraction(0), -_sum(other, row.unit, units)))
        missing -= here
        if (other.lot, other.business_date) != (row.lot, row.business_date) or not here:
            continue
        if row.kind == "rework":
            return -here
        scraps = [one for one in accounts if one.kind == "scrap" and same(row, one) and _goes_with(one, other)]
        for scrap in scraps:
            part = min(here, max(Fraction(0), _sum(scrap, row.unit, units, returned_only=True)))
            here -= part
            if scrap is row:
                return part
        return here if row.kind == "yield" else Fraction(0)
    return Fraction(0)


def _goes_with(scrap: AccountRow, rework: AccountRow) -> bool:
    return (scrap.lot, scrap.business_date) == (rework.lot, rework.business_date)


def _sum(row: AccountRow, unit: str, units: UnitTable, returned_only: bool = False) -> Fraction:
    amounts = (
        _in_unit(source, row, unit, units)
        for key, source in sorted(row.sources.items())
        if not returned_only or rework_returned(key)
    )
    return sum(amounts, Fraction(0))


def _in_unit(source: SourceTotal, row: AccountRow, unit: str, units: UnitTable) -> Fraction:
    amount = in_unit(row, source, unit, units)
    return Fraction(0) if isinstance(amount, Refusal) else amount
