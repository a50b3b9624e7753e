"""A quantity in a unit that nobody converts waits by itself; the rest of its account goes on."""

from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest

from schemas.records import ConfigActivated, MaterialChanged, OperatorDecision, OrderCompleted, OrderItem, Quantity
from tables.orders.account import waits
from tests.unit.streams.ledger_bench import CUT, Ledger, component, operation, released, total
from tests.unit.tables.floor_bench import HOUR, MIN, PLANT, at, configuration, event

T1, EVENING = at("07:00"), at("22:00")


def used(numerator: int, unit: str, offset: int, label: int = T1, **fields: Any) -> Any:
    """A declaration of PP, lot R1."""
    return total(
        "consumption",
        numerator,
        (1, offset),
        label,
        **{"source_key": f"d{offset}", "authority": "declarations", "unit": unit, "material": "PP", "lot": "R1", **fields},
    )


def material(label: int, *conversions: str, unit: str = "kg") -> MaterialChanged:
    return event(
        MaterialChanged, label, label, material="PP", unit=unit, decimals=3, batch_managed=False, conversions=list(conversions)
    )


def posted(postings: list[Any]) -> list[tuple[int, str]]:
    return [(posting.amount, posting.unit) for posting in postings]


def parked(bench: Ledger) -> list[tuple[str, str, str]]:
    return [(one.code, str(one.quantity), one.unit) for row in bench.accounts().values() for one in waits(row)]


def slip(*first: Any, configurations: Any = ()) -> Ledger:
    bench = Ledger(*configurations)
    bench.fold(released(T1), *first, used(30, "kg", 1), used(1, "SACK", 2), used(30, "kg", 3))
    assert posted(bench.tick(CUT)) == [(60_000, "kg")]
    assert parked(bench) == [("BAD_UNIT", "1", "SACK")]
    bench.check_conservation()
    return bench


@pytest.mark.parametrize("first", [[material(T1)], []], ids=["master data", "the order alone"])
def test_a_slip_waits_and_the_account_goes_on(first: list[Any]) -> None:
    bench = slip(*first)
    bench.fold(used(5, "kg", 4, CUT + MIN), used(2, "SACK", 5, CUT + MIN))
    assert posted(bench.tick(EVENING)) == [(5_000, "kg")]
    assert parked(bench) == [("BAD_UNIT", "3", "SACK")]


def test_a_slip_alone_waits_in_its_own_unit() -> None:
    bench = Ledger()
    bench.fold(material(T1), released(T1), used(1, "SACK", 1))
    assert bench.tick(CUT) == []
    assert parked(bench) == [("BAD_UNIT", "1", "SACK")]


def test_a_slip_does_not_choose_the_unit() -> None:
    """BAG comes before kg in the alphabet."""
    bench = Ledger()
    bench.fold(released(T1), used(1, "BAG", 1), used(7, "kg", 2), used(3, "BAG", 3))
    assert posted(bench.tick(CUT)) == [(7_000, "kg")]
    assert parked(bench) == [("BAD_UNIT", "4", "BAG")]


def test_a_reversal_of_the_slip_leaves_nothing() -> None:
    bench = slip(material(T1))
    bench.fold(used(-1, "SACK", 4, CUT + MIN))
    assert bench.tick(EVENING) == []
    assert parked(bench) == []


def test_it_resumes_with_the_material_master() -> None:
    bench = slip(material(T1))
    bench.fold(material(CUT + MIN, "1 SACK = 25 kg"))
    assert posted(bench.tick(EVENING)) == [(25_000, "kg")]
    assert parked(bench) == []
    bench.check_conservation()


@pytest.mark.parametrize("restarted", [False, True])
def test_it_resumes_with_a_configuration(restarted: bool) -> None:
    old, new = configuration(), configuration({"units": {"PP": ["1 SACK = 20 kg"]}})
    bench = slip(configurations=(old, new))
    bench.fold(ConfigActivated(PLANT, new.hash, CUT + MIN, "intake"))
    bench.tick(CUT + 2 * MIN)
    if restarted:
        bench.restart()
    assert posted([*bench.tick(CUT + 3 * MIN), *bench.tick(EVENING)]) == [(20_000, "kg")]
    assert parked(bench) == []


def decided(decision: str, label: int = CUT + MIN) -> OperatorDecision:
    return event(
        OperatorDecision, label, label, order="O1", account="", code="BAD_UNIT", decision=decision, who="h:1", why="typo"
    )


