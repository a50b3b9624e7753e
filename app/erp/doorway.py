"""Where requests leave for an ERP: each one passes here, of every caller, and none goes around it.

The executor lets a call in and gives it a pass for its first request, which waits here only if the process stalled meanwhile.
What else the call needs (a login, the same request again), and what others ask (master data), waits here for its own turn.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple

import httpx

from app.erp.budget import Budget
from app.erp.retry_after import holds_all_ms
from app.erp.timebase import Timebase
from app.erp.window import Departure

MOST_WAIT_NS = 5_000_000_000
"""Longer than this, and an interval, a request does not wait inside a call that has a timeout of its own."""
POLL_NS = 20_000_000


@dataclass(slots=True)
class CallPass:
    """Of one call of the executor. `still`: asked again before a document leaves that had to wait."""

    still: Callable[[], bool]
    let_in: Departure
    used: bool = False
    withheld: bool = False
    """Its request was not made, for no fault of anybody: it is let in again later."""


CALL: ContextVar[CallPass | None] = ContextVar("erp_call", default=None)
"""The executor's call that the current task makes; None: of somebody else."""


class Passage(NamedTuple):
    """Of one request through the doorway. `own_place`: of those at a time, which `came_back` frees."""

    departure: Departure
    own_place: bool
    until: int = 0
    """By when it should be logged, for the quota."""


class NotLetOut(httpx.PoolTimeout):
    """Not a byte left."""


class Doorway:
    """The one place of an endpoint that counts what leaves. Outsiders take turns with the executor's calls."""

    def __init__(self, budget: Budget, time: Timebase) -> None:
        self.budget, self._time = budget, time
        self.on_hold: Callable[[], None] = lambda: None
        """Called when an answer asked everybody to wait."""

    async def let_out(self, document: bool) -> Passage:
        """Wait for the turn of one request; it counts from now on. Raises NotLetOut. `document`: it books something."""
        call = CALL.get()
        departure = None
        if call is not None and not call.used:
            call.used, departure = True, call.let_in
        own_place, now = call is None, self._time.monotonic_ns()
        if departure is None or self.budget.late_wait_ns(now, departure) != 0:
            now = await self._turn(departure, own_place)
            if call is not None and document and not call.still():
                raise self._not_let_out(call, "it is not wanted any more")
        if departure is None:
            departure = self.budget.let_out(now, own_place)
        departure.leaves(now, document)
        quota = self.budget.quota
        return Passage(departure, own_place, 0 if quota is None else quota.left())

    async def _turn(self, departure: Departure | None, own_place: bool) -> int:
        """Returns when it has come. Raises NotLetOut."""
        self.budget.outsiders += 1
        try:
            gives_up = self._time.monotonic_ns() + MOST_WAIT_NS + self.budget.interval_ns
            while (wait := self._wait_ns(now := self._time.monotonic_ns(), departure, own_place)) != 0:
                if now + (wait or POLL_NS) > gives_up:
                    raise self._not_let_out(CALL.get(), "the ERP's limit leaves no place for it now")
                await self._time.wait(asyncio.Event(), (wait or POLL_NS) / 1e9)
            return now
        finally:
            self.budget.outsiders -= 1

    def _wait_ns(self, now: int, departure: Departure | None, own_place: bool) -> int | None:
        if departure is None:
            return self.budget.outsider_wait_ns(now, own_place)
        return self.budget.late_wait_ns(now, departure)

    def gone(self, passage: Passage) -> None:
        """Its bytes have left the process."""
        passage.departure.gone(self._time.monotonic_ns())

    def came_back(self, passage: Passage, response: httpx.Response | None) -> None:
        """`response` None: there was none."""
        now = self._time.monotonic_ns()
        passage.departure.over(now, response is not None)
        if self.budget.quota is not None:
            self.budget.quota.came_back(passage.until)
        if passage.own_place:
            self.budget.unused()
        if response is not None and (wait_ms := holds_all_ms(response)) > 0:
            self.budget.hold(now + wait_ms * 1_000_000)
            self.on_hold()

    @staticmethod
    def _not_let_out(call: CallPass | None, why: str) -> NotLetOut:
        if call is not None:
            call.withheld = True
        return NotLetOut(why)
