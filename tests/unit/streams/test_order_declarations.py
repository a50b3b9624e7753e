"""Declarations that name their order and no equipment: each is a source of its own in the ledger."""

from typing import Any

import pytest

from schemas.records import MaterialConsumed, ProductionDeclared, ReworkDeclared, ReworkReturned, ScrapDeclared
from streams.orders.declarations import totals_of
from tests.unit.streams.ledger_bench import CUT, Ledger, released, total
from tests.unit.tables.floor_bench import MIN, at, event, pieces

T1 = at("07:00")


@pytest.mark.parametrize(
    ("cls", "fields", "expected"),
    [
        (ProductionDeclared, {}, [("good", 5, "", "")]),
        (ScrapDeclared, {"reason": "burn"}, [("scrap", 5, "burn", "")]),
        (ScrapDeclared, {"of": "stock"}, [("scrap", 5, "", "stock")]),
        (ScrapDeclared, {"of": "component", "reason": "dirt"}, [("consumption", 5, "dirt", "")]),
        (ReworkDeclared, {}, [("rework", 5, "", "")]),
        (ReworkReturned, {}, [("rework", -5, "", "returned")]),
        (ReworkReturned, {"as_kind": "scrap"}, [("rework", -5, "", "returned"), ("scrap", 5, "", "")]),
        (MaterialConsumed, {"position": "hopper"}, [("consumption", 5, "", "hopper")]),
    ],
)
def test_totals(cls: Any, fields: dict[str, Any], expected: list[tuple[str, int, str, str]]) -> None:
    record = event(cls, T1, T1, order="O1", operation="10", material="4711", quantity=pieces(5, scale=2), **fields)
    totals = totals_of(record, "2026-11-20", 1, 7)
    assert [(one.kind, one.numerator, one.reason, one.position) for one in totals] == expected
    assert {one.denominator for one in totals} == {100}
    assert {(one.authority, one.business_date, one.inbox_offset) for one in totals} == {("declarations", "2026-11-20", 7)}
    assert len({one.source_key for one in totals}) == len(totals)
    assert all(one.ranges[0].first == record.raw_offset and one.records == 1 for one in totals)


def test_rework_goes_out_and_comes_back() -> None:
    """10 good pieces declared by counts: 4 to rework; 3 come back good, 1 as scrap."""
    common = {"order": "O1", "operation": "10", "material": "4711", "lot": "L1"}
    bench = Ledger()
    bench.fold(released(T1), total("gross", 10, (1, 1), T1))
    bench.fold(event(ReworkDeclared, T1, T1, quantity=pieces(4), **common))
    assert {one.kind: one.amount for one in bench.tick(CUT)} == {"yield": 6, "rework": 4}
    back = event(ReworkReturned, T1, CUT + MIN, quantity=pieces(3), **common)
    bench.fold(back, event(ReworkReturned, T1, CUT + MIN, quantity=pieces(1), as_kind="scrap", **common), back)
    bench.tick(CUT + MIN)
    bench.tick(at("22:00"))
    assert {row.kind: row.posted for row in bench.accounts().values()} == {"yield": 9, "rework": 0, "scrap": 1}
    bench.check_conservation()
