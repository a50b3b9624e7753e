"""Public topics of the ledger: what they say of a row, and of which rows they say nothing."""

import pytest

from schemas.catalog import catalog
from schemas.codec import Codec
from schemas.records import AccountRow, Decision, LedgerAccount, LedgerPosting, PostingRow, SourceTotal
from streams import public_rows
from streams.memory_step import MemoryStep
from tables.delivery.public_posting import FIRST_STEPS, LAST_STEPS, note_step
from tables.orders.account import BASIS, account_key
from tables.row_kinds import ACCOUNT_ROWS
from tests.unit.streams.quality_bench import posting


def told(stage: str, *rows: object) -> list[tuple[str, str, object]]:
    step = MemoryStep()
    (one,) = public_rows.of(stage)
    public_rows.tell(step, one, [("key", row) for row in rows])
    return [(sent.topic, sent.key, sent.record) for sent in step.sent]


def test_a_posting_with_its_states_lineage_rule_and_document() -> None:
    row = PostingRow(posting("P1"), "queued", attempts=2, erp_document="81", decisions=[Decision("C", "retry", "w", "y", 5, "e")])
    note_step(row, 7)
    ((topic, key, record),) = told("delivery", row)
    assert (topic, key) == ("ledger.postings", "P|P1")
    assert isinstance(record, LedgerPosting)
    assert record.posting == row.posting and record.posting.rule_version and record.posting.records
    assert [(step.state, step.at, step.attempt) for step in record.steps] == [("queued", 7, 2)]
    assert (record.erp_document, record.attempts, record.decisions) == ("81", 2, row.decisions)


def test_an_account_with_its_sources_and_without_what_is_private() -> None:
    row = AccountRow("P", "O1", "10", "4711", "L1", "yield", "", "", "2026-11-20", 1, unit="PC", target=9, posted=4, parked=2)
    row.sources["counter|shots"] = SourceTotal("gross", "counters", 9, 1, "PC", 1, 5, 1, run="R1", records=9)
    ((topic, key, record),) = told("orders", row)
    assert (topic, key) == ("ledger.accounts", account_key(row))
    assert isinstance(record, LedgerAccount)
    assert (record.target, record.posted, record.parked, record.pending) == (9, 4, 2, 3)
    assert [(one.source, one.run, one.numerator, one.records) for one in record.sources] == [("counter|shots", "R1", 9, 9)]
    private = {"inbox_offset", "log_epoch", "fold_version"}
    assert not private & {*record.to_avro(), *record.sources[0].to_avro()}


def test_accounts_that_only_feed_others_are_not_told() -> None:
    assert told("orders", AccountRow("P", "O1", "10", "4711", "", BASIS, "", "", "2026-11-20", 1)) == []


@pytest.mark.parametrize("stage", ["orders", "delivery"])
def test_what_is_told_stands_in_the_catalog(stage: str) -> None:
    """A public topic that the stage may write, kept for ever, with a record of its own."""
    for one in public_rows.of(stage):
        topic = catalog().topics[one.topic]
        assert topic.public and topic.retention == "compact" and one.topic in catalog().writes[stage]


def test_a_posting_of_very_many_states_keeps_the_first_and_the_newest() -> None:
    row = PostingRow(posting("P1"), "retry")
    for at in range(1, 200):
        note_step(row, at)
    assert len(row.steps) == FIRST_STEPS + LAST_STEPS
    assert [step.at for step in row.steps] == [*range(1, FIRST_STEPS + 1), *range(200 - LAST_STEPS, 200)]


def test_a_row_of_before_has_no_states_yet() -> None:
    assert PostingRow(posting("P1"), "queued").steps == []
    assert ACCOUNT_ROWS.stages == ("orders",)
    assert Codec().decode(Codec().encode(LedgerPosting(posting("P1"), "queued"))).steps == []
