"""Accounts that wait under a code: each code, that others go on, and that they resume by themselves."""

from typing import Any

import pytest

from schemas.records import MaterialChanged, OrderChanged, OrderClosed
from tests.unit.streams.ledger_bench import CUT, Ledger, component, item, operation, released, total
from tests.unit.tables.floor_bench import MIN, at, configuration, event

T1, T2, T3 = at("07:00"), at("08:00"), at("09:00")


def ledger(*records: Any, rules: dict[str, Any] | None = None) -> Ledger:
    bench = Ledger(configuration(rules=rules))
    bench.fold(*records)
    return bench


def amounts(postings: list[Any]) -> list[tuple[str, int, int]]:
    return [(posting.kind, posting.amount, posting.cumulative) for posting in postings]


RECEIPTS = {"post": [{"kind": "yield", "when": ["every 1 PC"]}, {"kind": "consumption", "when": ["every 1 g"]}]}
USED = {"authority": "declarations", "unit": "kg", "denominator": 1000, "material": "PP", "lot": "R1"}


@pytest.mark.parametrize(
    ("code", "first", "quantity", "healing"),
    [
        ("UNKNOWN_ORDER", [], total("gross", 5, label=T1), released(T2)),
        (
            "ORDER_LOCKED",
            [released(T1, status="locked")],
            total("gross", 5, label=T1),
            released(T2, OrderChanged, change_number="1", status="released"),
        ),
        (
            "ORDER_CLOSED",
            [released(T1), event(OrderClosed, T1, T1, order="O1")],
            total("gross", 5, label=T1),
            released(T2, OrderChanged, change_number="1", status="released"),
        ),
        (
            "UNKNOWN_OPERATION",
            [released(T1, operations=[operation("20")])],
            total("gross", 5, label=T1),
            released(T2, OrderChanged, change_number="1"),
        ),
        (
            "MATERIAL_NOT_IN_ORDER",
            [released(T1, items=[item("OTHER")])],
            total("gross", 5, label=T1),
            released(T2, OrderChanged, change_number="1"),
        ),
        (
            "MATERIAL_NOT_IN_BOM",
            [released(T1, components=[])],
            total("consumption", 5, label=T1, **USED),
            released(T2, OrderChanged, change_number="1"),
        ),
        (
            "PHANTOM",
            [released(T1, components=[component(phantom=True)])],
            total("consumption", 5, label=T1, **USED),
            released(T2, OrderChanged, change_number="1"),
        ),
        (
            "LOT_MISSING",
            [released(T1, items=[item(batch_managed=True)])],
            total("gross", 5, label=T1, lot=""),
            released(T2, OrderChanged, change_number="1"),
        ),
        (
            "LOT_MISSING",
            [released(T1), event(MaterialChanged, T1, T1, material="4711", unit="PC", decimals=0, batch_managed=True)],
            total("gross", 5, label=T1, lot=""),
            event(MaterialChanged, T2, T2, material="4711", unit="PC", decimals=0, batch_managed=False),
        ),
        (
            "LOT_MISSING",
            [released(T1, components=[component(batch_managed=True)])],
            total("consumption", 5, label=T1, **{**USED, "lot": ""}),
            released(T2, OrderChanged, change_number="1"),
        ),
        (
            "LOT_TOO_LONG",
            [released(T1, components=[component(batch_managed=True)])],
            total("consumption", 5, label=T1, **{**USED, "lot": "R1234567890"}),
            released(T2, OrderChanged, change_number="1"),
        ),
        (
            "BAD_UNIT",
            [released(T1), event(MaterialChanged, T1, T1, material="4711", unit="BOX", decimals=3, batch_managed=False)],
            total("gross", 5, label=T1),
            event(
                MaterialChanged,
                T2,
                T2,
                material="4711",
                unit="BOX",
                decimals=3,
                batch_managed=False,
                conversions=["1 BOX = 5 PC"],
            ),
        ),
    ],
)
def test_parked_under_its_code_until_master_data_arrives(code: str, first: list[Any], quantity: Any, healing: Any) -> None:
    bench = ledger(*first, quantity, rules=RECEIPTS)
    assert bench.tick(T1) == []
    assert set(bench.codes().values()) == {code}
    bench.check_conservation()
    bench.fold(healing)
    (posting,) = bench.tick(T2)
    assert posting.amount * 10 ** (3 - posting.scale) == {"PC": 5000, "BOX": 1000, "kg": 5}[posting.unit]
    assert bench.codes() == {}


