"""The executor: the only code that makes something happen in an ERP, and only for committed outbox entries.

It decides nothing about postings. What it learns goes back into delivery's inbox as AttemptEnded and TimerFired; a crash
between a call and its record leaves the posting dispatched, hence unknown for the next owner of the partition.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from app.erp.asking import asked, attempt_end
from app.erp.budget import MAX_PAUSE_MS, Budget
from app.erp.documents import document_for
from app.erp.doorway import CALL, CallPass
from app.erp.last_look import withheld
from app.erp.lineup import Lineup, Work
from app.erp.metrics import ErpMetrics
from app.erp.outage import ErpOutage
from app.erp.outcomes import end_process
from app.erp.own_erp import OwnErp
from app.erp.port import Answer, ErpAdapter
from app.erp.timebase import SystemTime, Timebase, wall_clock_us
from app.erp.window import Departure
from schemas.configuration import Configuration
from schemas.records import AttemptEnded, ErpHeld, PostingRow, QuotaAsked, TimerFired
from tables.delivery.backlog import lane_of
from tables.delivery.outbox import Dispatch, Entry, ErpAway, Granted, HeldUntil, Paused, ReadBack, Timer
from tables.delivery.posting_state import (
    DISPATCHED,
    DOCUMENT_SPLIT,
    FOREIGN,
    HORIZON_PASSED,
    STOCK_SHORT,
    UNKNOWN,
)

LEASE_POLL_SECONDS = 0.1
MOST_READ_BACK_NS = 15_000_000_000
PROBE = "PROBE"
"""What the ERP is asked for when nothing else may be: no posting has this id, so that it is not found is an answer."""
MAINTENANCE_POLL_SECONDS = 30.0
"""The wall clock may be set: a window's end is looked at again at least this often."""
CANCEL_SECONDS = 0.2
CALL_GRACE_SECONDS = 5.0
"""Beyond the adapter's own timeout: an adapter that hangs must not hold its lane for ever."""


@dataclass(slots=True, frozen=True)
class ExecutorSettings:
    session_timeout: float
    """Seconds, of the consumer group: half of it is the lease, all of it is part of the read-back horizon."""


