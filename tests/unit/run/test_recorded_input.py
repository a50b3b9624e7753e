"""Recorded files merged into one stream: by what they state, whatever order an export has."""

from pathlib import Path
from typing import Any

import pytest

from app.inputs import recorded_input
from app.inputs.input_files import InputError, InputFile
from app.inputs.recorded_input import merged
from schemas.configuration import PlantConfig

RULE = {"when": {}, "emit": "OrderCompleted", "order": "po"}
RUNS = "po,started\nB,2026-11-20T12:00:00Z\nA,2026-11-01T08:00:00Z\nC,\nD,2026-11-19T08:00:00Z\n"


def plant(order: str) -> PlantConfig:
    read: dict[str, Any] = {"format": "csv", "occurred_at": "started", "order": order}
    return PlantConfig.model_validate({"plant": {"id": "P"}, "sources": {"runs": {"read": read, "events": [RULE]}}})


def lines(folder: Path, order: str) -> list[tuple[int, int]]:
    """(line, received_at as seconds after that of line 3) in the order of the raw partition."""
    path = folder / "runs.csv"
    path.write_text(RUNS, encoding="utf-8")
    found = [(record.raw_offset, record.received_at) for record in merged([InputFile("runs", path)], plant(order), b"")]
    base = min(at for _, at in found)
    return [(line, (at - base) // 1_000_000) for line, at in found]


def test_a_file_is_read_as_it_arrived(tmp_path: Path) -> None:
    days = [(line, at / 86_400) for line, at in lines(tmp_path, "file")]
    assert days == [(2, 0), (3, 0), (4, 0), (5, 18)], "line 2 is ahead of all behind it: it moves no clock"


def test_an_export_in_another_order_is_sorted_by_time(tmp_path: Path) -> None:
    hours = [(line, at / 3600) for line, at in lines(tmp_path, "time")]
    assert hours == [(3, 0), (4, 0), (5, 18 * 24), (2, 19 * 24 + 4)], "line 4 states no time: it stays behind line 3"


def test_sorting_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_input, "MAX_SORTED_RECORDS", 3)
    with pytest.raises(InputError, match="sort the file by time"):
        lines(tmp_path, "time")


def test_what_states_no_time_arrives_with_the_first_that_does(tmp_path: Path) -> None:
    """A header where columns are stated, a damaged file: time does not begin in 1970, with a tick at each shift end since."""
    (tmp_path / "runs.csv").write_text(RUNS, encoding="utf-8")
    (tmp_path / "empty.csv").write_text("po,started\nE,\nF,soon\n", encoding="utf-8")
    files = [InputFile("runs", tmp_path / name) for name in ("empty.csv", "runs.csv")]
    found = [(record.raw_source, record.received_at) for record in merged(files, plant("file"), b"")]
    first = found[2][1]
    assert found[:3] == [("empty.csv", first), ("empty.csv", first), ("runs.csv", first)]
    assert first > 1_700_000_000_000_000


def test_where_nothing_states_a_time_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("po,started\nE,\n", encoding="utf-8")
    found = merged([InputFile("runs", tmp_path / "empty.csv")], plant("file"), b"")
    assert [record.received_at for record in found] == [0]
