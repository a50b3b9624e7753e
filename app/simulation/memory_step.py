"""A step over dictionaries: what the engine gives to a fold, for one partition that nobody else has."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import PartitionPosition
from streams.step import RawMessage, sender
from tables.rows import always

Emit = Callable[[str, str, Any], None]
"""(topic, key, record)"""


@dataclass(slots=True)
class Message:
    offset: int
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()
    key: bytes | None = None
    timestamp: int = 0


class MemoryRows:
    """Rows by key. Keys are sorted only when somebody scans after new ones came."""

    def __init__(self) -> None:
        self._rows: dict[str, Any] = {}
        self._keys: list[str] = []
        self._fresh: set[str] = set()

    def get(self, key: str) -> Any:
        return self._rows.get(key)

    def put(self, key: str, row: Any) -> None:
        if key not in self._rows:
            self._fresh.add(key)
        self._rows[key] = row

    def delete(self, key: str) -> None:
        self._rows.pop(key, None)

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        if self._fresh:
            self._keys = sorted({key for key in self._keys if key in self._rows} | self._fresh)
            self._fresh = set()
        found = []
        for at in range(bisect_left(self._keys, prefix), len(self._keys)):
            key = self._keys[at]
            if not key.startswith(prefix):
                break
            if key in self._rows:
                found.append((key, self._rows[key]))
        yield from found

    def pages(self, prefix: str, wanted: Callable[[str], bool] = always) -> Iterator[list[tuple[str, Any]]]:
        yield [(key, row if wanted(key) else None) for key, row in self.scan(prefix)]


class MemoryStep:
    """`emit`: what becomes of a message of the fold. Rows are never encoded, records in `records` are."""

    def __init__(self, topic: str, codec: Codec, emit: Emit) -> None:
        self.topic, self.partition, self.careful = topic, 0, False
        self.state = PartitionPosition(0, 1, 1, "")
        self.records: Sequence[RawMessage] = ()
        self.offset, self.suspects = -1, frozenset[int]()
        self.rows = MemoryRows()
        self._codec, self._emit = codec, emit

    def emit(self, topic: str, key: str, record: Any, partition: int | None = None) -> None:
        self._emit(topic, key, record)

    def broadcast(self, topic: str, key: str, record: Any, partitions: int) -> None:
        self._emit(topic, key, record)

    def decode(self, value: bytes) -> Any:
        return self._codec.decode(value)

    def fields(self, value: bytes) -> tuple[str, dict[str, Any]]:
        return self._codec.fields(value)

    def release(self, entry: Any) -> None:
        raise AssertionError("a simulation has no executor")


class MemoryTopology:
    """One recorded raw topic, one partition of each inbox, no lots stage: holds change how a posting is booked, not what is
    posted."""

    def __init__(self, configuration: Configuration, raw: str) -> None:
        self._configuration, self._raw = configuration, raw

    def configuration(self, hash_: str) -> Configuration:
        assert hash_ == self._configuration.hash, "a simulation has one configuration from beginning to end"
        return self._configuration

    def upstreams(self, stage: str, configuration: Configuration) -> Sequence[str]:
        intake = [sender("intake", self._raw, 0)]
        return intake if stage == "equipment" else [*intake, sender("equipment", "equipment.inbox", 0)]

    def partitions(self, topic: str) -> int:
        return 1

    @property
    def endpoints(self) -> Mapping[str, int]:
        return {"erp": 0}
