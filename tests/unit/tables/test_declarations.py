"""Declarations on an equipment: which order, output, lot and business date they mean."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.records import (
    LotLoaded,
    MaterialConsumed,
    ProductionDeclared,
    Quantity,
    ReworkDeclared,
    ReworkReturned,
    RunCorrected,
    RunEnded,
    RunStarted,
    RunVoided,
    ScrapDeclared,
)
from tables.equipment.equipment import EquipmentFold
from tests.unit.tables.floor_bench import amounts, at, machine, on_machine, out, pieces

ONE = [out("4711", lot="L1")]
FAMILY = [out("LEFT", order="OL", lot="LL"), out("RIGHT", order="OR", lot="LR")]


def press(outputs: list[Any]) -> EquipmentFold:
    """Run A of order OA, 07:00 to 08:00; lot R1 in the hopper."""
    equipment = machine()
    hopper = on_machine(LotLoaded, at("06:00"), position="hopper", material="PP", lot="R1")
    start = on_machine(RunStarted, at("07:00"), run="A", order="OA", operation="10", outputs=outputs)
    for event in (hopper, start, on_machine(RunEnded, at("08:00"), run="A")):
        assert equipment.run_event(event) is None
    return equipment


def declare(equipment: EquipmentFold, cls: Any, clock: str = "07:30", amount: int = 3, **fields: Any) -> None:
    assert equipment.declared(on_machine(cls, at(clock), quantity=pieces(amount), **fields)) is None


FIELDS = ("order", "operation", "material", "lot", "kind", "reason", "position")


@pytest.mark.parametrize(
    ("outputs", "cls", "fields", "expected"),
    [
        pytest.param(ONE, ProductionDeclared, {}, {("OA", "10", "4711", "L1", "good", "", ""): 3}, id="good pieces"),
        pytest.param(ONE, ScrapDeclared, {"reason": "burn"}, {("OA", "10", "4711", "L1", "scrap", "burn", ""): 3}, id="scrap"),
        pytest.param(
            ONE,
            ScrapDeclared,
            {"order": "OA", "lot": "LX", "material": "4712"},
            {("OA", "10", "4712", "LX", "scrap", "", ""): 3},
            id="what it names holds",
        ),
        pytest.param(
            ONE,
            ScrapDeclared,
            {"order": "OX"},
            {("OX", "", "", "", "scrap", "", ""): 3},
            id="an order that never ran here gets nothing of the run that did",
        ),
        pytest.param(
            FAMILY,
            ScrapDeclared,
            {"order": "OR"},
            {("OR", "10", "RIGHT", "LR", "scrap", "", ""): 3},
            id="the output of its order",
        ),
        pytest.param(
            ONE, ScrapDeclared, {"of": "stock"}, {("OA", "10", "4711", "L1", "scrap", "", "stock"): 3}, id="stock scrap"
        ),
        pytest.param(
            ONE,
            ScrapDeclared,
            {"of": "component", "material": "PP", "reason": "dirt"},
            {("OA", "10", "PP", "", "consumption", "dirt", ""): 3},
            id="component scrap is an issue with a reason",
        ),
        pytest.param(ONE, ReworkDeclared, {}, {("OA", "10", "4711", "L1", "rework", "", ""): 3}, id="rework"),
        pytest.param(ONE, ReworkReturned, {}, {("OA", "10", "4711", "L1", "rework", "", ""): -3}, id="rework returned as yield"),
        pytest.param(
            ONE,
            ReworkReturned,
            {"as_kind": "scrap"},
            {("OA", "10", "4711", "L1", "rework", "", ""): -3, ("OA", "10", "4711", "L1", "scrap", "", ""): 3},
            id="rework returned as scrap",
        ),
        pytest.param(
            ONE,
            MaterialConsumed,
            {"position": "hopper"},
            {("OA", "10", "PP", "R1", "consumption", "", "hopper"): 3},
            id="consumption of what is loaded there",
        ),
        pytest.param(
            ONE,
            MaterialConsumed,
            {"position": "hopper", "material": "OTHER"},
            {("OA", "10", "OTHER", "", "consumption", "", "hopper"): 3},
            id="another material has not the lot of the loaded one",
        ),
        pytest.param(
            FAMILY,
            ScrapDeclared,
            {"material": "RIGHT"},
            {("OR", "10", "RIGHT", "LR", "scrap", "", ""): 3},
            id="one of several outputs",
        ),
        pytest.param(
            FAMILY, ScrapDeclared, {}, {("OA", "10", "", "", "scrap", "", ""): 3}, id="several outputs and no material: left open"
        ),
    ],
)
def test_destination(outputs: list[Any], cls: Any, fields: dict[str, Any], expected: dict[tuple[str, ...], int]) -> None:
    equipment = press(outputs)
    declare(equipment, cls, **fields)
    assert amounts(equipment, *FIELDS) == expected


def test_without_run_and_order_it_is_unattributed_until_the_run_arrives() -> None:
    equipment = press(ONE)
    declare(equipment, ScrapDeclared, "09:30", reason="burn")
    assert amounts(equipment, "order", "kind", "reason") == {("", "unattributed", "burn"): 3}
    late = on_machine(RunStarted, at("09:00"), run="B", order="OB", operation="20", outputs=ONE)
    assert equipment.run_event(late) is None
    assert amounts(equipment, "order", "operation", "kind", "reason") == {("OB", "20", "scrap", "burn"): 3}
    assert equipment.run_event(on_machine(RunVoided, at("10:00"), run="B", version=9)) is None
    assert amounts(equipment, "order", "kind", "reason") == {("", "unattributed", "burn"): 3}


def test_late_scrap_of_an_order_goes_to_its_run_not_to_the_one_that_runs_now() -> None:
    """Declared two days later, while another order runs: lot, operation and business date of the order's own run."""
    equipment = press(ONE)
    other = on_machine(RunStarted, at("08:30"), run="B", order="OB", operation="20", outputs=[out("4713", lot="LB")])
    assert equipment.run_event(other) is None
    scrap = on_machine(ScrapDeclared, at("07:30", day=22), order="OA", quantity=pieces(3))
    assert equipment.declared(scrap) is None
    assert amounts(equipment, "run", "order", "operation", "lot", "business_date") == {("A", "OA", "10", "L1", "2026-11-20"): 3}


