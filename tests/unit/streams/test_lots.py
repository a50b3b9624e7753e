"""Stage lots: holds travel along genealogy, waiting for the clock, what goes out."""

from typing import Any

import pytest
import rocksdict

from app.engine.rows import RowCache
from schemas.catalog import DAY_US
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import (
    ClockRepaired,
    GenealogyEdge,
    HoldForwarded,
    InspectionRecorded,
    InspectionRequested,
    LotCreated,
    LotMerged,
    LotRow,
    LotShipped,
    LotSplit,
    LotStaged,
    LotState,
    QualityState,
    Tick,
)
from streams.lots.stage import BEHIND_AT_MOST_US, LotsStage
from streams.memory_step import MemoryStep, MemoryTopology
from streams.step import sender
from tables import lots
from tables.row_kinds import LOT_MARK_ROWS, LOT_ROWS, WAITING_ROWS
from tests.unit.engine.conftest import db  # noqa: F401
from tests.unit.streams.quality_bench import MATERIAL, PLANT, activated, configuration, decided, edge, event, placed, released

CONFIG = configuration()


class Lots:
    def __init__(self, config: Configuration = CONFIG, recorded: bool = False) -> None:
        self.topology, self.recorded = MemoryTopology({config.hash: config}), recorded
        self.step, self.stage = MemoryStep("lots.inbox"), LotsStage(self.topology, recorded)
        self.stage.taken_over(self.step)
        self.fold(activated(config))

    def fold(self, *records: Any) -> None:
        self.step.deliver(*records)
        self.stage.fold(self.step)

    def clock(self, at: int, final: bool = False) -> None:
        upstreams = self.topology.upstreams("lots", CONFIG)
        self.fold(*(Tick(PLANT, at, name, final) for name in upstreams))

    def holds(self, lot: str) -> tuple[str, ...]:
        row = self.step.rows.get(LOT_ROWS.key(PLANT, MATERIAL, lot))
        return lots.quality(row).holds if row else ()

    def settle(self) -> None:
        """Deliver what lots sent to itself until nothing is left."""
        while sent := self.step.take("lots.inbox"):
            self.fold(*sent)


def row_of(bench: Lots, lot: str) -> LotRow:
    found: LotRow = bench.step.rows.get(LOT_ROWS.key(PLANT, MATERIAL, lot))
    return found


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]])
def test_the_highest_version_wins_in_any_order(order: list[int]) -> None:
    bench = Lots()
    records = [placed("L1", "H", 1), released("L1", "H", 2), placed("L1", "H", 3)]
    bench.fold(*(records[n] for n in order))
    assert bench.holds("L1") == ("H",)


def test_with_equal_versions_the_lot_stays_on_hold() -> None:
    for records in ([placed("L1", "H", 1), released("L1", "H", 1)], [released("L1", "H", 1), placed("L1", "H", 1)]):
        bench = Lots()
        bench.fold(*records)
        assert bench.holds("L1") == ("H",)


def test_a_hold_reaches_children_of_children_and_its_release_follows() -> None:
    bench = Lots()
    bench.fold(edge("A", "B"), edge("B", "C"), edge("C", "A"), placed("A", "H", 1))
    bench.settle()
    assert [bench.holds(lot) for lot in "ABC"] == [("H",)] * 3
    bench.fold(released("A", "H", 2))
    bench.settle()
    assert [bench.holds(lot) for lot in "ABC"] == [()] * 3


def test_a_new_edge_forwards_released_entries_too() -> None:
    bench = Lots()
    bench.fold(placed("A", "H", 1), released("A", "H", 2), edge("A", "B"))
    (forwarded,) = bench.step.take("lots.inbox")
    assert (forwarded.lot, forwarded.version, forwarded.active) == ("B", 2, False)
    # A stale copy of the hold that comes over another way finds the release already there.
    bench.fold(forwarded, HoldForwarded(PLANT, MATERIAL, "B", "H", 1, True, f"{MATERIAL}|A", 0))
    assert bench.holds("B") == ()


