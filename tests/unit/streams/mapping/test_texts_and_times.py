"""Named functions and times."""

from typing import Any

import pytest

from streams.mapping import MappingError, compile_source
from tests.unit.streams.mapping.sources import AT_US, mapper_of, one, plant_of, record

TABLES = {"codes": {"1": "one", "*": "other"}}


@pytest.mark.parametrize(
    ("expression", "value", "expected"),
    [
        ("v", "x", "x"),
        ("v", 12, "12"),
        ("v", 1.50, "1.5"),
        ("v", False, "false"),
        ("v.a", {"a": 1}, "1"),
        ("v.a[1].b", {"a": [{}, {"b": "deep"}]}, "deep"),
        ("v[0]", ["first"], "first"),
        ("none || v", "x", "x"),
        ("none || also.none || =fixed", "x", "fixed"),
        ("v || =fixed", "", "fixed"),
        ("v || =fixed", None, "fixed"),
        ("v || =fixed", 0, "0"),
        ("=a || b", "x", "a || b"),
        ({"path": "v", "trim": "true", "case": "upper"}, " ab ", "AB"),
        ({"path": "v", "strip_zeros": "yes"}, "0007", "7"),
        ({"path": "v", "strip_zeros": "yes"}, "000", "0"),
        ({"path": "v", "pad": "6"}, "42", "000042"),
        ({"path": "v", "pad": "6"}, "A2", "A2"),
        ({"join": ["a", "v"]}, "x", "A x"),
        ({"join": ["a", "=-", "v"], "by": ""}, "x", "A-x"),
        ({"join": ["a", {"path": "v", "pad": "4"}], "by": "/"}, "7", "A/0007"),
        ({"join": ["a", "v"], "default": "d"}, " ", "d"),
        ({"path": "v", "split": "-"}, "B-17-x", "B"),
        ({"path": "v", "split": "-", "part": "1"}, "B-17-x", "17"),
        ({"path": "v", "split": "-", "part": "-1", "case": "upper"}, "B-17-x", "X"),
        ({"path": "v", "split": "-", "part": "3", "default": "d"}, "B-17-x", "d"),
        ({"path": "v", "split": "; ", "part": "1"}, "a; b", "b"),
        ({"join": ["a", "v"], "split": " ", "part": "2", "default": "d"}, "x y", "y"),
        ({"path": "v", "default": "d"}, None, "d"),
        ({"path": "v", "default": "d"}, "  ", "d"),
        ({"path": "v", "codes": {"1": "one"}}, 1, "one"),
        ({"path": "v", "table": "codes"}, "9", "other"),
        ({"path": "v", "strip_zeros": "true", "table": "codes"}, "01", "one"),
    ],
)
def test_texts(expression: Any, value: Any, expected: str) -> None:
    rule = {"emit": "ProcessValue", "name": "=n", "value": expression}
    assert one(mapper_of([rule], tables=TABLES), record(v=value, a="A")).value == expected


@pytest.mark.parametrize("path", ["a[]", "a[*]", "a..b", ".a", "a.", "a b", "a()", "a|b", "$a", "a[x]", "", "a || ", "'a'"])
def test_other_paths_are_refused(path: str) -> None:
    plant = plant_of([{"emit": "ProcessValue", "name": "=n", "value": path}])
    with pytest.raises(MappingError, match="is no path") as wrong:
        compile_source("s", plant.sources["s"], plant)
    assert wrong.value.problems[0].path == ("events", 0, "value")


HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        ({}, "2026-11-20T22:00:00Z", AT_US),
        ({}, "2026-11-20 22:00Z", AT_US),
        ({}, "2026-11-20t22:00:00,000z", AT_US),
        ({}, "2026-11-20T23:00:00+01:00", AT_US),
        ({}, "2026-11-20T23:00:00", AT_US),
        ({"zone": "UTC"}, "2026-11-20T22:00:00", AT_US),
        ({}, "2026-11-20T22:00:00.1234567Z", AT_US + 123_456),
        ({}, "2026-11-20T23:00:00.1234567+01:00", AT_US + 123_456),
        ({"date": "epoch_s"}, AT_US // 1_000_000, AT_US),
        ({"date": "epoch_s"}, "1795212000.0000019", AT_US + 1),
        ({"date": "epoch_ms"}, AT_US // 1000, AT_US),
        ({"date": "epoch_us"}, AT_US, AT_US),
        ({"date": "epoch_ns"}, AT_US * 1000 + 999, AT_US),
        ({"date": "%d.%m.%Y %H:%M:%S"}, "20.11.2026 23:00:00", AT_US),
        ({"date": "%Y%m%d%H%M%S%z"}, "20261120220000+0000", AT_US),
        ({"ambiguous": "first"}, "2026-10-25T02:30:00", 1_792_888_200_000_000),
        ({"ambiguous": "second"}, "2026-10-25T02:30:00", 1_792_888_200_000_000 + HOUR),
        ({}, "2026-10-25T02:30:00", "AMBIGUOUS_TIME"),
        ({}, "2026-03-29T02:30:00", "BAD_TIME"),
        ({}, "2026-11-20", "BAD_TIME"),
        ({}, "20261120T220000Z", "BAD_TIME"),
        ({}, "1969-12-31T23:59:59Z", "BAD_TIME"),
        ({}, "9999-12-31T23:59:59Z", "BAD_TIME"),
        ({}, "2026-11-20T22:00:60Z", "BAD_TIME"),
        ({}, "2026-11-20T22:00:0\u0663Z", "BAD_TIME"),
        ({}, "2026-11-20T22:00:00.Z", "BAD_TIME"),
        ({"date": "epoch_s"}, -1, "BAD_TIME"),
        ({"date": "epoch_s"}, 10**15, "BAD_TIME"),
        ({"date": "epoch_ms"}, "soon", "BAD_TIME"),
        ({"date": "%d.%m.%Y"}, "20.13.2026", "BAD_TIME"),
    ],
)
def test_times(function: dict[str, str], value: Any, expected: int | str) -> None:
    read = {"event_id": "id", "occurred_at": {"path": "t", **function}}
    rule = {"emit": "OrderClosed", "order": "=1"}
    item = one(mapper_of([rule], read), record(t=value))
    assert (item.code if isinstance(expected, str) else item.occurred_at) == expected, item


def test_a_local_stamp_in_the_repeated_hour_may_be_decided_by_its_arrival() -> None:
    read = {"event_id": "id", "occurred_at": {"path": "t", "ambiguous": "arrival"}, "received_at": "rx"}
    rule = {"emit": "OrderClosed", "order": "=1"}
    mapper = mapper_of([rule], read)
    for arrived, expected in (("2026-10-25T00:31:00Z", 0), ("2026-10-25T01:31:00Z", HOUR)):
        item = one(mapper, record(t="2026-10-25T02:30:00", rx=arrived))
        assert item.occurred_at == 1_792_888_200_000_000 + expected


@pytest.mark.parametrize(
    ("occurred_at", "message"),
    [
        ({"path": "t", "date": "tomorrow"}, "is no time format"),
        ({"path": "t", "ambiguous": "arrival"}, "needs a `received_at`"),
        ({"codes": {"a": "b"}}, "`path` is missing"),
        ({"join": ["t", "no path"]}, "is no path"),
        ([], "one value is expected"),
    ],
)
def test_times_that_cannot_be_compiled(occurred_at: Any, message: str) -> None:
    plant = plant_of([{"ignore": "true"}], {"occurred_at": occurred_at})
    with pytest.raises(MappingError, match=message):
        compile_source("s", plant.sources["s"], plant)
