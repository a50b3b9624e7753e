"""Machine and setup time: the union of state intervals within a run, in milliseconds, each shift by itself."""

from typing import Any

import pytest

from schemas.records import EquipmentStateChanged, LabourRecorded, RunChanged, RunCorrected, RunEnded, RunStarted
from tables.equipment.equipment import EquipmentFold
from tests.unit.tables.floor_bench import amounts, at, machine, on_machine, out

MS_PER_MIN = 60_000


def press(states: list[tuple[str, str]], runs: list[tuple[str, str, str]]) -> EquipmentFold:
    """States (clock, state); runs (name, start, end or nothing)."""
    equipment = machine({"attribution": {"run_grace": "10 min"}})
    for name, start, end in runs:
        hear(equipment, on_machine(RunStarted, at(start), run=name, order=f"O{name}", operation="10", outputs=[out("4711")]))
        if end:
            hear(equipment, on_machine(RunEnded, at(end), run=name))
    for clock, state in states:
        assert equipment.state_changed(on_machine(EquipmentStateChanged, at(clock), state=state)) is None
    return equipment


def hear(equipment: EquipmentFold, event: Any) -> None:
    assert equipment.run_event(event) is None


def minutes(equipment: EquipmentFold, *fields: str) -> dict[tuple[str, ...], float]:
    return {key: round(amount / MS_PER_MIN, 3) for key, amount in amounts(equipment, *fields).items()}


@pytest.mark.parametrize(
    ("states", "runs", "expected"),
    [
        pytest.param(
            [("07:00", "running"), ("07:20", "down"), ("07:30", "running"), ("07:50", "idle")],
            [("A", "06:00", "09:00")],
            {("A", "machine_time"): 40},
            id="the union of what ran",
        ),
        pytest.param(
            [("07:00", "setup"), ("07:15", "running"), ("07:20", "running"), ("08:00", "down")],
            [("A", "06:00", "09:00")],
            {("A", "setup_time"): 15, ("A", "machine_time"): 45},
            id="setup; the same state again changes nothing",
        ),
        pytest.param(
            [("06:30", "running"), ("09:30", "down")],
            [("A", "07:00", "08:00")],
            {("A", "machine_time"): 60},
            id="within the run only, its grace is for counts",
        ),
        pytest.param(
            [("06:30", "running"), ("09:30", "down")],
            [("A", "07:00", "08:00"), ("B", "08:00", "09:00")],
            {("A", "machine_time"): 60, ("B", "machine_time"): 60},
            id="two runs",
        ),
        pytest.param([("07:00", "idle"), ("08:00", "down")], [("A", "06:00", "")], {}, id="nothing that counts"),
        pytest.param(
            [("07:00", "running")], [("A", "06:00", "")], {("A", "machine_time"): 240}, id="an open state reaches to now"
        ),
    ],
)
def test_times(states: list[tuple[str, str]], runs: list[tuple[str, str, str]], expected: dict[tuple[str, ...], int]) -> None:
    for order in (states, states[::-1]):
        equipment = press(order, runs)
        equipment.measure_activities(at("11:00"), at_cut=False)
        assert minutes(equipment, "run", "kind") == expected


LogIn = tuple[str, str, str, int, int]
"""(clock, person, action, share)"""


@pytest.mark.parametrize(
    ("log", "runs", "expected"),
    [
        pytest.param(
            [("06:30", "p", "on", 1, 1), ("07:30", "p", "off", 1, 1)],
            [("A", "07:00", "")],
            {("A",): 30},
            id="within the run only",
        ),
        pytest.param(
            [("07:00", "p", "on", 1, 3), ("07:30", "q", "on", 1, 2), ("08:00", "q", "off", 1, 1), ("08:00", "p", "off", 1, 1)],
            [("A", "06:00", "")],
            {("A",): 20 + 15},
            id="two people, each with their share",
        ),
        pytest.param(
            [("07:00", "p", "on", 1, 1), ("07:20", "p", "on", 1, 2), ("08:00", "p", "off", 1, 1)],
            [("A", "06:00", "")],
            {("A",): 20 + 20},
            id="the share changes while they are logged on",
        ),
        pytest.param(
            [("07:00", "p", "on", 1, 1)], [("A", "06:00", "08:00"), ("B", "08:00", "")], {("A",): 60, ("B",): 180}, id="still on"
        ),
        pytest.param([("07:00", "p", "off", 1, 1)], [("A", "06:00", "")], {}, id="off without on"),
    ],
)
def test_labour(log: list[LogIn], runs: list[tuple[str, str, str]], expected: dict[tuple[str, ...], int]) -> None:
    for order in (log, log[::-1]):
        equipment = press([], runs)
        for clock, person, action, numerator, denominator in order:
            fields = {"person": person, "action": action, "share_numerator": numerator, "share_denominator": denominator}
            assert equipment.labour(on_machine(LabourRecorded, at(clock), **fields)) is None
        equipment.measure_activities(at("11:00"), at_cut=False)
        assert minutes(equipment, "run") == expected
        assert amounts(equipment, "kind").keys() <= {("labour_time",)}


