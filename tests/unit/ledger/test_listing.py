"""What waits for somebody: accounts and postings, each with the owner that the register of codes names."""

from dataclasses import replace

from app.ledger.letters import Choice
from app.ledger.listing import exception_lines, parked_lines
from app.ledger.snapshot import Snapshot
from schemas.codes import owner_of
from schemas.records import AttemptEnded, ExceptionRecord
from streams.boundary import letter
from tests.unit.streams.ledger_bench import CUT, Ledger, total
from tests.unit.streams.quality_bench import Bench, S, configuration, posting


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
    found, lines = parked_lines(snapshot(), "")
    shown = {(entry["posting"], entry["state"], entry["code"], entry["owner"]) for entry in found}
    assert ("P1", "rejected", "LOT_UNKNOWN", owner_of("LOT_UNKNOWN")) in shown
    assert ("P3", "parked", "POSTING_MISMATCH", owner_of("POSTING_MISMATCH")) in shown
    assert {entry["posting"] for entry in found if entry["posting"]} == {"P1", "P3"}, "the others are booked or on their way"
    assert [entry["code"] for entry in found if not entry["posting"]] == ["UNKNOWN_ORDER"]
    assert any("posting P1 rejected" in line and "no such lot" in line for line in lines)


def test_one_account_alone() -> None:
    found, _ = parked_lines(snapshot(), "AP1")
    assert [entry["posting"] for entry in found] == ["P1"]


def test_dead_letters_name_their_owner() -> None:
    said = {"plant": "P", "stage": "intake", "code": "BAD_JSON", "detail": "no object", "source": "s"}
    sent = letter(event_id="e", raw_source="f", raw_offset=3, original=b"{\x07", **said)  # type: ignore[arg-type]
    other = replace(sent, code="TOO_LATE")
    found, lines = exception_lines(Choice(code="BAD_JSON").of(snapshot([sent, other]).lives))
    assert [(entry["code"], entry["owner"], entry["position"]) for entry in found] == [("BAD_JSON", owner_of("BAD_JSON"), "f:3")]
    assert "\x07" not in lines[0]
