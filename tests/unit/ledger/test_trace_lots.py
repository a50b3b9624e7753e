"""What a trace says of lots, holds and the ERP: nothing that is not so. In a recall the wrong lot is the danger."""

from typing import Any

from app.ledger.books.snapshot import Snapshot
from app.ledger.books.sources import Sources
from app.ledger.questions import in_erp, trace_lots, trace_things
from schemas.records import HoldChange, HoldState, LotRef, LotRow, LotStateRow
from tables.row_kinds import ACCOUNT_ROWS, LOT_ROWS, LOT_STATE_ROWS, POSTING_ROWS
from tests.unit.ledger.test_reconciliation import books, yields
from tests.unit.streams.ledger_bench import CUT, Ledger, component, released, total
from tests.unit.tables.floor_bench import HOUR, PLANT, at, configuration

NO_SOURCES: Any = Sources
"""For questions that read no record again."""


def lots(*rows: LotRow) -> dict[str, Any]:
    return {LOT_ROWS.key(row.plant, row.material, row.lot): row for row in rows}


def two_lots() -> Snapshot:
    """Lot L1 at M1 of component lot C-1, lot L2 at M2 of C-2; only C-2 and C-1 have rows of their own."""
    ledger = Ledger(configuration())
    used = {"material": "PP", "unit": "kg", "position": "hopper", "label": at("08:00")}
    ledger.fold(
        released(components=[component()]),
        total("gross", 10, label=at("08:00")),
        total("gross", 20, lot="L2", source_key="M2|B|gross", equipment="M2", run="B", label=at("08:00")),
        total("consumption", 1, source_key="M1|A|pp", lot="C-1", authority="declarations", **used),
        total("consumption", 2, source_key="M2|B|pp", lot="C-2", equipment="M2", run="B", authority="declarations", **used),
    )
    ledger.tick(CUT)
    genealogy = lots(
        LotRow(PLANT, "PP", "C-1", children=[LotRef("4711", "L1")]),
        LotRow(PLANT, "PP", "C-2", children=[LotRef("4711", "L2")]),
        LotRow("OTHER", "PP", "C-9", children=[LotRef("4711", "L1")]),
    )
    rows = {"orders": dict(ledger.step.rows.scan("")), "lots": genealogy}
    return Snapshot(rows, [], ledger.configurations[0], {})


def test_what_an_operation_consumed_is_not_said_to_be_in_the_lot() -> None:
    snapshot = two_lots()
    row = next(one for one in snapshot.of(ACCOUNT_ROWS) if one.kind == "yield" and one.lot == "L1")
    (line,) = trace_lots.consumed(snapshot, row)
    assert line.startswith("Consumed  by operation 10 of the order so far on 2026-11-20, for all its lots and machines: ")
    assert "PP lot C-1 1.000 kg at M1 ->" in line
    assert "PP lot C-2 2.000 kg at M2 ->" in line
    (made,) = trace_lots.made_from(snapshot, row)
    assert made == "Made from PP lot C-1 (what lot L1 was made from, by its genealogy)"


def test_a_lot_that_only_others_name_has_its_genealogy() -> None:
    found, lines = trace_things.trace(two_lots(), "L2", None, NO_SOURCES)
    assert lines[:3] == ["4711 lot L2   holds: none", "  made from   PP lot C-2", "  went into   -"]
    assert found["parents"] == ["PP lot C-2"]
    assert trace_things.trace(two_lots(), "C-2", None, NO_SOURCES)[0]["children"] == ["4711 lot L2"]


def test_what_is_held_or_refused_is_not_in_the_erp() -> None:
    snapshot = books().snapshot()
    row = yields(snapshot)
    assert in_erp.missing(snapshot, row) == ""
    first, second = row.issued
    snapshot.rows["delivery"][POSTING_ROWS.key(first.posting_id)].state = "held"
    snapshot.rows["delivery"][POSTING_ROWS.key(second.posting_id)].state = "rejected"
    assert in_erp.missing(snapshot, row) == "42 PC held, 8 PC rejected"
    lines = trace_things.trace(snapshot, row.lot, None, NO_SOURCES)[1]
    assert [line.split("  ")[-1] for line in lines if "posting " in line] == [
        "the ERP does not have it: held",
        "the ERP does not have it: rejected",
    ]
    snapshot.rows["delivery"][POSTING_ROWS.key(second.posting_id)].state = "unknown"
    assert in_erp.missing(snapshot, row) == "42 PC held, 8 PC unknown (perhaps it has)"


def test_when_a_lot_was_on_hold_and_by_which_hold() -> None:
    snapshot = books().snapshot()
    snapshot.configuration = configuration(rules={"on_hold": {"receipt": "wait"}})
    row = yields(snapshot)
    first, second = row.issued
    since, until = first.cut - HOUR, first.cut + 2 * HOUR
    changes = [HoldChange(since, True), HoldChange(until, False)]
    state = LotStateRow(PLANT, row.material, row.lot, False, [], until, 0, changes=changes)
    snapshot.rows["delivery"][LOT_STATE_ROWS.key(PLANT, row.material, row.lot)] = state
    released_hold = HoldState("Q-77", 2, False, "block", f"{row.material}|{row.lot}", until)
    older = HoldState("Q-12", 2, False, "block", f"{row.material}|{row.lot}", since - HOUR)
    rows: Any = snapshot.rows
    rows["lots"] = lots(LotRow(PLANT, row.material, row.lot, holds=[released_hold, older]))
    delivered = snapshot.rows["delivery"][POSTING_ROWS.key(first.posting_id)]
    delivered.gate = "post"
    said = trace_lots.holds(snapshot, row, first, delivered)
    assert said[1:] == [
        "          on hold 2026-11-20T13:00:00Z .. 2026-11-20T16:00:00Z by Q-77",
        "          it waited 2:00:00 for its lot: from its cut to 2026-11-20T16:00:00Z by Q-77",
    ]
    later = snapshot.rows["delivery"][POSTING_ROWS.key(second.posting_id)]
    assert not any("it waited" in line for line in trace_lots.holds(snapshot, row, second, later))


def test_what_only_checks_is_named_so() -> None:
    snapshot = books().snapshot()
    row = yields(snapshot)
    row.issued, row.target, row.posted = [], 0, 0
    line = trace_things.trace(snapshot, row.lot, None, NO_SOURCES)[1][-1]
    assert line.strip() == "yield       not posted: 0 PC 4711  order O1  2026-11-20  check only: nothing of it is booked"
