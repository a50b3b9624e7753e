"""A question to the folder of a run that was stopped names the command that goes on with it."""

from pathlib import Path

import pytest

from app.ledger.books.snapshot import NoLedger, read
from app.run.resume import Asked, Basis, begun


def test_a_run_that_was_stopped_goes_on_by_resume(tmp_path: Path) -> None:
    with pytest.raises(NoLedger, match="no ledger here"):
        read(tmp_path)
    begun(tmp_path / ".checkpoint", Asked("", [], "", "", "1", ""), Basis("", [], "", "", ""))
    with pytest.raises(NoLedger, match=f"its run is not finished; `lineledger run --resume --out {tmp_path}` goes on with it"):
        read(tmp_path)
