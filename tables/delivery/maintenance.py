"""Maintenance windows of an ERP: local wall times in which nothing is sent to it."""

from collections.abc import Sequence
from datetime import date, timedelta

from tables.plant.local_time import instant_of, local_date, zone_of

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = timedelta(days=1)


def ends_at(windows: Sequence[str], zone: str, now: int) -> int:
    """When the windows that `now` (UTC microseconds) lies in are over; 0: it lies in none.

    A window is `Sun 02:00-06:00` or `daily 23:30-00:30`: local times, over midnight when the second is not later. One that
    clock changes leave without any time is none.
    """
    plant_zone = zone_of(zone)
    today, end = local_date(now, plant_zone), 0
    for window in windows:
        name, _, times = window.partition(" ")
        first, last = (int(clock[:2]) * 60 + int(clock[3:]) for clock in times.split("-"))
        for day in (today - _DAY, today):
            if name in ("daily", DAYS[day.weekday()]):
                until = _next(day, first, last)
                if instant_of(day, first, plant_zone) <= now < instant_of(until, last, plant_zone):
                    end = max(end, instant_of(until, last, plant_zone))
    if end and (following := ends_at(windows, zone, end)):
        return following  # one window begins where another ends
    return end


def _next(day: date, first: int, last: int) -> date:
    return day if last > first else day + _DAY
