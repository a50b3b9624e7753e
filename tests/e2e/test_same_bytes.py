"""What is posted depends on the log alone: not on the broker, the number of workers, checkpoints, or crashes
(docs/architecture.md, The clock is in the log)."""

from pathlib import Path

import pytest

from app.demo.plant_simulator import generate
from app.demo.recordings import EXCERPTS, recordings
from app.run import in_memory, workers
from app.topology import STAGES
from tests.e2e import late_checkpoints
from tests.e2e.command import PROJECT
from tests.e2e.same_log import Exported, Killer, run

SCALE = 0.05


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    truth = generate(tmp_path_factory.mktemp("floor"), seed=7, scale=SCALE)
    return [*truth.files.values(), *recordings(EXCERPTS)]


@pytest.fixture(scope="module")
def embedded(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The run that the others are compared with."""
    exported = run(files, tmp_path_factory.mktemp("embedded"), embedded=True)
    assert exported.postings.count(b"\n") > 200
    assert exported.not_posted.count(b"\n") > 5
    assert exported.restarts == 0
    return exported


def same(found: Exported, expected: Exported) -> None:
    assert found.postings.splitlines() == expected.postings.splitlines()
    assert found.not_posted.splitlines() == expected.not_posted.splitlines()
    assert (found.postings, found.not_posted) == (expected.postings, expected.not_posted)


def test_without_a_broker(files: list[Path], embedded: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In memory, in batches and with checkpoints of another size, and once more: the same."""
    phases = set[str]()
    first = run(files, tmp_path / "first", progress=lambda phase, records, clock: phases.add(phase))
    same(first, embedded)
    assert phases == {"starting", "running", "draining"}
    monkeypatch.setattr(in_memory, "BATCH", 37)
    monkeypatch.setattr(in_memory, "CHECKPOINT_RECORDS", 500)
    assert run(files, tmp_path / "second") == first


def test_other_checkpoints(files: list[Path], embedded: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PROGRAM", late_checkpoints.__name__)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setenv(late_checkpoints.SECONDS, "0.8")
    same(run(files, tmp_path, embedded=True), embedded)


COUNTS = "topics: {partitions: {equipment: 12, lots: 3, orders: 1, delivery: 2}, replication: 1}\n"


def other_counts(folder: Path) -> Path:
    document = folder / "installation.yaml"
    document.write_text(COUNTS, encoding="utf-8")
    return document


def test_other_counts_of_partitions(files: list[Path], embedded: Exported, tmp_path: Path) -> None:
    """The chain in memory. (The command line takes counts for a run on Kafka only.)"""
    same(run(files, tmp_path, installation=other_counts(tmp_path)), embedded)


@pytest.mark.kafka
@pytest.mark.slow
def test_other_counts_of_partitions_on_kafka(files: list[Path], embedded: Exported, tmp_path: Path, kafka_bootstrap: str) -> None:
    """Five workers of the command line that take the counts from the document."""
    found = run(files, tmp_path, kafka_bootstrap, installation=other_counts(tmp_path))
    assert found.restarts == 0
    same(found, embedded)


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 2])
def test_real_kafka(files: list[Path], embedded: Exported, tmp_path: Path, kafka_bootstrap: str, count: int) -> None:
    found = run(files, tmp_path, kafka_bootstrap, workers=count)
    print(f"{count} workers per stage: {found.restarts} restarts")
    same(found, embedded)


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.parametrize(("count", "forget"), [(1, "orders"), (2, "equipment")])
def test_every_stage_killed_once(
    files: list[Path], embedded: Exported, tmp_path: Path, kafka_bootstrap: str, count: int, forget: str
) -> None:
    killer = Killer(tmp_path, forget)
    found = run(files, tmp_path, kafka_bootstrap, workers=count, progress=killer)
    print(f"{count} workers per stage, each killed once, {', '.join(killer.forgotten)} lost: {found.restarts} restarts")
    assert list(killer.killed) == list(STAGES)
    assert killer.forgotten, "a volume was lost"
    assert found.restarts >= count * len(STAGES)
    same(found, embedded)