def test_split_and_merge_make_edges() -> None:
    bench = Lots()
    bench.fold(placed("A", "H", 1), event(LotSplit, "A", children=["A1", "A2"]), event(LotMerged, "M", parents=["A1", "X"]))
    edges = [record for record in bench.step.take("lots.inbox") if isinstance(record, GenealogyEdge)]
    assert {(one.parent_lot, one.child_lot, one.label) for one in edges} == {("A1", "M", 0), ("X", "M", 0)}
    bench.fold(*edges, HoldForwarded(PLANT, MATERIAL, "A1", "H", 1, True, f"{MATERIAL}|A", 0))
    bench.settle()
    assert bench.holds("M") == ("H",)


def test_a_disposition_that_is_not_accept_is_a_hold_until_it_is_accepted() -> None:
    bench = Lots()
    bench.fold(decided("A", "reject", 5))
    assert bench.holds("A") == (f"disposition:{MATERIAL}|A",)
    bench.fold(decided("A", "accept", 4))
    assert bench.holds("A") != ()
    bench.fold(decided("A", "accept", 6))
    assert bench.holds("A") == ()


def test_records_wait_for_the_clock_and_survive_a_take_over() -> None:
    bench = Lots(recorded=True)
    bench.fold(placed("A", "H", 1, label=60))
    bench.clock(59)
    assert bench.holds("A") == ()
    bench.stage = LotsStage(bench.topology, bench.recorded)
    bench.stage.taken_over(bench.step)
    bench.clock(60)
    assert bench.holds("A") == ("H",)
    assert not list(bench.step.rows.scan(WAITING_ROWS.prefix))


def test_forwarded_holds_are_folded_at_once_whatever_their_label() -> None:
    bench = Lots(recorded=True)
    bench.fold(HoldForwarded(PLANT, MATERIAL, "B", "H", 1, True, "x", 99))
    assert bench.holds("B") == ("H",)


def test_a_change_of_the_hold_set_is_told_to_all_who_must_know() -> None:
    bench = Lots()
    bench.fold(event(LotCreated, "A", order="O1"), edge("A", "B", order="O2"))
    bench.step.sent.clear()
    bench.fold(placed("A", "H", 1))
    sent = {(one.topic, one.key, one.partition): one.record for one in bench.step.sent if one.topic != "lots.inbox"}
    assert set(sent) == {
        ("delivery.inbox", "erp", 0),
        ("quality.lot-states", f"{PLANT}|{MATERIAL}|A", None),
        ("wms.shipment-blocks", f"{PLANT}|{MATERIAL}|A", None),
        ("orders.inbox", f"{PLANT}|O1", None),
        ("orders.inbox", f"{PLANT}|O2", None),
    }
    state = sent["delivery.inbox", "erp", 0]
    assert isinstance(state, LotState)
    assert (state.held, state.holds) == (True, ["H"])
    assert sent["wms.shipment-blocks", f"{PLANT}|{MATERIAL}|A", None].blocked
    bench.step.sent.clear()
    bench.fold(placed("A", "H", 1), placed("A", "H", 2))
    assert bench.step.take("delivery.inbox") == []


@pytest.mark.parametrize(("shipment", "told"), [("block", 1), ("notify", 0)])
def test_a_hold_blocks_shipments_or_only_notifies(shipment: str, told: int) -> None:
    bench = Lots(configuration(rules={"on_hold": {"shipment": shipment}}))
    bench.fold(event(LotCreated, "A", order="O1"), placed("A", "H", 1))
    assert (len(bench.step.take("wms.shipment-blocks")), len(bench.step.take("quality.lot-states"))) == (told, 1)


def test_an_order_that_the_lot_meets_later_learns_of_its_holds() -> None:
    bench = Lots()
    bench.fold(placed("A", "H", 1))
    bench.step.sent.clear()
    bench.fold(edge("A", "B", order="O9"))
    (state,) = bench.step.take("orders.inbox")
    assert isinstance(state, QualityState)
    assert state.held


