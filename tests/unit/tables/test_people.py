"""A person is at one place at a time unless shares leave room, whatever the order of arrival; missing log-offs are found."""

import random
from functools import partial

import pytest

from schemas.records import EntryVoided, LabourMark, LabourRecorded
from tables.equipment.people import People, missing_log_offs, turns
from tables.equipment.presence import mark_of
from tables.equipment.working_time import WorkEnds, end_of_work, never
from tables.plant.calendar import Calendar
from tables.row_kinds import LABOUR_ROWS
from tables.rows import MemoryRows
from tests.unit.tables.floor_bench import HOUR, PLANT, at, event

DAY = 7 * 24 * HOUR
Said = tuple[str, str, str, int, int]
"""(clock, machine, on | off, share)"""


def heard(said: list[Said]) -> list[tuple[str, LabourMark]]:
    return [
        (where, mark_of(log(clock, where, action, share_numerator=n, share_denominator=d))) for clock, where, action, n, d in said
    ]


def log(clock: str, where: str, action: str, **fields: object) -> LabourRecorded:
    return event(LabourRecorded, at(clock), at(clock), equipment=where, person="p", action=action, **fields)


def hours(marks: list[tuple[str, LabourMark]], end: str = "22:00", work_ends: WorkEnds = never) -> dict[str, float]:
    """Weighted by shares, by machine."""
    found: dict[str, float] = {}
    for machine in sorted({where for where, _ in marks}):
        own = [mark for where, mark in marks if where == machine]
        changes = turns(machine, own, [entry for entry in marks if entry[0] != machine], work_ends)
        assert [turn.at for turn in changes] == sorted(turn.at for turn in changes)
        ends = [turn.at for turn in changes[1:]] + [at(end)]
        found[machine] = sum(
            float(turn.share) * (stop - turn.at) / HOUR for turn, stop in zip(changes, ends, strict=True) if turn.share
        )
    return found


CASES = [
    pytest.param(
        [("06:00", "A", "on", 1, 1), ("08:00", "B", "on", 1, 1), ("14:00", "B", "off", 1, 1)],
        {"A": 2, "B": 6},
        [("A", "08:00")],
        id="logged on elsewhere, never off",
    ),
    pytest.param(
        [("06:00", "A", "on", 1, 1), ("08:00", "A", "off", 1, 1), ("08:00", "B", "on", 1, 1), ("14:00", "B", "off", 1, 1)],
        {"A": 2, "B": 6},
        [],
        id="an ordinary change",
    ),
    pytest.param(
        [("06:00", "A", "on", 1, 1), ("08:00", "B", "on", 1, 1), ("08:05", "A", "off", 1, 1), ("14:00", "B", "off", 1, 1)],
        {"A": 2, "B": 6},
        [],
        id="the log-off came after the next log-in",
    ),
    pytest.param(
        [("06:00", "A", "on", 1, 2), ("08:00", "B", "on", 1, 2), ("14:00", "A", "off", 1, 1), ("16:00", "B", "off", 1, 1)],
        {"A": 4, "B": 4},
        [],
        id="shares leave room for two machines",
    ),
    pytest.param(
        [("06:00", "A", "on", 1, 2), ("07:00", "B", "on", 1, 2), ("08:00", "C", "on", 1, 2), ("14:00", "C", "off", 1, 1)],
        {"A": 1, "B": 7.5, "C": 3},
        [("A", "08:00"), ("B", "")],
        id="and not for a third: the oldest ends",
    ),
    pytest.param(
        [("06:00", "A", "on", 1, 1), ("08:00", "B", "on", 1, 1), ("10:00", "A", "on", 1, 1), ("12:00", "A", "off", 1, 1)],
        {"A": 4, "B": 2},
        [("A", "08:00"), ("B", "10:00")],
        id="there and back",
    ),
    pytest.param(
        [("06:00", "A", "on", 1, 1), ("14:00", "DOOR", "off", 1, 1)], {"A": 8, "DOOR": 0}, [], id="logged off at the door"
    ),
    pytest.param([("06:00", "A", "on", 1, 1)], {"A": 16}, [("A", "")], id="never off"),
]


@pytest.mark.parametrize(("said", "expected", "missing"), CASES)
def test_where_a_persons_time_goes(said: list[Said], expected: dict[str, float], missing: list[tuple[str, str]]) -> None:
    marks = heard(said)
    for seed in range(3):
        mixed = list(marks)
        random.Random(seed).shuffle(mixed)
        assert hours(mixed) == expected
        found = [(one.equipment, one.ended_at) for one in missing_log_offs(mixed)]
        assert sorted(found, key=str) == sorted(((where, at(clock) if clock else None) for where, clock in missing), key=str)


SHIFTS = Calendar("UTC", {"early": "06:00", "late": "14:00", "night": "22:00"})


