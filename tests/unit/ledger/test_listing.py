"""What waits for somebody: accounts and postings, each with the owner that the register of codes names."""

import json
import struct
from dataclasses import replace

import pytest

from app.ledger.books.letters import Choice
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import prove
from app.ledger.questions.ages import age_text
from app.ledger.questions.listing import exception_lines, parked_lines
from app.ledger.questions.moments import iso
from app.ledger.questions.needs import needs_of
from app.ledger.questions.operators import DecisionTarget, could_double, decision_line
from app.ledger.questions.report import missed
from schemas.codec import Codec
from schemas.codes import owner_of
from schemas.records import AttemptEnded, CounterFrame, ExceptionRecord, OperatorDecision, OrderClosed, Quantity, ScrapDeclared
from streams.boundary import Letter
from tables.orders.cut_off import left_behind
from tables.row_kinds import ACCOUNT_ROWS
from tests.unit.streams.ledger_bench import CUT, Ledger, item, released, total
from tests.unit.streams.quality_bench import Bench, S, configuration, posting
from tests.unit.tables.floor_bench import HOUR, MIN, at, event

T = at("07:00")


def snapshot(letters: list[ExceptionRecord] | None = None) -> Snapshot:
    ledger, bench = Ledger(), Bench(configuration(erp={"erp": {"adapter": "sim", "lines_per_document": 1}}))
    ledger.fold(total("gross", 10))
    ledger.tick(CUT)
    for name in ("P1", "P2", "P3", "P4"):
        bench.fold(posting(name, order=f"O{name}", account=f"A{name}"))
    bench.clock(10 * S)
    bench.fold(AttemptEnded("P1", 1, "rejected", "post", code="LOT_UNKNOWN", detail="no such lot"))
    bench.fold(AttemptEnded("P2", 1, "accepted", "post", erp_document="D1"))
    bench.fold(AttemptEnded("P3", 1, "rejected", "post", code="POSTING_MISMATCH"))
    rows = {"orders": dict(ledger.step.rows.scan("")), "delivery": dict(bench.step.rows.scan(""))}
    return Snapshot(rows, letters or [], ledger.configurations[0], {})


def test_a_rejected_posting_is_listed_with_its_owner() -> None:
    found, lines = parked_lines(snapshot(), "", CUT + 3 * 3_600 * S)
    shown = {(entry["posting"], entry["state"], entry["code"], entry["owner"]) for entry in found}
    assert ("P1", "rejected", "LOT_UNKNOWN", owner_of("LOT_UNKNOWN")) in shown
    assert ("P3", "parked", "POSTING_MISMATCH", owner_of("POSTING_MISMATCH")) in shown
    assert {entry["posting"] for entry in found if entry["posting"]} == {"P1", "P3"}, "the others are booked or on their way"
    assert [entry["code"] for entry in found if not entry["posting"]] == ["UNKNOWN_ORDER"]
    assert any("posting P1 rejected" in line and "no such lot" in line for line in lines)


def test_an_unknown_posting_is_listed_with_what_a_person_can_say() -> None:
    bench = Bench(configuration())
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(AttemptEnded("P1", 1, "unknown", "post", code="ERP_TIMEOUT", detail="no answer"))
    rows = {"orders": {}, "delivery": dict(bench.step.rows.scan(""))}
    (entry,), _ = parked_lines(Snapshot(rows, [], configuration(), {}), "", CUT)
    assert (entry["state"], entry["code"], entry["owner"]) == ("unknown", "ERP_TIMEOUT", owner_of("ERP_TIMEOUT"))
    assert entry["decide"].startswith("lineledger decide P1 accept --document NUMBER --who")


