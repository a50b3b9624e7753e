"""When a log-in that no log-off ends is over (docs/domain.md, People's time)."""

from collections.abc import Callable

from tables.plant.calendar import Calendar

WorkEnds = Callable[[int], int]
"""Time of a log-in -> when the work of who logged on then is over, unless a log-off says so (microseconds)."""
EARLY_US = 1_800_000_000
"""Who logs on within so long before a shift begins, works in that shift."""


def never(at: int) -> int:
    """Only a log-off, or the next log-in, ends it."""
    return 2**62


def end_of_work(calendar: Calendar, at: int) -> int:
    """The end of the shift stands for a log-off that never comes."""
    return calendar.shift_at(at + EARLY_US).end
