"""Accounting periods: calendar months that close on a workday of the following month (docs/domain.md, Periods).

`2nd workday 12:00`: the period of January closes at 12:00 plant time on the second workday of February. A workday is
Monday to Friday and none of the plant's days off.
"""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from tables.plant.local_time import instant_of, local_date, zone_of
from tables.refusal import RefusedValue

_CLOSE = re.compile(r"([1-9]|1\d|2[0-3])(?:st|nd|rd|th) workday ([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
MAX_DAYS_TO_CLOSE = 62
"""A period whose close is further away than this has no end: its days off leave no workdays."""
_DAY = timedelta(days=1)


class Close(NamedTuple):
    """A period (`YYYY-MM`) and the instant from which it takes no more postings (UTC microseconds)."""

    period: str
    at: int


class PostingPeriods:
    """Which posting dates are open at an instant. Raises Refusal(BAD_PERIOD) for a text that is no close."""

    def __init__(self, close: str, zone: str, days_off: Iterable[str] = ()) -> None:
        match = _CLOSE.fullmatch(" ".join(close.split()))
        if match is None:
            raise RefusedValue("BAD_PERIOD", f"`{close}` is no close of a period; write `2nd workday 12:00`")
        self._workday, self._minutes = int(match[1]), int(match[2]) * 60 + int(match[3])
        self._zone = zone_of(zone)
        self._days_off = frozenset(date.fromisoformat(day) for day in days_off)
        self._known: dict[str, int] = {}

    def closes_at(self, period: str) -> int:
        """When the period closes. Raises Refusal(BAD_PERIOD) when days off leave it no workday within two months."""
        known = self._known.get(period)
        if known is None:
            known = self._known[period] = instant_of(self._closing_day(_after(period)), self._minutes, self._zone)
        return known

    def is_open(self, business_date: str, now: int) -> bool:
        return now < self.closes_at(business_date[:7])

    def posting_date(self, business_date: str, now: int) -> str:
        """The business date if its period is open at `now`, else the first day of the open period."""
        period = business_date[:7]
        if now < self.closes_at(period):
            return business_date
        return first_day(self.open_period(now))

    def open_period(self, now: int) -> str:
        """The earliest period that still takes postings."""
        period = _before(_before(local_date(now, self._zone).isoformat()[:7]))
        while self.closes_at(period) <= now:
            period = _after(period)
        return period

    @staticmethod
    def following(period: str) -> str:
        """The period after it."""
        return _after(period)

    def last_close(self, now: int) -> Close:
        """The period that closed last, at or before `now`."""
        period = _before(self.open_period(now))
        return Close(period, self.closes_at(period))

    def _closing_day(self, month: str) -> date:
        day, workdays = date.fromisoformat(first_day(month)), 0
        for _ in range(MAX_DAYS_TO_CLOSE):
            workdays += day.weekday() < 5 and day not in self._days_off
            if workdays == self._workday:
                return day
            day += _DAY
        raise RefusedValue("BAD_PERIOD", f"{month} has no {self._workday} workdays")


def first_day(period: str) -> str:
    return f"{period}-01"


def later_date(business_date: str, refused: str, month: str) -> str:
    """The date under which a posting goes again that the ERP refused as too old for its period: the first day of
    `month` (`YYYY-MM`), or an empty text when that is no later than the refused date."""
    first = first_day(month)
    return first if first > (refused or business_date) else ""


def _after(period: str) -> str:
    return (date.fromisoformat(first_day(period)) + 31 * _DAY).isoformat()[:7]


def _before(period: str) -> str:
    return (date.fromisoformat(first_day(period)) - _DAY).isoformat()[:7]
