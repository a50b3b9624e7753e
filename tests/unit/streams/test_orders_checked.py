"""What an order is checked for, what a change of it changes, and what comes back from rework."""

from typing import Any

import pytest

from schemas.records import OrderChanged, OrderClosed, ProductionDeclared, Quantity, ReworkDeclared, ReworkReturned, ScrapDeclared
from tests.unit.streams.ledger_bench import CUT, Ledger, component, item, operation, released, total
from tests.unit.tables.floor_bench import MIN, at, configuration, event, pieces

T1 = at("07:00")


def ledger(*records: Any, **more: Any) -> Ledger:
    bench = Ledger(configuration(**more))
    bench.fold(*records)
    return bench


@pytest.mark.parametrize(
    ("receiving", "booking", "taken"),
    [
        ((1,), {}, True),
        ((1, 2), {}, False),
        ((), {}, False),
        ((), {"receipt": "none"}, True),
        ((1, 2), {"receipt": "none"}, False),
    ],
)
def test_exactly_one_operation_receives_or_the_order_is_refused(receiving: tuple[int, ...], booking: Any, taken: bool) -> None:
    operations = [operation(f"{n}0", n in receiving) for n in (1, 2)]
    bench = ledger(released(T1, operations=operations), total("gross", 10, (1, 1), T1), erp={"book": {"yield": booking}})
    bench.tick(CUT)
    assert [one.amount for one in bench.postings] == ([10] if taken else [])
    letters = [letter.code for letter in bench.step.take("exceptions")]
    assert letters == ([] if taken else ["ORDER_INVALID"])


@pytest.mark.parametrize(("status", "kept"), [("", "closed"), ("released", "released")])
def test_a_change_without_status_changes_none(status: str, kept: str) -> None:
    bench = ledger(released(T1), event(OrderClosed, T1, T1, order="O1"), total("gross", 5, (1, 1), T1))
    bench.tick(T1)
    bench.fold(released(T1 + MIN, OrderChanged, change_number="2", items=[item(quantity=120)], status=status))
    bench.tick(T1 + MIN)
    assert bench.codes() == ({"yield": "ORDER_CLOSED"} if kept == "closed" else {})


@pytest.mark.parametrize("kind", ["yield", "scrap"])
def test_what_comes_back_from_rework_where_people_declare_good_pieces(kind: str) -> None:
    """90 good, 10 in rework, 10 of those back: the last are yield or scrap, and 100 blanks were used."""
    parts = [component(mode="ledger_backflush", quantity=Quantity(1, 0, "PC"))]
    told = {"order": "O1", "operation": "10", "material": "4711", "lot": "L1"}
    bench = ledger(
        released(T1, components=parts),
        event(ProductionDeclared, T1, T1, quantity=pieces(90), **told),
        event(ReworkDeclared, T1, T1, quantity=pieces(10), **told),
        event(ReworkReturned, T1 + MIN, T1 + MIN, quantity=pieces(10), as_kind=kind, **told),
        plant={"plant": {"quantity_from": "declarations"}},
        rules={"post": [{"kind": one, "when": "shift_end"} for one in ("yield", "scrap", "rework", "consumption")]},
    )
    bench.tick(CUT)
    made = {"yield": 100} if kind == "yield" else {"yield": 90, "scrap": 10}
    assert {one.kind: one.amount for one in bench.postings} == {**made, "consumption": 100}


def test_what_fell_on_the_floor_is_an_issue_also_of_a_component_that_the_erp_backflushes() -> None:
    scrapped = {"order": "O1", "operation": "10", "material": "PP", "lot": "", "quantity": pieces(7, "kg"), "of": "component"}
    bench = ledger(
        released(T1, backflush=True, components=[component(mode="erp_backflush")]),
        total("consumption", 9, (1, 1), T1, unit="kg", material="PP", authority="declarations"),
        event(ScrapDeclared, T1, T1, reason="fell", **scrapped),
        rules={"post": [{"kind": "consumption", "when": "shift_end"}]},
    )
    assert [(one.reason, one.amount) for one in bench.tick(CUT)] == [("fell", 7000)]


@pytest.mark.parametrize(("managed", "posted"), [(False, 5), (True, 0)])
def test_only_lots_of_what_the_erp_manages_in_lots_are_measured(managed: bool, posted: int) -> None:
    bench = ledger(released(T1, items=[item(batch_managed=managed)]), total("gross", 5, (1, 1), T1, lot="BOXLABEL0000001"))
    assert sum(one.amount for one in bench.tick(CUT)) == posted
    assert bench.codes() == ({} if posted else {"yield": "LOT_TOO_LONG"})
