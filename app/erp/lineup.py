"""What waits for the budget: ordinary calls, and those of lanes that may not answer. Nothing waits in here."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from app.erp.budget import SUSPECT_SLOTS, Budget
from tables.delivery.outbox import Dispatch, ReadBack
from tables.invariant import InvariantBroken

MAX_QUEUED, MAX_SUSPECTS = 10_000, 1_000_000
"""Entries that wait. The fold dispatches documents of at most 2 x concurrency lanes that nothing is known against, and lets a
bounded number of lanes be unknown (tables/delivery/backlog.py), so more is a defect."""
FIRST_READ_BACK_NS = 2_000_000_000
OVERDUE_NS = 1_000_000_000
"""A call that takes longer may be one that never ends."""
TROUBLE_NS = 120_000_000_000
"""How long after an overdue call the places are still kept apart: the next ones hang one after the other."""


@dataclass(slots=True, frozen=True, eq=False)
class Work:
    partition: int
    entry: Dispatch | ReadBack
    deadline_ns: int = 0
    """Of a read-back: a call that starts later and finds nothing proves that nothing will be booked."""
    pause_ns: int = FIRST_READ_BACK_NS

    @property
    def suspect(self) -> bool:
        return isinstance(self.entry, ReadBack) or self.entry.resend or self.entry.suspect

    @property
    def proven(self) -> bool:
        return isinstance(self.entry, Dispatch) and self.entry.proven and not self.suspect


class Lineup:
    """Suspects come first when their share is due, and have no more than it. While calls are overdue, and for a while after, one
    place in four is for lanes that answered the last time: what hangs for the first time cannot take them all."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._ordinary: deque[Work] = deque()
        self._suspects: deque[Work] = deque()
        self._begun: dict[Work, int] = {}
        self._trouble_until = 0

    def __len__(self) -> int:
        return len(self._ordinary) + len(self._suspects)

    def add(self, work: Work) -> None:
        queue, most = self._queue_of(work)
        if len(queue) >= most:
            raise InvariantBroken("I8", "more entries than delivery's window allows")
        queue.append(work)

    def put_back(self, work: Work) -> None:
        """It was let in and not made: it is the next one again."""
        self._queue_of(work)[0].appendleft(work)

    def left(self) -> list[Work]:
        """Everything that waits, suspects first."""
        return [*self._suspects, *self._ordinary]

    def keep(self, partitions: Collection[int]) -> None:
        """What is of other partitions is not wanted any more."""
        self._ordinary = deque(work for work in self._ordinary if work.partition in partitions)
        self._suspects = deque(work for work in self._suspects if work.partition in partitions)

    def begun(self, work: Work, now: int) -> None:
        self._begun[work] = now

    def over(self, work: Work) -> None:
        self._begun.pop(work, None)

    def next(self, now: int) -> tuple[Work | None, int | None]:
        """The call whose turn it is; else nanoseconds until there may be one (None: not before a call ends or comes in)."""
        waits = []
        if self._suspects:
            wait = self._budget.suspect_wait_ns(now, alone=not self._ordinary)
            if wait == 0:
                return self._suspects.popleft(), 0
            waits.append(wait)
        if self._ordinary:
            wait, at = self._budget.wait_ns(now), self._first(now)
            if wait == 0 and at is not None:
                work = self._ordinary[at]
                del self._ordinary[at]
                return work, 0
            waits.append(wait if at is not None else None)
        return None, min((wait for wait in waits if wait is not None), default=None)

    def _first(self, now: int) -> int | None:
        """Which of the ordinary ones may go. None: the places that are left are for others."""
        calls = self._budget.calls
        places = calls - max(1, calls // SUSPECT_SLOTS)
        if any(now - since >= OVERDUE_NS for since in self._begun.values()):
            self._trouble_until = now + TROUBLE_NS
        if now >= self._trouble_until or not places or sum(not work.proven for work in self._begun) < places:
            return 0
        return next((at for at, work in enumerate(self._ordinary) if work.proven), None)

    def _queue_of(self, work: Work) -> tuple[deque[Work], int]:
        return (self._suspects, MAX_SUSPECTS) if work.suspect else (self._ordinary, MAX_QUEUED)
