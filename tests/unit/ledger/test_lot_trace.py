"""Where a lot came from and went, and what of it left."""

import itertools

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.genealogy import LotName
from app.ledger.questions.lot_trace import recall, tree
from schemas.records import LotShipped, Quantity, Shipment
from tests.unit.streams.quality_bench import MATERIAL, edge, event, placed
from tests.unit.streams.test_lots import Lots, row_of

DAY_US = 86_400_000_000


def snapshot(bench: Lots) -> Snapshot:
    rows = {"lots": dict(bench.step.rows.scan("")), "delivery": {}, "orders": {}}
    return Snapshot(rows, [], next(iter(bench.topology.configurations.values())), {"live": True})


def name(lot: str) -> LotName:
    return LotName(MATERIAL, lot)


def shipped(lot: str, delivery: str, pieces: int, at: int = DAY_US, event_id: str = "") -> LotShipped:
    found: LotShipped = event(LotShipped, lot, 0, delivery=delivery, quantity=Quantity(pieces, 0, "PC"), occurred_at=at)
    found.event_id = event_id or found.event_id
    return found


def branching() -> Lots:
    """A -> B -> D, A -> C -> D, D -> A again (rework), and X that has nothing to do with it."""
    bench = Lots()
    bench.fold(edge("A", "B"), edge("A", "C"), edge("B", "D"), edge("C", "D"), edge("D", "A"), edge("X", "Y"))
    bench.fold(shipped("D", "T1", 10), shipped("D", "T2", 5), shipped("B", "T1", 1), shipped("Y", "T1", 99), placed("C", "H", 1))
    bench.settle()
    return bench


def test_a_shipment_counts_once_and_a_delivery_may_take_a_lot_twice() -> None:
    for records in itertools.permutations([shipped("A", "T1", 3, 5, "e-1"), shipped("A", "T1", 4, 6, "e-2")]):
        bench = Lots()
        bench.fold(*records, *records)
        bench.settle()
        assert row_of(bench, "A").shipments == [
            Shipment("e-1", 5, "T1", Quantity(3, 0, "PC")), Shipment("e-2", 6, "T1", Quantity(4, 0, "PC")),
        ]  # fmt: skip
        assert row_of(bench, "A").deliveries == ["T1"]


def test_the_tree_goes_up_and_down_so_far_as_asked() -> None:
    rows = snapshot(branching())

    def lots(lot: str, way: str, depth: int | None = None) -> list[str]:
        return [one["lot"].partition("|")[2] for one in tree(rows, name(lot), way, depth)[0]["lots"]]

    assert lots("A", "down") == ["A", "B", "C", "D"], "a cycle ends"
    assert lots("A", "down", 1) == ["A", "B", "C"]
    assert lots("A", "down", 0) == ["A"]
    assert lots("D", "up") == ["D", "B", "C", "A"] and lots("D", "up", 1) == ["D", "B", "C"]
    assert lots("Y", "up") == ["Y", "X"]
    found, lines = tree(rows, name("A"), "down", None)
    (last,) = [one for one in found["lots"] if one["lot"] == "4711|D"]
    assert (last["depth"], last["holds"]) == (2, ["H"])
    assert sorted((one["delivery"], one["quantity"]) for one in last["shipments"]) == [("T1", "10"), ("T2", "5")]
    assert {(one["from"][5:], one["to"][5:]) for one in found["edges"]} == {
        ("A", "B"), ("A", "C"), ("B", "D"), ("C", "D"), ("D", "A"),
    }  # fmt: skip
    assert lines[0].startswith("4711|A") and sum("4711|D" in line for line in lines) == 2
    assert any("(above)" in line for line in lines) and any("shipped 10 PC with T1" in line for line in lines)
    assert tree(rows, name("Z"), "down", None)[0] == {"ok": False, "code": "NOT_FOUND"}


def test_a_recall_lists_everything_that_left_and_contains_the_lot() -> None:
    rows = snapshot(branching())
    found = recall(rows, name("A"))
    assert found is not None
    assert [(one["delivery"], one["lot"], one["quantity"], one["steps"]) for one in found.shipped] == [
        ("T1", "B", "1", 1), ("T1", "D", "10", 2), ("T2", "D", "5", 2),
    ]  # fmt: skip
    assert found.shipped[1]["path"] == "4711|A > 4711|B > 4711|D" and found.shipped[1]["on_hold"] == "H"
    assert found.here == ["4711|A", "4711|C"]
    unaffected = recall(rows, name("X"))
    assert unaffected is not None and [one["lot"] for one in unaffected.shipped] == ["Y"]
    assert recall(rows, name("Z")) is None


def test_a_row_of_an_older_program_still_names_its_deliveries() -> None:
    bench = branching()
    row = row_of(bench, "D")
    row.shipments = row.shipments[:1]
    found = recall(snapshot(bench), name("D"))
    assert found is not None
    assert sorted(one["delivery"] for one in found.shipped if one["lot"] == "D") == ["T1", "T2"]


def test_a_chain_of_two_thousand_lots_is_walked() -> None:
    bench = Lots()
    bench.fold(*(edge(f"L{n}", f"L{n + 1}") for n in range(2_000)))
    bench.settle()
    found, lines = tree(snapshot(bench), name("L0"), "down", None)
    assert (len(found["lots"]), len(lines)) == (2_001, 2_001)
