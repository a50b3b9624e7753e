"""How fast and how broadly an ERP may be called. Time comes in as nanoseconds of a monotonic clock; nothing waits in here."""

from collections import deque
from fractions import Fraction

from app.erp.circuit import Circuit
from app.erp.pace import WINDOW_NS, Pace
from app.erp.port import Answer
from app.erp.quota import QuotaInHand
from app.erp.window import Departure
from tables.delivery.scopes import DOCUMENT, ENDPOINT, LOAD, NARROW, scope_of
from tables.invariant import InvariantBroken

WHOLE, FLOOR, STEP = 1000, 16, 50
"""Shares of the configured rate in thousandths: all of it, the least, and what comes back per quiet window."""
SLOW_FLOOR = 250
"""Latency alone takes no more than this: an ERP that is slow for good must still be served."""
SLOW_FACTOR = 2
SLOW_AT_LEAST_NS = 50_000_000
"""Latency below this is no sign of load, also after a lower one."""
LATENCIES = 9
"""Of which the middle one counts: a slow lane, or four, says nothing about the ERP."""
MAX_PAUSE_MS = 3_600_000
SUSPECT_SHARE = 20
"""One call in so many goes to lanes that may not answer, and to read-backs, while others wait."""
SUSPECT_SLOTS = 4
"""One in so many of the calls at a time, and at least one."""
MOST_REST_NS = 300 * WINDOW_NS


