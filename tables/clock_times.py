"""Times in rows that came from the clock of the plant: a repair of that clock (`lineledger clock repair`) lowers them.

All other times in rows are those of sources and people, or say what once was: a posting keeps the cut that it was issued at.
What is reckoned from these (due times, the time at which a row is forgotten) is reckoned again. The clock of an equipment and
what it heard of its sources follow rules of their own (tables/equipment/own_clock.py).
"""

from typing import Any

from schemas.records import AccountClosedRow, AccountRow, LotRow, LotStateRow, MaterialRow, OrderRow, PostingRow, ScopeLotRow

BY_THE_CLOCK: dict[type, tuple[str, ...]] = {
    OrderRow: ("technically_complete_at", "released_at", "acknowledged_at", "completed_at", "handed_over_at", "over_at"),
    AccountRow: ("since",),
    MaterialRow: ("told_at", "known_at"),
    LotRow: ("touched_at",),
    ScopeLotRow: ("touched_at",),
    PostingRow: ("closed_at",),
    AccountClosedRow: ("at",),
    LotStateRow: ("label",),
}


def begun(row: Any, now: int) -> bool:
    """A row of a version that did not keep such a time: what is reckoned from it begins `now`. True: one was missing."""
    missing = [name for name in BY_THE_CLOCK[type(row)] if not getattr(row, name)]
    for name in missing:
        setattr(row, name, now)
    return bool(missing)


def lowered(row: Any, at: int) -> bool:
    """Nothing of the row happened later than `at` (microseconds). True: something of it says that it did, and says so no more."""
    late = [name for name in BY_THE_CLOCK[type(row)] if getattr(row, name) > at]
    for name in late:
        setattr(row, name, at)
    told = [one for one in row.former if one.known_at > at] if isinstance(row, MaterialRow) else []
    for one in told:
        one.known_at = at
    return bool(late or told)
