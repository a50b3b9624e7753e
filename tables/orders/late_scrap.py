"""What of scrap that came after its period was closed can have been scrapped from stock (docs/domain.md, Late scrap)."""

from collections.abc import Iterable
from fractions import Fraction

from schemas.records import AccountRow, Total
from tables.orders.account import STOCK
from tables.orders.conversions import in_unit, of_account
from tables.plant.units import UnitTable
from tables.quantity import fraction
from tables.refusal import Refusal


def received(rows: Iterable[AccountRow], total: Total, close: int, units: UnitTable) -> Fraction:
    """Pieces of the scrap's operation, material and lot (of any, if it names none) that were posted before the close, less what
    other scrap took from stock; in the total's unit. `rows`: accounts of the order; `close`: log time, microseconds."""
    found = Fraction(0)
    for row in rows:
        if (row.operation, row.material) != (total.operation, total.material) or total.lot not in ("", row.lot):
            continue
        if row.kind == "yield":
            posted = sum(posting.amount for posting in row.issued if posting.cut < close)
            found += _known(of_account(row, fraction(posted, row.scale), total.unit, units))
        elif (row.kind, row.place) == ("scrap", STOCK):
            for key, source in row.sources.items():
                if key != total.source_key or row.reason != total.reason:
                    found -= _known(in_unit(row, source, total.unit, units))
    return max(found, Fraction(0))


def _known(value: Fraction | Refusal) -> Fraction:
    return Fraction(0) if isinstance(value, Refusal) else value
