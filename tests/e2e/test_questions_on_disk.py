"""Questions that read only the rows they need answer in the words of those that read the whole ledger."""

import os
from pathlib import Path

from app.ledger.books import on_disk, snapshot
from app.ledger.books.on_disk import LedgerOnDisk
from app.ledger.books.sources import FileSources
from app.ledger.questions.listing import exception_lines, parked_lines
from app.ledger.questions.operators import now_of
from app.ledger.questions.trace_things import trace
from app.secret import private_key
from tables.row_kinds import ACCOUNT_ROWS, EQUIPMENT_ROWS
from tests.e2e.command import PROJECT, lineledger
from tests.e2e.conftest import Demo

B2MML = PROJECT / "tests" / "data" / "b2mml"


def same_words(folder: Path) -> None:
    whole = snapshot.read(folder)
    sources = FileSources(folder, private_key(whole.configuration.plant, os.environ))
    now, accounts = now_of(whole, 0), whole.of(ACCOUNT_ROWS)
    posting = next(one.posting_id for row in reversed(accounts) if row.kind == "yield" for one in row.issued)
    lots = [row.lot for row in accounts if row.lot][:1]
    machines = [row.equipment for row in whole.of(EQUIPMENT_ROWS)][:1]
    with on_disk.opened(folder) as ledger:
        assert isinstance(ledger, LedgerOnDisk)
        assert parked_lines(ledger, "", now) == parked_lines(whole, "", now)
        assert exception_lines(ledger.lives, ledger.codec) == exception_lines(whole.lives, whole.codec)
        for what in (posting, accounts[0].order, *lots, *machines, "nothing of this name"):
            assert trace(ledger, what, None, sources) == trace(whole, what, None, sources), what


def test_of_a_small_run(tmp_path: Path) -> None:
    inputs = [text for name in ("schedule", "performance") for text in ("--input", str(B2MML / f"{name}-sample.xml"))]
    ran = lineledger("run", "--config", str(B2MML), *inputs, "--out", tmp_path)
    assert ran.code == 0, ran.said
    same_words(tmp_path)


def test_of_the_demo(demo: Demo) -> None:
    same_words(demo.out)
