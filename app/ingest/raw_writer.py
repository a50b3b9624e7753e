"""Writes the records of files into a raw topic, with their places in the files."""

import time
from collections.abc import Callable, Iterable

from confluent_kafka import KafkaException, Producer

from app.kafka.broker import Broker, BrokerUnavailable
from app.kafka.metadata import TopicMissing, partitions_of
from app.kafka.topic_plan import MAX_BATCH_BYTES
from streams.intake.raw_headers import POSITION_HEADER
from streams.mapping import RawRecord

TIMEOUT_S = 30.0
LOOK_S = 0.5
STOP_S = 5.0
"""How long a stop waits for the broker's answers."""
QUEUE_RECORDS = 100_000


class RawNotWritten(RuntimeError):
    """The broker did not take every record of a file; it is written again from its beginning."""

    code = "RAW_NOT_WRITTEN"


class RawWriter:
    """All records of a source go to one partition, in their order: where a source has neither sequence numbers nor exact times,
    that order decides. Repeats are harmless: ids of events come from content, fields or position, and none of them changes."""

    def __init__(self, broker: Broker, topic: str, stopped: Callable[[], bool] = lambda: False) -> None:
        self._topic, self._stopped = topic, stopped
        self._failed: list[str] = []
        self._producer = Producer(
            broker.client(
                enable_idempotence=True,
                compression_type="lz4",
                linger_ms=5,
                partitioner="murmur2_random",
                delivery_timeout_ms=int(TIMEOUT_S * 1000),
                queue_buffering_max_messages=QUEUE_RECORDS,
                message_max_bytes=MAX_BATCH_BYTES,
            )
        )

    def partitions(self) -> int:
        """Of the topic; 0: it does not exist. Raises RawNotWritten when no broker answers, BrokerRefused."""
        try:
            return len(partitions_of(self._producer, self._topic))
        except TopicMissing:
            return 0
        except BrokerUnavailable as wrong:
            raise RawNotWritten(str(wrong)) from wrong
        except KafkaException as wrong:
            raise RawNotWritten(f"no broker answers: {wrong.args[0]}") from wrong

    def write(self, records: Iterable[RawRecord]) -> int:
        """Returns how many, once all of them are in the log. Raises RawNotWritten."""
        self._failed.clear()
        count = 0
        for record in records:
            self._produce(record)
            count += 1
        left = self._flushed()
        if left or self._failed:
            self._producer.purge()
            self._producer.flush(1.0)
            raise RawNotWritten(
                f"{left + len(self._failed)} of {count} records: {self._failed[0] if self._failed else 'timeout'}"
            )
        return count

    def _flushed(self) -> int:
        """Records that the broker has not taken within TIMEOUT_S, or STOP_S of a stop."""
        began = time.monotonic()
        while left := int(self._producer.flush(LOOK_S)):
            if time.monotonic() - began >= (STOP_S if self._stopped() else TIMEOUT_S):
                break
        return left

    def _produce(self, record: RawRecord) -> None:
        headers = [(POSITION_HEADER, f"{record.raw_source}:{record.raw_offset}".encode())]
        while True:
            try:
                self._producer.produce(
                    self._topic, record.value, key=record.source.encode(), headers=headers, on_delivery=self._delivered
                )
            except BufferError:
                self._producer.poll(0.05)
                if self._stopped():
                    raise RawNotWritten("a stop came while the broker took no records") from None
            else:
                self._producer.poll(0)
                return

    def _delivered(self, error: object, message: object) -> None:
        if error is not None:
            self._failed.append(str(error))