def test_thirds_are_added_exactly_and_rounded_once() -> None:
    """Three times a third of 1 ms is 1 ms; each rounded by itself would be none."""
    equipment = press([], [("A", "06:00", "")])
    for person in "pqr":
        for moment, action in ((at("07:00"), "on"), (at("07:00") + 1000, "off")):
            fields = {"person": person, "action": action, "share_numerator": 1, "share_denominator": 3}
            assert equipment.labour(on_machine(LabourRecorded, moment, **fields)) is None
    equipment.measure_activities(at("11:00"), at_cut=False)
    assert amounts(equipment, "kind") == {("labour_time",): 1}


def test_a_repeated_log_in_is_a_duplicate() -> None:
    equipment = press([], [("A", "06:00", "")])
    log_in = on_machine(LabourRecorded, at("07:00"), person="p", action="on")
    assert equipment.labour(log_in) is None
    assert equipment.labour(log_in) is None
    assert equipment.row.tally == {"duplicates": 1}


def test_across_a_shift_end_each_shift_has_its_own() -> None:
    equipment = press([("21:30", "running")], [("A", "21:00", "")])
    equipment.measure_activities(at("22:00"), at_cut=True)
    assert minutes(equipment, "business_date") == {("2026-11-20",): 30}
    equipment.measure_activities(at("06:15", day=21), at_cut=True)
    assert minutes(equipment, "business_date") == {("2026-11-20",): 30 + 8 * 60, ("2026-11-21",): 15}


def test_an_open_state_is_measured_at_cuts_only() -> None:
    equipment = press([("07:00", "running")], [("A", "06:00", "")])
    for now, at_cut, expected in (("08:00", False, 60), ("09:00", False, 60), ("14:00", True, 420)):
        equipment.measure_activities(at(now), at_cut)
        assert minutes(equipment, "run") == {("A",): expected}


def test_a_state_that_a_fast_clock_told_of_in_advance_is_measured_when_its_time_has_come() -> None:
    equipment = press([("07:00", "running"), ("09:00", "down")], [("A", "06:00", "")])
    equipment.measure_activities(at("08:00"), at_cut=False)
    assert minutes(equipment, "run") == {("A",): 60}
    equipment.measure_activities(at("14:00"), at_cut=True)
    assert minutes(equipment, "run") == {("A",): 120}


def test_a_corrected_run_gives_its_time_back() -> None:
    equipment = press([("07:00", "running"), ("08:00", "down")], [("A", "06:00", "")])
    equipment.measure_activities(at("09:00"), at_cut=False)
    hear(equipment, on_machine(RunCorrected, at("09:00"), run="A", version=1, order="OX", started_at=at("07:30")))
    equipment.measure_activities(at("09:01"), at_cut=False)
    assert minutes(equipment, "order") == {("OX",): 30}
    old = [total for key, total in equipment.row.totals.items() if "OA" in key]
    assert [(total.amount, total.dirty) for total in old] == [(0, True)], "what it left is sent as zero"


def mould(outputs: list[Any], order: str = "", **attribution: str) -> EquipmentFold:
    """Run A of these outputs, from 07:00 on with one operator; the machine runs."""
    equipment = machine({"attribution": attribution})
    hear(equipment, on_machine(RunStarted, at("07:00"), run="A", order=order, operation="10", outputs=outputs))
    assert equipment.state_changed(on_machine(EquipmentStateChanged, at("07:00"), state="running")) is None
    assert equipment.labour(on_machine(LabourRecorded, at("07:00"), person="p", action="on")) is None
    return equipment


