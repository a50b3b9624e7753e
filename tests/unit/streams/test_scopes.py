"""Holds on an equipment and a time, an order, a run, a supplier's lot: they hold the lots of it, those that come later, too."""

import itertools
from typing import Any

import pytest

from schemas.records import HoldExempted, HoldPlaced, HoldReleased, LotCreated, LotMade
from streams.lots.stage import LotsStage
from tables.row_kinds import SCOPE_LOT_ROWS, SCOPE_MARK_ROWS
from tests.unit.streams.quality_bench import MATERIAL, PLANT, edge, event
from tests.unit.streams.test_lots import Lots


def made(scope: str, name: str, lot: str, from_at: int, to_at: int, version: int = 0, part: str = "p") -> LotMade:
    return LotMade(PLANT, scope, name, MATERIAL, lot, part, from_at, to_at, 1, version, 0)


def scoped(cls: Any, scope: str, name: str, version: int, from_at: int = 0, to_at: int = 0, **more: Any) -> Any:
    """HoldPlaced or HoldReleased `H` on a scope."""
    record = event(cls, name, 0, hold="H", version=version, scope=scope, from_at=from_at, to_at=to_at, **more)
    record.material = ""
    return record


def orders(records: list[Any]) -> list[tuple[Any, ...]]:
    """A dozen of the orders of arrival, the first and the last among them; the machine of tests/property tries more."""
    found = list(itertools.permutations(records))
    return [*found[:: max(1, len(found) // 11)], found[-1]]


def test_a_time_of_an_equipment_holds_what_was_made_then_in_any_order() -> None:
    told = [
        made("equipment", "M1", "A", 10, 20), made("equipment", "M1", "B", 21, 30), made("equipment", "M2", "C", 10, 20),
        scoped(HoldPlaced, "equipment", "M1", 1, 15, 20), edge("A", "D"),
    ]  # fmt: skip
    for records in orders(told):
        bench = Lots()
        bench.fold(*records, *records)
        bench.settle()
        assert [bench.holds(lot) for lot in "ABCD"] == [("H",), (), (), ("H",)]
    bench.fold(made("equipment", "M1", "E", 20, 25))
    bench.settle()
    assert bench.holds("E") == ("H",), "a lot that appears later"
    bench.fold(scoped(HoldReleased, "equipment", "M1", 2, 15, 21))
    bench.settle()
    assert bench.holds("A") == ("H",), "another time is another origin"
    bench.fold(scoped(HoldReleased, "equipment", "M1", 2, 15, 20), made("equipment", "M1", "F", 16, 17))
    bench.settle()
    assert [bench.holds(lot) for lot in "ADEF"] == [()] * 4


def test_two_times_of_one_hold_are_released_one_by_one() -> None:
    for records in orders(
        [
            made("equipment", "M1", "A", 1, 9),
            made("equipment", "M1", "B", 5, 9),
            scoped(HoldPlaced, "equipment", "M1", 1, 1, 4),
            scoped(HoldPlaced, "equipment", "M1", 1, 6, 8),
            scoped(HoldReleased, "equipment", "M1", 2, 1, 4),
        ]
    ):
        bench = Lots()
        bench.fold(*records)
        bench.settle()
        assert [bench.holds(lot) for lot in "AB"] == [("H",)] * 2
    bench.fold(scoped(HoldReleased, "equipment", "M1", 2, 6, 8))
    bench.settle()
    assert [bench.holds(lot) for lot in "AB"] == [()] * 2


def test_a_corrected_time_moves_the_hold_with_it() -> None:
    """A run that goes on may be in the time; when it ended before, its lot is free, and held again when that was wrong."""
    changes = [
        made("equipment", "M1", "A", 1, 2**62, 1),
        made("equipment", "M1", "A", 1, 9, 2),
        made("equipment", "M1", "A", 1, 12, 3),
    ]
    for records in orders([*changes, scoped(HoldPlaced, "equipment", "M1", 1, 10, 20), edge("A", "B")]):
        bench = Lots()
        bench.fold(*records)
        bench.settle()
        assert bench.holds("A") == bench.holds("B") == ("H",)
    for span, part, held in (((1, 9), "p", ()), ((1, 10), "p", ("H",)), ((1, 0), "p", ()), ((9, 10), "q", ("H",))):
        version = bench.step.state.next_offset = bench.step.state.next_offset + 10
        bench.fold(made("equipment", "M1", "A", *span, version, part))
        bench.settle()
        assert bench.holds("A") == bench.holds("B") == held


def test_orders_runs_and_lots_of_suppliers_are_held() -> None:
    created = event(LotCreated, "A", 5, order="O1", supplier_lot="S1")
    for scope, name in (("order", "O1"), ("supplier_lot", "S1"), ("run", "R1")):
        for records in orders([created, made("run", "R1", "A", 1, 2), scoped(HoldPlaced, scope, name, 1), edge("A", "B")]):
            bench = Lots()
            bench.fold(*records)
            bench.settle()
            assert bench.holds("A") == bench.holds("B") == ("H",), scope
        bench.fold(event(HoldExempted, "A", 0, hold="H", version=1, revoked=False))
        assert (bench.holds("A"), bench.holds("B")) == ((), ("H",)), "an exemption frees it as of any hold"
        bench.fold(scoped(HoldPlaced, scope, name, 2, severity="notify"))
        bench.settle()
        bench.step.take("delivery.inbox")
        bench.fold(scoped(HoldPlaced, scope, name, 3, severity="block"))
        bench.settle()
        assert [state.held for state in bench.step.take("delivery.inbox") if state.lot == "B"] == [True]


def test_a_scope_has_no_limit_of_lots() -> None:
    bench, many = Lots(), 4_500
    bench.fold(*(made("order", "O1", f"L{n}", 1, 1) for n in range(many)), scoped(HoldPlaced, "order", "O1", 1))
    bench.settle()
    assert sum(bench.holds(f"L{n}") == ("H",) for n in range(many)) == many
    assert len(bench.step.rows.names(SCOPE_LOT_ROWS.prefix)) == many


@pytest.mark.parametrize("restart", [False, True])
def test_a_lot_of_a_scope_is_forgotten_when_no_hold_stops_it(restart: bool) -> None:
    bench, keep = Lots(), SCOPE_LOT_ROWS.keep_us
    bench.clock(10)
    bench.fold(made("order", "O1", "A", 1, 1), made("order", "O2", "B", 1, 1), scoped(HoldPlaced, "order", "O1", 1))
    bench.settle()
    bench.clock(20)
    if restart:
        bench.stage = LotsStage(bench.topology, bench.recorded)
        bench.stage.taken_over(bench.step)
    bench.clock(10 + keep)
    assert [key[-1] for key in bench.step.rows.names(SCOPE_LOT_ROWS.prefix)] == ["A"], "it is held"
    bench.fold(scoped(HoldReleased, "order", "O1", 2))
    bench.settle()
    bench.clock(10 + 2 * keep)
    assert bench.step.rows.names(SCOPE_LOT_ROWS.prefix) == bench.step.rows.names(SCOPE_MARK_ROWS.prefix) == []
