"""Lets the wall clock into an idle intake: live, without lag, each second (docs/architecture.md, The clock is in the log)."""

import asyncio
import logging
import time
from bisect import bisect_right
from collections import deque
from typing import NamedTuple

from mode import Service

from app.engine.fetches import Fetch
from app.engine.stage import StageApp
from app.kafka.broker_clock import BrokerClock
from streams.intake.stage import IntakeStage

IDLE_SECONDS = 0.2
COMPARE_SECONDS, SOON_SECONDS = 60.0, 2.0
"""How often the host's clock is compared with the brokers'; sooner while they differ, or one of them has not answered."""
SAMPLES = 600
"""Two minutes: an answer that was asked for longer ago says nothing."""


class Sample(NamedTuple):
    """What the wall clock said (seconds since 1970) at a moment of the monotonic one."""

    monotonic: float
    wall: float


class WallClock:
    """The wall clock, which may run at most twice as fast as monotonic time: one wrong clock must not close every shift."""

    def __init__(self) -> None:
        self._anchor = (time.time(), time.monotonic())
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)

    def sample(self) -> float:
        wall, monotonic = self._anchor
        now = time.monotonic()
        bounded = min(time.time(), wall + 2 * (now - monotonic))
        self._anchor = (max(bounded, wall), now)
        self._samples.append(Sample(now, bounded))
        return bounded

    def at(self, monotonic: float) -> float | None:
        """The newest sample that is not younger than that moment; None: all are."""
        index = bisect_right(self._samples, monotonic, key=lambda sample: sample.monotonic)
        return self._samples[index - 1].wall if index else None


class IdleClock(Service):
    """A tick T leaves only after a fetch that was asked for after T and found nothing: all of the partition up to T is read.

    None leaves before the host's clock was compared with the brokers', nor while they differ by more than `clock.future`.
    """

    def __init__(self, app: StageApp, stage: IntakeStage, brokers: BrokerClock) -> None:
        super().__init__()
        self._app, self._stage, self._clock, self._brokers = app, stage, WallClock(), brokers

    @Service.task
    async def _tick(self) -> None:
        while not self.should_stop:
            await asyncio.sleep(IDLE_SECONDS)
            self.look()

    @Service.task
    async def _compare(self) -> None:
        while not self.should_stop:
            await self.compare()
            await self.sleep(COMPARE_SECONDS if self.agree else SOON_SECONDS)

    async def compare(self) -> None:
        """Ask the brokers what time they have. Who does not answer changes nothing: without fetches no tick leaves either."""
        try:
            ahead = await asyncio.get_running_loop().run_in_executor(None, self._brokers.host_is_ahead)
        except Exception as exc:
            logging.getLogger(__name__).warning("the brokers' clocks are not known: %s", exc)
            return
        self._app.clock_ahead = ahead
        if not self.agree:
            logging.getLogger(__name__).error(
                "CLOCKS_DIFFER: this host is %.1f s ahead of a broker; time waits while nothing arrives", ahead
            )

    @property
    def agree(self) -> bool:
        """Do host and brokers have about the same time?"""
        ahead = self._app.clock_ahead
        return ahead is not None and abs(ahead) * 1_000_000 <= self._stage.future_us

    def look(self) -> None:
        """Move every idle partition on, as far as the broker has confirmed that nothing came."""
        self._clock.sample()
        if not self.agree:
            return
        for tp, part in list(self._app.tables.parts.items()):
            if part.ready and not part.leaving:
                at = self._confirmed(self._app.consumer.fetches.newest(tp), part.position)
                if at is not None:
                    self._stage.idle(self._app.idle_step(part), int(at * 1_000_000))

    def _confirmed(self, fetch: Fetch | None, position: int) -> float | None:
        """Wall clock up to which nothing lies behind `position`; None: nobody knows."""
        if fetch is None or not fetch.empty or fetch.offset != position:
            return None
        return self._clock.at(fetch.asked)
