"""What was on its way when a hold took effect, by the rows of a delivery that lived through it."""

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.races import race_lines, races
from schemas.records import AttemptEnded, HoldPlaced
from tests.unit.streams.quality_bench import Bench, S, configuration, edge, event, lot_state, posting
from tests.unit.streams.test_lots import Lots

CONFIG = configuration()


def test_a_posting_that_was_on_its_way_is_listed_with_its_times_and_offsets() -> None:
    delivery, lots = Bench(CONFIG), Lots()
    for name, lot in (("before", "B"), ("racing", "B"), ("other", "Z"), ("after", "B")):
        if name != "after":
            delivery.fold(posting(name, lot=lot, order=f"O{name}"))
    delivery.clock(10 * S)
    delivery.fold(AttemptEnded("before", 1, "accepted", "post", erp_document="D0"))
    lots.fold(edge("A", "B"), event(HoldPlaced, "A", 21 * S, hold="H", version=1, severity="block", occurred_at=15 * S))
    lots.settle()
    delivery.fold(lot_state("B", True, 5, 21 * S))
    (entry,) = found(lots, delivery)
    assert (entry["posting"], entry["state"], entry["sent_as"], entry["policy"]) == (
        "racing", "dispatched", "post", "into_blocked_stock",
    )  # fmt: skip
    delivery.clock(22 * S)
    delivery.fold(AttemptEnded("racing", 1, "accepted", "post", erp_document="D1"))
    delivery.fold(posting("after", lot="B", order="Oafter", cut=22 * S))
    delivery.clock(30 * S)
    delivery.fold(AttemptEnded("after", 1, "accepted", "post", erp_document="D2"))
    (entry,) = found(lots, delivery)
    assert (entry["posting"], entry["document"], entry["lot"], entry["holds"]) == ("racing", "D1", "4711|B", ["H"])
    assert (entry["effective"], entry["taken_in"]) == ("1970-01-01T00:00:15Z", "1970-01-01T00:00:21Z")
    assert entry["ended"] == "1970-01-01T00:00:22Z"
    assert entry["attempt_knew_offset"] < entry["gate_closed_offset"]
    delivery.fold(lot_state("B", False, 6, 40 * S))
    assert found(lots, delivery) == [], "a lot that is free again"


def found(lots: Lots, delivery: Bench) -> list[dict[str, object]]:
    rows = {"lots": dict(lots.step.rows.scan("")), "delivery": dict(delivery.step.rows.scan("")), "orders": {}}
    snapshot = Snapshot(rows, [], CONFIG, {"live": True})
    entries, lines = race_lines(snapshot)
    assert len(lines) == max(1, len(entries)) and entries == list(races(snapshot))
    return entries