class Executor:
    def __init__(
        self,
        adapter: ErpAdapter,
        budget: Budget,
        settings: ExecutorSettings,
        *,
        send: Callable[[AttemptEnded | TimerFired | ErpHeld | QuotaAsked], None],
        peek: Callable[[str], PostingRow | None],
        configuration: Callable[[str], Configuration],
        own: OwnErp,
        last_good: Callable[[], float],
        maintenance: Callable[[], float] = lambda: 0.0,
        metrics: ErpMetrics,
        time: Timebase | None = None,
        fatal: Callable[[str], None] = end_process,
        wall_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        """`send`: into delivery's inbox, does not block. `peek`: the posting's row as folded so far, by posting id.
        `configuration`: by hash. `own`: for which plants the adapter is the right one.
        `last_good`: CLOCK_BOOTTIME seconds of the last good commit or heartbeat.
        `maintenance`: seconds until the ERP may be called again; 0: now.
        `wall_us`: UTC, for what a successor has to know.
        `fatal`: called for a defect of the executor itself; without it postings would wait for ever."""
        self._adapter, self._budget, self._quota, self._settings = adapter, budget, budget.quota, settings
        self._send, self._peek, self._configuration, self._last_good = send, peek, configuration, last_good
        self._own, self._maintenance = own, maintenance
        self._metrics, self._time, self._fatal, self._wall_us = metrics, time or SystemTime(), fatal, wall_us
        self._lineup = Lineup(budget)
        self._timers: list[tuple[int, int, int, Timer | Work]] = []
        self._order = itertools.count()
        self._reading: dict[str, tuple[int, int]] = {}
        """Posting id -> (partition, attempt) that is being read back."""
        self._owned: set[int] = set()
        self._calls: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._told_held = 0
        """When everybody may call again, as told."""
        self._outage = ErpOutage(send, wall_us)
        self._pump: asyncio.Task[None] | None = None

    # -- from the stage

    def taken_over(self, partition: int) -> None:
        """The predecessor may have called a moment ago: the budget pauses longer than its window."""
        self._owned.add(partition)
        self._budget.pause(self._time.monotonic_ns())
        self._told_held = self._budget.held_until  # of this pause nobody else needs to know
        if self._quota is not None:
            self._quota.begin(self._send, self._time, self._wall_us())

    def left(self, partition: int) -> None:
        """Start nothing more for this partition. Calls in flight end, and their outcomes are still told."""
        self._owned.discard(partition)
        self._lineup.keep(self._owned)
        self._timers = [timer for timer in self._timers if timer[2] in self._owned]
        heapq.heapify(self._timers)
        self._reading = {name: reading for name, reading in self._reading.items() if reading[0] in self._owned}
        self._show()

    def _show(self) -> None:
        """Queue, rate and circuit are the owner's: without the endpoint there are none."""
        ours = bool(self._owned)
        self._metrics.queued.set(len(self._lineup))
        self._metrics.rate.set(float(self._budget.rate) if ours else 0.0)
        self._metrics.open.set(ours and self._budget.open)
        self._metrics.spent.set(ours and self._quota is not None and self._quota.told_spent(len(self._lineup)))

    def accept(self, partition: int, entries: Sequence[Entry]) -> None:
        """Committed outbox entries (StageApp.on_released)."""
        now = self._time.monotonic_ns()
        for entry in entries:
            match entry:
                case HeldUntil():
                    ahead_ns = min((entry.until - self._wall_us()) * 1_000, MAX_PAUSE_MS * 1_000_000)
                    self._budget.hold(now + ahead_ns)
                    self._told_held = max(self._told_held, self._budget.held_until)
                case ErpAway():
                    self._outage.since = entry.since
                    self._budget.circuit.away(now)
                case Paused():
                    self._budget.paused = entry.paused
                case Granted() if self._quota is not None:
                    self._quota.granted(entry)
                case Timer():
                    self._at(now + entry.delay_us * 1_000, partition, entry)
                case Dispatch():
                    self._lineup.add(Work(partition, entry))
                case ReadBack() if self._reading.get(entry.posting_id) != (partition, entry.attempt):
                    self._reading[entry.posting_id] = partition, entry.attempt
                    self._lineup.add(Work(partition, entry, now + self._horizon_ns(entry.posting_id)))
        self._wake.set()

    def start(self) -> None:
        self._pump = asyncio.get_running_loop().create_task(self._run(), name="erp-executor")
        self._pump.add_done_callback(self._watch)

    async def close(self) -> None:
        """Start nothing more; wait for calls in flight up to their timeout, then let go of them (unknown to a successor)."""
        while self._pump is not None and not self._pump.done():
            self._pump.cancel()  # again: `wait_for` of Python 3.11 swallows one that comes with its own timeout
            await asyncio.wait({self._pump}, timeout=CANCEL_SECONDS)  # how it ended, `_watch` has told
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=self._call_seconds)
            for task in late:
                task.cancel()
        if self._quota is not None:
            self._quota.give_back()
        await self._adapter.close()

    def go_on(self, other: "Executor") -> None:
        """Take over what waits in another one, which has been closed: the endpoint has another adapter now."""
        self._owned, self._timers, self._reading = set(other._owned), list(other._timers), dict(other._reading)
        self._outage.since = other._outage.since
        for work in other._lineup.left():
            self._lineup.add(work)
        self._budget.pause(self._time.monotonic_ns())
        self._budget.hold(other._budget.held_until)
        self._budget.paused = other._budget.paused
        if self._quota is not None:
            self._quota.begin(self._send, self._time, self._wall_us(), other._quota)
        self._told_held = self._budget.held_until
        self._wake.set()

    # -- what is next

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            await self._time.wait(self._wake, self._turn())

    def _turn(self) -> float | None:
        """Do what can be done now. Returns the seconds until there may be more; None: not before something happens."""
        now = self._time.monotonic_ns()
        while self._timers and self._timers[0][0] <= now:
            _, _, _, due = heapq.heappop(self._timers)
            if isinstance(due, Timer):
                self._send(TimerFired(due.posting_id, due.attempt, "retry"))
            else:
                self._lineup.add(due)
        delays = [(self._timers[0][0] - now) / 1e9] if self._timers else []
        pause = self._maintenance() if self._lineup else 0.0
        if pause > 0:
            delays.append(min(pause, MAINTENANCE_POLL_SECONDS))
        while self._lineup and pause <= 0:
            if not self._lease_is_good():
                delays.append(LEASE_POLL_SECONDS)
                break
            work, wait_ns = self._next(now)
            if work is None:
                delays += [wait_ns / 1e9] if wait_ns else []
                break
            self._begin(work, now)
        if self._quota is not None and (seconds := self._quota.tend(bool(self._calls))) is not None:
            delays.append(seconds)
        self._metrics.maintenance.set(pause > 0)
        self._show()
        return min(delays, default=None)

    def _next(self, now: int) -> tuple[Work | None, int | None]:
        """The call whose turn it is; else how long to wait (None: until something happens). Without a closed circuit only the
        ERP itself is asked, and no posting pays for it."""
        if self._budget.circuit.closed:
            return self._lineup.next(now)
        wait_ns = self._budget.probe_wait_ns(now)
        if wait_ns == 0:
            self._run_call(self._probe(self._budget.probing(now)))
            return None, None
        return None, wait_ns

    def _begin(self, work: Work, now: int) -> None:
        rows = self._wanted(work)
        if not rows:
            self._forget(work)
            return
        if isinstance(work.entry, Dispatch) and all(self._own.refuses_post(row) for row in rows):
            self._withhold(rows, work.entry)  # a plant of another ERP costs this one's budget nothing
            return
        if isinstance(work.entry, ReadBack) and self._own.refuses_find(rows[0]):
            self._metrics.withheld.labels(FOREIGN).inc()
            self._at(now + MOST_READ_BACK_NS, work.partition, work)
            return
        let_in, entry = self._budget.started(now, suspect=work.suspect), work.entry
        self._lineup.begun(work, now)
        self._run_call(self._post(work, entry, let_in) if isinstance(entry, Dispatch) else self._find(work, entry, let_in))

    def _run_call(self, call: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(call)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        task.add_done_callback(self._watch)

    def _wanted(self, work: Work) -> list[PostingRow]:
        """The rows that still wait for exactly this entry."""
        entry = work.entry
        lines, state = (
            (entry.lines, DISPATCHED) if isinstance(entry, Dispatch) else (((entry.posting_id, entry.attempt),), UNKNOWN)
        )
        if work.partition not in self._owned:
            return []
        rows = [(self._peek(posting_id), attempt) for posting_id, attempt in lines]
        return [row for row, attempt in rows if row is not None and (row.state, row.attempts) == (state, attempt)]

    def _withheld(self, row: PostingRow, entry: Dispatch) -> Answer | None:
        return withheld(row, entry, self._adapter.capabilities, self._own, self._configuration(row.configuration))

    def _sendable(self, work: Work, entry: Dispatch) -> list[PostingRow]:
        return [row for row in self._wanted(work) if self._withheld(row, entry) is None]

    def _withhold(self, rows: Sequence[PostingRow], entry: Dispatch) -> list[PostingRow]:
        """Tells of each that must not be sent; returns the others."""
        sendable = []
        for row in rows:
            answer = self._withheld(row, entry)
            if answer is None:
                sendable.append(row)
            else:
                self._metrics.withheld.labels(answer.code).inc()
                self._tell(row.posting.posting_id, row.attempts, "post", answer)
        return sendable

    # -- calls

    async def _post(self, work: Work, entry: Dispatch, let_in: Departure) -> None:
        # The last look: nothing is awaited between it and the adapter.
        rows = self._withhold(self._wanted(work), entry)
        if not rows or not self._lease_is_good():
            self._unused(work)
            if rows:
                self._lineup.put_back(work)
            return
        attempts = [(row.posting.posting_id, row.attempts) for row in rows]
        document = document_for(rows, self._configuration(rows[0].configuration))
        call = CallPass(lambda: self._lease_is_good() and self._sendable(work, entry) == rows, let_in)
        answer = await self._answer("post", work, lane_of(rows[0]), self._adapter.post(document), call)
        if answer is None:
            return
        if len(rows) > 1 and (answer.result == "rejected" or answer.code == STOCK_SHORT):
            # All or none: nothing is booked, and nobody knows which line is to blame.
            answer = Answer("retry", code=DOCUMENT_SPLIT, detail=f"{answer.code}: {answer.detail}")
        for posting_id, attempt in attempts:
            self._tell(posting_id, attempt, "post", answer)

    async def _find(self, work: Work, entry: ReadBack, let_in: Departure) -> None:
        started, rows = self._time.monotonic_ns(), self._wanted(work)
        if rows and self._own.refuses_find(rows[0]):
            self._unused(work)
            self._at(started + MOST_READ_BACK_NS, work.partition, work)
            return
        if not rows:
            self._unused(work)
            self._forget(work)
            return
        found = self._adapter.find(entry.posting_id, rows[0].posting.content_hash)
        answer = await self._answer("find", work, lane_of(rows[0]), found, CallPass(self._lease_is_good, let_in))
        if answer is None:
            return
        if answer.result == "not_found" and started >= work.deadline_ns:
            answer = Answer("not_found", code=HORIZON_PASSED, detail="not in the ERP after every attempt's horizon")
        self._tell(entry.posting_id, entry.attempt, "find", answer)
        if answer.result in ("accepted", "rejected") or answer.code == HORIZON_PASSED:
            self._forget(work)
            return
        pause_ns = max(work.pause_ns, answer.retry_after_ms * 1_000_000)
        again = Work(work.partition, entry, work.deadline_ns, min(work.pause_ns * 2, MOST_READ_BACK_NS))
        self._at(self._time.monotonic_ns() + pause_ns, work.partition, again)
        self._wake.set()

    def held(self) -> None:
        """Somebody was asked to leave the ERP alone, and that holds for all: it goes into the log, for a successor."""
        until = self._budget.held_until
        if until > max(self._told_held, self._time.monotonic_ns()):
            self._told_held = until
            self._send(ErpHeld(until=self._wall_us() + (until - self._time.monotonic_ns()) // 1_000))
        self._wake.set()

    async def _probe(self, let_in: Departure) -> None:
        CALL.set(CallPass(self._lease_is_good, let_in))
        answer = await asked("probe", self._adapter.find(PROBE, ""), self._call_seconds, self._metrics, self._time)
        self._budget.probed(self._time.monotonic_ns(), answer)
        self._tell_outage(answer)
        self.held()

    async def _answer(
        self, name: str, work: Work, lane: str, answering: Coroutine[Any, Any, Answer], call: CallPass
    ) -> Answer | None:
        """None: nothing was sent, and the call is let in again when there is a place for it."""
        started = self._time.monotonic_ns()
        CALL.set(call)  # of this task: each call has its own
        answer = await asked(name, answering, self._call_seconds, self._metrics, self._time)
        now = self._time.monotonic_ns()
        if call.withheld:
            self._unused(work)
            self._lineup.put_back(work)
            return None
        self._budget.ended(now, answer, now - started, lane, suspect=work.suspect)
        self._lineup.over(work)
        self._tell_outage(answer)
        self.held()
        return answer

    def _tell_outage(self, answer: Answer) -> None:
        self._outage.tell(self._budget.open, answer, len(self._lineup))

    def _unused(self, work: Work) -> None:
        self._budget.unused(suspect=work.suspect)
        self._lineup.over(work)
        self._wake.set()

    def _tell(self, posting_id: str, attempt: int, call: str, answer: Answer) -> None:
        self._send(attempt_end(posting_id, attempt, call, answer))

    # -- bounds and bookkeeping

    def _watch(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (defect := task.exception()) is not None:
            self._fatal(f"{task.get_name()}: {defect!r}")

    @property
    def _call_seconds(self) -> float:
        return self._adapter.capabilities.call_timeout_ms / 1000 + CALL_GRACE_SECONDS

    def _horizon_ns(self, posting_id: str) -> int:
        """How long from now an attempt of this or of a suspended process may still be booked."""
        capabilities, row = self._adapter.capabilities, self._peek(posting_id)
        commit_us = capabilities.commit_horizon_ms * 1_000
        if row is not None and row.configuration:
            commit_us = max(commit_us, self._configuration(row.configuration).erp.erp.commit_horizon_us)
        return int((self._settings.session_timeout + self._call_seconds) * 1e9) + commit_us * 1_000

    def _lease_is_good(self) -> bool:
        return self._time.boottime() - self._last_good() < self._settings.session_timeout / 2

    def _at(self, when_ns: int, partition: int, due: Timer | Work) -> None:
        heapq.heappush(self._timers, (when_ns, next(self._order), partition, due))

    def _forget(self, work: Work) -> None:
        if isinstance(work.entry, ReadBack) and self._reading.get(work.entry.posting_id) == (work.partition, work.entry.attempt):
            del self._reading[work.entry.posting_id]
