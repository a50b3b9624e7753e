"""The line that a run shows while it works."""

import pytest

from app.cli import progress
from app.cli.progress import ProgressLine


def test_it_says_how_many_records_and_how_fast(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    line = ProgressLine()
    line("starting", 0, 0)
    clock[0] += 20
    line("running", 50_000, 1_767_225_600_000_000)
    begun, running = capsys.readouterr().err.splitlines()
    assert "plant clock -" in begun and "/s" not in begun
    assert "50,000 raw records" in running and "2,500/s" in running and "2026-01-01 00:00 UTC" in running
