"""Stage delivery: sequences of an account that are closed come to the ERP no more."""

from typing import Any

from schemas.records import AttemptEnded
from tables.row_kinds import CLOSED_ACCOUNT_ROWS, POSTING_ROWS
from tests.unit.streams.quality_bench import Bench, S, configuration, posting

SIM = configuration()
KEEP_ACCEPTED_US = POSTING_ROWS.keep_us


def ended(name: str, result: str, attempt: int = 1, call: str = "post", **fields: Any) -> AttemptEnded:
    return AttemptEnded(name, attempt, result, call, **fields)


def test_a_sequence_that_is_closed_is_answered_and_not_posted_again() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(ended("P1", "accepted", erp_document="D"))
    bench.clock(10 * S + KEEP_ACCEPTED_US - 1)
    assert bench.row("P1") is not None
    bench.clock(10 * S + KEEP_ACCEPTED_US)
    assert bench.row("P1") is None
    bench.step.sent.clear()
    assert bench.fold(posting("P1")) == []
    assert [(one.status, one.code) for one in bench.step.take("orders.inbox")] == [("closed", "CLOSED")]


def test_closed_sequences_grow_over_gaps() -> None:
    bench = Bench(SIM)
    bench.fold(*(posting(f"P{n}", sequence=n, order=f"O{n}") for n in (1, 2, 3)))
    bench.clock(10 * S)
    bench.fold(ended("P1", "accepted"), ended("P3", "accepted"))
    row = bench.step.rows.get(CLOSED_ACCOUNT_ROWS.key("A1"))
    assert (row.closed, row.beyond) == (1, [3])
    bench.fold(ended("P2", "accepted"))
    row = bench.step.rows.get(CLOSED_ACCOUNT_ROWS.key("A1"))
    assert (row.closed, row.beyond) == (3, [])


def test_sequences_count_from_one() -> None:
    bench = Bench(SIM)
    bench.fold(posting("P1", sequence=0))
    assert [one.code for one in bench.step.take("exceptions")] == ["BAD_SEQUENCE"]
