"""What a person may decide about a posting that is parked or rejected, and what stays of it."""

from typing import Any

import pytest

from schemas.records import AttemptEnded, OperatorDecision, TimerFired
from tables.delivery.outbox import Dispatch
from tables.row_kinds import CLOSED_ACCOUNT_ROWS
from tests.unit.streams.quality_bench import PLANT, Bench, S, configuration, lot_state, posting

SIM = configuration()


def decision(what: str, code: str = "", **fields: Any) -> OperatorDecision:
    values = {"event_id": f"d-{what}", "why": "the component came", "who": "hash", "posting_id": "P1", **fields}
    return OperatorDecision(
        plant=PLANT, occurred_at=20 * S, received_at=20 * S, source="operators", raw_source="f", raw_offset=1, order="O1",
        account="", code=code, decision=what, **values,
    )  # fmt: skip


def refused(code: str = "ORDER_NOT_OPEN") -> Bench:
    """One posting that the ERP refused for good."""
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(AttemptEnded("P1", 1, "rejected", "post", code=code, detail="no"))
    assert bench.states() == {"P1": "rejected"}
    return bench


def mismatched() -> Bench:
    """Another content came under its id before it went out."""
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    bench.fold(posting("P1", content_hash="other"))
    assert bench.states() == {"P1": "parked"}
    return bench


def letters(bench: Bench) -> list[tuple[str, str]]:
    return [(sent.record.code, sent.record.detail) for sent in bench.step.sent if sent.topic == "exceptions"]


def test_retry_sends_it_again_and_remembers_who_and_why() -> None:
    bench = refused()
    assert bench.fold(decision("retry", "ORDER_NOT_OPEN")) == [Dispatch("P1", 2)]
    (made,) = bench.row("P1").decisions
    assert (made.decision, made.who, made.why) == ("retry", "hash", "the component came")
    bench.fold(AttemptEnded("P1", 2, "accepted", "post", erp_document="7"))
    assert bench.states() == {"P1": "accepted"}


def test_a_repeated_decision_is_taken_once() -> None:
    bench = refused()
    bench.fold(decision("retry"))
    bench.fold(AttemptEnded("P1", 2, "rejected", "post", code="ORDER_NOT_OPEN"))
    assert bench.fold(decision("retry")) == []
    assert bench.states() == {"P1": "rejected"}
    assert bench.fold(decision("retry", event_id="another")) == [Dispatch("P1", 3)]


def test_retry_meets_the_gate() -> None:
    bench = Bench(configuration(rules={"on_hold": {"receipt": "wait"}}))
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(AttemptEnded("P1", 1, "rejected", "post", code="X"))
    bench.fold(lot_state("L1", True))
    assert bench.fold(decision("retry")) == []
    assert bench.states() == {"P1": "held"}


def test_accept_names_the_document_and_closes_the_sequence() -> None:
    bench = mismatched()
    bench.clock(10 * S)
    bench.fold(decision("accept", "POSTING_MISMATCH", erp_document="88123"))
    row = bench.row("P1")
    assert (row.state, row.erp_document, row.mismatch) == ("accepted", "88123", False)
    assert bench.step.rows.get(CLOSED_ACCOUNT_ROWS.key("A1")).closed == 1
    assert bench.fold(posting("P1")) == [], "a posting that comes again is known"


def test_cancel_keeps_the_posting_with_its_reason_and_holds_its_corrections() -> None:
    bench = refused()
    bench.fold(decision("cancel"))
    row = bench.row("P1")
    assert (row.state, row.detail) == ("cancelled", "the component came")
    bench.fold(posting("P2", sequence=2, amount=-2, cumulative=3))
    assert bench.states()["P2"] == "held"
    bench.fold(decision("retry", event_id="later"))
    assert bench.states()["P1"] == "dispatched", "a person may change their mind"


