"""The pulse of the event loop: a loop that hangs cannot say so itself, the metrics thread says it for it."""

import asyncio
import time

STAMP_SECONDS = 1.0
HANG_SECONDS = 90.0
"""Silence after which a process is not alive. Longer than anything that may hold the loop on purpose: a fold that needs a
configuration waits up to 60 s for it. A take-over lets it run between chunks of rows."""


class Heartbeat:
    """Stamped on the loop, read by any thread. Monotonic seconds."""

    def __init__(self, limit: float | None = None) -> None:
        """`limit`: HANG_SECONDS unless a test is in a hurry."""
        self._limit = HANG_SECONDS if limit is None else limit
        self.stamp()

    def stamp(self) -> None:
        self._at = time.monotonic()

    async def beat(self) -> None:
        """Runs as long as the loop does."""
        while True:
            self.stamp()
            await asyncio.sleep(STAMP_SECONDS)

    def hangs_for(self) -> float:
        """Seconds for which the loop has been silent, when that is longer than the limit; else 0.0."""
        silent = time.monotonic() - self._at
        return silent if silent > self._limit else 0.0
