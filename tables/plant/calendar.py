"""The plant calendar: which shift and which business date an instant belongs to, and where the cuts are (docs/domain.md,
Shifts and business dates).

Instants are UTC microseconds. A shift is two local wall times; the instant of a wall time on a day is the first one at
which the plant's clocks show that time or a later one. So a time that the spring change skips is the moment of the
change, a time that the autumn change repeats is its first pass, and the order of wall times is the order of instants.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from schemas.configuration import PlantConfig
from tables.plant.local_time import instant_of, local_date, zone_of
from tables.refusal import RefusedValue

BusinessDate = Literal["day_shift_began", "day_shift_ended", "calendar_day"]
"""day_shift_ended: the date of the shift's last instant. calendar_day: shifts are also cut at local midnight."""
OutsideShift = Literal["previous", "next", "calendar_day"]
"""Whom the time between shifts (gaps, days off) belongs to. previous: the shift before, yet that shift's end stays a
cut and the end of the gap is another; next: the following shift begins early; calendar_day: to no shift, day by day."""

OUTSIDE = "outside"
"""Name of what belongs to no shift."""
WHOLE_DAY = {"day": "00:00"}
"""The shifts of a plant that states none."""
MAX_SHIFTS = 24
MAX_DAYS_OFF = 4096
MAX_DAYS_OFF_IN_A_ROW = 366
MAX_CACHED = 1024
"""Shifts kept; a year of three shifts."""

_DAY = timedelta(days=1)
_MINUTES_PER_DAY = 24 * 60
_TIMES = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?:\s*-\s*([01]\d|2[0-3]):([0-5]\d))?", re.ASCII)


@dataclass(slots=True, frozen=True)
class Shift:
    """One shift on one day: start <= t < end. `end` is a cut. Consecutive shifts leave no instant out."""

    name: str
    start: int
    end: int
    business_date: str
    """YYYY-MM-DD"""