@pytest.mark.parametrize(
    ("bench", "wrong", "code"),
    [
        (refused, decision("accept"), "DECISION_INVALID"),
        (refused, decision("post"), "DECISION_INVALID"),
        (refused, decision("retry", "STOCK_SHORT"), "NOTHING_PARKED"),
        (refused, decision("retry", posting_id="nobody"), "NOTHING_PARKED"),
        (mismatched, decision("retry"), "DECISION_INVALID"),
    ],
)
def test_what_cannot_be_decided_is_a_dead_letter_and_changes_nothing(bench: Any, wrong: OperatorDecision, code: str) -> None:
    made = bench()
    before, known = made.states(), len(letters(made))
    made.fold(wrong)
    assert [found for found, _ in letters(made)[known:]] == [code]
    assert made.states() == before


def unknown(*names: str, idempotent: bool = True) -> Bench:
    """Postings of one document whose call got no answer."""
    bench = Bench(configuration(erp={"erp": {"adapter": "sim", "idempotent": idempotent}}))
    bench.fold(*(posting(name, account=f"A{name}") for name in names))
    bench.clock(10 * S)
    bench.fold(*(AttemptEnded(name, 1, "unknown", "post", code="ERP_TIMEOUT") for name in names))
    assert set(bench.states().values()) == {"unknown"}
    return bench


@pytest.mark.parametrize("idempotent", [True, False])
def test_an_unknown_posting_is_in_the_erp_as_a_person_found_it(idempotent: bool) -> None:
    bench = unknown("P1", idempotent=idempotent)
    assert bench.fold(decision("accept", erp_document="4711")) == []
    assert (bench.row("P1").state, bench.row("P1").erp_document) == ("accepted", "4711")
    assert [made.decision for made in bench.row("P1").decisions] == ["accept"]
    assert bench.fold(TimerFired("P1", 1, "retry")) == [], "nothing goes again"
    bench.fold(AttemptEnded("P1", 1, "accepted", "post", erp_document="9"))
    assert bench.row("P1").code == "DOUBLE", "a late answer with another document is told"


@pytest.mark.parametrize("idempotent", [True, False])
def test_an_unknown_posting_that_is_not_in_the_erp_goes_again(idempotent: bool) -> None:
    bench = unknown("P1", idempotent=idempotent)
    assert bench.fold(decision("retry")) == [Dispatch("P1", 2)]
    assert bench.row("P1").unresolved == 0
    assert bench.fold(AttemptEnded("P1", 1, "not_found", "find", code="HORIZON_PASSED")) == []
    bench.fold(AttemptEnded("P1", 2, "accepted", "post", erp_document="7"))
    assert bench.states() == {"P1": "accepted"}


def test_what_is_not_there_is_not_there_whole() -> None:
    bench = unknown("P1", "P2")
    (again,) = bench.fold(decision("retry"))
    assert again == Dispatch("P1", 2, others=(("P2", 2),))
    assert [made.why for made in bench.row("P2").decisions] == ["the component came"]


def test_an_unknown_posting_is_not_cancelled_and_what_is_on_its_way_is_not_decided() -> None:
    bench = unknown("P1")
    bench.fold(decision("cancel"))
    assert [code for code, _ in letters(bench)] == ["DECISION_INVALID"]
    bench.fold(TimerFired("P1", 1, "retry"))
    assert bench.states() == {"P1": "dispatched"}
    bench.fold(decision("retry"))
    assert [code for code, _ in letters(bench)] == ["DECISION_INVALID", "NOTHING_PARKED"]


def test_a_read_back_that_finds_two_documents_is_double_once() -> None:
    bench = Bench(configuration(erp={"erp": {"adapter": "sim", "idempotent": False}}))
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(AttemptEnded("P1", 1, "unknown", "post", code="ERP_TIMEOUT"))
    told = AttemptEnded("P1", 1, "accepted", "find", erp_document="1", code="DOUBLE", detail="P1 is in documents 1, 2")
    for _ in range(2):
        bench.fold(told)
    assert (bench.states(), bench.row("P1").code, bench.row("P1").erp_document) == ({"P1": "accepted"}, "DOUBLE", "1")
    assert letters(bench) == [("DOUBLE", "posting P1 is in the ERP twice: P1 is in documents 1, 2")]
