"""When an account becomes a posting: each trigger of rules.yaml."""

from fractions import Fraction
from typing import Any

import pytest

from schemas.configuration import PostRule
from schemas.records import AccountRow, OrderRow
from tables.due_index import DueIndex
from tables.orders.due import Look, Timetable, above_at_once, due_time, enough
from tables.plant.calendar import calendar_of
from tables.plant.periods import PostingPeriods
from tables.plant.units import UnitTable
from tests.unit.tables.floor_bench import HOUR, MIN, at, configuration

CALENDAR = calendar_of(configuration().plant)
UNITS = UnitTable({"4711": ["1 BOX = 48 PC"]})
TIMES = Timetable(CALENDAR, UNITS)
NOW = at("07:10")


def account(target: int, posted: int = 0, kind: str = "yield", **fields: Any) -> AccountRow:
    row = AccountRow("P", "O1", "10", "4711", "L1", kind, "", "", "2026-11-20", 1, target=target, posted=posted, unit="PC")
    for name, value in fields.items():
        setattr(row, name, value)
    return row


def rule(*when: str, **fields: Any) -> PostRule:
    return PostRule.model_validate({"kind": "yield", "when": list(when), **fields})


def due(row: AccountRow, *when: str, now: int = NOW, **order: Any) -> int | None:
    return due_time(row, rule(*when), OrderRow("P", "O1", **order), TIMES, now)


@pytest.mark.parametrize(
    ("when", "now", "order", "expected"),
    [
        pytest.param("shift_end", NOW, {}, at("14:00"), id="shift end"),
        pytest.param("shift_end", at("14:00"), {}, at("14:00"), id="at the cut itself"),
        pytest.param("shift_end", at("14:00") + 1, {}, at("22:00"), id="just after the cut"),
        pytest.param("order_completed", NOW, {}, None, id="not completed"),
        pytest.param("order_completed", NOW, {"completed": True}, NOW, id="completed"),
        pytest.param("order_completed", NOW, {"completed_operations": ["10"]}, None, id="only an operation is completed"),
        pytest.param("operation_completed", NOW, {"completed_operations": ["20"]}, None, id="another operation"),
        pytest.param("operation_completed", NOW, {"completed_operations": ["10"]}, NOW, id="its operation"),
        pytest.param("operation_completed", NOW, {"completed": True}, NOW, id="the order ends its operations"),
        pytest.param("every 30 min", NOW, {}, at("07:30"), id="the end of the interval"),
        pytest.param("every 30 min", at("07:30"), {}, at("07:30"), id="at the end of the interval"),
    ],
)
def test_times(when: str, now: int, order: dict[str, Any], expected: int | None) -> None:
    assert due(account(10), when, now=now, **order) == expected


@pytest.mark.parametrize(
    ("when", "unposted", "reached"),
    [
        ("every 10 BOX", 479, False),
        ("every 10 BOX", 480, True),
        ("every 10 BOX", -479, False),
        ("every 10 BOX", -480, True),
        ("above 200 PC at once", 1000, False),  # many small declarations are not one
        ("every 1 kg", 10_000, False),  # nothing says how many kg a piece is
    ],
)
def test_quantities(when: str, unposted: int, reached: bool) -> None:
    row = account(1000 + unposted, posted=1000)
    assert due(row, when) == (NOW if reached else None)


def test_the_earliest_trigger_decides() -> None:
    assert due(account(10), "shift_end", "every 30 min") == at("07:30")
    assert due(account(480), "shift_end", "every 10 BOX") == NOW


def test_nothing_waits() -> None:
    assert due(account(10, posted=10), "shift_end") is None
    assert due(account(10, parked=10), "shift_end", completed=True) is None


@pytest.mark.parametrize(("grown", "urgent"), [(200, False), (201, True), (-200, False), (-201, True)])
def test_at_once_is_one_declaration_above_the_threshold(grown: int, urgent: bool) -> None:
    row = account(5000)
    assert above_at_once(row, rule("above 200 PC at once"), Fraction(grown), "PC", UNITS) is urgent
    assert above_at_once(row, rule("above 4 BOX at once"), Fraction(grown), "PC", UNITS) is (abs(grown) > 192)
    assert not above_at_once(row, rule("shift_end"), Fraction(grown), "PC", UNITS)
    row.at_once = urgent
    assert due(row, "above 200 PC at once") == (NOW if urgent else None)


