"""The executor's time, as a port: tests bring a clock that they move by hand."""

import asyncio
import contextlib
import time
from typing import Protocol


class Timebase(Protocol):
    def monotonic_ns(self) -> int: ...

    def boottime(self) -> float:
        """Seconds, going on while the machine or the process is suspended: what leases are measured with."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        """Until the event is set, or this long (None: for ever)."""
        ...


def wall_clock_us() -> int:
    """UTC microseconds: only for what another machine has to understand."""
    return time.time_ns() // 1_000


class SystemTime:
    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def boottime(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)
