"""`lineledger ingest` on a real Kafka: killed again and again in mid-file it neither loses a record nor makes a new one."""

import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from app.configuration import load, mappers
from app.inputs.cut_files import cut
from app.kafka.topics import admin_client, apply
from schemas.catalog import catalog
from streams.mapping import RawRecord, Reading, RefusedRecord

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
TOPIC = "raw.drop.records"
LINES, FILES, KILLS = 12_000, 3, 5
PATIENCE_S, LOOK_S = 60.0, 0.02
SHORT = "LINELEDGER_TEST_SHORT" in os.environ
KEY = "8f3a51c0d7e94b26a1f05c3e7d8b9a60"
PLANT = """
plant: {id: DROP, zone: UTC, quantity_from: declarations}
sources:
  records:
    files: ["*.csv"]
    read: {topic: raw.drop.records, format: csv, event_id: RULE, occurred_at: time, equipment: =M1}
    private: [who]
    events:
      - {emit: ProductionDeclared, order: order, quantity: {path: pieces, unit: =PC}}
equipment: {M1: {}}
"""


@pytest.fixture(params=["position", "id"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "plant.yaml").write_text(PLANT.replace("RULE", request.param))
    return folder


def drop(folder: Path) -> dict[str, list[str]]:
    """Complete files appear by a rename. Name -> the pieces of its records."""
    folder.mkdir()
    dropped = {}
    for number in range(FILES):
        pieces = [str(row % 97 + number) for row in range(LINES)]
        rows = [f"{number}-{row},2026-11-20T10:00:00Z,100,{count},badge-{row}" for row, count in enumerate(pieces)]
        hidden = folder / f".file-{number}"
        hidden.write_text("id,time,order,pieces,who\n" + "\n".join(rows) + "\n")
        hidden.rename(folder / f"file-{number}.csv")
        dropped[f"file-{number}.csv"] = pieces
    broken = folder / ".broken"
    broken.write_bytes(b"\x1f\x8b but no gzip")
    broken.rename(folder / "broken.csv")
    return dropped


@contextmanager
def ingest(config: Path, folder: Path, bootstrap: str, prefix: str, *more: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "app.cli.main", "ingest", "--config", str(config), "--source", "records"]
    command += ["--folder", str(folder), "--bootstrap", bootstrap, "--prefix", prefix, "--complete", "rename", *more]
    environ = {**os.environ, "LINELEDGER_PRIVATE_KEY": KEY}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


class Topic:
    """Everything in the raw topic."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self.name = prefix + TOPIC
        settings = {"bootstrap.servers": bootstrap, "group.id": prefix, "enable.auto.commit": False}
        self.consumer = Consumer({**settings, "isolation.level": "read_committed", "enable.partition.eof": True})
        self.partitions = range(catalog().partitions(TOPIC))
        deadline = time.monotonic() + PATIENCE_S
        while True:  # a topic made a moment ago may have no leader yet
            try:
                self.size()
            except KafkaException:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            else:
                return

    def size(self) -> int:
        marks = [self.consumer.get_watermark_offsets(TopicPartition(self.name, n), timeout=10) for n in self.partitions]
        return sum(high for _, high in marks)

    def records(self) -> list[tuple[str, bytes]]:
        self.consumer.assign([TopicPartition(self.name, n, OFFSET_BEGINNING) for n in self.partitions])
        found, ended = [], 0
        while ended < len(self.partitions):
            for message in self.consumer.consume(10_000, timeout=5):
                if message.error() is not None:
                    ended += 1
                    continue
                found.append((dict(message.headers())["position"].decode(), message.value()))
        return found


def test_kills_in_mid_file_lose_nothing_and_repeat_only_what_is_the_same(
    config: Path, kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    apply(admin_client(kafka_bootstrap), catalog(), topic_prefix, [TOPIC])
    folder = tmp_path / "drop"
    dropped = drop(folder)
    topic = Topic(kafka_bootstrap, topic_prefix)
    kills = 0
    for number in range(KILLS):
        with ingest(config, folder, kafka_bootstrap, topic_prefix) as process:
            before, deadline = topic.size(), time.monotonic() + PATIENCE_S
            while topic.size() < before + 500 + 2_000 * number:
                assert time.monotonic() < deadline, "nothing was written"
                if not any(folder.glob("*.csv")):
                    break
                time.sleep(LOOK_S)
            process.send_signal(signal.SIGKILL)
            kills += any(folder.glob("file-*.csv"))
    assert kills >= 3, "most kills must fall into the work"
    with ingest(config, folder, kafka_bootstrap, topic_prefix, "--once") as process:
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said

    found = topic.records()
    by_place: dict[str, set[bytes]] = defaultdict(set)
    for place, value in found:
        by_place[place].add(value)
    assert len(found) > FILES * LINES, "no kill fell between writing and putting away: nothing was shown"
    assert all(len(values) == 1 for values in by_place.values()), "a repeat differs"
    kept = {path.name.partition("@")[0]: path for path in (folder / "done").iterdir()}
    assert kept.keys() == dropped.keys()
    assert by_place.keys() == {f"{path.name}:{row}" for path in kept.values() for row in range(2, LINES + 2)}
    assert not any(b"badge-" in value for _, value in found)

    mapper = mappers(load(config), KEY.encode())["records"]
    counted: dict[str, int] = {}
    for place, value in found:
        name, _, row = place.rpartition(":")
        (event,) = mapper.map(RawRecord(value, "records", name, int(row)))
        assert not isinstance(event, RefusedRecord | Reading)
        counted[event.event_id] = event.quantity.amount
    assert len(counted) == FILES * LINES, "the repeats have the ids of what they repeat"
    assert sum(counted.values()) == sum(int(count) for pieces in dropped.values() for count in pieces)
    for path in kept.values():  # what is said to stand in a line of a file stands there
        number, original = next(iter(cut(path, mapper.read)))
        assert mapper.redacted(original) in by_place[f"{path.name}:{number}"]
    (reason,) = (folder / "refused").glob("broken.csv@*.reason.txt")
    assert reason.read_text().startswith("BAD_FILE: ")


def test_it_waits_for_files_and_ends_behind_the_one_in_work(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> None:
    folder, config = tmp_path / "drop", tmp_path / "config"
    folder.mkdir()
    config.mkdir()
    (config / "plant.yaml").write_text(PLANT.replace("RULE", "position"))
    apply(admin_client(kafka_bootstrap), catalog(), topic_prefix, [TOPIC])
    with ingest(config, folder, kafka_bootstrap, topic_prefix) as process:
        (folder / ".f").write_text("id,time,order,pieces,who\n1,2026-11-20T10:00:00Z,100,5,x\n")
        (folder / ".f").rename(folder / "late.csv")
        deadline = time.monotonic() + PATIENCE_S
        while (folder / "late.csv").exists():
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    assert len(Topic(kafka_bootstrap, topic_prefix).records()) == 1


def test_without_its_topic_it_says_what_to_do(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> None:
    (tmp_path / "plant.yaml").write_text(PLANT.replace("RULE", "position"))
    with ingest(tmp_path, tmp_path, kafka_bootstrap, topic_prefix) as process:
        said, _ = process.communicate(timeout=PATIENCE_S)
    command = f"lineledger topics apply --bootstrap {kafka_bootstrap} --prefix {topic_prefix} --raw raw.drop.records"
    assert (process.returncode, command in said) == (2, True), said


def test_a_stop_in_a_large_file_ends_within_seconds_and_repeats_nothing(
    kafka_bootstrap: str, topic_prefix: str, tmp_path: Path
) -> None:
    config, folder, lines = tmp_path / "config", tmp_path / "drop", 100_000 if SHORT else 400_000
    config.mkdir()
    folder.mkdir()
    (config / "plant.yaml").write_text(PLANT.replace("RULE", "position"))
    rows = "".join(f"{row},2026-11-20T10:00:00Z,100,1,badge\n" for row in range(lines))
    (folder / ".large").write_text("id,time,order,pieces,who\n" + rows)
    (folder / ".large").rename(folder / "large.csv")
    apply(admin_client(kafka_bootstrap), catalog(), topic_prefix, [TOPIC])
    topic = Topic(kafka_bootstrap, topic_prefix)
    with ingest(config, folder, kafka_bootstrap, topic_prefix) as process:
        deadline = time.monotonic() + PATIENCE_S
        while topic.size() < 1_000:
            assert time.monotonic() < deadline, "nothing was written"
            time.sleep(LOOK_S)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=PATIENCE_S)
        assert time.monotonic() - began < 10.0
    assert "FILE_INTERRUPTED" in said
    assert process.returncode == 1, "a file stays"
    written = topic.size()
    assert 1_000 <= written < lines
    with ingest(config, folder, kafka_bootstrap, topic_prefix, "--once") as process:
        said, _ = process.communicate(timeout=2 * PATIENCE_S)
    assert process.returncode == 0, said
    places = [int(place.rpartition(":")[2]) for place, _ in topic.records()]
    assert places == list(range(2, lines + 2)), "each record once, in the order of the file"
