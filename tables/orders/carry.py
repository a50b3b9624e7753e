"""The carry moves on: what rounding leaves of one account is in the next one's quantity (docs/domain.md, Rounding and carry).

All accounts of one kind, operation, material and unit of an order are rounded as one quantity, by age: each takes what the sum
up to it rounds to beyond the sum before it. So all of their postings are within half a step of their total, whatever the number
of days, lots and reasons.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

from schemas.records import AccountRow
from tables.orders.account import BASIS, STOCK, account_key
from tables.quantity import round_half_away


class Carried(NamedTuple):
    """Accounts that share a carry."""

    kind: str
    operation: str
    material: str
    unit: str
    scale: int
    stock: bool
    """Scrap of what had been received already."""


def carried(row: AccountRow) -> Carried:
    return Carried(row.kind, row.operation, row.material, row.unit, row.scale, row.place == STOCK)


def age(row: AccountRow) -> tuple[str, str]:
    """What is greater is younger."""
    return row.business_date, account_key(row)


def is_whole(row: AccountRow) -> bool:
    """Has it no part of a step?"""
    return bool(row.recorded_numerator * 10**row.scale % row.recorded_denominator == 0)


def targets(rows: Iterable[AccountRow]) -> dict[int, int]:
    """id of the account -> steps that it stands for. `rows`: all accounts of an order, with what they hold."""
    together: dict[Carried, list[AccountRow]] = {}
    found: dict[int, int] = {}
    for row in rows:
        if row.kind == BASIS:
            continue
        found[id(row)] = row.recorded_numerator * 10**row.scale // row.recorded_denominator
        together.setdefault(carried(row), []).append(row)
    for group in together.values():
        if not all(is_whole(row) for row in group):
            found.update(_shared(group))
    return found


def _shared(group: list[AccountRow]) -> Mapping[int, int]:
    total, before, found = Fraction(0), 0, dict[int, int]()
    for row in sorted(group, key=age):
        total += Fraction(row.recorded_numerator, row.recorded_denominator)
        now = round_half_away(total, row.scale)
        found[id(row)], before = now - before, now
    return found


def steps(before: Fraction, amount: Fraction, scale: int) -> int:
    """What an account of `amount` stands for when the older ones hold `before`."""
    return round_half_away(before + amount, scale) - round_half_away(before, scale)
