"""Outcomes on their way back: records of delivery's own inbox, sent outside of its transactions."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from confluent_kafka import Producer

from app.fatal import Exit, die
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
        self._behind: deque[tuple[bytes, float]] = deque()
        """Encoded records that found the queue full, each with the time until which it may wait."""
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="erp-outcomes", daemon=True)
        self._poller.start()

    def send(self, record: Any) -> None:
        """Queue one record, in order. Returns at once: it is called on the event loop, where heartbeats must go on. What finds
        the queue full goes in as soon as there is room."""
        value = self._codec.encode(record)
        with self._lock:
            if not self._behind and self._produced(value):
                return
            self._behind.append((value, time.monotonic() + DELIVERY_TIMEOUT_MS / 1000))
            full = len(self._behind) > MAX_QUEUED
        if full:
            self._lost(f"{self._topic}: {MAX_QUEUED} outcomes found the queue full")

    def _produced(self, value: bytes) -> bool:
        """False: the queue is full."""
        try:
            self._producer.produce(self._topic, value, self._key, partition=self._partition, on_delivery=self._delivered)
        except BufferError:
            return False
        return True

    def _catch_up(self) -> None:
        """Put what found the queue full into it, as far as there is room."""
        with self._lock:
            while self._behind and self._produced(self._behind[0][0]):
                self._behind.popleft()
            late = bool(self._behind) and time.monotonic() > self._behind[0][1]
            if late:
                self._behind.clear()
        if late:
            self._lost(f"{self._topic}: the queue stayed full")

    def close(self) -> None:
        """Wait until everything is delivered; what is not is lost."""
        while self._behind:
            self._producer.poll(POLL_SECONDS)
            self._catch_up()
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
            self._catch_up()