def test_a_hold_that_only_notifies_is_known_and_stops_nothing() -> None:
    bench = Lots()
    bench.fold(placed("A", "H", 1, severity="notify"))
    (state,) = bench.step.take("delivery.inbox")
    assert (state.held, state.holds) == (False, ["H"])


def test_ticks_go_on_to_delivery_after_what_is_due() -> None:
    bench = Lots(recorded=True)
    bench.fold(placed("A", "H", 1, label=60))
    bench.step.sent.clear()
    bench.clock(60, final=True)
    state, tick = bench.step.take("delivery.inbox")
    assert isinstance(state, LotState)
    assert tick == Tick(PLANT, 60, sender("lots", "lots.inbox", 0), True)


def test_what_is_noted_of_a_lot() -> None:
    bench = Lots()
    bench.fold(
        event(InspectionRecorded, "A", inspection="I1", verdict="fail"),
        event(InspectionRecorded, "A", inspection="I1", verdict="pass"),
        event(LotStaged, "A", location="DOCK"),
        event(LotShipped, "A", delivery="D1"),
    )
    row = bench.step.rows.get(LOT_ROWS.key(PLANT, MATERIAL, "A"))
    assert (row.inspections, row.location, row.deliveries) == ({"I1": "fail"}, "DOCK", ["D1"])


def test_a_lot_that_would_outgrow_its_row_refuses_the_record_and_keeps_its_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lots, "MAX_CHILDREN", 2)
    bench = Lots()
    bench.fold(event(LotSplit, "A", children=["A1"]))
    bench.fold(event(LotSplit, "A", children=["A2", "A3"]))
    (letter,) = bench.step.take("exceptions")
    assert letter.code == "LOT_LIMIT"
    row = bench.step.rows.get(LOT_ROWS.key(PLANT, MATERIAL, "A"))
    assert [child.lot for child in row.children] == ["A1"]


def test_a_lot_is_forgotten_when_nobody_holds_it_and_nothing_was_said_of_it_for_long() -> None:
    keep = LOT_ROWS.keep_us
    bench = Lots()
    bench.fold(event(LotCreated, "A", 10), placed("B", "H", 1, 10), event(InspectionRequested, "C", 10, inspection="I"))
    bench.fold(placed("D", "H", 1, 10), released("D", "H", 2, 20))
    bench.fold(event(LotCreated, "E", 10), event(LotStaged, "E", 30, location="X"))
    bench.clock(30)
    bench.stage = LotsStage(bench.topology, bench.recorded)
    bench.stage.taken_over(bench.step)
    left = []
    for at in (10, 20, 30):
        bench.clock(at + keep)
        left.append("".join(sorted(key[-1] for key in bench.step.rows.rows if LOT_ROWS.has(key))))
    assert left == ["BCDE", "BCE", "BC"]


