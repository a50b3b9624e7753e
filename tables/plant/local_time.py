"""Local wall times and instants (UTC microseconds), through both clock changes of the year (docs/domain.md, Local times)."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tables.refusal import Refusal, RefusedValue

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR_US = 3_600_000_000
SKEW_MICROS = 5 * 60 * 1_000_000
"""How far a source's clock may run ahead of its receiver's; the bound of intake for received_at."""

Ambiguous = Literal["reject", "first", "second", "arrival"]


def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone of that name. Raises Refusal(BAD_CALENDAR)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as wrong:
        raise RefusedValue("BAD_CALENDAR", f"{name!r} is no time zone; write one like Europe/Prague.") from wrong


def local_date(micros: int, zone: ZoneInfo) -> date:
    """The date that clocks of the zone show at the instant."""
    return (EPOCH + timedelta(microseconds=micros)).astimezone(zone).date()


def changes_clocks(zone: ZoneInfo) -> bool:
    """Do clocks of the zone change twice a year, so that an hour of each autumn happens twice? As of the years around now."""
    days = (datetime(year, month, 1, tzinfo=zone) for year in (2020, 2030) for month in range(1, 13))
    return len({day.utcoffset() for day in days}) > 1


@lru_cache(maxsize=8192)
def instant_of(day: date, minutes: int, zone: ZoneInfo) -> int:
    """The first instant of `day` at which clocks show `minutes` after midnight (modulo a day) or a later time."""
    wall = datetime.combine(day, time(minutes // 60 % 24, minutes % 60))
    first, second = _passes(wall, zone)
    if first <= second:
        return first
    # Skipped by the clocks: both readings lie an hour or so around the change, which is found by halving.
    before, after = second, first
    offset = _offset(before, zone)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(middle, zone) == offset else (before, middle)
    return after


def local_to_utc(local: datetime, zone: ZoneInfo, ambiguous: Ambiguous = "reject", arrived_at: int = 0) -> int | Refusal:
    """The instant of a local stamp (naive).

    In the hour that clocks repeat, `ambiguous` decides: first or second pass; `arrival`: the second one unless that
    lies after `arrived_at` (UTC microseconds, plus 5 min of skew): right for stamps that arrive within the hour. One that
    arrives so late that it would not be within the hour of either pass is AMBIGUOUS_TIME, and so is every stamp otherwise.
    BAD_TIME for a time that clocks skip: its writer had another clock.
    """
    assert local.tzinfo is None, "a stamp with an offset is no local stamp"
    first, second = _passes(local, zone)
    if first == second:
        return first
    if first > second:
        return Refusal("BAD_TIME", f"{local.isoformat(' ')} does not exist in {zone.key}: clocks skip it.")
    if ambiguous == "first":
        return first
    if ambiguous == "second":
        return second
    if ambiguous == "arrival":
        if second > arrived_at + SKEW_MICROS:
            return first
        if arrived_at < 2 * second - first:
            return second
        detail = (
            f"{local.isoformat(' ')} happens twice in {zone.key}, and the record arrived too late to say which time is meant."
        )
        return Refusal("AMBIGUOUS_TIME", detail)
    return Refusal("AMBIGUOUS_TIME", f"{local.isoformat(' ')} happens twice in {zone.key}.")


def _passes(wall: datetime, zone: ZoneInfo) -> tuple[int, int]:
    """Both readings of a wall time. Equal as a rule; first < second: it happens twice; first > second: never."""
    first = (wall.replace(tzinfo=zone, fold=0) - EPOCH) // MICROSECOND
    second = (wall.replace(tzinfo=zone, fold=1) - EPOCH) // MICROSECOND
    return first, second


def _offset(micros: int, zone: ZoneInfo) -> timedelta | None:
    return (EPOCH + timedelta(microseconds=micros)).astimezone(zone).utcoffset()