def test_an_order_that_comes_back_gets_its_scrap_in_the_run_of_that_time() -> None:
    equipment = press(ONE)
    again = on_machine(RunStarted, at("10:00"), run="C", order="OA", operation="10", outputs=[out("4711", lot="L3")])
    assert equipment.run_event(again) is None
    for clock in ("07:30", "09:00", "10:30"):
        declare(equipment, ScrapDeclared, clock, order="OA")
    assert amounts(equipment, "run", "lot") == {("A", "L1"): 6, ("C", "L3"): 3}


def test_consumption_declared_late_takes_the_lot_that_its_run_had() -> None:
    equipment = press(ONE)
    assert equipment.run_event(on_machine(LotLoaded, at("08:10"), position="hopper", material="PP", lot="R2")) is None
    declare(equipment, MaterialConsumed, "09:00", order="OA", position="hopper")
    assert amounts(equipment, "lot") == {("R1",): 3}


def test_a_run_that_never_began_gives_its_order_to_what_names_it() -> None:
    """In any order of arrival: the declaration names run Z, and only a correction says whose it is."""
    for first in (True, False):
        equipment = press(ONE)
        told = on_machine(RunCorrected, at("09:00"), run="Z", version=1, order="OZ")
        if first:
            assert equipment.run_event(told) is None
        declare(equipment, ScrapDeclared, run="Z")
        if not first:
            assert equipment.run_event(told) is None
        assert amounts(equipment, "run", "order") == {("Z", "OZ"): 3}


def test_a_repeated_event_id_is_a_duplicate() -> None:
    equipment = press(ONE)
    scrap = on_machine(ScrapDeclared, at("07:30"), quantity=pieces(3))
    assert equipment.declared(scrap) is None
    assert equipment.declared(scrap) is None
    assert amounts(equipment, "kind") == {("scrap",): 3}
    assert equipment.row.tally["duplicates"] == 1


@pytest.mark.parametrize(
    "other",
    [
        {"quantity": pieces(2)},
        {"occurred_at": at("07:31")},
        {"reason": "other"},
        {"order": "OB"},
        {"lot": "L2"},
        {"material": "B"},
    ],
)
def test_a_repeated_event_id_with_another_content_is_refused(other: dict[str, Any]) -> None:
    equipment = press(ONE)
    scrap = on_machine(ScrapDeclared, at("07:30"), quantity=pieces(3))
    assert equipment.declared(scrap) is None
    refusal = equipment.declared(replace(scrap, raw_offset=scrap.raw_offset + 1, **other))
    assert refusal is not None
    assert refusal.code == "ID_CONFLICT" and scrap.event_id in refusal.detail
    assert amounts(equipment, "kind") == {("scrap",): 3}, "what came first stays"
    assert "duplicates" not in equipment.row.tally


def test_the_same_in_other_words_is_a_duplicate() -> None:
    """Sent again by another way, and in another scale."""
    equipment = press(ONE)
    scrap = on_machine(ScrapDeclared, at("07:30"), quantity=pieces(3))
    assert equipment.declared(scrap) is None
    again = replace(scrap, raw_offset=9_999, source_seq=7, received_at=at("09:00"), quantity=Quantity(30, 1, "PC"))
    assert equipment.declared(again) is None
    assert equipment.row.tally["duplicates"] == 1


@pytest.mark.parametrize(
    ("clock", "date"), [("07:30", "2026-11-20"), ("23:30", "2026-11-20"), ("05:00", "2026-11-20")], ids=["then", "late", "early"]
)
def test_late_scrap_takes_the_business_date_of_its_run(clock: str, date: str) -> None:
    """05:00 is still the night shift of the 19th, 23:30 the night shift after: the run was in the early shift."""
    equipment = press(ONE)
    declare(equipment, ScrapDeclared, clock, run="A")
    assert amounts(equipment, "business_date", "order") == {(date, "OA"): 3}


def test_quantities_of_different_units_do_not_mix() -> None:
    equipment = press(ONE)
    declare(equipment, ScrapDeclared)
    assert equipment.declared(on_machine(ScrapDeclared, at("07:31"), quantity=pieces(1500, "kg", 3))) is None
    assert amounts(equipment, "unit", "scale") == {("PC", "0"): 3, ("kg", "3"): 1500}
