"""A column of a posting goes by its name: into the line of a document, the simulator's message and the export."""

from dataclasses import fields

import pytest

from app.erp.documents import SAME
from app.erp.port import DocumentLine
from app.erp.simulator.messages import SentLine
from app.ledger.books.snapshot import Snapshot
from app.ledger.questions import export
from schemas.records import AccountRow, IssuedPosting, Posting, PostingRow
from tables.row_kinds import ACCOUNT_ROWS, POSTING_ROWS
from tests.unit.streams.quality_bench import configuration, posting


def names(record: type) -> set[str]:
    return {field.name for field in fields(record)}


def test_a_line_has_what_the_posting_has_under_the_same_name() -> None:
    assert set(SAME) <= names(Posting)


def test_the_simulator_takes_fields_of_a_line() -> None:
    assert set(SentLine.__struct_fields__) <= names(DocumentLine)


def test_the_export_has_columns_of_the_account_of_what_orders_keeps_and_of_the_posting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "COLUMNS", (*export.COLUMNS, "endpoint", "cut"))
    account = AccountRow("P", "O1", "10", "4711", "", "yield", "", "", "2026-11-20", 0, unit="PC")
    account.issued = [IssuedPosting("P1", 1, 5, 5, 77, "rule", "v", 3), IssuedPosting("P2", 2, 1, 6, 78, "rule", "v", 3)]
    delivered = PostingRow(posting("P1"), "accepted", erp_document="81")
    rows = {"orders": {ACCOUNT_ROWS.key("k"): account}, "delivery": {POSTING_ROWS.key("P1"): delivered}}
    first, forgotten = export.postings(Snapshot(rows, [], configuration(), {}))
    assert (first["posting_id"], first["quantity"], first["uom"], first["status"], first["records"]) == (
        "P1",
        "5",
        "PC",
        "accepted",
        3,
    )
    assert (first["cut"], first["endpoint"]) == (77, delivered.posting.endpoint)
    assert (forgotten["posting_id"], forgotten["cut"], forgotten["endpoint"]) == ("P2", 78, ""), "delivery keeps it no more"