@pytest.mark.parametrize(("idempotent", "warned"), [(True, False), (False, True)])
def test_a_decision_about_an_unknown_posting_warns_where_it_could_double(idempotent: bool, warned: bool) -> None:
    config = configuration(erp={"erp": {"adapter": "sim", "idempotent": idempotent}})
    bench = Bench(config)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(AttemptEnded("P1", 1, "unknown", "post", code="ERP_TIMEOUT"))
    rows = Snapshot({"delivery": dict(bench.step.rows.scan(""))}, [], config, {})
    again, there = (DecisionTarget("P1", what, "", "4711", "hash", "looked", 1) for what in ("retry", "accept"))
    assert bool(could_double(rows, again)) == warned
    assert could_double(rows, there) == ""
    line = decision_line(rows, again)
    assert isinstance(line, str)
    assert json.loads(line)["decide"]["code"] == "", "it changes with each attempt to find out"


def test_each_has_its_age_and_the_line_that_decides() -> None:
    found, lines = parked_lines(snapshot(), "", CUT + 3 * 3_600 * S)
    by = {entry["posting"] or entry["code"]: entry for entry in found}
    assert {name: entry["age"] for name, entry in by.items()} == {"P1": "20777 d", "P3": "20777 d", "UNKNOWN_ORDER": ""}
    assert by["P1"]["decide"].startswith("lineledger decide P1 retry|cancel --who")
    assert by["P3"]["decide"].startswith("lineledger decide P3 cancel --who"), "another content came under its id"
    assert by["UNKNOWN_ORDER"]["decide"].endswith("post|drop --code UNKNOWN_ORDER --who NAME --why TEXT")
    assert sum("lineledger decide" in line for line in lines) == 3


@pytest.mark.parametrize(
    ("waited", "said"), [(0, "0 min"), (90 * MIN, "90 min"), (3 * HOUR, "3 h"), (47 * HOUR, "47 h"), (49 * HOUR, "2 d")]
)
def test_ages(waited: int, said: str) -> None:
    assert (age_text(CUT, CUT + waited), age_text(0, CUT)) == (said, "")


def test_scrap_beyond_what_was_ordered_is_listed_by_the_question_too() -> None:
    ledger = Ledger()
    ledger.fold(released(T, items=[item(quantity=100)]), total("scrap", 101, label=T, first_at=T))
    ledger.tick(CUT)
    rows = {"orders": dict(ledger.step.rows.scan(""))}
    found, lines = parked_lines(Snapshot(rows, [], ledger.configurations[0], {}), "", T + 3 * HOUR)
    told = [entry for entry in found if entry["code"] == "SCRAP_EXCEEDED"]
    assert [(entry["quantity"], entry["age"], entry["decide"]) for entry in told] == [("101", "3 h", "")]
    assert any("101 PC scrap of 4711 in operation 10 of order O1, which is of 100" in line for line in lines)


def test_what_somebody_dropped_waits_for_nobody() -> None:
    ledger = Ledger()
    ledger.fold(released(T, items=[item(quantity=6)]), total("gross", 10, label=T, first_at=T))
    ledger.tick(CUT)
    before, _ = parked_lines(Snapshot({"orders": dict(ledger.step.rows.scan(""))}, [], ledger.configurations[0], {}), "", T)
    decision = event(
        OperatorDecision, CUT, CUT, order="O1", account="", code="OVER_DELIVERY", decision="drop", who="h:1", why="counted twice"
    )
    ledger.fold(decision)
    ledger.tick(at("22:00"))
    after = Snapshot({"orders": dict(ledger.step.rows.scan(""))}, [], ledger.configurations[0], {})
    found, _ = parked_lines(after, "", T)
    assert [(entry["state"], entry["quantity"]) for entry in before + found] == [("parked", "4"), ("dropped", "4")]
    assert found[0]["decide"].startswith("dropped; lineledger decide '") and " retry --code OVER_DELIVERY" in found[0]["decide"]
    in_erp = {posting.posting_id for row in after.of(ACCOUNT_ROWS) for posting in row.issued}
    assert len(in_erp) == 1
    assert [amount for _, _, amount, _ in missed(after)] == [6], "its posting is on its way; nothing else is to come"
    (row,) = [row for row in after.of(ACCOUNT_ROWS) if row.kind == "yield"]
    assert [(left.code, left.steps) for left in left_behind(row)] == [("IN_FLIGHT", 6)], "the topic ledger.cut-off says the same"
    (posting,) = row.issued
    posting.status = "cancelled"
    assert (list(left_behind(row)), missed(after)) == ([], []), "nor what somebody cancelled"


