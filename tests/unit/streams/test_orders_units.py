"""A quantity in a unit that nobody converts waits by itself; the rest of its account goes on."""

from typing import Any

import pytest

from schemas.records import ConfigActivated, MaterialChanged, OperatorDecision, OrderCompleted
from tables.orders.account import waits
from tests.unit.streams.ledger_bench import CUT, Ledger, component, released, total
from tests.unit.tables.floor_bench import MIN, PLANT, at, configuration, event

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
