"""An input of which most records are refused is no exact run: named before it starts, or at its end."""

import json
from pathlib import Path

import pytest

from tests.e2e.command import lineledger

PLANT = """
plant: {id: P, zone: UTC}
sources:
  s:
    files: ["*.jsonl", "*.zst"]
    read: {format: json, event_id: position, occurred_at: t, equipment: =M1}
    events: [{when: {}, emit: CounterReading, counter: =shots, value: v}]
equipment: {M1: {counters: {shots: {}}}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "plant.yaml").write_text(PLANT, encoding="utf-8")
    return folder


def lines(good: int, bad: int) -> bytes:
    times = (f"2026-05-04T{8 + n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z" for n in range(good))
    return b"\n".join([*(json.dumps({"t": at, "v": n}).encode() for n, at in enumerate(times)), *[b"{"] * bad])


def test_what_cannot_be_read_is_named_before_anything_starts(config: Path, tmp_path: Path) -> None:
    packed = tmp_path / "readings.zst"
    packed.write_bytes(b"\x28\xb5\x2f\xfd" + b"\x00{\n" * 2000)
    outcome = lineledger("run", "--config", config, "--input", packed, "--out", tmp_path / "out")
    assert (outcome.code, "zstd" in outcome.stderr) == (2, True), outcome.said
    garbage = tmp_path / "readings.jsonl"
    garbage.write_bytes(lines(100, 200))
    outcome = lineledger("run", "--config", config, "--input", garbage, "--out", tmp_path / "out")
    assert (outcome.code, "200 of its first 300 records are refused" in outcome.stderr) == (2, True), outcome.said
    assert not (tmp_path / "out").exists()


def test_a_short_input_that_is_refused_as_a_whole_is_not_exact(config: Path, tmp_path: Path) -> None:
    """It begins: an exchange file is one record, and one that is damaged stops nobody (test_exchange_files.py)."""
    short = tmp_path / "readings.jsonl"
    short.write_bytes(lines(0, 9))
    command = ("run", "--config", config, "--erp", "none", "--out", tmp_path / "out", "--json")
    outcome = lineledger(*command, "--input", short)
    assert (outcome.code, outcome.json["exact"]) == (1, False), outcome.said
    assert outcome.json["refused_inputs"] == [{"input": "readings.jsonl", "refused": 9, "records": 9, "code": "BAD_JSON"}]
    document, good = tmp_path / "damaged.jsonl", tmp_path / "more.jsonl"
    document.write_bytes(lines(0, 1))
    good.write_bytes(lines(1, 0))
    outcome = lineledger(*command, "--afresh", "--input", document, "--input", good)
    assert (outcome.code, outcome.json["refused_inputs"]) == (0, []), outcome.said


def test_an_input_that_turns_bad_is_not_exact(config: Path, tmp_path: Path) -> None:
    turning = tmp_path / "readings.jsonl"
    turning.write_bytes(lines(1100, 1500))
    command = ("run", "--config", config, "--input", turning, "--erp", "none", "--out", tmp_path / "out", "--json")
    outcome = lineledger(*command)
    assert outcome.code == 1, outcome.said
    (found,) = outcome.json["refused_inputs"]
    assert (found["input"], found["refused"], found["records"], found["code"]) == ("readings.jsonl", 1500, 2600, "BAD_JSON")
    assert (outcome.json["exact"], outcome.json["unattributed"][0]["unit"]) == (False, "counts")