def test_one_account_alone() -> None:
    found, _ = parked_lines(snapshot(), "AP1", CUT)
    assert [entry["posting"] for entry in found] == ["P1"]


def test_dead_letters_name_their_owner() -> None:
    said = {"plant": "P", "stage": "intake", "code": "BAD_JSON", "detail": "no object", "source": "s"}
    sent = Letter(event_id="e", raw_source="f", raw_offset=3, original=b"{\x07", **said).record()  # type: ignore[arg-type]
    other = replace(sent, code="TOO_LATE")
    rows = snapshot([sent, other])
    found, lines = exception_lines(Choice(code="BAD_JSON").of(rows.lives), rows.codec)
    assert [(entry["code"], entry["owner"], entry["position"]) for entry in found] == [("BAD_JSON", owner_of("BAD_JSON"), "f:3")]
    assert "\x07" not in lines[0]


def test_originals_are_readable_whichever_stage_refused_them() -> None:
    """A later stage refuses a record, not the bytes that a source sent; a text keeps its lines apart."""
    record = event(ScrapDeclared, T, T, equipment="M1", quantity=Quantity(3, 0, "PC"), reason="burn")
    said = {"plant": "P", "stage": "equipment", "code": "TOO_LATE", "detail": "d", "source": "s", "event_id": "e"}
    late = Letter(raw_source="f", raw_offset=3, original=Codec().encode(record), **said).record()  # type: ignore[arg-type]
    packed = struct.pack("<4q", 353, T, 7, 10703)
    reading = replace(late, original=packed, kind="CounterReading", raw_offset=6)
    frame = replace(late, original=Codec().encode(CounterFrame("P", "M1", "shots", "s", "f", T, T, packed * 2)), raw_offset=7)
    cut = replace(late, original=late.original[:9], raw_offset=4)
    lines_of_text = replace(late, original=b"Nr;kg\r\n1;5\t", raw_offset=5)
    rows = snapshot([late, cut, lines_of_text, reading, frame])
    found, lines = exception_lines(rows.lives, rows.codec)
    assert found[0]["original"].startswith('ScrapDeclared {"')
    assert '"quantity": "3 PC"' in found[0]["original"]
    assert f'"occurred_at": "{iso(T)}"' in found[0]["original"]
    assert '"equipment": "M1"' in lines[0], "what it says comes first: a list cuts it off"
    assert lines[3].endswith(f'CounterReading {{"value": 353, "occurred_at": "{iso(T)}", "raw_offset": 10703, "seq": 7}}')
    assert found[4]["original"].count('"value": 353') == 2
    assert lines[2].endswith(r"Nr;kg\r\n1;5\t")
    assert len(lines[1].splitlines()) == 2, "what was cut off is shown as it is"


def test_an_account_of_a_closed_order_waits_for_nobody() -> None:
    """Its code says what would happen to more."""
    ledger = Ledger()
    ledger.fold(released(T), total("gross", 10, label=T, first_at=T))
    ledger.tick(CUT)
    ledger.fold(event(OrderClosed, CUT, CUT + 1, order="O1", status="closed"))
    ledger.tick(CUT + 2)
    assert {(row.code, row.parked) for row in ledger.accounts().values()} == {("ORDER_CLOSED", 0)}
    found = Snapshot({"orders": dict(ledger.step.rows.scan(""))}, [], ledger.configurations[0], {})
    assert parked_lines(found, "", CUT + HOUR) == ([], [])
    assert list(needs_of(found, prove(found))) == []
