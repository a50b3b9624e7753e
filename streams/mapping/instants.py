"""What is common to all forms of a time: its bounds, and the refusal of what is none."""

from datetime import datetime, timedelta

from streams.mapping.items import RefusedInMapping

LATEST = 253_370_764_800_000_000
"""9999-01-01: later instants have no local date everywhere."""
MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def bad_time(text: str) -> RefusedInMapping:
    return RefusedInMapping("BAD_TIME", f"`{text[:64]}` is no time in the stated form")


def bounded(instant: int, text: str, earliest: int = 0) -> int:
    """`instant` in microseconds since 1970, from `earliest` on and before 9999. Raises Refusal BAD_TIME."""
    if not earliest <= instant < LATEST:
        raise bad_time(text)
    return instant


def day_after(stamp: datetime) -> datetime:
    """What `24:00` of the stamp's day is. Raises OverflowError."""
    return stamp + _DAY
