"""Periods and maintenance windows: dates that controllers and ERP teams would write down by hand."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tables.delivery.maintenance import ends_at
from tables.plant.periods import PostingPeriods, later_date
from tables.refusal import RefusedValue

PRAGUE = "Europe/Prague"


def at(text: str, zone: str = PRAGUE, fold: int = 0) -> int:
    """Microseconds of a local time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("close", "period", "days_off", "expected"),
    [
        ("2nd workday 12:00", "2026-10", (), "2026-11-03T12:00"),  # the 1st of November is a Sunday
        ("1st workday 00:00", "2026-11", (), "2026-12-01T00:00"),
        ("2nd workday 12:00", "2026-12", (), "2027-01-04T12:00"),  # the 2nd and 3rd are a weekend
        ("2nd workday 12:00", "2026-12", ("2027-01-01",), "2027-01-05T12:00"),
        ("5th workday 18:30", "2027-02", (), "2027-03-05T18:30"),
        ("1st workday 02:30", "2027-02", ("2027-03-01",), "2027-03-02T02:30"),
    ],
)
def test_a_period_closes_on_a_workday_of_the_next_month(
    close: str, period: str, days_off: tuple[str, ...], expected: str
) -> None:
    assert PostingPeriods(close, PRAGUE, days_off).closes_at(period) == at(expected)


@pytest.mark.parametrize(
    ("business_date", "now", "expected"),
    [
        ("2026-11-30", "2026-12-02T11:59:59", "2026-11-30"),
        ("2026-11-30", "2026-12-02T12:00", "2026-12-01"),
        ("2026-12-01", "2026-12-02T12:00", "2026-12-01"),
        ("2026-12-31", "2027-01-04T11:59", "2026-12-31"),  # across the year
        ("2026-12-31", "2027-01-04T12:00", "2027-01-01"),
        ("2026-09-15", "2027-01-03T08:00", "2026-12-01"),  # long closed: December is still open
    ],
)
def test_the_posting_date_is_the_business_date_or_the_first_day_of_the_open_period(
    business_date: str, now: str, expected: str
) -> None:
    assert PostingPeriods("2nd workday 12:00", PRAGUE).posting_date(business_date, at(now)) == expected


def test_the_last_close() -> None:
    periods = PostingPeriods("2nd workday 12:00", PRAGUE)
    assert periods.last_close(at("2026-12-02T11:59")).period == "2026-10"
    assert periods.last_close(at("2026-12-02T12:00")) == ("2026-11", at("2026-12-02T12:00"))


@pytest.mark.parametrize("close", ["", "2 workday 12:00", "0th workday 12:00", "24th workday 12:00", "2nd workday 24:00"])
def test_what_is_no_close_is_refused(close: str) -> None:
    with pytest.raises(RefusedValue) as refused:
        PostingPeriods(close, PRAGUE)
    assert refused.value.refusal.code == "BAD_PERIOD"


def test_a_month_without_workdays_is_refused() -> None:
    days = [f"2027-{month:02}-{day:02}" for month in (1, 2, 3) for day in range(1, 29)]
    with pytest.raises(RefusedValue, match="workdays"):
        PostingPeriods("23rd workday 12:00", PRAGUE, days).closes_at("2026-12")


def test_a_posting_goes_again_only_under_a_later_date() -> None:
    assert later_date("2026-11-20", "", "2026-12") == "2026-12-01"
    assert later_date("2026-11-20", "2026-12-01", "2026-12") == ""
    assert later_date("2026-11-20", "2026-12-01", "2027-01") == "2027-01-01"
    assert later_date("2026-12-05", "", "2026-12") == ""


@pytest.mark.parametrize(
    ("windows", "now", "until"),
    [
        (["Sun 02:00-06:00"], "2026-11-22T01:59:59", ""),
        (["Sun 02:00-06:00"], "2026-11-22T02:00", "2026-11-22T06:00"),
        (["Sun 02:00-06:00"], "2026-11-22T06:00", ""),
        (["Sun 02:00-06:00"], "2026-11-23T03:00", ""),  # a Monday
        (["daily 23:30-00:30"], "2026-11-23T00:10", "2026-11-23T00:30"),
        (["Sat 23:00-02:00", "Sun 02:00-06:00"], "2026-11-21T23:10", "2026-11-22T06:00"),  # one after the other
        (["Sun 02:00-06:00"], "2027-03-28T03:00", "2027-03-28T06:00"),  # clocks skip 02:00 to 03:00
        (["Sun 02:00-03:00"], "2027-03-28T03:00", ""),  # skipped altogether
        (["Sun 01:00-04:00"], "2026-10-25T02:30", "2026-10-25T04:00"),  # four hours on the clock, five in all
        ([], "2026-11-22T03:00", ""),
    ],
)
def test_maintenance(windows: list[str], now: str, until: str) -> None:
    assert ends_at(windows, PRAGUE, at(now)) == (at(until) if until else 0)


def test_the_repeated_hour_is_within_the_window_both_times() -> None:
    for fold in (0, 1):
        assert ends_at(["Sun 01:00-04:00"], PRAGUE, at("2026-10-25T02:30", fold=fold)) == at("2026-10-25T04:00")
    assert datetime.fromtimestamp(at("2026-10-25T04:00") / 1e6, UTC).hour == 3