@pytest.mark.parametrize(
    ("unposted", "order", "final", "expected"),
    [
        (47, {}, False, False),
        (48, {}, False, True),
        (-48, {}, False, True),
        (1, {"completed": True}, False, True),
        (1, {"completed_operations": ["10"]}, False, True),
        (1, {"completed_operations": ["20"]}, False, False),
        (1, {}, True, True),
    ],
)
def test_a_minimum_waits_except_at_completion_and_at_the_end(
    unposted: int, order: dict[str, Any], final: bool, expected: bool
) -> None:
    one_box = rule("shift_end", at_least="1 BOX")
    row = account(100 + unposted, posted=100)
    assert enough(row, one_box, OrderRow("P", "O1", **order), TIMES, Look(NOW, NOW, final)) is expected


CLOSING = Timetable(CALENDAR, UNITS, 4 * HOUR, PostingPeriods("2nd workday 12:00", "UTC"), 2 * HOUR)
"""Sweeps every four hours; November 2026 closes on Wednesday, the 2nd of December, 12:00."""


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (at("07:10"), at("08:00")),
        (at("08:00"), at("08:00")),
        (at("08:01", 32), at("10:00", 32)),  # two hours before the close, not the regular one at 12:00
        (at("10:01", 32), at("12:00", 32)),
    ],
)
def test_sweeps_take_what_no_trigger_asks_for(now: int, expected: int) -> None:
    assert due_time(account(10), rule("order_completed"), OrderRow("P", "O1"), CLOSING, now) == expected


def test_what_is_late_is_swept_before_the_close_of_the_period_that_it_is_posted_in() -> None:
    times = Timetable(CALENDAR, UNITS, 0, PostingPeriods("2nd workday 12:00", "UTC"), 2 * HOUR)
    january = 36  # days from the 1st of November to the 6th of December
    assert due_time(account(10), rule("order_completed"), OrderRow("P", "O1"), times, at("08:00", january)) == at("10:00", 65)
    assert enough(
        account(101, posted=100), rule("shift_end", at_least="1 BOX"), OrderRow("P", "O1"), times, Look(at("10:30", 65), None)
    )


@pytest.mark.parametrize(("due_at", "now", "expected"), [(at("08:00"), at("08:00"), True), (at("07:30"), at("07:59"), False)])
def test_a_sweep_does_not_wait_for_a_minimum(due_at: int, now: int, expected: bool) -> None:
    row = account(101, posted=100)
    assert enough(row, rule("every 30 min", at_least="1 BOX"), OrderRow("P", "O1"), CLOSING, Look(now, due_at)) is expected


def test_the_index_tells_each_due_account_once_at_its_newest_time() -> None:
    index = DueIndex()
    for key, times in {"a": [50, 20], "b": [30], "c": [10, None], "d": [40, 60]}.items():
        for moment in times:
            index.put("P", key, moment)
    index.put("Q", "other", 1)
    assert index.take("P", 19) == {}
    assert index.take("P", 55) == {"a": 20, "b": 30}
    assert index.take("P", 55) == {}
    assert index.take("P", 60) == {"d": 60}


def test_the_index_stays_small_however_often_times_change() -> None:
    index = DueIndex()
    for moment in range(20_000):
        index.put("P", "a", moment)
    assert len(index._heaps["P"]) < 1_100
    assert index.take("P", 20_000) == {"a": 19_999}


def test_intervals_end_at_whole_multiples() -> None:
    assert due(account(1), "every 2 h", now=NOW) == -(-NOW // (2 * HOUR)) * 2 * HOUR
    assert due(account(1), "every 7 min", now=NOW - NOW % (7 * MIN)) == NOW - NOW % (7 * MIN)
