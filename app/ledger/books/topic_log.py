"""The topics of an installation by offset: bounds, the offset of a moment, and what lies between two offsets. Reads only."""

import time
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from app.kafka.broker import Broker
from app.ledger.books.inputs import SourceExpired

READ_SECONDS = 60.0
"""How long a partition may give nothing before the question ends."""
REQUEST_SECONDS = 10.0
BATCH = 1000


class TopicLog:
    """Topics are named without the installation's prefix. Use it in a `with`."""

    def __init__(self, broker: Broker, prefix: str) -> None:
        self._prefix = prefix
        self._consumer = Consumer(
            broker.client(
                group_id=f"{prefix}trace",
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="error",
                enable_partition_eof=True,
                fetch_wait_max_ms=20,
                queued_max_messages_kbytes=16384,
            )
        )
        self._counts: dict[str, int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._consumer.close()

    def partitions(self, topic: str) -> int:
        """0: there is no such topic."""
        if self._counts is None:
            found = self._consumer.list_topics(timeout=REQUEST_SECONDS).topics
            self._counts = {name: len(one.partitions) for name, one in found.items()}
        return self._counts.get(self._prefix + topic, 0)

    def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """First offset that is kept, and the end."""
        low, high = self._consumer.get_watermark_offsets(TopicPartition(self._prefix + topic, partition), timeout=REQUEST_SECONDS)
        return int(low), int(high)

    def at_time(self, topic: str, partition: int, micros: int) -> int:
        """Offset of the first record whose broker time is not before; the end when there is none."""
        wanted = TopicPartition(self._prefix + topic, partition, max(0, micros // 1000))
        (found,) = self._consumer.offsets_for_times([wanted], timeout=REQUEST_SECONDS)
        return int(found.offset) if found.offset >= 0 else self.bounds(topic, partition)[1]

    def span(self, topic: str, partition: int, first: int, end: int) -> Iterator[Any]:
        """The committed records from `first` up to before `end`. Raises SourceExpired when `first` is gone, KafkaException."""
        if first >= end:
            return
        self._consumer.assign([TopicPartition(self._prefix + topic, partition, first)])
        deadline = time.monotonic() + READ_SECONDS
        while True:
            for message in self._consumer.consume(min(BATCH, end - first), 1.0):
                error = message.error()
                if error is None:
                    if message.offset() >= end:
                        return
                    first, deadline = message.offset() + 1, time.monotonic() + READ_SECONDS
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:
                    return
                elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                    raise SourceExpired(f"{topic}/{partition} does not keep offset {first} any more")
                else:
                    raise KafkaException(error)
            if first >= end:
                return
            if time.monotonic() > deadline:
                raise SourceExpired(f"{topic}/{partition} gives no records at {first}; check the broker and ask again")
