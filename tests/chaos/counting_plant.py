"""The counting stage on a broker, and the questions that every chaos test asks of it at the end."""

import random
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from app.engine.rows import POSITION_KEY
from schemas.codec import Codec
from schemas.records import Tick
from tests.chaos.counting_stage import CHANGELOG, GROWS, INBOX, OUT, POISON, SHOUTS, STAGE
from tests.chaos.processes import WorkerProcess, threads_of, wait_until

PARTITIONS = 4
MISBEHAVING = (POISON, GROWS, SHOUTS)
Row = tuple[int, int, int]
"""(count, sum, inbox offset of the last record)."""


@dataclass
class Facts:
    """What the topics say at the end."""

    rows: dict[str, Row]
    """Changelog, read_committed: what a cold restore gives."""
    expected: dict[str, Row]
    """Offline fold of the inbox up to `__position`."""
    positions: dict[int, int]
    inbox_ends: dict[int, int]
    records: int
    repeated: int = 0
    backward: int = 0
    out: dict[str, Row] = field(default_factory=dict)
    """Newest message of each key."""

    @property
    def wrong(self) -> list[str]:
        return sorted(key for key in self.rows.keys() | self.expected.keys() if self.rows.get(key) != self.expected.get(key))

    def exact(self) -> bool:
        complete = all(self.positions.get(partition, 0) <= end for partition, end in self.inbox_ends.items())
        sent = all(self.out.get(key) == row for key, row in self.expected.items())
        return complete and not self.wrong and sent and not self.repeated and not self.backward

    def __str__(self) -> str:
        counted, due = (sum(row[0] for row in rows.values()) for rows in (self.rows, self.expected))
        return (
            f"{self.records} records, counted {counted} of {due}, rows wrong {len(self.wrong)} of {len(self.expected)}, "
            f"output repeated {self.repeated} backward {self.backward}"
        )