def test_several_outputs_and_no_material_park_until_somebody_says() -> None:
    nests = [item("LEFT"), item("RIGHT")]
    bench = ledger(released(T1, items=nests), total("scrap", 5, (1, 1), T1, material="", lot=""))
    assert bench.tick(CUT) == []
    assert bench.codes() == {"scrap": "MATERIAL_AMBIGUOUS", "yield": "MATERIAL_AMBIGUOUS"}
    bench.fold(
        total("scrap", 0, (1, 2), CUT + MIN, material="", lot=""), total("scrap", 5, (1, 2), CUT + MIN, material="LEFT", lot="")
    )
    bench.fold(total("gross", 8, (1, 3), CUT + MIN, material="LEFT", lot=""))
    assert amounts(bench.tick(at("22:00"))) == [("scrap", 5, 5), ("yield", 3, 3)]


def test_what_is_consumed_of_nothing_says_that_nothing_is_loaded() -> None:
    used = {**USED, "authority": "counters", "material": "", "lot": "", "position": "hopper"}
    bench = ledger(released(T1, components=[component(mode="metered")]), total("consumption", 5, label=T1, **used))
    assert bench.tick(CUT) == []
    assert bench.codes() == {"consumption": "NOTHING_LOADED"}
    assert "at position hopper" in bench.account("consumption").detail


def test_parking_one_account_does_not_stop_the_others() -> None:
    bench = ledger(released(T1), total("gross", 5, label=T1), total("consumption", 5, label=T1, **{**USED, "material": "XX"}))
    assert amounts(bench.tick(CUT)) == [("yield", 5, 5)]
    assert bench.codes() == {"consumption": "MATERIAL_NOT_IN_BOM"}


def test_technically_complete_takes_corrections_unless_told_otherwise() -> None:
    for answer, posted in (("post_corrections", [("yield", 5, 5)]), ("park", [])):
        bench = ledger(
            released(T1, status="technically_complete"),
            total("gross", 5, label=T1),
            rules={"order": {"technically_completed": answer}},
        )
        assert amounts(bench.tick(CUT)) == posted


def test_change_numbers_decide_not_arrival() -> None:
    newer, older = (
        released(T2, OrderChanged, change_number="10", items=[item(quantity=50)]),
        released(T3, OrderChanged, change_number="9"),
    )
    bench = ledger(released(T1), newer, older, total("gross", 60, label=T1))
    bench.tick(CUT)
    assert bench.account("yield").posted == 50


@pytest.mark.parametrize(
    ("authorities", "recorded"),
    [(("counters",), 40), (("declarations",), 30), (("counters", "declarations"), 40)],
    ids=["metered", "declared", "both: what was measured"],
)
def test_consumption_that_no_bill_knows_is_parked_and_does_not_disappear(authorities: tuple[str, ...], recorded: int) -> None:
    used = {"unit": "kg", "denominator": 1000, "material": "XX", "lot": "R1"}
    amount = {"counters": 40, "declarations": 30}
    found = [total("consumption", amount[one], label=T1, authority=one, source_key=one, **used) for one in authorities]
    bench = ledger(*found)
    assert bench.tick(CUT) == []
    assert bench.codes() == {"consumption": "UNKNOWN_ORDER"}
    assert bench.account("consumption").parked == recorded
