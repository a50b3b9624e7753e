"""A step in memory: what the engine gives to a fold, for one partition that nobody else has; for simulations and tests."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.catalog import catalog
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import PartitionPosition, PendingRow
from streams.step import RawMessage
from streams.upstreams import upstreams_of
from tables.rows import MemoryRows


class Handed:
    """The value of a message within one process: the record itself, which nobody changes any more. `bytes` of it are what a
    broker would have."""

    __slots__ = ("_codec", "record")

    def __init__(self, record: Any, codec: Codec) -> None:
        self.record, self._codec = record, codec

    def __bytes__(self) -> bytes:
        return self._codec.encode(self.record)


@dataclass(slots=True)
class Message:
    """A RawMessage. `timestamp`: milliseconds since 1970. `value`: bytes or `Handed`; a raw record as it was read."""

    offset: int
    value: Any
    key: bytes | None = None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass(slots=True)
class Sent:
    """What a fold emitted. `partition`: as the fold said it; None: by the key. `record` None: a tombstone."""

    topic: str
    key: str
    record: Any
    partition: int | None


Emit = Callable[[Sent], None]


class MemoryStep:
    """A streams.step.Step. Rows are never encoded; the records of a batch are, or were handed over (`Handed`).

    `emit`: what becomes of what the fold emits. Without it everything is encoded once, as a broker would have it, and kept in
    `sent`; outbox entries are kept in `released`.
    """

    def __init__(self, topic: str = "inbox", partition: int = 0, codec: Codec | None = None, emit: Emit | None = None) -> None:
        self.topic, self.partition, self.codec = topic, partition, codec or Codec()
        self.rows: Any = MemoryRows()
        self.state = PartitionPosition(0, 1, 1, "")
        self.records: Sequence[RawMessage] = ()
        self.offset, self.suspects, self.careful = -1, frozenset[int](), False
        self.waited: PendingRow | None = None
        self.sent: list[Sent] = []
        self.released: list[Any] = []
        self._emit, self._offsets = emit or self._keep, itertools.count()

    def deliver(self, *records: Any) -> None:
        """Make these records the batch, each encoded and with the next offset."""
        self.records = [Message(next(self._offsets), self.codec.encode(record)) for record in records]

    def take(self, topic: str | None = None) -> list[Any]:
        """Records sent since the last take (to one topic)."""
        taken = [sent.record for sent in self.sent if topic in (None, sent.topic)]
        self.sent = [sent for sent in self.sent if topic not in (None, sent.topic)]
        return taken

    def emit(self, topic: str, key: str, record: Any, partition: int | None = None) -> None:
        self._emit(Sent(topic, key, record, partition))

    def retire(self, topic: str, key: str) -> None:
        self._emit(Sent(topic, key, None, None))

    def broadcast(self, topic: str, key: str, record: Any, partitions: int) -> None:
        for partition in range(partitions):
            self.emit(topic, key, record, partition)

    def decode(self, value: Any) -> Any:
        return value.record if type(value) is Handed else self.codec.decode(value)

    def fields(self, value: Any) -> tuple[str, dict[str, Any]]:
        if type(value) is Handed:
            return type(value.record).__name__, value.record.to_avro()
        return self.codec.fields(value)

    def release(self, entry: Any) -> None:
        self.released.append(entry)

    def _keep(self, sent: Sent) -> None:
        if sent.record is not None:
            sent.record = self.codec.decode(self.codec.encode(sent.record))
        self.sent.append(sent)


class MemoryTopology:
    """A streams.step.Topology: these configurations (by hash), and these raw topics of one partition.

    `partitions`: of all inboxes, or of each by its topic. `raw`: names of raw topics; None: the recorded topic of the plant.
    `endpoints`: of the installation, with their partitions; None: those of the catalog.
    """

    def __init__(
        self,
        configurations: Mapping[str, Configuration],
        partitions: int | Callable[[str], int] = 1,
        raw: Sequence[str] | None = None,
        endpoints: Mapping[str, int] | None = None,
    ) -> None:
        self.endpoints = catalog().endpoints if endpoints is None else endpoints
        self.configurations, self._partitions, self._raw = configurations, partitions, raw
        self._upstreams: dict[tuple[str, str], Sequence[str]] = {}

    def configuration(self, hash_: str) -> Configuration:
        return self.configurations[hash_]

    def upstreams(self, stage: str, configuration: Configuration) -> Sequence[str]:
        key = (stage, configuration.hash)
        if key not in self._upstreams:  # asked for at every tick of every partition
            raw = [f"raw.{configuration.plant.plant.id}"] if self._raw is None else self._raw
            self._upstreams[key] = upstreams_of(stage, dict.fromkeys(raw, 1), self.partitions)
        return self._upstreams[key]

    def partitions(self, topic: str) -> int:
        return self._partitions if isinstance(self._partitions, int) else self._partitions(topic)
