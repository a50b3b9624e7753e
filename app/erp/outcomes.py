"""Outcomes on their way back: records of delivery's own inbox, sent outside of its transactions."""

import threading
import time
from collections.abc import Callable
from typing import Any

from confluent_kafka import Producer

from app.engine.fatal import Exit, die
from schemas.codec import Codec

MAX_QUEUED = 10_000
DELIVERY_TIMEOUT_MS = 30_000
POLL_SECONDS = 0.05


def end_process(why: str) -> None:
    """An outcome that is not in the log must not be forgotten: after the restart its posting is unknown and found out."""
    die(Exit.OUTCOME_LOST, why)


class OutcomeProducer:
    """Sends records to one inbox partition: idempotent, acks=all, bounded. What cannot be delivered within
    DELIVERY_TIMEOUT_MS, or does not fit the queue that long, is handed to `lost` (default: the process ends)."""

    def __init__(
        self,
        client: dict[str, Any],
        codec: Codec,
        topic: str,
        partition: int,
        key: str,
        lost: Callable[[str], None] = end_process,
    ) -> None:
        """`client`: librdkafka settings of the broker. `topic` with the installation's prefix. `key`: the endpoint."""
        self._codec, self._topic, self._partition, self._key, self._lost = codec, topic, partition, key.encode(), lost
        self._producer = Producer(
            {
                **client,
                "enable.idempotence": True,
                "acks": "all",
                "compression.type": "lz4",
                "linger.ms": 2,
                "queue.buffering.max.messages": MAX_QUEUED,
                "delivery.timeout.ms": DELIVERY_TIMEOUT_MS,
            }
        )
        self._closing = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="erp-outcomes", daemon=True)
        self._poller.start()

    def send(self, record: Any) -> None:
        """Queue one record; returns at once unless the queue is full."""
        value = self._codec.encode(record)
        until = time.monotonic() + DELIVERY_TIMEOUT_MS / 1000
        while True:
            try:
                self._producer.produce(self._topic, value, self._key, partition=self._partition, on_delivery=self._delivered)
            except BufferError:
                if time.monotonic() > until:
                    self._lost(f"{self._topic}: the queue stayed full")
                    return
                self._producer.poll(POLL_SECONDS)
            else:
                return

    def close(self) -> None:
        """Wait until everything is delivered; what is not is lost."""
        left = self._producer.flush(DELIVERY_TIMEOUT_MS / 1000)
        self._closing.set()
        self._poller.join()
        if left:
            self._lost(f"{self._topic}: {left} outcomes undelivered")

    def _delivered(self, error: Any, message: Any) -> None:
        if error is not None:
            self._lost(f"{self._topic}: {error}")

    def _poll(self) -> None:
        while not self._closing.is_set():
            self._producer.poll(POLL_SECONDS)
