"""Scrap finds its pieces: gross is the truth of an order's operation, whatever lot, day or reason the pieces bear."""

from collections.abc import Mapping
from typing import Any

import pytest

from schemas.records import OperatorDecision
from tests.unit.streams.ledger_bench import CUT, Ledger, component, released, total
from tests.unit.tables.floor_bench import HOUR, at, configuration, event

RULES = {
    "post": [
        {"kind": "yield", "when": ["shift_end"]},
        {"kind": "scrap", "when": ["shift_end", "above 200 PC at once"]},
        {"kind": "rework", "when": ["shift_end"]},
    ]
}
NIGHT = at("22:00")
DAY_BEFORE = "2026-11-19"


def ledger() -> Ledger:
    found = Ledger(configuration(rules=RULES))
    found.fold(released(at("05:00"), components=[component()]))
    return found


def gross(count: int, lot: str = "L1", run: str = "A", first: str = "06:00", version: int = 1, **fields: Any) -> Any:
    return total(
        "gross", count, (1, version), at("07:00"), lot=lot, run=run, source_key=f"M1|{run}|gross", first_at=at(first), **fields
    )


def scrap(count: int, lot: str = "", run: str = "", version: int = 50, label: int | None = None, **fields: Any) -> Any:
    key = fields.pop("source_key", f"scrap {lot} {run}")
    return total(
        "scrap", count, (1, version), label or at("08:00"), lot=lot, run=run, source_key=key, **{"equipment": "", **fields}
    )


def posted(of: Ledger) -> dict[str, int]:
    """Kind, lot and date -> steps."""
    found: dict[str, int] = {}
    for one in of.postings:
        date = "" if one.business_date == "2026-11-20" else " before"
        name = f"{one.kind} {one.lot}".strip() + date
        found[name] = found.get(name, 0) + one.amount
    return {name: amount for name, amount in found.items() if amount}


@pytest.mark.parametrize(
    ("told", "right"),
    [
        ([gross(100), scrap(10)], {"yield L1": 90, "scrap": 10}),  # the only lot
        (
            [gross(100), gross(50, "L2", "B", "06:30", 2), scrap(10, run="B")],
            {"yield L1": 100, "yield L2": 40, "scrap": 10},  # the lot of its run
        ),
        (
            [gross(100, "Z1", "A", "06:00"), gross(50, "A2", "B", "06:30", 2), scrap(110)],
            {"yield A2": 40, "scrap": 110},  # the oldest lot first, which is not the first by name
        ),
        (
            [gross(100, business_date=DAY_BEFORE), scrap(10, "L1")],
            {"yield L1 before": 90, "scrap L1": 10},  # of another day
        ),
        ([gross(100, ""), scrap(10, "L1")], {"yield": 90, "scrap L1": 10}),  # pieces that no lot was told of
        ([gross(100), scrap(10, "L9")], {"yield L1": 100}),  # of a lot that nobody made: waits
        ([gross(100), scrap(130)], {"scrap": 100}),  # more than was counted: the rest waits
        (
            [gross(100), scrap(60, reason="a", source_key="a"), scrap(60, reason="b", source_key="b", version=51)],
            {"scrap": 100},
        ),
        ([gross(100), total("rework", 10, (1, 60), at("08:00"), lot="", source_key="r")], {"yield L1": 90, "rework": 10}),
        ([gross(100), scrap(10), gross(0, version=70)], {}),  # the run was voided
    ],
)
def test_finds_its_pieces(told: list[Any], right: Mapping[str, int]) -> None:
    of = ledger()
    of.fold(*told)
    of.tick(CUT)
    assert posted(of) == right
    of.check_conservation()


def test_never_more_than_was_counted_also_after_it_was_posted() -> None:
    of = ledger()
    of.fold(gross(100), scrap(10))
    of.tick(CUT)
    of.fold(gross(4, version=70))
    of.tick(NIGHT)
    assert posted(of) == {"scrap": 4}
    assert of.codes() == {"yield": "SCRAP_EXCEEDS_GROSS", "scrap": "SCRAP_EXCEEDS_GROSS"}
    of.fold(gross(50, version=71))
    of.tick(at("06:00", 21))
    assert posted(of) == {"yield L1": 40, "scrap": 10}
    assert of.codes() == {}
    of.check_conservation()


def test_what_finds_none_waits_with_its_age_and_a_person_may_let_it_pass() -> None:
    of = ledger()
    of.fold(gross(100), scrap(10, "L9"))
    of.tick(CUT)
    waits = of.account("scrap")
    assert (waits.code, waits.parked, waits.since) == ("SCRAP_EXCEEDS_GROSS", 10, at("08:00"))
    decision = {"order": "O1", "account": "", "code": "SCRAP_EXCEEDS_GROSS", "decision": "post", "who": "h", "why": "known"}
    of.fold(event(OperatorDecision, CUT + HOUR, CUT + HOUR, **decision))
    of.tick(NIGHT)
    assert posted(of) == {"yield L1": 100, "yield L9": -10, "scrap L9": 10}


def test_one_document_also_when_scrap_goes_at_once() -> None:
    of = ledger()
    of.fold(gross(1000))
    of.tick(CUT)
    of.fold(scrap(250, "L1", label=at("15:00")))
    of.tick(at("15:00"))
    assert [(one.kind, one.amount, one.cut) for one in of.postings[-2:]] == [
        ("scrap", 250, at("15:00")),
        ("yield", -250, at("15:00")),
    ]


def test_small_scrap_waits_for_its_shift_with_its_yield() -> None:
    of = ledger()
    of.fold(gross(1000))
    of.tick(CUT)
    of.fold(scrap(20, label=at("15:00")))
    assert of.tick(at("15:00")) == []
    assert {(one.kind, one.amount) for one in of.tick(NIGHT)} == {("scrap", 20), ("yield", -20)}


def test_a_yield_below_zero_without_scrap_tells_so() -> None:
    of = ledger()
    of.fold(gross(-5))
    of.tick(CUT)
    assert posted(of) == {}
    assert of.codes() == {"yield": "BELOW_ZERO"}
