"""A broker that is away is told once a second, for all Kafka clients of this process together."""

import logging
import time
from collections.abc import Callable

CLIENTS = ("aiokafka", "faust", "kafka", "librdkafka")
"""Loggers of what talks to the broker. Their warnings come from each client, connection and attempt."""
LINE_SECONDS = 1.0


class BrokerLines(logging.Filter):
    """Lets one warning or error of CLIENTS pass in LINE_SECONDS; the next one says how many were left out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock, self._passed_at, self._left_out = clock, float("-inf"), 0

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or record.levelno >= logging.CRITICAL:
            return True
        if record.name.partition(".")[0] not in CLIENTS:
            return True
        now = self._clock()
        if now - self._passed_at < LINE_SECONDS:
            self._left_out += 1
            return False
        if self._left_out:
            record.detail = f"{self._left_out} further lines of Kafka clients were left out"
        self._passed_at, self._left_out = now, 0
        return True
