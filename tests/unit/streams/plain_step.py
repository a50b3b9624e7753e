"""A step over plain dictionaries: the same interface as the engine's, for tests of folds."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.catalog import catalog
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import PartitionPosition
from streams.step import sender
from tables.rows import always


@dataclass
class PlainRows:
    rows: dict[str, Any] = field(default_factory=dict)

    def get(self, key: str) -> Any:
        return self.rows.get(key)

    def put(self, key: str, row: Any) -> None:
        self.rows[key] = row

    def delete(self, key: str) -> None:
        self.rows.pop(key, None)

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        yield from [(key, self.rows[key]) for key in sorted(self.rows) if key.startswith(prefix)]

    def pages(self, prefix: str, wanted: Callable[[str], bool] = always) -> Iterator[list[tuple[str, Any]]]:
        yield [(key, row if wanted(key) else None) for key, row in self.scan(prefix)]


@dataclass
class PlainMessage:
    offset: int
    value: bytes
    key: bytes | None = None
    timestamp: int = 0
    headers: Sequence[tuple[str, bytes]] = ()


@dataclass
class Sent:
    topic: str
    key: str
    record: Any
    partition: int | None


class PlainStep:
    """Feed it with `deliver(record, ...)`; results are in `sent` and `released`."""

    def __init__(self, topic: str = "inbox", partition: int = 0, codec: Codec | None = None) -> None:
        self.topic, self.partition, self.codec = topic, partition, codec or Codec()
        self.rows = PlainRows()
        self.state = PartitionPosition(0, 1, 1, "")
        self.records: Sequence[PlainMessage] = ()
        self.offset, self.suspects, self.careful = -1, frozenset[int](), False
        self.sent: list[Sent] = []
        self.released: list[Any] = []
        self._offsets = itertools.count()

    def deliver(self, *records: Any) -> None:
        """Make these records the batch (each encoded and given the next offset)."""
        self.records = [PlainMessage(next(self._offsets), self.codec.encode(record)) for record in records]

    def emit(self, topic: str, key: str, record: Any, partition: int | None = None) -> None:
        self.sent.append(Sent(topic, key, self.codec.decode(self.codec.encode(record)), partition))

    def broadcast(self, topic: str, key: str, record: Any, partitions: int) -> None:
        for partition in range(partitions):
            self.emit(topic, key, record, partition)

    def decode(self, value: bytes) -> Any:
        return self.codec.decode(value)

    def fields(self, value: bytes) -> tuple[str, dict[str, Any]]:
        return self.codec.fields(value)

    def release(self, entry: Any) -> None:
        self.released.append(entry)

    def take(self, topic: str | None = None) -> list[Any]:
        """Records sent since the last take (to one topic)."""
        taken = [sent.record for sent in self.sent if topic in (None, sent.topic)]
        self.sent = [sent for sent in self.sent if topic not in (None, sent.topic)]
        return taken


@dataclass
class PlainTopology:
    """One raw partition, one partition of each inbox."""

    configurations: Mapping[str, Configuration]
    inbox_partitions: int = 1

    def configuration(self, hash_: str) -> Configuration:
        return self.configurations[hash_]

    def upstreams(self, stage: str, configuration: Configuration) -> Sequence[str]:
        plant = configuration.plant.plant.id
        intake = [sender("intake", f"raw.{plant}", 0)]
        equipment = [sender("equipment", "equipment.inbox", p) for p in range(self.inbox_partitions)]
        lots = [sender("lots", "lots.inbox", p) for p in range(self.inbox_partitions)]
        orders = [sender("orders", "orders.inbox", p) for p in range(self.inbox_partitions)]
        return {"equipment": intake, "orders": intake + equipment, "lots": intake + equipment, "delivery": lots + orders}[stage]

    def partitions(self, topic: str) -> int:
        return self.inbox_partitions

    @property
    def endpoints(self) -> Mapping[str, int]:
        return catalog().endpoints
