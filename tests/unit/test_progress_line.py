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


class Half:
    bytes_read, bytes_total = 0, 4_000_000


def test_it_says_how_much_is_read_and_how_long_the_rest_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, read = [100.0], Half()
    monkeypatch.setattr(progress.time, "monotonic", lambda: clock[0])
    line = ProgressLine()
    read.bytes_read = 1_000_000  # of an earlier process
    line.reading(read, known=30_000)
    line("starting", 30_000, 0)
    for at, records, seen in ((30.0, 30_000, 1_000_000), (60.0, 45_000, 1_500_000), (120.0, 90_000, 3_999_999)):
        clock[0], read.bytes_read = 100.0 + at, seen
        line("running", records, 1)
    starting, first, second, last = capsys.readouterr().err.splitlines()
    assert "read" not in starting
    assert first.endswith("25 % read")
    assert second.endswith("37 % read, 2 min left"), "2.5 MB at 0.5 MB in 30 s: 150 s"
    assert "250/s" in second, "15,000 records of this process in 60 s"
    assert last.endswith("99 % read, 0 s left")
    clock[0] += 1_000
    read.bytes_total = 400_000_000
    line("running", 90_000, 1)
    assert capsys.readouterr().err.rstrip().endswith("  0 % read, 39 h 58 min left")
