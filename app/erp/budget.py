"""How fast and how broadly an ERP may be called. Time comes in as nanoseconds of a monotonic clock; nothing waits in here."""

from fractions import Fraction

from tables.invariant import InvariantBroken

WINDOW_NS = 1_000_000_000
WHOLE, FLOOR, STEP = 1000, 16, 50
"""Shares of the configured rate in thousandths: all of it, the least, and what comes back per quiet window."""
SLOW_FLOOR = 250
"""Latency alone takes no more than this: an ERP that is slow for good must still be served."""
BREAKER_FAILURES = 5
BREAKER_FIRST_NS, BREAKER_MOST_NS = 1_000_000_000, 60_000_000_000
SLOW_FACTOR = 2
SLOW_AT_LEAST_NS = 50_000_000
"""Latency below this is no sign of load, also after a lower one."""
MAX_PAUSE_MS = 3_600_000
OWN_REASONS = frozenset({"STOCK_SHORT", "LOT_RACE", "ORDER_LOCKED", "LOCKED", "POSTING_DUPLICATE"})
"""Retries that concern one document, not the ERP's load."""
OUTAGES = frozenset({"ERP_UNREACHABLE", "ERP_ACCESS", "ERP_UNAVAILABLE"})


class Budget:
    """Calls start at least 1 / `calls_per_second` apart (burst 1), at most `concurrency` at a time.

    Throttling halves both, rising latency takes a fifth, each at most once per window; quiet windows give back a
    twentieth and one call. After BREAKER_FAILURES calls without an answer in a row the circuit opens: nothing starts, then
    one probe at a time until one is answered. What cannot start waits in the caller's queue.
    """

    def __init__(self, calls_per_second: Fraction, concurrency: int) -> None:
        assert calls_per_second > 0
        assert concurrency > 0
        self._most_rate, self._most_calls = Fraction(calls_per_second), concurrency
        self._share, self.calls = WHOLE, concurrency
        self.in_flight = 0
        self._last_start: int | None = None
        self._not_before = 0
        self._changed = 0
        self._average = self._best = 0
        self._failures = 0
        self._open_ns = 0
        """Length of the breaker's present cool-down; 0: closed."""

    @property
    def open(self) -> bool:
        """True: the circuit is open or only lets probes through."""
        return self._open_ns > 0

    @property
    def rate(self) -> Fraction:
        """Calls per second now."""
        return self._most_rate * Fraction(self._share, WHOLE)

    @property
    def _interval_ns(self) -> int:
        rate = self.rate
        return -(-WINDOW_NS * rate.denominator // rate.numerator)

    def wait_ns(self, now: int) -> int | None:
        """0: a call may start now. Else nanoseconds to wait; None: until a call ends."""
        if self.in_flight >= (1 if self.open else self.calls):
            return None
        start = self._not_before if self._last_start is None else max(self._not_before, self._last_start + self._interval_ns)
        return max(0, start - now)

    def started(self, now: int) -> None:
        if self.wait_ns(now) != 0:
            raise InvariantBroken("I8", "a call started outside the budget")
        self._last_start = now
        self.in_flight += 1

    def unused(self) -> None:
        """A call that was let in was not made after all."""
        assert self.in_flight > 0
        self.in_flight -= 1

    def pause(self, now: int) -> None:
        """After a take-over: longer than one window, for the calls that the predecessor may have made just now."""
        self._hold(now + max(WINDOW_NS, self._interval_ns) + self._interval_ns)

    def ended(self, now: int, result: str, code: str, latency_ns: int, retry_after_ms: int) -> None:
        """What an answer (app.erp.port.Answer) and its latency say about the ERP's load."""
        assert self.in_flight > 0
        self.in_flight -= 1
        if result == "unknown" or code in OUTAGES:
            self._failed(now)
            return
        self._failures, self._open_ns = 0, 0
        if result == "retry" and code not in OWN_REASONS:
            self._hold(now + min(retry_after_ms, MAX_PAUSE_MS) * 1_000_000)
            self._narrow(now, Fraction(1, 2), FLOOR)
        elif self._slowing(latency_ns):
            self._narrow(now, Fraction(4, 5), SLOW_FLOOR)
        else:
            self._widen(now)

    def _hold(self, until: int) -> None:
        self._not_before = max(self._not_before, until)

    def _failed(self, now: int) -> None:
        self._failures += 1
        if self._failures >= BREAKER_FAILURES:
            self._open_ns = min(self._open_ns * 2, BREAKER_MOST_NS) or BREAKER_FIRST_NS
            self._hold(now + self._open_ns)

    def _slowing(self, latency_ns: int) -> bool:
        self._average = (7 * self._average + latency_ns) // 8 if self._average else latency_ns
        # The best forgets slowly: an ERP that got slower for good is the new normal after some hundred calls.
        self._best = min(self._best + self._best // 128, latency_ns) if self._best else latency_ns
        return self._average > max(SLOW_FACTOR * self._best, SLOW_AT_LEAST_NS)

    def _narrow(self, now: int, factor: Fraction, least: int) -> None:
        if now - self._changed >= WINDOW_NS or self._changed == 0:
            self._changed = now
            self._share = min(self._share, max(least, int(self._share * factor)))
            self.calls = max(1, int(self.calls * factor))

    def _widen(self, now: int) -> None:
        if now - self._changed >= WINDOW_NS and (self._share, self.calls) != (WHOLE, self._most_calls):
            self._changed = now
            self._share = min(WHOLE, self._share + STEP)
            self.calls = min(self._most_calls, self.calls + 1)
