"""Open rework never goes below zero, and scrap has one authority (docs/domain.md, Rework and Authority)."""

from typing import Any

import pytest

from tests.unit.streams.ledger_bench import CUT, Ledger, released, total
from tests.unit.tables.floor_bench import at, configuration

T = at("08:00")


def rework(amount: int, key: str = "M1|A|ReworkDeclared|rework", **fields: Any) -> Any:
    return total("rework", amount, source_key=key, label=T, **fields)


def returned(amount: int, **fields: Any) -> Any:
    return rework(-amount, "M1|A|ReworkReturned|rework", **fields)


def returned_as_scrap(amount: int) -> list[Any]:
    return [returned(amount), total("scrap", amount, source_key="M1|A|ReworkReturned|scrap", label=T)]


def played(*totals: Any) -> Ledger:
    ledger = Ledger()
    ledger.fold(released(), total("gross", 100, label=T), *totals)
    ledger.tick(CUT)
    ledger.check_conservation()
    return ledger


def test_what_comes_back_leaves_open_rework_and_is_yield_again() -> None:
    ledger = played(rework(5), returned(3))
    assert (ledger.account("rework").posted, ledger.account("yield").posted) == (2, 98)
    assert ledger.codes() == {}


@pytest.mark.parametrize("declared", [0, 2])
def test_more_than_was_open_is_parked_in_both_accounts(declared: int) -> None:
    ledger = played(*([rework(declared)] if declared else []), returned(5))
    assert ledger.codes() == {"rework": "REWORK_EXCEEDED", "yield": "REWORK_EXCEEDED"}
    assert (ledger.account("rework").parked, ledger.account("yield").parked) == (declared - 5, 5 - declared)
    assert ledger.account("yield").posted == 100, "nothing is made of rework that never was"


def test_more_scrap_than_was_open_is_parked_as_scrap() -> None:
    ledger = played(rework(2), *returned_as_scrap(5))
    assert ledger.codes() == {"rework": "REWORK_EXCEEDED", "scrap": "REWORK_EXCEEDED"}
    assert (ledger.account("scrap").parked, ledger.account("scrap").posted) == (3, 2)
    assert ledger.account("yield").posted == 98


def test_it_resumes_when_the_rework_is_declared() -> None:
    ledger = played(returned(5))
    ledger.fold(rework(5, version=(1, 9)))
    ledger.tick(at("22:00"))
    ledger.check_conservation()
    assert ledger.codes() == {}
    assert (ledger.account("rework").target, ledger.account("yield").posted) == (0, 100)


def test_rework_of_one_day_may_come_back_on_another_and_from_another_lot() -> None:
    ledger = played(rework(5), returned(5, business_date="2026-11-21", lot="L2"))
    assert ledger.codes() == {}


SCRAP_COUNTER = {"equipment": {"*": {"counters": {"shots": {}, "rejects": {"counts": "scrap"}}}}}


@pytest.mark.parametrize(
    ("plant", "yield_", "booked"),
    [
        pytest.param(SCRAP_COUNTER, 93, {"": 7, "burn": 0}, id="the counter counts scrap: declared scrap is the check"),
        pytest.param({}, 100 - 7 - 4, {"": 7, "burn": 4}, id="nothing is known to count it: both are booked"),
        pytest.param(
            {**SCRAP_COUNTER, "plant": {"quantity_from": "declarations"}}, 80, {"": 0, "burn": 4}, id="declarations hold"
        ),
    ],
)
def test_scrap_has_one_authority(plant: dict[str, Any], yield_: int, booked: dict[str, int]) -> None:
    ledger = Ledger(configuration(plant))
    counted = total("scrap", 7, authority="counters", source_key="M1|A|rejects", label=T)
    declared = total("scrap", 4, reason="burn", source_key="M1|A|burn", label=T)
    ledger.fold(released(), total("gross", 100, label=T), total("good", 80, label=T), counted, declared)
    ledger.tick(CUT)
    ledger.check_conservation()
    assert ledger.account("yield").posted == yield_
    assert {row.reason: row.posted for row in ledger.accounts().values() if row.kind == "scrap"} == booked