class CountingPlant:
    """Topics, feeder, processes and facts of one test. `close` ends every process that is left."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.bootstrap, self.prefix, self.folder, self.codec = bootstrap, prefix, folder, Codec()
        self.admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        self.processes: list[WorkerProcess] = []
        self._started = Counter[str]()
        self.create(INBOX, OUT, "exceptions")
        self.create(CHANGELOG, compact=True)

    def create(self, *names: str, compact: bool = False) -> None:
        config = {"max.message.bytes": str(2 << 20), **({"cleanup.policy": "compact"} if compact else {})}
        wanted = [NewTopic(self.prefix + name, PARTITIONS, 1, config=config) for name in names]
        for future in self.admin.create_topics(wanted).values():
            future.result(20)
        visible = {topic.topic for topic in wanted}
        wait_until(lambda: visible <= self.admin.list_topics(timeout=10).topics.keys(), "topics are visible")

    def delete(self, name: str) -> None:
        for future in self.admin.delete_topics([self.prefix + name]).values():
            future.result(20)
        wait_until(lambda: self.prefix + name not in self.admin.list_topics(timeout=10).topics, f"{name} is gone")

    # -- feed

    def feed(self, count: int, seed: int = 1, keys: int = 200, finals: float = 0.0005, transactional: bool = False) -> None:
        rnd = random.Random(seed)
        ticks = (Tick(f"K{rnd.randrange(keys):03d}", rnd.randrange(1000), "feeder", rnd.random() < finals) for _ in range(count))
        self.send(ticks, transactional)

    def send(self, ticks: Iterable[Tick], transactional: bool = False) -> None:
        self.send_raw(((tick.plant.encode(), self.codec.encode(tick)) for tick in ticks), transactional)

    def send_raw(self, messages: Iterable[tuple[bytes, bytes]], transactional: bool = False, partition: int = -1) -> None:
        settings: dict[str, Any] = {"bootstrap.servers": self.bootstrap, "linger.ms": 20, "partitioner": "murmur2_random"}
        producer = Producer({**settings, "transactional.id": self.prefix + "feeder"} if transactional else settings)
        if transactional:
            producer.init_transactions(20)
            producer.begin_transaction()
        for key, value in messages:
            while True:
                try:
                    producer.produce(self.prefix + INBOX, value, key, partition)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        if transactional:
            producer.commit_transaction(20)
        assert producer.flush(30) == 0

    # -- processes

    def start(self, name: str = "a", instance: str | None = None, **options: Any) -> WorkerProcess:
        self._started[name] += 1
        arguments = {"bootstrap": self.bootstrap, "prefix": self.prefix, "datadir": str(self.volume(name)), **options}
        arguments["instance"] = name if instance is None else instance
        flat = [part for key, value in arguments.items() for part in (f"--{key.replace('_', '-')}", str(value))]
        log = self.folder / f"{name}.{self._started[name]}.log"
        process = WorkerProcess("tests.chaos.counting_worker", flat, log)
        self.processes.append(process)
        return process

    def volume(self, name: str) -> Path:
        return self.folder / f"volume-{name}"

    def store(self, name: str, partition: int) -> Path:
        (found,) = self.volume(name).rglob(f"{STAGE}-{partition}.db")
        return found

    def lose_volume(self, name: str) -> None:
        shutil.rmtree(self.volume(name), ignore_errors=True)

    def close(self) -> None:
        for process in self.processes:
            if process.code is None:
                process.kill()

    # -- progress

    def ends(self, topic: str = INBOX) -> dict[int, int]:
        with _consumer(self.bootstrap, f"{self.prefix}ends") as consumer:
            tps = [TopicPartition(self.prefix + topic, partition) for partition in range(PARTITIONS)]
            return {tp.partition: consumer.get_watermark_offsets(tp, timeout=10)[1] for tp in tps}

    def lag(self) -> int:
        """As an operator sees it: end of the inbox minus the group's displayed offsets."""
        with _consumer(self.bootstrap, f"{self.prefix}{STAGE}") as consumer:
            tps = [TopicPartition(self.prefix + INBOX, partition) for partition in range(PARTITIONS)]
            shown = {tp.partition: max(tp.offset, 0) for tp in consumer.committed(tps, timeout=10)}
            return sum(consumer.get_watermark_offsets(tp, timeout=10)[1] - shown[tp.partition] for tp in tps)

    def await_drained(self, timeout: float = 90.0) -> float:
        try:
            return wait_until(lambda: self.quiet_lag() == 0, f"lag is zero; {self._last_words()}", timeout)
        except AssertionError:
            threads_of(self.processes)
            raise

    def quiet_lag(self) -> int:
        """As `lag`; -1 while the broker does not answer."""
        try:
            return self.lag()
        except KafkaException:
            return -1

    def _last_words(self) -> str:
        return " | ".join(f"{process.log.name}: code {process.code}" for process in self.processes)

    # -- facts

    def messages(self, topic: str, isolation: str = "read_committed") -> Iterator[Any]:
        """All messages of a topic, partition by partition."""
        for partition in range(PARTITIONS):
            settings = {"isolation.level": isolation, "enable.partition.eof": True}
            with _consumer(self.bootstrap, f"{self.prefix}facts", settings) as consumer:
                consumer.assign([TopicPartition(self.prefix + topic, partition, 0)])
                while True:
                    message = consumer.poll(20)
                    assert message is not None, f"no answer from {topic}/{partition}"
                    if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
                        break
                    assert not message.error(), message.error()
                    yield message

    def positions(self) -> dict[int, int]:
        marks = (message for message in self.messages(CHANGELOG) if message.key() == POSITION_KEY.encode())
        return {message.partition(): self.codec.decode(message.value()).next_offset for message in marks}

    def facts(self) -> Facts:
        rows: dict[str, Row] = {}
        for message in self.messages(CHANGELOG):
            key = message.key().decode()
            if key == POSITION_KEY:
                continue
            if message.value() is None:
                rows.pop(key, None)
            else:
                rows[key] = _row(self.codec.decode(message.value()))
        positions = self.positions()
        expected, records = self._offline(positions)
        facts = Facts(rows, expected, positions, self.ends(), records)
        for message in self.messages(OUT):
            key, row = message.key().decode(), _row(self.codec.decode(message.value()))
            known = facts.out.get(key)
            facts.repeated += known is not None and known[2] == row[2]
            facts.backward += known is not None and known[2] > row[2]
            if known is None or known[2] < row[2]:
                facts.out[key] = row
        return facts

    def _offline(self, positions: dict[int, int]) -> tuple[dict[str, Row], int]:
        expected: dict[str, Row] = {}
        records = 0
        for message in self.messages(INBOX):
            if message.offset() >= positions.get(message.partition(), 0):
                continue
            records += 1
            key = message.key().decode()
            if key in MISBEHAVING or key == "noise":
                continue
            tick = self.codec.decode(message.value())
            count, total, _ = expected.get(key, (0, 0, -1))
            if tick.final:
                expected.pop(key, None)
            else:
                expected[key] = (count + 1, total + tick.at, message.offset())
        return expected, records

    def assert_exact(self, what: str = "") -> Facts:
        """Nothing is lost, nothing counted twice, no version goes out twice or backward (I4)."""
        facts = self.facts()
        print(f"{what}: {facts}")
        assert facts.exact(), f"{what}: {facts}; {facts.wrong[:5]}"
        return facts


def _row(row: Any) -> Row:
    return row.closed, row.beyond[0], row.beyond[1]


class _consumer:
    """A consumer that is closed on the way out."""

    def __init__(self, bootstrap: str, group: str, settings: dict[str, Any] | None = None) -> None:
        own = {"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False, "fetch.wait.max.ms": 10}
        self._consumer = Consumer({**own, "log_level": 0, **(settings or {})})

    def __enter__(self) -> Any:
        return self._consumer

    def __exit__(self, *_: Any) -> None:
        self._consumer.close()
