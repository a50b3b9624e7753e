"""Reads what a run publishes as telemetry, so that its requests to the ERP can be searched for it."""

import threading
import time

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from app.erp.telemetry_check import SeenTelemetry
from app.kafka.broker import Broker
from app.kafka.metadata import partitions_of
from app.ledger.books.collector import end_offsets
from schemas.codec import Codec
from schemas.topics import TELEMETRY_PROCESS

SETTLE_SECONDS = 30.0


class TelemetryReader:
    """Follows the topic in a thread. On the embedded broker, which drops what is old, it may skip some: names come again."""

    def __init__(self, broker: Broker, codec: Codec, prefix: str) -> None:
        self.seen = SeenTelemetry()
        self._codec, self._topic = codec, prefix + TELEMETRY_PROCESS
        self._consumer = Consumer(
            broker.client(
                group_id=f"{prefix}telemetry-check",
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                enable_partition_eof=True,
            )
        )
        found = partitions_of(self._consumer, self._topic)
        self._partitions = [(self._topic, partition) for partition in found]
        self._consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in self._partitions])
        self._admin = AdminClient(broker.client())
        self._read: dict[tuple[str, int], int] = {}
        self._failed: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="telemetry", daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        try:
            while not self._stop.is_set():
                for message in self._consumer.consume(2000, 0.2):
                    at = message.topic(), message.partition()
                    error = message.error()
                    if error is None:
                        _, value = self._codec.fields(message.value())
                        self.seen.note(value["name"], value["value"])
                        self._read[at] = message.offset() + 1
                    elif error.fatal():
                        raise KafkaException(error)
                    elif message.offset() is not None:
                        self._read[at] = max(self._read.get(at, 0), message.offset())
        except Exception as exc:
            self._failed = exc

    def settle(self) -> SeenTelemetry:
        """What was published until now. Raises what went wrong in the thread."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            if self._failed is not None:
                raise self._failed
            if all(end <= self._read.get(at, 0) for at, end in end_offsets(self._admin, self._partitions).items()):
                break
            time.sleep(0.02)
        return self.seen

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)
        self._consumer.close()
