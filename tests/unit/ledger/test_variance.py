"""Counters against declarations: what is compared, and what is not."""

from fractions import Fraction
from typing import Any

import pytest

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.variance import as_json, lines_of, variances
from tests.unit.streams.ledger_bench import CUT, Ledger, component, released, total
from tests.unit.tables.floor_bench import at, configuration

T = at("08:00")
GROSS, GOOD = total("gross", 100, label=T), total("good", 90, label=T)


def compared(*totals: Any, plant: dict[str, Any] | None = None, mode: str = "declared") -> list[Any]:
    ledger = Ledger(configuration(plant))
    ledger.fold(released(components=[component(mode=mode)]), *totals)
    ledger.tick(CUT)
    rows = {"orders": dict(ledger.step.rows.scan(""))}
    return variances(Snapshot(rows, [], ledger.configurations[0], {}))


def figures(found: list[Any]) -> list[tuple[str, str, Fraction, Fraction]]:
    return [(entry.what.kind, entry.authority, entry.booked, entry.checked) for entry in found]


@pytest.mark.parametrize(
    ("totals", "plant", "expected"),
    [
        pytest.param([GROSS], None, [], id="one authority alone is no variance"),
        pytest.param([GROSS, GOOD], None, [("yield", "counters", 100, 90)], id="pallet labels against shots"),
        pytest.param(
            [GROSS, GOOD, total("scrap", 10, label=T)], None, [("yield", "counters", 90, 90)], id="scrap explains the difference"
        ),
        pytest.param([GROSS, GOOD], {"plant": {"pallets": "ignore"}}, [], id="pallets are not compared"),
        pytest.param(
            [GROSS, GOOD, total("good", 5, lot="L2", source_key="M1|B|good", label=T)],
            None,
            [("yield", "counters", 100, 95)],
            id="over all lots",
        ),
        pytest.param(
            [GOOD, total("good", 97, authority="counters", source_key="M1|A|count", label=T)],
            {"plant": {"quantity_from": "declarations"}},
            [("yield", "declarations", 90, 97)],
            id="declarations hold: the counter is the check",
        ),
    ],
)
def test_yield(totals: list[Any], plant: dict[str, Any] | None, expected: list[Any]) -> None:
    assert figures(compared(*totals, plant=plant)) == expected


def test_a_meter_against_what_people_declared() -> None:
    resin = {"material": "PP", "lot": "R1", "position": "hopper", "unit": "kg", "label": T}
    metered = total("consumption", 41, source_key="M1|A|resin", authority="counters", **resin)
    declared = total("consumption", 40, source_key="M1|A|MaterialConsumed", authority="declarations", **resin)
    found = compared(metered, declared, mode="metered")
    assert figures(found) == [("consumption", "counters", 41, 40)]
    assert found[0].difference == 1
    assert lines_of(found) == [
        "1 of 1 quantities that two authorities speak of differ",
        "  consumption order O1 op 10 PP 2026-11-20 at M1: 41 kg by counters, which counts, 40 by declarations, difference 1",
    ]
    assert as_json(found)[0]["difference"] == "1"


def scrapped(machine: str, amount: int, authority: str) -> Any:
    return total(
        "scrap", amount, source_key=f"{machine}|A|{authority}", equipment=machine, lot=machine, authority=authority, label=T
    )


def test_declarations_of_one_machine_are_not_held_against_the_pieces_of_another() -> None:
    """M1 has a counter of scrap and a declaration beside it, M2 has declarations only: these count, and nothing checks them."""
    ledger = Ledger(configuration({"equipment": {"M1": {"counters": {"rejects": {"counts": "scrap"}}}}}))
    ledger.fold(released(), scrapped("M2", 7, "declarations"))
    ledger.fold(scrapped("M1", 4, "counters"), scrapped("M1", 3, "declarations"))
    ledger.tick(CUT)
    snapshot = Snapshot({"orders": dict(ledger.step.rows.scan(""))}, [], ledger.configurations[0], {})
    (found,) = [entry for entry in variances(snapshot) if entry.what.kind == "scrap"]
    assert (found.booked, found.authority, found.checked, found.difference, found.at) == (4, "counters", 3, 1, ("M1",))


def test_a_declaration_that_names_no_machine_is_held_against_all_of_them() -> None:
    found = compared(GROSS, total("gross", 20, source_key="M2|B|gross", equipment="M2", lot="L2", label=T),
                     total("good", 117, source_key="O1|good", equipment="", label=T))  # fmt: skip
    assert [(entry.booked, entry.checked, entry.at) for entry in found] == [(120, 117, ())]
