from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tables.plant.calendar import MAX_CACHED, Calendar, Shift
from tables.plant.local_time import local_to_utc
from tables.refusal import Refusal, RefusedValue

SHIFTS = {"early": "06:00", "late": "14:00", "night": "22:00"}
PRAGUE = ZoneInfo("Europe/Prague")


def at(text: str) -> int:
    """UTC microseconds of an ISO stamp in UTC."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def plant(**changes: object) -> Calendar:
    settings: dict[str, object] = {"zone": "Europe/Prague", "shifts": SHIFTS, **changes}
    return Calendar(**settings)  # type: ignore[arg-type]


def shift(name: str, start: str, end: str, business_date: str) -> Shift:
    return Shift(name, at(start), at(end), business_date)


@pytest.mark.parametrize(
    ("instant", "expected"),
    [
        # winter: local = UTC + 1
        ("2026-11-20T05:00", shift("early", "2026-11-20T05:00", "2026-11-20T13:00", "2026-11-20")),
        ("2026-11-20T12:59:59.999999", shift("early", "2026-11-20T05:00", "2026-11-20T13:00", "2026-11-20")),
        ("2026-11-20T13:00", shift("late", "2026-11-20T13:00", "2026-11-20T21:00", "2026-11-20")),
        ("2026-11-21T02:00", shift("night", "2026-11-20T21:00", "2026-11-21T05:00", "2026-11-20")),
        # summer: local = UTC + 2
        ("2026-07-01T03:59:59", shift("night", "2026-06-30T20:00", "2026-07-01T04:00", "2026-06-30")),
        # the night of 28 to 29 March 2026 has 7 hours: 02:00 -> 03:00 local at 01:00 UTC
        ("2026-03-29T00:59", shift("night", "2026-03-28T21:00", "2026-03-29T04:00", "2026-03-28")),
        ("2026-03-29T03:59", shift("night", "2026-03-28T21:00", "2026-03-29T04:00", "2026-03-28")),
        ("2026-03-29T04:00", shift("early", "2026-03-29T04:00", "2026-03-29T12:00", "2026-03-29")),
        # the night of 24 to 25 October 2026 has 9 hours: 03:00 -> 02:00 local at 01:00 UTC
        ("2026-10-25T00:30", shift("night", "2026-10-24T20:00", "2026-10-25T05:00", "2026-10-24")),
        ("2026-10-25T01:30", shift("night", "2026-10-24T20:00", "2026-10-25T05:00", "2026-10-24")),
        ("2026-10-25T04:30", shift("night", "2026-10-24T20:00", "2026-10-25T05:00", "2026-10-24")),
        # the year's last night
        ("2026-12-31T23:30", shift("night", "2026-12-31T21:00", "2027-01-01T05:00", "2026-12-31")),
        ("2027-01-01T04:59", shift("night", "2026-12-31T21:00", "2027-01-01T05:00", "2026-12-31")),
    ],
)
def test_shift_and_business_date(instant: str, expected: Shift) -> None:
    calendar = plant()
    assert calendar.shift_at(at(instant)) == expected
    assert calendar.shift_at(at(instant)) == expected, "from the cache"


def test_whole_days_of_23_and_25_hours() -> None:
    calendar = plant(shifts={})
    assert calendar.shift_at(at("2026-03-29T12:00")) == shift("day", "2026-03-28T23:00", "2026-03-29T22:00", "2026-03-29")
    assert calendar.shift_at(at("2026-10-25T12:00")) == shift("day", "2026-10-24T22:00", "2026-10-25T23:00", "2026-10-25")


@pytest.mark.parametrize(
    ("boundary", "day", "expected"),
    [
        # skipped: the moment of the change; repeated: the first pass
        ("02:30", "2026-03-29", "2026-03-29T01:00"),
        ("03:00", "2026-03-29", "2026-03-29T01:00"),
        ("01:59", "2026-03-29", "2026-03-29T00:59"),
        ("02:30", "2026-10-25", "2026-10-25T00:30"),
        ("03:00", "2026-10-25", "2026-10-25T02:00"),
        ("01:59", "2026-10-25", "2026-10-24T23:59"),
    ],
)
def test_a_boundary_in_the_clock_change(boundary: str, day: str, expected: str) -> None:
    calendar = plant(shifts={"a": "12:00", "b": boundary})
    assert calendar.shift_at(at(f"{day}T06:00")).start == at(expected)
    assert calendar.shift_at(at(expected) - 1).end == at(expected)


def test_a_shift_that_the_clocks_skip_entirely_does_not_take_place() -> None:
    calendar = plant(shifts={"a": "06:00", "b": "02:10", "c": "02:50"})
    names = [calendar.shift_at(cut).name for cut in calendar.cuts_between(at("2026-03-28T12:00"), at("2026-03-29T12:00"))]
    assert names == ["c", "a"]
    calendar = plant(shifts={"a": "06:00", "b": "02:10", "c": "02:50"})
    names = [calendar.shift_at(cut).name for cut in calendar.cuts_between(at("2026-03-29T12:00"), at("2026-03-30T12:00"))]
    assert names == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("rule", "instant", "business_date", "end"),
    [
        ("day_shift_began", "2026-11-21T02:00", "2026-11-20", "2026-11-21T05:00"),
        ("day_shift_ended", "2026-11-20T22:30", "2026-11-21", "2026-11-21T05:00"),
        ("day_shift_ended", "2026-11-20T12:00", "2026-11-20", "2026-11-20T13:00"),
        ("calendar_day", "2026-11-20T22:30", "2026-11-20", "2026-11-20T23:00"),
        ("calendar_day", "2026-11-20T23:00", "2026-11-21", "2026-11-21T05:00"),
    ],
)
def test_business_date_rules(rule: str, instant: str, business_date: str, end: str) -> None:
    found = plant(business_date=rule).shift_at(at(instant))
    assert (found.business_date, found.end) == (business_date, at(end))


def test_a_shift_that_ends_at_midnight_ends_on_the_day_before() -> None:
    calendar = plant(shifts={"day": "08:00-16:00", "late": "16:00-00:00"}, business_date="day_shift_ended")
    assert calendar.shift_at(at("2026-11-20T20:00")).business_date == "2026-11-20"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("previous", shift("night", "2026-12-25T05:00", "2026-12-26T05:00", "2026-12-24")),
        ("next", shift("early", "2026-12-25T05:00", "2026-12-26T13:00", "2026-12-26")),
        ("calendar_day", shift("outside", "2026-12-25T05:00", "2026-12-25T23:00", "2026-12-25")),
    ],
)
def test_a_day_off(rule: str, expected: Shift) -> None:
    calendar = plant(days_off=["2026-12-25"], outside_shift=rule)
    assert calendar.shift_at(at("2026-12-25T10:00")) == expected
    # the shift that began the day before ends as always, and its end stays a cut
    assert calendar.next_cut(at("2026-12-25T04:00")) == at("2026-12-25T05:00")


def test_the_following_shift_is_the_same_whether_met_in_the_gap_or_later() -> None:
    first, later = plant(days_off=["2026-12-25"], outside_shift="next"), plant(days_off=["2026-12-25"], outside_shift="next")
    assert first.shift_at(at("2026-12-25T10:00")) == later.shift_at(at("2026-12-26T06:00"))


def test_gaps_between_stated_ends() -> None:
    calendar = plant(shifts={"day": "06:00-14:30"})
    assert calendar.shift_at(at("2026-11-20T13:29")) == shift("day", "2026-11-20T05:00", "2026-11-20T13:30", "2026-11-20")
    assert calendar.shift_at(at("2026-11-20T13:30")) == shift("day", "2026-11-20T13:30", "2026-11-21T05:00", "2026-11-20")


def test_days_off_in_a_row_over_the_year_change() -> None:
    calendar = plant(days_off=[f"2026-12-{day}" for day in range(24, 32)] + ["2027-01-01"])
    assert calendar.shift_at(at("2026-12-28T12:00")) == shift("night", "2026-12-24T05:00", "2027-01-02T05:00", "2026-12-23")


def test_cuts_lie_strictly_after_and_reach_the_end() -> None:
    calendar = plant()
    cuts = list(calendar.cuts_between(at("2026-10-24T20:00"), at("2026-10-25T21:00")))
    assert cuts == [at("2026-10-25T05:00"), at("2026-10-25T13:00"), at("2026-10-25T21:00")]
    assert calendar.next_cut(at("2026-10-25T05:00")) == at("2026-10-25T13:00")
    assert calendar.next_cut(at("2026-10-25T05:00") - 1) == at("2026-10-25T05:00")
    assert list(calendar.cuts_between(at("2026-10-25T05:00"), at("2026-10-25T12:59"))) == []


def test_the_cache_is_bounded_and_changes_no_answer() -> None:
    calendar, step = plant(), timedelta(hours=8) // timedelta(microseconds=1)
    start = at("2026-01-01T00:00")
    swept = [calendar.shift_at(start + n * step) for n in range(2 * MAX_CACHED)]
    assert len(calendar._known) <= MAX_CACHED
    backwards = [calendar.shift_at(start + n * step) for n in reversed(range(2 * MAX_CACHED))]
    assert swept == backwards[::-1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"zone": "Europe/Praha"},
        {"zone": "../etc/passwd"},
        {"shifts": {"early": "6:00"}},
        {"shifts": {"early": "24:00"}},
        {"shifts": {"early": "06:00", "late": "06:00"}},
        {"shifts": {"early": "06:00-15:00", "late": "14:00"}},
        {"shifts": {"night": "22:00-07:00", "early": "06:00"}},
        {"shifts": {"outside": "06:00"}},
        {"shifts": {str(n): f"{n % 24:02}:{n}" for n in range(10, 36)}},
        {"business_date": "yesterday"},
        {"outside_shift": "lost"},
        {"days_off": ["25.12.2026"]},
        {"days_off": [datetime(2026, 1, 1).date() + timedelta(days=n) for n in range(367)]},  # noqa: DTZ001
    ],
)
def test_a_wrong_calendar_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RefusedValue) as refused:
        plant(**wrong)
    assert refused.value.refusal.code == "BAD_CALENDAR"


@pytest.mark.parametrize(
    ("local", "rule", "arrived", "expected"),
    [
        ("2026-11-20T06:00:00.000001", "reject", "2026-11-20T05:00", "2026-11-20T05:00:00.000001"),
        ("2026-07-01T06:00", "reject", "2026-07-01T04:00", "2026-07-01T04:00"),
        ("2026-10-25T02:30", "first", "2026-10-25T09:00", "2026-10-25T00:30"),
        ("2026-10-25T02:30", "second", "2026-10-25T00:30", "2026-10-25T01:30"),
        ("2026-10-25T02:30", "arrival", "2026-10-25T00:31", "2026-10-25T00:30"),
        ("2026-10-25T02:30", "arrival", "2026-10-25T01:31", "2026-10-25T01:30"),
        ("2026-10-25T02:30", "arrival", "2026-10-25T01:29:50", "2026-10-25T01:30"),
        ("2026-10-25T02:30", "arrival", "2026-10-25T01:24:59", "2026-10-25T00:30"),
        ("2026-10-25T02:30", "arrival", "2026-10-25T02:29:59", "2026-10-25T01:30"),
        ("2026-10-25T03:00", "reject", "2026-10-25T02:00", "2026-10-25T02:00"),
    ],
)
def test_local_stamps(local: str, rule: str, arrived: str, expected: str) -> None:
    stamp = datetime.fromisoformat(local)
    assert local_to_utc(stamp, PRAGUE, rule, at(arrived)) == at(expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("hours", ["2026-10-25T02:30", "2026-10-25T09:00", "2026-11-20T00:00"])
def test_a_stamp_of_the_repeated_hour_that_arrives_hours_later_is_refused(hours: str) -> None:
    """Within the hour of neither pass: read as the second one it may be an hour wrong, and nobody would know."""
    refused = local_to_utc(datetime.fromisoformat("2026-10-25T02:30"), PRAGUE, "arrival", at(hours))
    assert isinstance(refused, Refusal)
    assert (refused.code, "too late" in refused.detail) == ("AMBIGUOUS_TIME", True)


@pytest.mark.parametrize(
    ("local", "rule", "code"),
    [
        ("2026-10-25T02:30", "reject", "AMBIGUOUS_TIME"),
        ("2026-03-29T02:30", "reject", "BAD_TIME"),
        ("2026-03-29T02:30", "first", "BAD_TIME"),
        ("2026-03-29T02:30", "arrival", "BAD_TIME"),
    ],
)
def test_local_stamps_that_decide_nothing_are_refused(local: str, rule: str, code: str) -> None:
    refused = local_to_utc(datetime.fromisoformat(local), PRAGUE, rule)  # type: ignore[arg-type]
    assert isinstance(refused, Refusal)
    assert refused.code == code
