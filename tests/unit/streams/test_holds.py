"""Stage lots: which hold stops which lot, what frees it, and what is told of it."""

import itertools

from schemas.records import HoldExempted, HoldPlaced, HoldReleased, InspectionRecorded, LotStaged
from tables import lots
from tests.unit.streams.quality_bench import MATERIAL, configuration, decided, edge, event, placed, released
from tests.unit.streams.test_lots import Lots, row_of


def test_what_only_lets_a_lot_grow_waits_for_no_clock() -> None:
    """One machine whose clock stands must not keep a hold from its lots."""
    bench = Lots()
    bench.fold(edge("A", "B", 60), placed("A", "H", 1, 90), event(InspectionRecorded, "C", 95, inspection="I1", verdict="fail"))
    bench.settle()
    assert (bench.holds("A"), bench.holds("B"), len(bench.holds("C"))) == (("H",), ("H",), 1)
    bench.fold(event(LotStaged, "A", 70, location="GATE 3"))
    assert row_of(bench, "A").location == ""
    bench.clock(70)
    assert row_of(bench, "A").location == "GATE 3", "where it was brought last is another matter"


def test_a_hold_that_was_placed_on_two_lots_is_released_lot_by_lot() -> None:
    for records in itertools.permutations(
        [edge("A", "C"), edge("B", "C"), placed("A", "H", 1), placed("B", "H", 1), released("A", "H", 2)]
    ):
        bench = Lots()
        bench.fold(*records)
        bench.settle()
        assert (bench.holds("A"), bench.holds("B"), bench.holds("C")) == ((), ("H",), ("H",))
    bench.fold(released("C", "H", 9))
    assert bench.holds("C") == ("H",), "C was never what the hold was placed on"
    bench.fold(released("B", "H", 2))
    bench.settle()
    assert bench.holds("C") == ()


def exempted(lot: str, hold: str, version: int, revoked: bool = False) -> HoldExempted:
    return event(HoldExempted, lot, 0, hold=hold, version=version, revoked=revoked, reason="concession 12", who="anna")


def test_an_exemption_frees_one_lot_of_one_hold() -> None:
    for records in itertools.permutations(
        [edge("A", "B"), edge("B", "C"), placed("A", "H", 1), placed("A", "H2", 1), exempted("B", "H", 1)]
    ):
        bench = Lots()
        bench.fold(*records)
        bench.settle()
        assert (bench.holds("A"), bench.holds("B"), bench.holds("C")) == (("H", "H2"), ("H2",), ("H", "H2"))
    for records in itertools.permutations([exempted("B", "H", 2, revoked=True), exempted("B", "H", 1), exempted("B", "H", 2)]):
        bench.fold(*records)
        assert bench.holds("B") == ("H", "H2"), "the highest version holds, and of two the revoked one"
    bench.fold(exempted("B", "H", 3))
    assert bench.holds("B") == ("H2",)
    (entry,) = row_of(bench, "B").exemptions
    assert (entry.reason, entry.who, entry.version) == ("concession 12", "anna", 3)


def failed(lot: str, inspection: str, at: int, verdict: str = "fail") -> InspectionRecorded:
    return event(InspectionRecorded, lot, 0, inspection=inspection, verdict=verdict, occurred_at=at)


def test_a_failed_inspection_is_a_hold_until_somebody_accepts_the_lot() -> None:
    told = [edge("A", "B"), failed("A", "lab 1", 5), failed("A", "lab 2", 6, "pass"), failed("A", "lab 1", 6, "pass")]
    for records in itertools.permutations(told):
        bench = Lots()
        bench.fold(*records)
        bench.settle()
        assert bench.holds("A") == bench.holds("B") == (f"inspection:lab 1:{MATERIAL}|A",), "the worst verdict wins"
        assert lots.open_inspections(row_of(bench, "A")) == 1
    for records in itertools.permutations([*told, decided("A", "accept", 7)]):
        bench = Lots()
        bench.fold(*records)
        bench.settle()
        assert (bench.holds("A"), bench.holds("B"), lots.open_inspections(row_of(bench, "A"))) == ((), (), 0)
    for records in itertools.permutations([failed("A", "lab 1", 5), decided("A", "accept", 7), failed("A", "lab 3", 8)]):
        bench = Lots()
        bench.fold(*records)
        assert bench.holds("A") == (f"inspection:lab 3:{MATERIAL}|A",), "what fails later is not accepted yet"
        assert lots.open_inspections(row_of(bench, "A")) == 1


def test_a_failed_inspection_stops_nothing_where_the_plant_says_so() -> None:
    bench = Lots(configuration(rules={"on_hold": {"failed_inspection": "notify"}}))
    bench.fold(failed("A", "lab 1", 5))
    assert bench.holds("A") == (f"inspection:lab 1:{MATERIAL}|A",)
    assert not lots.quality(row_of(bench, "A")).held


def test_what_is_told_of_a_hold_is_kept_where_it_was_placed() -> None:
    bench = Lots()
    why = {"reason": "bubbles " * 40, "who": "anna", "correlation_id": "8D-17", "occurred_at": 4}
    bench.fold(edge("A", "B"), event(HoldPlaced, "A", 6, hold="H", version=1, severity="block", **why))
    bench.settle()
    (hold,) = row_of(bench, "A").holds
    assert (hold.occurred_at, hold.label, hold.who, hold.correlation_id) == (4, 6, "anna", "8D-17")
    assert hold.reason == ("bubbles " * 40)[: lots.MAX_NAME_CHARACTERS], "a hold is not refused for a long reason"
    bench.fold(event(HoldReleased, "A", 9, hold="H", version=2, reason="sorted out", who="ben", occurred_at=8))
    (hold,) = row_of(bench, "A").holds
    assert (hold.active, hold.occurred_at, hold.who, hold.reason) == (False, 8, "ben", "sorted out")
