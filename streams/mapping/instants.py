"""What is common to all forms of a time: its bounds, and the refusal of what is none."""

from datetime import datetime, timedelta

from streams.mapping.items import RefusedInMapping

LATEST = 253_370_764_800_000_000
"""9999-01-01: later instants have no local date everywhere."""
MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)


def bad_time(text: str, form: str = "") -> RefusedInMapping:
    """`form`: as plant.yaml states it under `date`; empty: it states none."""
    why = f"is no time of `date: {form}`" if form else "is no ISO 8601 time; another form is stated with `date`"
    return RefusedInMapping("BAD_TIME", f"`{text[:64]}` {why}")


def bounded(instant: int, text: str, earliest: int = 0) -> int:
    """`instant` in microseconds since 1970, from `earliest` on and before 9999. Raises Refusal BAD_TIME."""
    if not earliest <= instant < LATEST:
        raise out_of_bounds(text, instant < LATEST, bool(earliest))
    return instant


def out_of_bounds(text: str, early: bool, number: bool = False) -> RefusedInMapping:
    """A time that is one, and cannot be meant. `number`: it is a count since 1970."""
    if number:
        why = "as a number since 1970 lies out of all bounds: is it in another unit (epoch_s, epoch_ms, epoch_us, epoch_ns)?"
    else:
        why = "lies before 1970: the clock was not set" if early else "lies after 9998"
    return RefusedInMapping("BAD_TIME", f"`{text[:64]}` {why}")


def day_after(stamp: datetime) -> datetime:
    """What `24:00` of the stamp's day is. Raises OverflowError."""
    return stamp + _DAY
