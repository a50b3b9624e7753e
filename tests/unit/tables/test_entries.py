"""Loads, states and log-ins can be corrected and voided, in any order of arrival."""

import itertools
from typing import Any

import pytest

from schemas.records import (
    EntryVoided,
    EquipmentStateChanged,
    LabourRecorded,
    LotLoaded,
    LotUnloaded,
    MaterialConsumed,
    RunStarted,
)
from tables.equipment.equipment import EquipmentFold
from tests.unit.tables.floor_bench import amounts, at, machine, on_machine, out, pieces

MS = 3_600_000


ONE: dict[str, Any] = {"entry": "s:1"}


def loaded(clock: str, lot: str, **fields: Any) -> LotLoaded:
    return on_machine(LotLoaded, at(clock), position="h", material="PP", lot=lot, **fields)


def state(clock: str, what: str, **fields: Any) -> EquipmentStateChanged:
    return on_machine(EquipmentStateChanged, at(clock), state=what, **fields)


def log(clock: str, action: str, **fields: Any) -> LabourRecorded:
    return on_machine(LabourRecorded, at(clock), person="p", action=action, **fields)


def void(entry: str, version: int = 10**15, clock: str = "11:00") -> EntryVoided:
    return on_machine(EntryVoided, at(clock), entry=entry, version=version)


def used(clock: str, amount: int) -> MaterialConsumed:
    return on_machine(MaterialConsumed, at(clock), position="h", quantity=pieces(amount))


def tell(equipment: EquipmentFold, one: Any) -> None:
    match one:
        case EquipmentStateChanged():
            refused = equipment.state_changed(one)
        case LabourRecorded():
            refused = equipment.labour(one)
        case MaterialConsumed():
            refused = equipment.declared(one)
        case _:
            refused = equipment.run_event(one)
    assert refused is None


RUN = on_machine(RunStarted, at("06:00"), run="A", order="OA", operation="10", outputs=[out("4711")])


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param(
            [loaded("07:00", "OLD", **ONE), used("07:30", 2), used("08:30", 4), loaded("08:00", "NEW", **ONE, version=2)],
            {("consumption", ""): 2, ("consumption", "NEW"): 4},
            id="another lot, from another time on",
        ),
        pytest.param(
            [loaded("06:30", "A1"), loaded("07:00", "B2", **ONE), used("07:30", 2), void("s:1")],
            {("consumption", "A1"): 2},
            id="a load that never was",
        ),
        pytest.param(
            [loaded("06:30", "A1"), on_machine(LotUnloaded, at("07:00"), position="h", **ONE), used("07:30", 2), void("s:1")],
            {("consumption", "A1"): 2},
            id="an unload that never was",
        ),
        pytest.param(
            [state("07:00", "running"), state("08:00", "down", **ONE), state("09:00", "idle"), void("s:1")],
            {("machine_time", ""): 2 * MS},
            id="a state that never was",
        ),
        pytest.param(
            [state("07:00", "running", **ONE), state("09:00", "idle"), state("08:30", "running", **ONE, version=1)],
            {("machine_time", ""): MS // 2},
            id="a state that began later",
        ),
        pytest.param(
            [state("07:00", "running", **ONE), state("09:00", "idle"), void("s:1", 5), state("08:00", "setup", **ONE, version=6)],
            {("setup_time", ""): MS},
            id="voided, and stated again in a newer version",
        ),
        pytest.param(
            [log("07:00", "on"), log("07:10", "off", **ONE), log("09:00", "off"), void("s:1")],
            {("labour_time", ""): 2 * MS},
            id="a log-off that never was",
        ),
        pytest.param(
            [log("07:00", "on", **ONE), log("09:00", "off"), log("07:00", "on", **ONE, version=1, share_denominator=2)],
            {("labour_time", ""): MS},
            id="another share",
        ),
    ],
)
def test_the_newest_version_holds_in_any_order(told: list[Any], expected: dict[tuple[str, str], int]) -> None:
    for order in itertools.islice(itertools.permutations(told), 24):
        equipment = machine()
        tell(equipment, RUN)
        for one in (*order, *told):
            tell(equipment, one)
        equipment.measure_activities(at("10:00"), at_cut=False)
        assert amounts(equipment, "kind", "lot") == expected


def test_an_event_without_entry_is_named_by_its_id() -> None:
    equipment = machine()
    wrong = loaded("07:00", "B2", event_id="s:77")
    for one in (RUN, wrong, used("07:30", 2), void("s:77")):
        tell(equipment, one)
    assert amounts(equipment, "kind", "lot") == {("consumption", ""): 2}


def test_a_repeated_void_is_a_duplicate() -> None:
    equipment = machine()
    one = void("s:1")
    tell(equipment, one)
    tell(equipment, one)
    assert equipment.row.tally["duplicates"] == 1