LEFT, RIGHT = out("L", order="OL", factor=3), out("R", order="OR", factor=1)


@pytest.mark.parametrize(
    ("outputs", "order", "rule", "expected"),
    [
        pytest.param([LEFT, RIGHT], "", "factor", {"OL": 90, "OR": 30}, id="by factor"),
        pytest.param([LEFT, RIGHT], "", "equal", {"OL": 60, "OR": 60}, id="equally"),
        pytest.param([LEFT, RIGHT], "", "first", {"OL": 120}, id="the first"),
        pytest.param([LEFT, RIGHT], "OR", "first", {"OR": 120}, id="the run's own comes first"),
        pytest.param([LEFT, RIGHT, out("R2", order="OR", factor=2)], "", "factor", {"OL": 60, "OR": 60}, id="two of one order"),
        pytest.param([LEFT, RIGHT, out("R2", order="OR", factor=2)], "", "equal", {"OL": 60, "OR": 60}, id="orders, not outputs"),
        pytest.param([LEFT, out("R", factor=1)], "OR", "factor", {"OL": 90, "OR": 30}, id="one names none: the run's"),
        pytest.param([LEFT, out("R", factor=1)], "", "factor", {"OL": 120}, id="nobody's order has no part"),
        pytest.param([LEFT, out("S", order="OR", role="by")], "", "factor", {"OL": 120}, id="a by-product takes no time"),
        pytest.param([out("S", order="OR", role="by")], "", "factor", {"OR": 120}, id="unless there is nothing else"),
        pytest.param([LEFT, out("R", order="OR", factor=0)], "", "factor", {"OL": 120}, id="plugged"),
        pytest.param(
            [out("L", order="OL", factor=0), out("R", order="OR", factor=0)], "", "factor", {"OL": 60, "OR": 60}, id="all plugged"
        ),
        pytest.param([LEFT], "OTHER", "factor", {"OL": 120}, id="one order of its outputs"),
        pytest.param([], "O", "factor", {"O": 120}, id="no outputs"),
    ],
)
def test_the_time_of_a_run_of_several_orders_is_shared(
    outputs: list[Any], order: str, rule: str, expected: dict[str, int]
) -> None:
    equipment = mould(outputs, order, shared_time=rule)
    equipment.measure_activities(at("09:00"), at_cut=False)
    wanted = {(kind, name): part for name, part in expected.items() for kind in ("machine_time", "labour_time")}
    assert minutes(equipment, "kind", "order") == wanted


def test_a_change_of_outputs_shares_the_time_from_then_on_and_who_lost_it_gets_nothing() -> None:
    equipment = mould([LEFT, RIGHT])
    hear(equipment, on_machine(RunChanged, at("08:00"), run="A", outputs=[out("L", order="OL"), out("N", order="ON")]))
    equipment.measure_activities(at("09:00"), at_cut=False)
    expected = {("OL",): 45 + 30, ("OR",): 15, ("ON",): 30}
    assert minutes(equipment, "order") == {key: 2 * part for key, part in expected.items()}
    hear(equipment, on_machine(RunCorrected, at("09:00"), run="A", outputs=[out("N", order="ON")], version=1))
    equipment.measure_activities(at("09:00"), at_cut=False)
    assert minutes(equipment, "order") == {("ON",): 240}


@pytest.mark.parametrize(("off", "expected"), [("", 7 * 60), ("15:00", 8 * 60)])
def test_a_log_in_counts_to_the_end_of_its_shift_unless_somebody_logs_off(off: str, expected: int) -> None:
    equipment = mould([out("4711")], "O")
    equipment.measure_activities(at("14:00"), at_cut=True)
    if off:
        assert equipment.labour(on_machine(LabourRecorded, at(off), person="p", action="off")) is None
    for cut in (at("22:00"), at("06:00", 21)):
        equipment.measure_activities(cut, at_cut=True)
    assert minutes(equipment, "kind")["labour_time",] == expected
