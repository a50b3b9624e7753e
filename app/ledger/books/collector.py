"""Follows the changelogs of a run: positions for pacing, rows for the ledger. Works on any broker, by reading only."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from app.engine.rows import POSITION_KEY
from app.kafka.broker import Broker
from app.kafka.metadata import partitions_of
from schemas.codec import Codec
from schemas.records import ExceptionRecord, LetterSettled, PartitionPosition
from schemas.topics import EXCEPTIONS
from tables.delivery import closed_sequences
from tables.row_kinds import CLOSED_ACCOUNT_ROWS, POSTING_ROWS, Row, RowKind

REQUEST_SECONDS = 10.0
MOVED = frozenset(
    {
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
    }
)
"""What a broker says to who knows an earlier leader of a partition: the metadata are to be asked for again."""
TRIES = 5
_POSITION = POSITION_KEY.encode()


def end_offsets(admin: AdminClient, partitions: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """End of the log of each (topic, partition), in one request per broker. Raises KafkaException."""
    wanted = {TopicPartition(*tp): OffsetSpec.latest() for tp in partitions}
    found = admin.list_offsets(wanted, request_timeout=REQUEST_SECONDS)
    return {(tp.topic, tp.partition): _end(admin, tp, future) for tp, future in found.items()}


def _end(admin: AdminClient, tp: TopicPartition, answer: Any) -> int:
    """librdkafka may send a request for several partitions with the leader epoch of another one: then it is asked for alone."""
    for left in reversed(range(TRIES)):
        try:
            return int(answer.result(REQUEST_SECONDS).offset)
        except KafkaException as error:
            if error.args[0].code() not in MOVED or not left:
                raise
        admin.list_topics(tp.topic, timeout=REQUEST_SECONDS)
        (answer,) = admin.list_offsets({tp: OffsetSpec.latest()}, request_timeout=REQUEST_SECONDS).values()
    raise AssertionError("unreachable")


class LedgerTrimmed(RuntimeError):
    """The broker dropped rows before they were read (embedded: about 5 MB per partition)."""

    code = "LEDGER_TRIMMED"


class PartitionedRows:
    """Newest rows of one changelog by key. A key may stand in several of its partitions: each ERP endpoint knows which lots are
    on hold, and what one endpoint forgets because it went to another one is there."""

    def __init__(self, joined: Callable[[bytes, bytes, bytes], bytes] = lambda key, one, other: other) -> None:
        """`joined`: of a key and its rows in two partitions, what is told."""
        self._of: dict[int, dict[bytes, bytes]] = {}
        self._joined = joined

    def take(self, partition: int, key: bytes, value: bytes | None) -> None:
        """None: the partition has it no more."""
        rows = self._of.setdefault(partition, {})
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = value

    def by_partition(self, start: bytes = b"") -> dict[int, dict[bytes, bytes]]:
        """Those whose key begins like this."""
        rows = {partition: found.copy() for partition, found in sorted(self._of.copy().items())}
        if not start:
            return rows
        return {at: {key: value for key, value in found.items() if key.startswith(start)} for at, found in rows.items()}

    def all(self, start: bytes = b"", last: int = -1) -> dict[bytes, bytes]:
        """The same, together. `last`: the partition that is added to the others last, so that its rows hold; -1: the last one."""
        found: dict[bytes, bytes] = {}
        for _, rows in sorted(self.by_partition(start).items(), key=lambda each: (each[0] == last, each[0])):
            both = {key: self._joined(key, found[key], rows[key]) for key in found.keys() & rows.keys()}
            found.update(rows)
            found.update(both)
        return found


class Collector:
    """Newest committed row per (stage, key), exceptions, and the position of every stage partition.

    stages: name -> changelog topic. Thread-safe to read; rows stay encoded until somebody asks.
    """

    def __init__(self, broker: Broker, codec: Codec, prefix: str, stages: Mapping[str, str], from_start: bool = True) -> None:
        """`from_start`: all that was ever written must still be there (a run's topics); else what the topics hold."""
        self._codec, self._prefix = codec, prefix
        self._stage_of = {prefix + topic: stage for stage, topic in stages.items()}
        self._exceptions_topic = prefix + EXCEPTIONS
        self._rows = {stage: PartitionedRows(self._joined) for stage in stages}
        self._positions: dict[str, dict[int, PartitionPosition]] = {stage: {} for stage in stages}
        self._letters: list[bytes] = []
        self._read: dict[tuple[str, int], int] = {}
        self._failed: Exception | None = None
        self._stop = threading.Event()
        self._consumer = Consumer(
            broker.client(
                group_id=f"{prefix}collector",
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="error",
                enable_partition_eof=True,
                fetch_wait_max_ms=20,
                queued_max_messages_kbytes=65536,
            )
        )
        topics = [*self._stage_of, self._exceptions_topic]
        metadata = [(topic, partitions_of(self._consumer, topic)) for topic in topics]
        begin = 0 if from_start else OFFSET_BEGINNING
        self._consumer.assign([TopicPartition(topic, partition, begin) for topic, found in metadata for partition in found])
        self._partitions = [(topic, partition) for topic, found in metadata for partition in found]
        self._admin = broker.admin()
        self._thread = threading.Thread(target=self._follow, name="collector", daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        try:
            while not self._stop.is_set():
                for message in self._consumer.consume(2000, 0.05):
                    self._take(message)
        except Exception as exc:
            self._failed = exc

    def _take(self, message: Any) -> None:
        error = message.error()
        tp = (message.topic(), message.partition())
        if error is not None:
            if error.code() == KafkaError._PARTITION_EOF:
                self._read[tp] = max(self._read.get(tp, 0), message.offset())  # behind commit markers, too
                return
            if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                raise LedgerTrimmed(f"{message.topic()}: {error}")
            if error.fatal() or not error.retriable():
                raise KafkaException(error)
            return
        self._read[tp] = message.offset() + 1
        stage = self._stage_of.get(message.topic())
        if stage is None:
            self._letters.append(message.value())
        elif message.key() == _POSITION:
            self._positions[stage][message.partition()] = self._codec.decode(message.value())
            self._rows[stage].take(message.partition(), b"%s/%d" % (_POSITION, message.partition()), message.value())
        else:
            self._rows[stage].take(message.partition(), message.key(), message.value())

    def check(self) -> None:
        """Raises what went wrong in the background."""
        if self._failed is not None:
            raise self._failed

    def positions(self, stage: str) -> dict[int, PartitionPosition]:
        return dict(self._positions[stage])

    def rows(self, stage: str) -> dict[str, Any]:
        """Decoded rows of a stage, in key order."""
        return self._decoded(stage, b"")

    def of(self, kind: RowKind[Row]) -> list[Row]:
        """Decoded rows of one kind, in key order."""
        return list(self.by_key(kind).values())

    def by_key(self, kind: RowKind[Row]) -> dict[str, Row]:
        """The same, with their keys."""
        return self._decoded(kind.stages[0], kind.prefix.encode())

    def _decoded(self, stage: str, start: bytes) -> dict[str, Any]:
        return self.decoded(self._rows[stage].all(start))

    def decoded(self, rows: Mapping[bytes, bytes]) -> dict[str, Any]:
        """Rows of `encoded`, in key order."""
        return {key.decode(): self._codec.decode(value) for key, value in sorted(rows.items())}

    def encoded(self, posts_at: int = -1) -> dict[str, dict[bytes, bytes]]:
        """Rows as they are stored, by stage. `posts_at`: delivery's partition whose view of the lots holds: offsets of others say
        nothing about its postings."""
        return {stage: rows.all(last=posts_at if stage == "delivery" else -1) for stage, rows in self._rows.items()}

    def posts_at(self, plant: str) -> int:
        """Delivery's partition that has the newest posting of the plant; -1: it has none."""
        there = self._rows["delivery"].by_partition(POSTING_ROWS.prefix.encode())
        there = {partition: rows for partition, rows in there.items() if rows}
        if len(there) < 2:
            return min(there, default=-1)
        newest = {
            max((row.posting.cut for row in self.decoded(rows).values() if row.posting.plant == plant), default=-1): partition
            for partition, rows in there.items()
        }
        return newest[max(newest)] if max(newest) >= 0 else -1

    def _joined(self, key: bytes, one: bytes, other: bytes) -> bytes:
        """Which sequences are in the ERP is known to each endpoint of its own; everything else of the other."""
        if not key.startswith(CLOSED_ACCOUNT_ROWS.prefix.encode()):
            return other
        return self._codec.encode(closed_sequences.together(self._codec.decode(one), self._codec.decode(other)))

    def exceptions(self) -> list[ExceptionRecord | LetterSettled]:
        """Dead letters and what became of them."""
        return [self._codec.decode(value) for value in list(self._letters)]

    def encoded_exceptions(self) -> Sequence[bytes]:
        return list(self._letters)

    def settle(self, at_most: float = 10.0) -> bool:
        """Wait until nothing more arrives: everything that was committed before the call has been read. False: not in time."""
        deadline = time.monotonic() + at_most
        while time.monotonic() < deadline:
            self.check()
            if self._caught_up():
                return True
            time.sleep(0.02)
        return False

    def _caught_up(self) -> bool:
        ends = end_offsets(self._admin, self._partitions)
        return all(end <= self._read.get(tp, 0) for tp, end in ends.items())

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)
        self._consumer.close()