class Budget:
    """Requests leave at the pace of `calls_per_second` (burst 1), calls start at most `concurrency` at a time.

    Throttling halves both, rising latency takes a fifth, each at most once per window; quiet windows give back a
    twentieth and one call. What cannot start waits in the caller's queue.

    Suspects are calls that may again find no answer or a lock, and read-backs. They have their own share, so that many dead
    lanes take from the others what one does.
    """

    def __init__(self, calls_per_second: Fraction, concurrency: int, quota: QuotaInHand | None = None) -> None:
        assert calls_per_second > 0
        assert concurrency > 0
        self._pace, self._most_calls = Pace(calls_per_second), concurrency
        self._share, self.calls = WHOLE, concurrency
        self.in_flight = self.suspects = 0
        self.outsiders = 0
        """Requests that wait for their own turn: the rest of a call that was let in, or of somebody else."""
        self.paused = False
        """A person wants nothing to leave."""
        self.quota = quota
        """What may leave in longer spans; None: there is no limit."""
        self.circuit = Circuit()
        self._suspects_from = 0
        self._changed = 0
        self._latencies: deque[int] = deque(maxlen=LATENCIES)
        self._best = 0

    @property
    def open(self) -> bool:
        """True: the ERP is away; only probes start."""
        return self.circuit.open

    @property
    def rate(self) -> Fraction:
        """Calls per second now."""
        return self._pace.most * self._pace.share

    @property
    def interval_ns(self) -> int:
        return self._pace.interval_ns

    @property
    def held_until(self) -> int:
        """Nobody calls before; 0: nobody asked for it."""
        return self._pace.not_before

    def wait_ns(self, now: int) -> int | None:
        """0: a call may start now. Else nanoseconds to wait; None: until a call ends."""
        shut = self.paused or self.in_flight >= self.calls or not self.circuit.closed
        return None if shut else self._from(now)

    def outsider_wait_ns(self, now: int, own_place: bool) -> int | None:
        """As `wait_ns`, for one request. `own_place`: it is of no call that has one already."""
        shut = self.paused or (own_place and self.in_flight >= self.calls)
        return None if shut else self._within_quota(self._pace.wait_ns(now))

    def late_wait_ns(self, now: int, departure: Departure) -> int | None:
        """As `wait_ns`, for a request that was let in and is only leaving now: others may have come before it meanwhile."""
        return None if self.paused else self._within_quota(self._pace.again_ns(now, departure))

    def suspect_wait_ns(self, now: int, *, alone: bool) -> int | None:
        """As `wait_ns`, for a suspect. `alone`: nobody else waits, so it need not wait for its share."""
        if self.suspects >= max(1, self.calls // SUSPECT_SLOTS):
            return None
        wait = self.wait_ns(now)
        return wait if wait is None or (alone and self.calls > 1) else max(wait, self._suspects_from - now)

    def probe_wait_ns(self, now: int) -> int | None:
        """As `wait_ns`, for the question whether the ERP is there; None also while there is nothing to ask."""
        if self.paused or self.circuit.closed or self.in_flight >= self.calls:
            return None
        wait = self._from(now)
        return None if wait is None else max(wait, self.circuit.probe_from - now)

    def _from(self, now: int) -> int | None:
        return self._within_quota(self._pace.wait_ns(now, self.outsiders))

    def _within_quota(self, wait_ns: int) -> int | None:
        if self.quota is None:
            return wait_ns
        more_ns = self.quota.wait_ns()
        return None if more_ns is None else max(wait_ns, more_ns)

    def started(self, now: int, *, suspect: bool = False) -> Departure:
        """Suspects do not ask for their share here: who is alone needs none."""
        if (self.suspect_wait_ns(now, alone=True) if suspect else self.wait_ns(now)) != 0:
            raise InvariantBroken("I8", "a call started outside the budget")
        if suspect:
            self.suspects += 1
            self._suspects_from = max(self._suspects_from, now + SUSPECT_SHARE * self.interval_ns)
        return self._begin(now)

    def probing(self, now: int) -> Departure:
        if self.probe_wait_ns(now) != 0:
            raise InvariantBroken("I8", "a probe started outside the budget")
        return self._begin(now)

    def _begin(self, now: int) -> Departure:
        self.in_flight += 1
        return self._pace.left(now)

    def let_out(self, now: int, own_place: bool) -> Departure:
        """A request leaves that no call was let in for."""
        self.in_flight += own_place
        return self._pace.left(now)

    def unused(self, *, suspect: bool = False) -> None:
        """A call that was let in was not made after all."""
        assert self.in_flight > 0
        self.in_flight -= 1
        self.suspects -= suspect

    def pause(self, now: int) -> None:
        """After a take-over: longer than one window, for the calls that the predecessor may have made just now."""
        self._pace.pause(now)

    def hold(self, until: int) -> None:
        """Nobody calls before; at most MAX_PAUSE_MS from what is asked for at a time."""
        self._pace.hold(until)

    def probed(self, now: int, answer: Answer) -> None:
        """The endpoint's own call ended. That it says `not found` of what is nowhere is an answer."""
        self.unused()
        self._asked_to_wait(now, answer)
        self.circuit.probed(now, answer.result != "unknown" or scope_of(answer.scope, answer.code) == LOAD)

    def ended(self, now: int, answer: Answer, latency_ns: int, lane: str = "", *, suspect: bool = False) -> None:
        """What an answer and its latency say about the ERP. `lane`: whose call it was."""
        self.unused(suspect=suspect)
        if suspect and self.calls == 1:
            # It had the only place: the others get theirs for as long as makes up for it.
            self._suspects_from = max(self._suspects_from, now + min((SUSPECT_SHARE - 1) * latency_ns, MOST_REST_NS))
        self._asked_to_wait(now, answer)
        scope = scope_of(answer.scope, answer.code)
        if scope == ENDPOINT or (answer.result == "unknown" and scope != LOAD):
            self.circuit.failed(now, scope, lane)
            return
        self.circuit.answered()
        if self._is_throttling(answer, scope):
            self._narrow(now, Fraction(1, 2), FLOOR)
        elif suspect or scope in NARROW:
            return
        elif self._slowing(latency_ns):
            self._narrow(now, Fraction(4, 5), SLOW_FLOOR)
        else:
            self._widen(now)

    def _asked_to_wait(self, now: int, answer: Answer) -> None:
        scope = scope_of(answer.scope, answer.code)
        if self._is_throttling(answer, scope):
            self.hold(now + min(answer.retry_after_ms, MAX_PAUSE_MS) * 1_000_000)

    @staticmethod
    def _is_throttling(answer: Answer, scope: str) -> bool:
        """`again, later` of which nobody says whom it concerns, concerns all."""
        return scope == LOAD or (answer.result == "retry" and scope not in (DOCUMENT, ENDPOINT, *NARROW))

    def _slowing(self, latency_ns: int) -> bool:
        self._latencies.append(latency_ns)
        middle = sorted(self._latencies)[len(self._latencies) // 2]
        # The best forgets slowly: an ERP that got slower for good is the new normal after some hundred calls.
        self._best = min(self._best + self._best // 128, latency_ns) if self._best else latency_ns
        return middle > max(SLOW_FACTOR * self._best, SLOW_AT_LEAST_NS)

    def _narrow(self, now: int, factor: Fraction, least: int) -> None:
        if now - self._changed >= WINDOW_NS or self._changed == 0:
            self._changed = now
            self._share = min(self._share, max(least, int(self._share * factor)))
            self._pace.share = Fraction(self._share, WHOLE)
            self.calls = max(1, int(self.calls * factor))

    def _widen(self, now: int) -> None:
        if now - self._changed >= WINDOW_NS and (self._share, self.calls) != (WHOLE, self._most_calls):
            self._changed = now
            self._share = min(self._share + STEP, WHOLE)
            self._pace.share = Fraction(self._share, WHOLE)
            self.calls = min(self._most_calls, self.calls + 1)
