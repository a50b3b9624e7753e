"""The checkpoint's own bookkeeping: when it is due, and that it has all that changed and nothing else."""

import errno
from pathlib import Path

import pytest

from app.erp.telemetry_check import SeenTelemetry
from app.inputs.recorded_input import FilePlace, InputPlace
from app.run import checkpoint
from app.run.checkpoint import Checkpoints, CheckpointUnusable, FedSoFar, NotedRows, Partition
from schemas.records import PartitionPosition, PlantRow


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def partition(*keys: str) -> Partition:
    part = Partition(NotedRows(), PartitionPosition(7, 1, 1, "", reached={"P": 5}))
    for key in keys:
        part.rows.put(key, PlantRow("P", 5))
    return part


def test_what_is_read_is_what_was_written(tmp_path: Path, clock: Clock) -> None:
    parts = {("orders", 2): partition("row|1", "row|2|x"), ("lots", 0): partition()}
    fed = FedSoFar(InputPlace(3, [FilePlace(4, 5), FilePlace()]), {"a.csv": 4}, sent_bytes=17)  # type: ignore[arg-type]
    letters, seen = [b"first"], SeenTelemetry({"name": None}, {"value": None})
    store = Checkpoints(tmp_path / "rows", clock)
    assert store.read() is None
    store.write(lambda: parts, letters, seen, fed)
    parts["orders", 2].rows.delete("row|1")
    parts["orders", 2].rows.put("row|3", PlantRow("P", 5))
    parts["orders", 2].rows.get("row|2|x").clock = 9  # changed and not put
    letters.append(b"second")
    fed.ended = True
    store.write(lambda: parts, letters, seen, fed)
    store.close()
    store = Checkpoints(tmp_path / "rows", clock)
    kept = store.read()
    assert kept is not None
    assert kept.partitions["orders", 2].rows.rows == {"row|2|x": PlantRow("P", 5), "row|3": PlantRow("P", 5)}, (
        "only what was put is written"
    )
    assert kept.partitions["orders", 2].rows.changed == set()
    assert kept.partitions["orders", 2].state == parts["orders", 2].state
    assert kept.partitions["lots", 0].rows.rows == {}
    assert (kept.letters, kept.seen, kept.fed) == (letters, seen, fed)
    store.close()


def test_one_that_takes_long_makes_the_next_one_later(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Checkpoints(tmp_path / "rows", clock)
    clock.now = checkpoint.EVERY_SECONDS - 0.1
    assert not store.due
    clock.now = checkpoint.EVERY_SECONDS
    assert store.due
    took = iter([100.0, 102.0, 102.0])
    monkeypatch.setattr(store, "_now", lambda: next(took))
    store.write(dict, [], SeenTelemetry(), FedSoFar())
    monkeypatch.setattr(store, "_now", clock)
    clock.now = 102.0 + 2.0 / checkpoint.SHARE - 0.1
    assert not store.due, "2 s are 2.5 % of 80 s"
    clock.now += 0.2
    assert store.due
    store.close()


def test_a_full_disk_is_told_as_one(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Checkpoints(tmp_path / "rows", clock)
    store.write(lambda: {("lots", 0): partition("lot|1")}, [], SeenTelemetry(), FedSoFar())

    class Full:
        def write(self, *_: object) -> None:
            raise Exception("IO error: No space left on device: While appending to file")

        def close(self) -> None:
            raise Exception("IO error: Writer has previous error.")

    whole, store._db = store._db, Full()
    with pytest.raises(OSError) as full:
        store.write(lambda: {("lots", 0): partition("lot|2")}, [], SeenTelemetry(), FedSoFar())
    assert full.value.errno == errno.ENOSPC
    store.close()
    whole.close()
    kept = Checkpoints(tmp_path / "rows", clock).read()
    assert kept is not None and list(kept.partitions["lots", 0].rows.rows) == ["lot|1"]


def test_two_cannot_have_it(tmp_path: Path, clock: Clock) -> None:
    store = Checkpoints(tmp_path / "rows", clock)
    with pytest.raises(CheckpointUnusable, match="another process works with it"):
        Checkpoints(tmp_path / "rows", clock)
    store.close()
