"""The part of an ERP's quotas that this executor has: taken out in delivery's state (tables/delivery/quota_book.py), then used.

It is asked for in blocks, while somebody wants to call, and each block is used within its time or given back. Times are UTC
microseconds of a clock that goes on while the machine sleeps. Nothing waits in here.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from uuid import uuid4

import structlog

from app.erp.timebase import Timebase
from schemas.configuration.erp import Endpoint
from schemas.records import QuotaAsked, QuotaLimit, QuotaUse
from tables.delivery.outbox import Granted
from tables.delivery.posting_state import ERP_QUOTA
from tables.delivery.quota_book import slice_us, use_until

SHARE_AHEAD, SECONDS_AHEAD = 20, 5
"""A block is one of so many parts of the quota, and no more than so long lasts at the full rate: what a kill costs at most is
two of them."""
OVERDRAWN_US = 1_000_000
"""Time that is used beyond what was taken out is told in steps of it: what a kill leaves untold."""
LOOK_SECONDS, SPENT_LOOK_SECONDS = 0.5, 30.0
"""How often the time of what is in flight is looked at, and whether the quota is still used up."""


class Purse:
    """What is in hand of one resource, by the end of its use. `size`: of a block; 0: the resource is not limited."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.blocks: dict[int, int] = {}
        self.overdrawn = 0
        self.again = 0
        """The last question brought less than it asked for, and there is no more before; 0: it brought everything."""

    def enough(self) -> bool:
        return not self.size or any(self.blocks.values())

    def wanted(self, now: int, until: int) -> int:
        """What to ask for: a block, when there is little that may still be used after `until`."""
        left = sum(left for end, left in self.blocks.items() if end > until)
        return self.size if now >= self.again and left <= self.size // 2 else 0

    def use(self, amount: int) -> int:
        """Returns by when what was used had to be; 0: it was not in hand, or not limited."""
        if not self.size:
            return 0
        last = 0
        for end in sorted(self.blocks):
            used = min(amount, self.blocks[end])
            self.blocks[end] -= used
            amount -= used
            last = end if used else last
        self.overdrawn += amount
        return 0 if amount else last

    def add(self, until: int, amount: int, again: int) -> None:
        self.again = again
        self.blocks[until] = self.blocks.get(until, 0) + amount
        overdrawn, self.overdrawn = self.overdrawn, 0
        self.use(overdrawn)

    def out_of_time(self, now: int) -> dict[int, int]:
        """Blocks that must not be used any more; they leave the hand."""
        ended = {end: left for end, left in self.blocks.items() if end <= now}
        for end in ended:
            del self.blocks[end]
        if any(ended.values()):
            self.again = 0  # it comes free
        return {end: left for end, left in ended.items() if left}