def test_a_person_drops_it_or_takes_that_back() -> None:
    bench = slip(material(T1))
    bench.fold(decided("drop"))
    assert bench.tick(EVENING) == []
    (row,) = bench.accounts().values()
    assert [one.dropped for one in waits(row)] == [True]
    bench.fold(decided("retry", EVENING + MIN), material(EVENING + MIN, "1 SACK = 25 kg"))
    assert posted(bench.tick(at("06:00", 21))) == [(25_000, "kg")]


def test_nobody_can_post_it() -> None:
    bench = slip(material(T1))
    bench.fold(decided("post"))
    assert bench.tick(EVENING) == []
    assert [letter.code for letter in bench.step.take("exceptions")] == ["DECISION_INVALID"]


def test_scrap_in_an_unknown_unit_waits_in_both_of_its_accounts() -> None:
    bench = Ledger()
    bench.fold(released(T1), total("gross", 10, label=T1), total("scrap", 1, (1, 2), T1, unit="TRAY"))
    assert posted(bench.tick(CUT)) == [(10, "PC")]
    assert sorted(parked(bench)) == [("BAD_UNIT", "-1", "TRAY"), ("BAD_UNIT", "1", "TRAY")]


def test_the_final_flag_waits_for_it() -> None:
    bench = Ledger()
    bench.fold(released(T1, components=[component()]), total("gross", 10, label=T1), total("scrap", 1, (1, 2), T1, unit="TRAY"))
    bench.fold(event(OrderCompleted, CUT, CUT, order="O1"))
    assert not any(posting.final for posting in bench.tick(CUT))


# -- the unit of an account: what configuration and order say, whatever was stated first

BOXES = {"4711": ["1 BOX = 48 PC", "1 PALLET = 20 BOX"]}


def unit_after(*told: Any, plan: str = "PC", plant: dict[str, Any] | None = None, **order: Any) -> set[tuple[str, str, str]]:
    """(kind, unit, recorded) when the records come in any order, each in a shift of its own: the first one decides nothing."""
    found = set()
    for records in permutations(told):
        bench = Ledger(configuration({"units": BOXES, **(plant or {})}))
        items = [OrderItem(item="1", material="4711", quantity=Quantity(1000, 0, plan))]
        bench.fold(released(T1, items=items, **order))
        for n, record in enumerate(records, 1):
            bench.fold(replace(record, inbox_offset=n, label=T1 + n * HOUR))
            bench.tick(CUT + n * 8 * HOUR)
        bench.check_conservation()
        found.add(
            tuple(
                (row.kind, row.unit, str(Fraction(row.recorded_numerator, row.recorded_denominator)))
                for _, row in sorted(bench.accounts().items())
            )
        )
    assert len(found) == 1, found
    return set(found.pop())


def declared(numerator: int, unit: str) -> Any:
    return total("good", numerator, source_key=f"d{unit}", unit=unit)


BY_PEOPLE = {"plant": {"quantity_from": "declarations"}}


@pytest.mark.parametrize(("plan", "recorded"), [("PC", "106"), ("BOX", "53/24"), ("PALLET", "53/480")])
def test_what_people_declare_is_booked_in_the_unit_of_the_plan(plan: str, recorded: str) -> None:
    assert unit_after(declared(2, "BOX"), declared(10, "PC"), plan=plan, plant=BY_PEOPLE) == {("yield", plan, recorded)}


@pytest.mark.parametrize("plan", ["PC", "BOX"])
def test_what_counters_count_is_booked_in_their_unit(plan: str) -> None:
    told = total("gross", 100), declared(2, "BOX"), total("scrap", 1, unit="BOX")
    assert unit_after(*told, plan=plan) == {("scrap", "PC", "48"), ("yield", "PC", "52")}


def test_a_component_is_booked_in_the_unit_of_its_bill() -> None:
    told = used(500, "g", 1), used(2, "kg", 2), used(1, "KG", 3)
    assert unit_after(*told, components=[component()]) == {("consumption", "kg", "7/2")}


def test_a_material_between_two_operations_is_booked_in_the_unit_of_the_order() -> None:
    operations = [operation("10", receipt=False), operation("20")]
    half = declared(2, "BOX"), declared(10, "PC")
    told = [replace(one, material="4711-10") for one in half]
    units = {"units": {"4711-10": BOXES["4711"]}}
    assert unit_after(*told, operations=operations, plant=BY_PEOPLE | units) == {("yield", "PC", "106")}
