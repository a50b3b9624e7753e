"""Gross is the order's truth, not an account's: scrap and open rework of an operation find their pieces, whatever lot or day
those bear, and never exceed what was counted (docs/domain.md, Scrap finds its pieces).

A yield that scrap lowered below zero takes pieces from the other yields of its operation and material. Each move is a source of
both accounts, with a key of its own: replaced, never added. What finds no pieces waits, together with its scrap.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from schemas.records import AccountRow, SourceTotal
from tables.orders.account import MOVED, STOCK
from tables.orders.backflush import Derived
from tables.orders.conversions import in_unit
from tables.plant.units import UnitTable
from tables.refusal import Refusal

MOVE = "pieces|"
"""Source keys of moved pieces begin with it."""
SCRAP_EXCEEDS_GROSS = "SCRAP_EXCEEDS_GROSS"
LOWER = ("scrap", "rework")
"""What takes pieces from the yield."""
MADE = ("gross", "good")
"""What says that pieces were made."""
Holds = Callable[[AccountRow], Fraction]
"""What an account holds, in the unit of its group."""


class Group(NamedTuple):
    """Yields, scrap and rework of one operation and material stand for the same pieces."""

    operation: str
    material: str


def group_of(row: AccountRow) -> Group | None:
    """None: the account is of no pieces, or of such that had been received already."""
    of_pieces = row.kind == "yield" or (row.kind in LOWER and row.place != STOCK)
    return Group(row.operation, row.material) if of_pieces else None


def is_short(row: AccountRow) -> bool:
    """May the yield be less than nothing, or has it moved pieces?"""
    return any(source.kind in (*LOWER, MOVED) or source.numerator < 0 for source in row.sources.values())


def moves(yields: Sequence[AccountRow], holds: Holds, unit: str) -> list[Derived]:
    """The moves of one group. `yields`: all of its accounts of yield; `holds`: without moved pieces, in `unit`. What no longer
    moves is given with quantity 0."""
    left = {id(row): holds(row) for row in yields}
    found: dict[tuple[int, str], Derived] = {}
    for short in sorted((row for row in yields if left[id(row)] < 0), key=_age):
        for full in _finds(short, [row for row in yields if left[id(row)] > 0]):
            quantity = min(-left[id(short)], left[id(full)])
            if quantity > 0:
                left[id(short)] += quantity
                left[id(full)] -= quantity
                behind = [source for _, source in sorted(short.sources.items()) if source.kind in LOWER and source.numerator]
                for one in (_move(full, short, -quantity, unit, behind), _move(short, full, quantity, unit, ())):
                    found[id(one.account), one.source_key] = one
    for row in yields:
        for key, source in row.sources.items():
            if source.kind == MOVED and source.numerator and (id(row), key) not in found:
                found[id(row), key] = Derived(row, key, Fraction(0), source.unit, source.authority, "", (), MOVED)
    return [found[name] for name in sorted(found, key=lambda name: (_age(found[name].account), name[1]))]


def _move(row: AccountRow, other: AccountRow, quantity: Fraction, unit: str, behind: Sequence[SourceTotal]) -> Derived:
    key = f"{MOVE}{other.lot}|{other.business_date}"
    return Derived(row, key, quantity, unit, "order", "", behind, MOVED)


def _finds(short: AccountRow, full: Sequence[AccountRow]) -> list[AccountRow]:
    """Where missing pieces are looked for, best first. Of a lot that is named: in that lot, then in pieces of no lot. Of none:
    in the lots of its run, then in the oldest lot; within a lot on the same day, then on the oldest."""
    runs = {source.run for source in short.sources.values() if source.kind in LOWER and source.run}
    begun: dict[str, int] = {}
    for row in full:
        first = min((source.first_at for source in row.sources.values() if source.kind != MOVED), default=0)
        begun[row.lot] = min(begun.get(row.lot, first), first)

    def rank(row: AccountRow) -> tuple[object, ...]:
        of_run = any(source.run in runs for source in row.sources.values() if source.kind not in LOWER)
        same_day = row.business_date == short.business_date
        return bool(short.lot) and row.lot != short.lot, not of_run, begun[row.lot], row.lot, not same_day, row.business_date

    return sorted((row for row in full if row.lot in ("", short.lot) or not short.lot), key=rank)


def _age(row: AccountRow) -> tuple[str, ...]:
    return row.business_date, row.lot, row.kind, row.reason, row.place


def waiting(yields: Iterable[AccountRow], lowering: Sequence[AccountRow], rest: Holds) -> Iterator[tuple[AccountRow, Fraction]]:
    """Which scrap and open rework waits because its pieces are missing: that of a yield which is still below zero, scrap before
    rework. `rest`: what an account holds with moved pieces, in one unit for all."""
    for short in yields:
        lack = -rest(short)
        if lack > 0:
            here = [row for row in lowering if (row.lot, row.business_date) == (short.lot, short.business_date)]
            for row in sorted(here, key=lambda row: (row.kind == "scrap", row.reason), reverse=True):
                part = min(lack, max(Fraction(0), rest(row)))
                lack -= part
                if part:
                    yield row, part


def held(row: AccountRow, counts: Mapping[str, int], unit: str, units: UnitTable, moved: bool = False) -> Fraction:
    """What the account holds in `unit`. `moved`: with moved pieces."""
    found = Fraction(0)
    for key, source in row.sources.items():
        if counts[key] and (moved or source.kind != MOVED):
            amount = in_unit(row, source, unit, units)
            found += Fraction(0) if isinstance(amount, Refusal) else counts[key] * amount
    return found