class Calendar:
    """Shifts of one plant.

    zone: IANA name. shifts: name -> "06:00" (until the next one begins) or "06:00-14:00"; none: whole days.
    days_off: local dates (YYYY-MM-DD) on which no shift begins; one that began the day before still ends as always.
    Raises Refusal(BAD_CALENDAR). Instants must lie between the years 1972 and 9997.
    """

    def __init__(
        self,
        zone: str,
        shifts: Mapping[str, str],
        business_date: str = "day_shift_began",
        outside_shift: str = "previous",
        days_off: Iterable[str | date] = (),
    ) -> None:
        self._zone: ZoneInfo = zone_of(zone)
        self._plan = _plan(shifts or WHOLE_DAY)
        self._business_date = _one_of("business_date", business_date, get_args(BusinessDate))
        self._outside = _one_of("outside_shift", outside_shift, get_args(OutsideShift))
        self._days_off = _days_off(days_off)
        self._starts: list[int] = []
        self._known: list[Shift] = []

    def shift_at(self, micros: int) -> Shift:
        """The shift that the instant belongs to. Called per event: a known shift is one binary search away."""
        position = bisect_right(self._starts, micros) - 1
        if position >= 0 and micros < self._known[position].end:
            return self._known[position]
        shift = self._found(micros)
        assert shift.start <= micros < shift.end
        if len(self._known) >= MAX_CACHED:
            self._starts.clear()
            self._known.clear()
        position = bisect_right(self._starts, shift.start)
        self._starts.insert(position, shift.start)
        self._known.insert(position, shift)
        return shift

    def next_cut(self, after_micros: int) -> int:
        """The first cut strictly after the instant."""
        return self.shift_at(after_micros).end

    def date_began(self, micros: int) -> int:
        """When the business date of the instant began: the start of the first of the consecutive shifts that have it."""
        shift = self.shift_at(micros)
        while (before := self.shift_at(shift.start - 1)).business_date == shift.business_date:
            shift = before
        return shift.start

    def cuts_between(self, a: int, b: int) -> Iterator[int]:
        """The cuts c with a < c <= b, ascending."""
        cut = self.next_cut(a)
        while cut <= b:
            yield cut
            cut = self.next_cut(cut)

    def _found(self, micros: int) -> Shift:
        today = local_date(micros, self._zone)
        for day in (today - _DAY, today):
            for shift in self._begun_on(day):
                if shift.start <= micros < shift.end:
                    return self._piece(self._joined_to_gap(shift, day), micros, today)
        return self._piece(self._gap(micros, today), micros, today)

    def _begun_on(self, day: date) -> list[Shift]:
        """The shifts that begin on a local day. One that a clock change leaves without any time is left out."""
        if day in self._days_off:
            return []
        return [shift for planned in self._plan if (shift := self._planned(planned, day)).start < shift.end]

    def _planned(self, planned: "_Planned", day: date) -> Shift:
        start = instant_of(day, planned.start, self._zone)
        end = instant_of(day + timedelta(days=planned.end // _MINUTES_PER_DAY), planned.end, self._zone)
        ended = local_date(end - 1, self._zone) if end > start else day
        belongs_to = ended if self._business_date == "day_shift_ended" else day
        return Shift(planned.name, start, end, belongs_to.isoformat())

    def _joined_to_gap(self, shift: Shift, day: date) -> Shift:
        if self._outside != "next":
            return shift
        return replace(shift, start=self._before(shift.start, day).end)

    def _gap(self, micros: int, today: date) -> Shift:
        before, after = self._before(micros, today), self._after(micros, today)
        if self._outside == "next":
            return replace(after, start=before.end)
        if self._outside == "previous":
            return replace(before, start=before.end, end=after.start)
        return Shift(OUTSIDE, before.end, after.start, "")

    def _before(self, micros: int, today: date) -> Shift:
        """The last shift that ends at or before the instant."""
        return next(
            shift
            for back in range(MAX_DAYS_OFF_IN_A_ROW + 3)
            for shift in reversed(self._begun_on(today - back * _DAY))
            if shift.end <= micros
        )

    def _after(self, micros: int, today: date) -> Shift:
        """The first shift that begins after the instant."""
        return next(
            shift
            for ahead in range(MAX_DAYS_OFF_IN_A_ROW + 3)
            for shift in self._begun_on(today + ahead * _DAY)
            if shift.start > micros
        )

    def _piece(self, shift: Shift, micros: int, today: date) -> Shift:
        """What the local day of the instant leaves of a shift, where business dates are calendar days."""
        whole = self._business_date != "calendar_day" and shift.business_date != ""
        if whole:
            return shift
        midnight, next_midnight = instant_of(today, 0, self._zone), instant_of(today + _DAY, 0, self._zone)
        start, end = max(shift.start, midnight), min(shift.end, next_midnight)
        return Shift(shift.name, start, end, today.isoformat())


@dataclass(slots=True, frozen=True)
class _Planned:
    """A shift as configured: minutes after local midnight; `end` beyond 1440 is the next day."""

    name: str
    start: int
    end: int


def _plan(shifts: Mapping[str, str]) -> tuple[_Planned, ...]:
    if len(shifts) > MAX_SHIFTS:
        raise RefusedValue("BAD_CALENDAR", f"A day has at most {MAX_SHIFTS} shifts.")
    stated = sorted((*_times(name, text), name) for name, text in shifts.items())
    plan = []
    for index, (start, end, name) in enumerate(stated):
        following = stated[index + 1][0] if index + 1 < len(stated) else stated[0][0] + _MINUTES_PER_DAY
        if following == start:
            raise RefusedValue("BAD_CALENDAR", f"The shifts {name} and {stated[index + 1][2]} begin at the same time.")
        until = following if end < 0 else end + (_MINUTES_PER_DAY if end <= start else 0)
        if until > following:
            raise RefusedValue("BAD_CALENDAR", f"The shift {name} ends after the next one has begun.")
        plan.append(_Planned(name, start, until))
    return tuple(plan)


def _times(name: str, text: str) -> tuple[int, int]:
    """Start and end in minutes after midnight; -1 for an end that is left to the next shift."""
    match = _TIMES.fullmatch(text)
    if match is None or name in ("", OUTSIDE):
        raise RefusedValue("BAD_CALENDAR", f"Shift {name!r}: {text!r}; write a name and '06:00' or '06:00-14:00'.")
    hour, minute, end_hour, end_minute = match.groups()
    end = -1 if end_hour is None else int(end_hour) * 60 + int(end_minute)
    return int(hour) * 60 + int(minute), end


def _days_off(days: Iterable[str | date]) -> frozenset[date]:
    try:
        found = frozenset(day if isinstance(day, date) else date.fromisoformat(day) for day in days)
    except ValueError as wrong:
        raise RefusedValue("BAD_CALENDAR", f"days_off: {wrong}; write dates like 2026-12-25.") from wrong
    if len(found) > MAX_DAYS_OFF:
        raise RefusedValue("BAD_CALENDAR", f"days_off: more than {MAX_DAYS_OFF} dates.")
    run, before = 0, date.min
    for day in sorted(found):
        run = run + 1 if day - before == _DAY else 1
        before = day
        if run > MAX_DAYS_OFF_IN_A_ROW:
            raise RefusedValue("BAD_CALENDAR", f"days_off: more than {MAX_DAYS_OFF_IN_A_ROW} days in a row.")
    return found


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise RefusedValue("BAD_CALENDAR", f"{what}: {value!r}; write one of {', '.join(allowed)}.")
    return value


def calendar_of(config: PlantConfig) -> Calendar:
    """The calendar that a plant.yaml states."""
    section = config.calendar
    return Calendar(config.plant.zone, section.shifts, section.business_date, section.outside_shift, section.days_off)
