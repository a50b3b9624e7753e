"""Recorded input that is gone on with gives what was left, wherever it was left."""

import json
import os
import resource
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest

from app.inputs.input_files import InputFile
from app.inputs.recorded_input import InputPlace, RecordedInput
from schemas.configuration import PlantConfig

DAY_S = 86_400
RULE = {"when": {}, "emit": "OrderCompleted", "order": "o"}
SOURCES = {
    name: {"read": {"occurred_at": "t", **more}, "events": [RULE]}
    for name, more in {"plain": {}, "sorted": {"order": "time"}, "shared": {}}.items()
}
PLANT = PlantConfig.model_validate({"plant": {"id": "P"}, "sources": SOURCES})


def iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def written(folder: Path, seed: int) -> list[InputFile]:
    """Files that begin without times, with wrong clocks, gaps of days and times of other files."""
    chance, files = Random(seed), []
    for number in range(6):
        source = ("plain", "sorted", "shared", "plain", "shared", "plain")[number]
        at, lines = 1_770_000_000 + chance.randrange(5) * DAY_S, []
        for place in range(chance.choice((0, 1, 3, 40, 150))):
            at += chance.choice((0, 0, 1, 60, 3_600, 2 * DAY_S)) if chance.random() < 0.9 else -60
            stated = at + chance.choice((0,) * 20 + (9 * DAY_S, 400 * DAY_S, -DAY_S))
            timeless = chance.random() < (0.7 if place < chance.choice((0, 8, 20)) else 0.1)
            lines.append(json.dumps({"o": f"{number}.{place}"} if timeless else {"o": f"{number}.{place}", "t": iso(stated)}))
        path = folder / (f"{number}.jsonl" if number else "1.jsonl")
        path.write_text("\n\n".join(lines))
        files.append(InputFile(source, path))
    return [*files, InputFile("shared", files[-1].path)]


@pytest.mark.parametrize("seed", range(12))
def test_the_rest_is_the_same_wherever_it_was_left(seed: int, tmp_path: Path) -> None:
    files, chance = written(tmp_path, seed), Random(seed)
    whole = list(RecordedInput(files, PLANT, b""))
    assert len(whole) > 10
    for _ in range(25):
        left, given, place = chance.randrange(len(whole) + 1), [], None
        while len(given) < left:
            source = RecordedInput(files, PLANT, b"", place)
            records = iter(source)
            given += [next(records) for _ in range(chance.randrange(1, left - len(given) + 1))]
            begins, read = json.loads(json.dumps(source.place))
            place = InputPlace(begins, [type(source.place.files[0])(*one) for one in read])
        assert given + list(RecordedInput(files, PLANT, b"", place)) == whole


def test_files_that_follow_each_other_are_not_open_at_once(tmp_path: Path) -> None:
    files = []
    for day in range(300):
        path = tmp_path / f"{day:03}.jsonl"
        path.write_text("\n".join(json.dumps({"o": "A", "t": iso(1_770_000_000 + day * DAY_S + n)}) for n in range(5)))
        files.append(InputFile("plain", path))
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 30, limits[1]))
    try:
        assert [record.raw_offset for record in RecordedInput(files, PLANT, b"")] == [1, 2, 3, 4, 5] * 300
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_what_is_read_is_told_in_bytes(tmp_path: Path) -> None:
    files = written(tmp_path, 3)
    source = RecordedInput(files, PLANT, b"")
    told = [source.bytes_read]
    for _ in source:
        told.append(source.bytes_read)
    assert told == sorted(told)
    assert told[-1] <= source.bytes_total == sum(file.path.stat().st_size for file in files)
    assert source.bytes_read == source.bytes_total
