"""A run's ledger that stays on disk: the books say which rows a question needs, and its answer is the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.books import database, of_run
from app.ledger.books import on_disk, snapshot
from app.ledger.books.snapshot import NoLedger, Snapshot
from app.ledger.questions.listing import exception_lines, parked_lines
from app.ledger.questions.trace import posting_of
from app.ledger.questions.trace_lots import made_from
from schemas.codec import Codec
from schemas.records import AttemptEnded, ExceptionRecord, LotRef, LotRow
from tables.orders.account import account_key
from tables.row_kinds import ACCOUNT_ROWS, LOT_ROWS, POSTING_ROWS
from tests.unit.streams.ledger_bench import CUT, Ledger, released, total
from tests.unit.streams.quality_bench import Bench, S, configuration, posting
from tests.unit.tables.floor_bench import PLANT

MANY = 200
"""Orders of which nothing waits."""


def letter(number: int) -> ExceptionRecord:
    return ExceptionRecord(
        event_id=f"e{number}", plant=PLANT, stage="intake", code="BAD_JSON", detail="no JSON", source="s", raw_source="f.jsonl",
        raw_offset=number, original=b"{", original_sha256="", original_bytes=1, headers={}, received_at=CUT - number,
    )  # fmt: skip


def folder_of(out: Path) -> Path:
    """The folder of a run with an order that is unknown, many that are fine, and postings in three states."""
    ledger, bench = Ledger(), Bench(configuration())
    for number in range(MANY):
        ledger.fold(released(order=f"O{number:03}"))
        ledger.fold(replace(total("gross", 10), order=f"O{number:03}"))
    ledger.fold(replace(total("gross", 10), order="NOBODY"), replace(total("scrap", 900_000), order="O007"))
    ledger.tick(CUT)
    for name in ("P1", "P2", "P3"):
        bench.fold(posting(name, order=f"O{name}", account=f"A{name}"))
    bench.clock(10 * S)
    bench.fold(AttemptEnded("P1", 1, "rejected", "post", code="LOT_UNKNOWN", detail="no such lot"))
    bench.fold(AttemptEnded("P2", 1, "accepted", "post", erp_document="D1"))
    lots = {
        LOT_ROWS.key(PLANT, "RAW", name): LotRow(PLANT, "RAW", name, children=[LotRef("4711", "L1")] if name != "R3" else [])
        for name in ("R1", "R2", "R3")
    }
    rows: dict[str, dict[str, Any]] = {
        "orders": dict(ledger.step.rows.scan("")),
        "delivery": dict(bench.step.rows.scan("")),
        "lots": lots,
    }
    codec, letters = Codec(), [letter(3), letter(1), letter(2)]
    stored = {stage: {key.encode(): codec.encode(row) for key, row in found.items()} for stage, found in rows.items()}
    settled = ledger.configurations[0]
    snapshot.write(out, stored, [codec.encode(one) for one in letters], settled, {"records": 1})
    of_run.write(out, rows, letters, settled, {})
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(tmp_path_factory.mktemp("run"))


@contextmanager
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """What is decoded meanwhile."""
    found, decode = list[bytes](), Codec.decode

    def counted(codec: Codec, data: bytes) -> Any:
        found.append(data)
        return decode(codec, data)

    with monkeypatch.context() as patched:
        patched.setattr(Codec, "decode", counted)
        yield found


def test_what_is_parked_is_the_same_text_and_the_other_rows_are_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = snapshot.read(folder)
    answer = parked_lines(whole, "", CUT)
    assert {"UNKNOWN_ORDER", "LOT_UNKNOWN", "SCRAP_EXCEEDED"} <= {str(entry["code"]) for entry in answer[0]}
    with decoded(monkeypatch) as read, on_disk.opened(folder) as ledger:
        assert parked_lines(ledger, "", CUT) == answer
    assert len(read) < 20 < MANY
    for account in (account_key(row) for row in whole.of(ACCOUNT_ROWS)[:5]):
        with on_disk.opened(folder) as ledger:
            assert parked_lines(ledger, account, CUT) == parked_lines(whole, account, CUT)


def test_a_posting_is_found_without_the_other_accounts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = snapshot.read(folder)
    issued = [(account_key(row), one.posting_id) for row in whole.of(ACCOUNT_ROWS) for one in row.issued]
    assert len(issued) > MANY // 2
    for account, posting_id in (issued[0], issued[-1]):
        with decoded(monkeypatch) as read, on_disk.opened(folder) as ledger:
            found = posting_of(ledger, posting_id)
        assert found is not None
        assert (account_key(found[0]), len(read)) == (account, 1)
    with on_disk.opened(folder) as ledger:
        assert posting_of(ledger, "NONE") is None


def test_the_lots_that_went_into_one_are_found_without_the_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = snapshot.read(folder)
    row = replace(whole.of(ACCOUNT_ROWS)[0], kind="yield", material="4711", lot="L1")
    (line,) = made_from(whole, row)
    assert "RAW lot R1, RAW lot R2 (" in line
    with decoded(monkeypatch) as read, on_disk.opened(folder) as ledger:
        assert made_from(ledger, row) == [line]
    assert len(read) == 2


def test_dead_letters_come_in_their_order_and_without_rows(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = snapshot.read(folder)
    answer = exception_lines(whole.lives, whole.codec)
    with decoded(monkeypatch) as read, on_disk.opened(folder) as ledger:
        assert exception_lines(ledger.lives, ledger.codec) == answer
    assert len(read) == 3


def test_all_rows_are_there_for_who_asks_for_all(folder: Path) -> None:
    whole = snapshot.read(folder)
    with on_disk.opened(folder) as ledger:
        assert ledger.of(ACCOUNT_ROWS) == whole.of(ACCOUNT_ROWS)
        assert ledger.of(POSTING_ROWS) == whole.of(POSTING_ROWS)
        assert {stage: dict(rows) for stage, rows in ledger.rows.items()} == whole.rows
        assert {stage: len(rows) for stage, rows in ledger.rows.items()} == {
            stage: len(rows) for stage, rows in whole.rows.items()
        }
        assert (ledger.about, ledger.configuration.hash) == (whole.about, whole.configuration.hash)


def test_without_books_the_ledger_is_read_as_a_whole(tmp_path: Path) -> None:
    (folder_of(tmp_path) / database.FILE).unlink()
    with on_disk.opened(tmp_path) as ledger:
        assert type(ledger) is Snapshot
        assert parked_lines(ledger, "", CUT) == parked_lines(snapshot.read(tmp_path), "", CUT)


def test_books_that_are_none_say_so(tmp_path: Path) -> None:
    (folder_of(tmp_path) / database.FILE).write_bytes(b"SQLite format 3\x00" + bytes(2000))
    with on_disk.opened(tmp_path) as ledger, pytest.raises(NoLedger, match="is damaged, or no books"):
        parked_lines(ledger, "", CUT)


def test_books_of_the_run_before_do_not_stay_beside_a_new_ledger(tmp_path: Path) -> None:
    folder_of(tmp_path)
    of_run.forget(tmp_path)
    assert not (tmp_path / database.FILE).exists()
    of_run.forget(tmp_path)
