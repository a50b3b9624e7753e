"""Counters whose records say what they add: a log with one row per shot, in any order of arrival and any size of batch."""

from collections.abc import Sequence
from random import Random

import pytest

from schemas.configuration import Counter
from schemas.records import RunEnded, RunStarted
from tables.equipment.equipment import EquipmentFold
from tests.unit.tables.floor_bench import S, at, by_run, counter, frame, machine, on_machine, out

SHOTS = counter(shows="increment")
Row = tuple[int, int, int]
"""(row number or -1, moment, pieces)."""


def with_runs() -> EquipmentFold:
    equipment = machine(SHOTS)
    for name, start, end in (("A", "08:00", "09:00"), ("B", "09:30", "10:00")):
        equipment.run_event(on_machine(RunStarted, at(start), run=name, order=name, outputs=[out("4711")]))
        equipment.run_event(on_machine(RunEnded, at(end), run=name))
    return equipment


def rows(numbered: bool = True) -> list[Row]:
    """A row every 10 seconds from 07:50 to 10:10, two of them in one second now and then."""
    found, moment = list[Row](), at("07:50")
    while moment < at("10:10"):
        found.append((len(found) if numbered else -1, moment, 1 + len(found) % 3))
        moment += 0 if len(found) % 17 == 0 else 10 * S
    return found


def expected(found: Sequence[Row]) -> dict[str, int]:
    """Added up from the rows: a run is open from its start to its end, both included."""
    sums = {"A": 0, "B": 0, "": 0}
    for _, moment, pieces in found:
        in_a, in_b = at("08:00") <= moment <= at("09:00"), at("09:30") <= moment <= at("10:00")
        sums["A" if in_a else "B" if in_b else ""] += pieces
    return sums


def read(equipment: EquipmentFold, found: Sequence[Row], size: int, first_raw: int = 0) -> None:
    for start in range(0, len(found), size):
        batch = frame(*found[start : start + size], first_raw=first_raw + start)
        assert not equipment.readings("shots", batch, "shots.csv")


@pytest.mark.parametrize("numbered", [True, False], ids=["row numbers", "no row numbers"])
@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
@pytest.mark.parametrize("order", ["in order", "shuffled", "by halves"])
def test_every_row_adds_what_it_says(numbered: bool, size: int, order: str) -> None:
    found = rows(numbered)
    arriving = list(found)
    if order == "shuffled":
        Random(size).shuffle(arriving)
    elif order == "by halves":
        arriving = found[len(found) // 2 :] + found[: len(found) // 2]
    equipment = with_runs()
    read(equipment, arriving, size)
    assert by_run(equipment) == expected(found)


def test_rows_that_come_again_under_their_number_count_once() -> None:
    equipment, found = with_runs(), rows()
    read(equipment, found, 50)
    read(equipment, found[100:300], 30, first_raw=5000)
    assert by_run(equipment) == expected(found)
    assert equipment.row.tally["duplicates"] == 200


def test_without_row_numbers_each_record_counts() -> None:
    equipment = with_runs()
    read(equipment, [(-1, at("08:10"), 2)], 1, first_raw=1)
    read(equipment, [(-1, at("08:10"), 2)], 1, first_raw=2)
    assert by_run(equipment) == {"A": 4}


def test_a_negative_increment_takes_back_and_nothing_is_a_baseline() -> None:
    equipment = with_runs()
    read(equipment, [(1, at("08:10"), 5), (2, at("08:11"), 0), (3, at("08:12"), -2)], 1)
    assert by_run(equipment) == {"A": 3}


def test_a_run_that_arrives_later_takes_its_rows() -> None:
    equipment, found = machine(SHOTS), rows()
    read(equipment, found, 100)
    assert by_run(equipment) == {"": sum(pieces for _, _, pieces in found)}
    for name, start, end in (("A", "08:00", "09:00"), ("B", "09:30", "10:00")):
        equipment.run_event(on_machine(RunStarted, at(start), run=name, order=name, outputs=[out("4711")]))
        equipment.run_event(on_machine(RunEnded, at(end), run=name))
    assert by_run(equipment) == expected(found)


@pytest.mark.parametrize("wrong", [{"on_fall": "placeholder"}, {"on_fall": "rollover", "modulus": 100}, {"modulus": 100}])
def test_an_increment_cannot_fall(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="an increment never falls"):
        Counter(shows="increment", **wrong)  # type: ignore[arg-type]
