"""What a stage's fold is given: rows, clock state, the records of one batch, and where its results go.

The engine provides the real one; streams/memory_step.py one over dictionaries.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from schemas.configuration import Configuration
from schemas.records import PartitionPosition, PendingRow
from tables.rows import RowStore

SUSPECT_LIMIT = 2
"""A record whose folding raised this often is dead-lettered instead of folded again."""


class RawMessage(Protocol):
    """A record as the broker has it."""

    @property
    def offset(self) -> int: ...

    @property
    def timestamp(self) -> int:
        """Milliseconds since 1970: the broker's append time on raw topics."""
        ...

    @property
    def key(self) -> bytes | None: ...

    @property
    def value(self) -> bytes: ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Step(Protocol):
    topic: str
    """The inbox, without the installation's prefix."""
    partition: int
    state: PartitionPosition
    records: Sequence[RawMessage]
    offset: int
    """Set by the fold before each record: the offset that is named when folding it fails."""
    waited: PendingRow | None
    """Set by a fold that folds a record at its time, while it does: then that one is to blame, not the one at `offset`."""
    suspects: frozenset[int]
    """Offsets whose folding ended the process before: they go to exceptions (FOLD_FAILED) instead."""

    @property
    def rows(self) -> RowStore: ...

    careful: bool
    """A record of this partition ended the process before: fold one by one, so that the right one is named."""

    def emit(self, topic: str, key: str, record: Any, partition: int | None = None) -> None: ...

    def retire(self, topic: str, key: str) -> None:
        """A tombstone for what a compacted public topic tells under this key: the row that it came from goes."""
        ...

    def broadcast(self, topic: str, key: str, record: Any, partitions: int) -> None:
        """The same record to each of the topic's partitions 0 .. `partitions` - 1."""
        ...

    def decode(self, value: bytes) -> Any:
        """Raises schemas.codec.Malformed (data error) or UnknownSchema (the reader waits)."""
        ...

    def fields(self, value: bytes) -> tuple[str, dict[str, Any]]:
        """Like decode, without building the record."""
        ...

    def release(self, entry: Any) -> None:
        """Hand an outbox entry to the executor once this step is committed (delivery only)."""
        ...


class Topology(Protocol):
    """What folds must know of the installation: configurations by hash, and who feeds whom."""

    def configuration(self, hash_: str) -> Configuration:
        """From the topic `config`. Waits for it; a hash that never comes ends the process (CONFIG_MISSING)."""
        ...

    def upstreams(self, stage: str, configuration: Configuration) -> Sequence[str]:
        """Senders whose ticks a stage's clock of the plant waits for, from the catalog, not from who spoke."""
        ...

    def partitions(self, topic: str) -> int: ...

    @property
    def endpoints(self) -> Mapping[str, int]:
        """ERP endpoint -> partition of delivery.inbox."""
        ...


def sender(stage: str, topic: str, partition: int) -> str:
    """Name of one upstream: what ticks are signed with."""
    return f"{stage}/{topic}/{partition}"


def at_once(remembering: Iterator[None]) -> None:
    """A take-over that shares its thread with nobody."""
    for _ in remembering:
        continue
