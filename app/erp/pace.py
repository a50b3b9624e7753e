"""When the next request may leave for an ERP. Time comes in as nanoseconds of a monotonic clock; nothing waits in here."""

from collections import deque
from fractions import Fraction

WINDOW_NS = 1_000_000_000
JITTER_NS = 50_000_000
"""Margin of a window: requests that left in order may arrive closer together than they left."""
CATCH_UP_NS = 20_000_000
"""How much of being late is made up for where requests are closer than twice that: a timer that fires a little late each time
would cost a tenth of a fast limit. Elsewhere it is what the margin leaves, and the distance is never less than 1 / limit."""


class Pace:
    """Requests leave evenly, and never more than the limit within its window and a margin, whatever they are."""

    def __init__(self, calls_per_second: Fraction) -> None:
        assert calls_per_second > 0
        self.most = Fraction(calls_per_second)
        self.share = Fraction(1)
        """Of the limit, that is used now."""
        count = max(1, self.most.numerator // self.most.denominator)
        self._window_ns = _ceiling(count / self.most * WINDOW_NS) + JITTER_NS
        self._starts: deque[int] = deque(maxlen=count)
        even = self._window_ns // count
        self._catch_up_ns = CATCH_UP_NS if even < 2 * CATCH_UP_NS else JITTER_NS // count
        self._next = 0
        self.not_before = 0

    @property
    def interval_ns(self) -> int:
        count = self._starts.maxlen or 1
        return _ceiling(Fraction(self._window_ns, count) / self.share)

    def wait_ns(self, now: int, ahead: int = 0) -> int:
        """`ahead`: how many requests go first."""
        start = max(max(self._next, now) + ahead * self.interval_ns if ahead else self._next, self.not_before)
        if len(self._starts) == self._starts.maxlen:
            start = max(start, self._starts[0] + self._window_ns)
        return max(0, start - now)

    def left(self, now: int) -> None:
        """A request leaves."""
        self._starts.append(now)
        self._next = max(self._next, now - self._catch_up_ns) + self.interval_ns

    def hold(self, until: int) -> None:
        self.not_before = max(self.not_before, until)

    def pause(self, now: int) -> None:
        """Longer than a window: somebody else may have called just now."""
        self.hold(now + max(self._window_ns, self.interval_ns) + self.interval_ns)


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