def test_a_take_over_decodes_no_lot_that_only_waits(db: rocksdict.Rdict, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Two thousand lots that may be forgotten some day, and two on hold of which one was free before."""
    bench, codec, read = Lots(), Codec(), list[int]()
    bench.fold(*(event(LotCreated, f"F{n}", 10) for n in range(2_000)), placed("HELD", "H", 1, 10))
    bench.fold(event(LotCreated, "WAS-FREE", 10))
    bench.clock(10)
    bench.fold(placed("WAS-FREE", "H", 1, 20))
    bench.clock(20)
    for key, row in bench.step.rows.scan(""):
        db[key.encode()] = codec.encode(row)
    decode = Codec.decode
    monkeypatch.setattr(Codec, "decode", lambda self, data: read.append(1) or decode(self, data))
    bench.step.rows = RowCache(db, codec)
    bench.stage = LotsStage(bench.topology, bench.recorded)
    bench.stage.taken_over(bench.step)
    assert len(read) == 1, "the one that was never free"


@pytest.mark.parametrize("restart", [False, True])
def test_what_happens_to_a_lot_moves_the_time_to_forget_it(restart: bool) -> None:
    """Its mark stays where it was; when that time has come, the row is asked."""
    keep, bench = LOT_ROWS.keep_us, Lots()

    def left(at: int) -> tuple[str, list[str]]:
        if restart:
            bench.stage = LotsStage(bench.topology, bench.recorded)
            bench.stage.taken_over(bench.step)
        bench.clock(at)
        marks = bench.step.rows.names(LOT_MARK_ROWS.prefix)
        return "".join(key[-1] for key in bench.step.rows.names(LOT_ROWS.prefix)), [str(int(key[2:22]) - keep) for key in marks]

    bench.fold(*(event(LotCreated, lot, 10) for lot in "ABC"))
    assert left(10) == ("ABC", ["10", "10", "10"])
    bench.fold(event(LotStaged, "B", 500, location="X"), placed("C", "H", 1, 500))
    assert left(500) == ("ABC", ["10", "10", "10"])
    assert left(10 + keep) == ("BC", ["500"]), "C is on hold: there is no time to forget it"
    assert left(500 + keep) == ("C", [])
    bench.fold(released("C", "H", 2, 600 + keep))
    assert left(600 + keep) == ("C", [str(600 + keep)])
    assert left(600 + 2 * keep) == ("", [])


def test_a_mark_moves_when_it_is_far_behind() -> None:
    bench = Lots()
    for label, moved in ((10, 10), (BEHIND_AT_MOST_US, 10), (BEHIND_AT_MOST_US + 10, BEHIND_AT_MOST_US + 10)):
        bench.fold(event(LotStaged, "A", label, location="X"))
        bench.clock(label)
        assert [int(key[2:22]) - LOT_ROWS.keep_us for key in bench.step.rows.names(LOT_MARK_ROWS.prefix)] == [moved]


@pytest.mark.parametrize("restart", [False, True])
def test_a_repair_of_the_clock_lowers_what_the_mark_does_not_say(restart: bool) -> None:
    """The lot was touched under a clock ten days ahead; its mark is of the first record."""
    keep, ahead, bench = LOT_ROWS.keep_us, 10 * DAY_US, Lots()
    bench.fold(event(LotCreated, "A", 10))
    bench.clock(10)
    bench.fold(event(LotStaged, "A", ahead, location="X"))
    bench.clock(ahead)
    if restart:
        bench.stage = LotsStage(bench.topology, bench.recorded)
        bench.stage.taken_over(bench.step)
    bench.fold(*(ClockRepaired(PLANT, 500, name, 1, "who", "why") for name in bench.topology.upstreams("lots", CONFIG)))
    bench.clock(499 + keep)
    assert len(bench.step.rows.names(LOT_ROWS.prefix)) == 1
    bench.clock(500 + keep)
    assert bench.step.rows.names(LOT_ROWS.prefix) == bench.step.rows.names(LOT_MARK_ROWS.prefix) == []


def test_lots_of_a_version_without_marks_get_them() -> None:
    bench = Lots()
    bench.fold(event(LotCreated, "A", 10))
    bench.clock(10)
    (mark,) = bench.step.rows.names(LOT_MARK_ROWS.prefix)
    bench.step.rows.delete(mark)
    bench.stage = LotsStage(bench.topology, bench.recorded)
    bench.stage.taken_over(bench.step)
    assert bench.step.rows.names(LOT_MARK_ROWS.prefix) == [mark]


def test_a_lot_that_is_known_from_a_merge_alone_is_forgotten_too() -> None:
    """What the stage sends itself along an edge bears no label: it counts as of the clock."""
    bench = Lots()
    bench.fold(event(LotMerged, "M", 10, parents=["A"]))
    bench.clock(20)
    bench.fold(*(sent for sent in bench.step.take("lots.inbox") if isinstance(sent, GenealogyEdge)))
    assert bench.step.rows.get(LOT_ROWS.key(PLANT, MATERIAL, "A")) is not None
    bench.clock(20 + LOT_ROWS.keep_us)
    assert [key for key in bench.step.rows.rows if LOT_ROWS.has(key)] == []
