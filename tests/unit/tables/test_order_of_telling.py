"""Records of one moment: what was told later holds; ids do not matter."""

import random
from typing import Any

import pytest

from schemas.records import (
    EquipmentStateChanged,
    LabourRecorded,
    LotLoaded,
    LotUnloaded,
    MaterialConsumed,
    ProductionDeclared,
    RunCorrected,
    RunEnded,
    RunStarted,
)
from tables.equipment.equipment import EquipmentFold
from tables.order_of_telling import natural, place
from tests.unit.tables.floor_bench import amounts, at, machine, on_machine, out, pieces

SEVEN = at("07:00")


def told(cls: Any, line: int, occurred_at: int = SEVEN, **fields: Any) -> Any:
    return on_machine(cls, occurred_at, **{"event_id": f"log.csv:{line}", "raw_source": "log.csv", "raw_offset": line, **fields})


def run(name: str, line: int, occurred_at: int = SEVEN, **fields: Any) -> Any:
    return told(RunStarted, line, occurred_at, run=name, order=f"O{name}", operation="10", outputs=[out("4711")], **fields)


def folded(*events: Any) -> EquipmentFold:
    """In any order of arrival."""
    equipment, mixed = machine(), list(events)
    random.Random(len(events)).shuffle(mixed)
    for event in mixed:
        match event:
            case EquipmentStateChanged():
                refused = equipment.state_changed(event)
            case LabourRecorded():
                refused = equipment.labour(event)
            case ProductionDeclared() | MaterialConsumed():
                refused = equipment.declared(event)
            case _:
                refused = equipment.run_event(event)
        assert refused is None
    equipment.measure_activities(at("09:00"), at_cut=True)
    return equipment


@pytest.mark.parametrize("lines", [(9, 10), (99, 100), (1, 2), (8, 11)])
def test_of_two_states_the_later_line_holds(lines: tuple[int, int]) -> None:
    first, second = lines
    down, up = told(EquipmentStateChanged, first, state="down"), told(EquipmentStateChanged, second, state="running")
    equipment = folded(run("A", 0, at("06:00")), down, up)
    assert amounts(equipment, "kind") == {("machine_time",): 2 * 3_600_000}


def test_a_sequence_number_outdoes_the_line() -> None:
    later = told(EquipmentStateChanged, 1, state="running", source_seq=8)
    equipment = folded(run("A", 0, at("06:00")), told(EquipmentStateChanged, 2, state="down", source_seq=7), later)
    assert amounts(equipment, "kind") == {("machine_time",): 2 * 3_600_000}


def test_events_of_one_record_keep_their_order() -> None:
    parts = [told(EquipmentStateChanged, 5, event_id=f"x.{n}", raw_part=n, state="down") for n in range(11)]
    parts[10].state = "running"
    equipment = folded(run("A", 0, at("06:00")), *parts)
    assert amounts(equipment, "kind") == {("machine_time",): 2 * 3_600_000}


def test_of_two_log_ins_the_later_line_holds() -> None:
    marks = [told(LabourRecorded, 9, person="p", action="off"), told(LabourRecorded, 10, person="p", action="on")]
    equipment = folded(run("A", 0, at("06:00")), *marks)
    assert amounts(equipment, "kind") == {("labour_time",): 2 * 3_600_000}


def test_a_declaration_knows_what_was_told_before_it() -> None:
    def load(line: int, lot: str) -> Any:
        return told(LotLoaded, line, position="h", material="PP", lot=lot)

    equipment = folded(
        run("A", 1, at("06:00")),
        load(8, "L8"),
        told(MaterialConsumed, 9, position="h", quantity=pieces(2)),
        load(10, "L10"),
        told(MaterialConsumed, 11, position="h", quantity=pieces(4)),
        told(LotUnloaded, 12, position="h"),
        told(ProductionDeclared, 13, quantity=pieces(16)),
        run("B", 14),
        told(ProductionDeclared, 15, quantity=pieces(32)),
    )
    assert amounts(equipment, "run", "lot") == {("A", "L8"): 2, ("A", "L10"): 4, ("A", ""): 16, ("B", ""): 32}


@pytest.mark.parametrize(
    ("stop", "expected"), [(told(RunEnded, 9), 5), (told(RunEnded, 11), 0), (told(RunEnded, 99, raw_source="other"), 5)]
)
def test_a_stop_in_the_moment_of_a_start(stop: RunEnded, expected: int) -> None:
    """Told before it (or by somebody else) it ended the run before; told behind it, it ended this one."""
    made = told(ProductionDeclared, 20, at("08:00"), quantity=pieces(5))
    equipment = folded(run("A", 10), stop, made)
    assert amounts(equipment, "run").get(("A",), 0) == expected


def test_of_two_corrections_the_later_line_holds() -> None:
    corrected = [told(RunCorrected, line, run="A", version=1, order=f"N{line}") for line in (9, 10, 2)]
    equipment = folded(run("A", 1, at("06:00")), *corrected, told(ProductionDeclared, 30, quantity=pieces(1)))
    assert amounts(equipment, "order") == {("N10",): 1}


def test_numbers_in_names_are_numbers() -> None:
    names = ["log-10.csv", "log-9.csv", "log.csv", "raw.p/10", "raw.p/9", "1" * 30]
    assert sorted(names, key=natural) == ["1" * 30, "log-9.csv", "log-10.csv", "log.csv", "raw.p/9", "raw.p/10"]
    assert place(told(RunEnded, 1, raw_source="raw.p/9")) < place(told(RunEnded, 0, raw_source="raw.p/10"))