class QuotaInHand:
    """`limits`: not empty. Without `begin` nothing is asked for, so nothing leaves."""

    def __init__(self, limits: Sequence[QuotaLimit], calls_per_second: Fraction, concurrency: int) -> None:
        self._limits = list(limits)
        self._per_us = min(limit.per_us for limit in limits)
        at_rate = calls_per_second * SECONDS_AHEAD
        calls = _block([limit.calls for limit in limits], -(-at_rate.numerator // at_rate.denominator))
        time = _block([limit.processing_us for limit in limits], concurrency * SECONDS_AHEAD * 1_000_000)
        self._calls, self._time = Purse(calls), Purse(time)
        self._owner, self._number = uuid4().hex[:12], 0
        self._asked = False
        """A question is on its way."""
        self._wants = 0, 0
        """What it wants."""
        self._corrections: list[QuotaUse] = []
        self._in_flight = 0
        self._looked = self._told = 0
        self._send: Callable[[QuotaAsked], None] | None = None
        self._clock: Callable[[], int] = lambda: 0

    @classmethod
    def of(cls, erp: Endpoint) -> "QuotaInHand | None":
        limits = [QuotaLimit(one.per_us, one.calls, one.processing_us) for one in erp.quota]
        return cls(limits, erp.calls_per_second, erp.concurrency) if limits else None

    # -- from the executor

    def begin(
        self, send: Callable[[QuotaAsked], None], time: Timebase, wall_us: int, before: "QuotaInHand | None" = None
    ) -> None:
        """`send`: into delivery's inbox. `wall_us`: UTC now; from here on by the machine's own time. `before`: another one for
        this endpoint, which has given back what it had. What was asked for earlier and may still come is given back, too."""
        base = wall_us - int(time.boottime() * 1e6)
        self._send, self._clock = send, lambda: base + int(time.boottime() * 1e6)
        if before is not None:
            self._owner, self._number = before._owner, before._number
            self._corrections += before._corrections
        self._asked, self._number = False, self._number + 1
        self._calls.again = self._time.again = 0
        self._looked = self._clock()

    def granted(self, entry: Granted) -> None:
        """Taken out, and committed. What is another's is not used here; what is not waited for any more is given back."""
        if entry.owner != self._owner:
            return
        if entry.number != self._number or not self._asked:
            self._correct(entry.until, -entry.calls, -entry.processing_us)
            return
        self._asked = False
        if self._wants[0]:
            self._calls.add(entry.until, entry.calls, entry.calls_again)
        if self._wants[1]:
            self._time.add(entry.until, entry.processing_us, entry.processing_again)

    def give_back(self) -> None:
        """Everything that is in hand: nothing is called from here any more."""
        if self._send is None:
            return
        self._look()
        for purse, of in ((self._calls, 0), (self._time, 1)):
            for until, left in purse.blocks.items():
                self._correct(until, *((-left, 0) if of == 0 else (0, -left)))
            purse.blocks.clear()
        if self._corrections or self._overdrawn:
            self._ask(0, 0)
        self._send = None

    # -- who wants to leave

    def wait_ns(self) -> int | None:
        """0: a request may leave now. Else nanoseconds to wait; None: until an answer to a question comes."""
        self._look()
        self._fill()
        if self._calls.enough() and self._time.enough():
            return 0
        if self._asked or self._send is None:
            return None
        again = max(purse.again for purse in (self._calls, self._time) if not purse.enough())
        return max(1, again - self._clock()) * 1_000

    def left(self) -> int:
        """A request passes the doorway. Returns by when it should have been in the ERP's log, for `came_back`."""
        self._look()
        self._in_flight += 1
        return self._calls.use(1) or self._clock()

    def came_back(self, until: int) -> None:
        """Answered, or given up. Of one that took so long nobody knows when it was logged: it counts again, from now on."""
        self._look()
        self._in_flight -= 1
        if self._clock() > until + slice_us(self._per_us):
            self._calls.use(1)

    def tend(self, calling: bool) -> float | None:
        """Seconds until this is looked at again; None: there is no reason to. What is in flight takes time, and what is used up
        comes back."""
        if calling and self._time.size:
            self._look()
            self._fill()
            return LOOK_SECONDS
        return SPENT_LOOK_SECONDS if self._spent else None

    def told_spent(self, waiting: int) -> bool:
        """Used up, and coming back bit by bit: a line of the process's log, at most one in its span. `waiting`: lanes."""
        spent, now = self._spent, self._clock()
        if spent and now >= self._told + self._per_us:
            self._told = now
            structlog.get_logger(__name__).warning("erp_quota_used_up", code=ERP_QUOTA, detail=f"{waiting} lanes wait")
        return spent

    @property
    def _spent(self) -> bool:
        return max(self._calls.again, self._time.again) + 2 * slice_us(self._per_us) > self._clock()

    # -- bookkeeping

    def _look(self) -> None:
        now = self._clock()
        self._time.use(self._in_flight * max(0, now - self._looked))
        self._looked = max(self._looked, now)
        calls, time = self._calls.out_of_time(now), self._time.out_of_time(now)
        for until in calls.keys() | time.keys():
            self._correct(until, -calls.get(until, 0), -time.get(until, 0))

    def _fill(self) -> None:
        """Ask for more when little is left; of what is used up not before some of it comes back."""
        if self._asked:
            return
        now = self._clock()
        until = now + slice_us(self._per_us) // 2
        calls, time = self._calls.wanted(now, until), self._time.wanted(now, until)
        if calls or time or self._calls.overdrawn or self._time.overdrawn >= OVERDRAWN_US:
            self._ask(calls, time)

    @property
    def _overdrawn(self) -> bool:
        return self._calls.overdrawn + self._time.overdrawn > 0

    def _ask(self, calls: int, time: int) -> None:
        if self._send is None:
            return
        now = self._clock()
        until = use_until(now, self._per_us)
        if self._overdrawn:
            self._correct(until, self._calls.overdrawn, self._time.overdrawn)
            self._calls.overdrawn = self._time.overdrawn = 0
        corrections, self._corrections = self._corrections, []
        self._asked, self._number, self._wants = True, self._number + 1, (calls, time)
        self._send(QuotaAsked(self._owner, self._number, now, until, calls, time, self._limits, corrections))

    def _correct(self, until: int, calls: int, processing_us: int) -> None:
        if calls or processing_us:
            self._corrections.append(QuotaUse(until, calls, processing_us))


def _block(limits: Sequence[int], most: int) -> int:
    smallest = min((limit for limit in limits if limit), default=0)
    return min(max(1, smallest // SHARE_AHEAD), most) if smallest else 0