@pytest.mark.parametrize(
    ("said", "expected", "missing"),
    [
        pytest.param([("06:00", "A", "on", 1, 1)], {"A": 8}, [("A", "")], id="never off: to the end of the shift"),
        pytest.param([("05:30", "A", "on", 1, 1)], {"A": 8.5}, [("A", "")], id="early for the next shift"),
        pytest.param([("05:29", "A", "on", 1, 1)], {"A": 31 / 60}, [("A", "")], id="still of the shift before"),
        pytest.param(
            [("06:00", "A", "on", 1, 1), ("19:00", "A", "off", 1, 1)], {"A": 13}, [], id="a log-off counts whenever it comes"
        ),
        pytest.param(
            [("06:00", "A", "on", 1, 1), ("15:00", "DOOR", "off", 1, 1)], {"A": 9, "DOOR": 0}, [], id="at the door, too"
        ),
        pytest.param(
            [("06:00", "A", "on", 1, 1), ("18:00", "B", "on", 1, 1), ("20:00", "B", "off", 1, 1)],
            {"A": 8, "B": 2},
            [("A", "18:00")],
            id="logged on elsewhere after the shift",
        ),
        pytest.param(
            [("06:00", "A", "on", 1, 1), ("15:00", "B", "on", 1, 1), ("15:05", "A", "off", 1, 1), ("16:00", "B", "off", 1, 1)],
            {"A": 9, "B": 1},
            [],
            id="logged on elsewhere after the shift, and the log-off came late",
        ),
        pytest.param(
            [("06:00", "A", "on", 1, 1), ("18:00", "A", "on", 1, 1), ("20:00", "A", "off", 1, 1)],
            {"A": 10},
            [("A", "18:00")],
            id="logged on once more after the shift",
        ),
        pytest.param(
            [("06:00", "A", "on", 1, 1), ("10:00", "A", "on", 1, 2), ("14:00", "A", "off", 1, 1)],
            {"A": 6},
            [],
            id="another share within the shift",
        ),
        pytest.param(
            [("06:00", "A", "on", 1, 2), ("16:00", "B", "on", 1, 2), ("18:00", "B", "off", 1, 1)],
            {"A": 4, "B": 1},
            [("A", "")],
            id="a share that is still on beside another",
        ),
    ],
)
def test_what_no_log_off_ended_is_over_with_the_shift(
    said: list[Said], expected: dict[str, float], missing: list[tuple[str, str]]
) -> None:
    marks, work_ends = heard(said), partial(end_of_work, SHIFTS)
    found = hours(marks, work_ends=work_ends)
    assert {machine: round(value, 6) for machine, value in found.items()} == {
        machine: round(value, 6) for machine, value in expected.items()
    }
    told = [(one.equipment, one.ended_at) for one in missing_log_offs(marks, work_ends)]
    assert told == [(where, at(clock) if clock else None) for where, clock in missing]


def test_rows_of_any_order_with_repetitions_and_voids_say_the_same() -> None:
    logs = [log("06:00", "A", "on"), log("08:00", "B", "on"), log("09:00", "C", "on"), log("14:00", "B", "off")]
    void = event(EntryVoided, at("15:00"), at("15:00"), equipment="C", entry=logs[2].event_id, version=1)
    again = log("08:30", "B", "on", entry=logs[1].event_id, version=2)
    expected = None
    for seed in range(20):
        arrivals = [*logs, void, again, logs[0], logs[1], void]
        random.Random(seed).shuffle(arrivals)
        people = People(MemoryRows(), PLANT)
        for one in arrivals:
            people.hear(one, DAY)
        found = hours(people.of("p"))
        assert found == {"A": 2.5, "B": 5.5}
        expected = expected or found


def test_what_is_over_is_forgotten_and_who_is_on_stays_on() -> None:
    rows = MemoryRows()
    people = People(rows, PLANT)
    for one in (log("06:00", "A", "on"), log("08:00", "B", "on"), log("09:00", "B", "off"), log("10:00", "C", "on")):
        people.hear(one, DAY)
    before = hours(people.of("p"))
    people.prune(at("11:00"))
    assert [(where, mark.at) for where, mark in people.of("p")] == [("C", at("10:00"))]
    assert before["C"] == hours(people.of("p"))["C"]
    assert sorted(rows.rows) == [LABOUR_ROWS.key(PLANT, "C")]
    assert not people.is_on("A", [mark_of(log("06:00", "A", "on"))], "p", at("11:00"))


def test_what_its_own_equipment_refuses_as_too_late_has_no_effect_elsewhere() -> None:
    people = People(MemoryRows(), PLANT)
    late = log("06:00", "B", "on")
    late.label = at("06:00") + DAY + 1
    assert people.hear(late, DAY) == set()
    assert people.of("p") == []
