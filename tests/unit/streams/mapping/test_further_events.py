"""Several events from one record (`also`), and conditions on what a record must not have (`unless`)."""

from typing import Any

import pytest

from schemas.records import RunEnded, RunStarted
from streams.mapping import Mapped, MappingError, Reading, RefusedRecord
from tests.unit.streams.mapping.sources import AT_US, mapper_of, raw, record

END: dict[str, Any] = {"emit": "RunEnded", "run": "run", "occurred_at": "end", "unless": {"end": [""]}}
RUN: dict[str, Any] = {"emit": "RunStarted", "run": "run", "order": "po", "outputs": [{"material": "part"}], "also": [END]}
SHOTS: dict[str, Any] = {"emit": "CounterReading", "counter": "=shots", "value": "v"}
RESIN: dict[str, Any] = {"emit": "CounterReading", "counter": "=resin", "value": "kg", "when": {"kg": ["1.25"]}}
ROW = {"run": "R1", "po": "1000", "part": "4711", "end": "2026-11-20T23:00:00Z"}


def mapped(rules: list[dict[str, Any]], **fields: Any) -> Mapped:
    return mapper_of(rules).map(raw(record(**fields)))


def test_a_row_with_start_and_end_is_two_events() -> None:
    start, end = mapped([RUN], **ROW)
    assert isinstance(start, RunStarted)
    assert isinstance(end, RunEnded)
    assert (start.event_id, start.run, start.occurred_at) == ("s:e1", "R1", AT_US)
    assert (end.event_id, end.run, end.occurred_at) == ("s:e1.1", "R1", AT_US + 3_600_000_000)


def test_a_run_that_is_still_open_has_no_end() -> None:
    (start,) = mapped([RUN], **{**ROW, "end": ""})
    assert isinstance(start, RunStarted)


def test_each_further_event_has_its_own_condition_and_refusal() -> None:
    both = mapped([{**SHOTS, "also": [RESIN]}], v=1, kg="1.25")
    assert [(item.counter, item.value) for item in both] == [("shots", 1), ("resin", 1250)]
    (shots,) = mapped([{**SHOTS, "also": [RESIN]}], v=1, kg="2.5")
    assert isinstance(shots, Reading)
    refused, resin = mapped([{**SHOTS, "also": [RESIN]}], v="x", kg="1.25")
    assert isinstance(refused, RefusedRecord)
    assert (refused.code, resin.counter) == ("BAD_DECIMAL", "resin")


@pytest.mark.parametrize(("value", "counter"), [("a", "shots"), ("b", "resin"), ("", "resin")])
def test_unless_keeps_a_rule_from_matching(value: str, counter: str) -> None:
    rules = [{**SHOTS, "unless": {"k": ["b", ""]}}, {**SHOTS, "counter": "=resin"}]
    (item,) = mapped(rules, v=1, k=value)
    assert item.counter == counter


def test_unless_and_when_of_one_path_both_hold() -> None:
    rules = [{**SHOTS, "when": {"t": ["x"]}, "unless": {"t": ["x"]}}, {**SHOTS, "when": {"t": ["x"]}, "unless": {"k": ["1"]}}]
    assert len(mapped(rules, v=1, t="x", k=2)) == 1
    (refused,) = mapped(rules, v=1, t="x", k=1)
    assert refused.code == "NO_MAPPING"


def test_what_is_wrong_in_a_further_event_is_found_at_its_place() -> None:
    with pytest.raises(MappingError) as wrong:
        mapper_of([{**RUN, "also": [{**END, "wen": "x"}, {"emit": "RunEnd", "run": "run"}]}])
    assert [problem.path for problem in wrong.value.problems] == [("events", 0, "also", 0, "wen"), ("events", 0, "also", 1)]


@pytest.mark.parametrize(
    "rule", [{"ignore": True, "also": [END]}, {**RUN, "also": [{"run": "x"}]}, {**RUN, "also": [{**END, "ignore": True}]}]
)
def test_shapes_that_mean_nothing_are_refused(rule: dict[str, Any]) -> None:
    with pytest.raises((ValueError, MappingError)):
        mapper_of([rule])
