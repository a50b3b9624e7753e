"""When an account becomes a posting: each trigger of rules.yaml."""

from typing import Any

import pytest

from schemas.configuration import PostRule
from schemas.records import AccountRow, OrderRow
from streams.equipment import calendar_of
from tables.due import due_time, enough
from tables.units import UnitTable
from tests.unit.tables.floor_bench import HOUR, MIN, at, configuration

CALENDAR = calendar_of(configuration().plant)
UNITS = UnitTable({"4711": ["1 BOX = 48 PC"]})
NOW = at("07:10")


def account(target: int, posted: int = 0, kind: str = "yield", **fields: Any) -> AccountRow:
    row = AccountRow("P", "O1", "10", "4711", "L1", kind, "", "", "2026-11-20", 1, target=target, posted=posted, unit="PC")
    for name, value in fields.items():
        setattr(row, name, value)
    return row


def rule(*when: str, **fields: Any) -> PostRule:
    return PostRule.model_validate({"kind": "yield", "when": list(when), **fields})


def due(row: AccountRow, *when: str, now: int = NOW, **order: Any) -> int | None:
    return due_time(row, rule(*when), OrderRow("P", "O1", **order), CALENDAR, UNITS, now)


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
        ("above 200 PC at once", 200, False),
        ("above 200 PC at once", 201, True),
        ("above 200 PC at once", -200, False),
        ("above 200 PC at once", -201, True),
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


def test_negative_yield_waits_for_its_counts() -> None:
    assert due(account(-5), "shift_end", "order_completed", completed=True) is None
    assert due(account(-5, kind="consumption"), "shift_end") == at("14:00")
    assert due(account(-5, posted=3), "shift_end") is None
    assert due(account(-5, posted=-7), "shift_end") == at("14:00")


@pytest.mark.parametrize(
    ("unposted", "completed", "final", "expected"),
    [
        (47, False, False, False),
        (48, False, False, True),
        (-48, False, False, True),
        (1, True, False, True),
        (1, False, True, True),
    ],
)
def test_a_minimum_waits_except_at_completion_and_at_the_end(unposted: int, completed: bool, final: bool, expected: bool) -> None:
    one_box = rule("shift_end", at_least="1 BOX")
    row = account(100 + unposted, posted=100)
    assert enough(row, one_box, OrderRow("P", "O1", completed=completed), UNITS, final) is expected


def test_intervals_end_at_whole_multiples() -> None:
    assert due(account(1), "every 2 h", now=NOW) == -(-NOW // (2 * HOUR)) * 2 * HOUR
    assert due(account(1), "every 7 min", now=NOW - NOW % (7 * MIN)) == NOW - NOW % (7 * MIN)
