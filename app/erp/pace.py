"""When the next request may leave for an ERP. Time comes in as nanoseconds of a monotonic clock; nothing waits in here."""

from collections import deque
from fractions import Fraction

WINDOW_NS = 1_000_000_000
JITTER_NS = 50_000_000
"""Margin of a window: requests that left in order may arrive closer together than they left."""
CATCH_UP_NS = 250_000_000
"""How much time may be made up for in which somebody waited and nothing left: of a timer that fired late, or a busy machine."""


class Pace:
    """Requests leave evenly, and never more than the limit within its window and a margin, whatever they are.

    They have slots at even distances. One that left late does not move the slots of the others: they leave closer to it. Time in
    which nobody wanted to leave is not made up for, nor is any in which an ERP asked to be left alone.
    """

    def __init__(self, calls_per_second: Fraction) -> None:
        assert calls_per_second > 0
        self.most = Fraction(calls_per_second)
        self.share = Fraction(1)
        """Of the limit, that is used now."""
        count = max(1, self.most.numerator // self.most.denominator)
        self._window_ns = _ceiling(count / self.most * WINDOW_NS) + JITTER_NS
        self._starts: deque[int] = deque(maxlen=count)
        self._slot = 0
        """Of the next request."""
        self._idle_since: int | None = 0
        """Nobody has asked since the last one left; None: somebody has."""
        self.not_before = 0

    @property
    def interval_ns(self) -> int:
        count = self._starts.maxlen or 1
        return _ceiling(Fraction(self._window_ns, count) / self.share)

    def wait_ns(self, now: int, ahead: int = 0) -> int:
        """How long somebody who wants to leave has to wait. `ahead`: how many requests go first."""
        if self._idle_since is not None:
            self._slot = max(self._slot, min(now, self._slot + now - self._idle_since))
            self._idle_since = None
        start = max(max(self._slot, now) + ahead * self.interval_ns if ahead else self._slot, self.not_before)
        if len(self._starts) == self._starts.maxlen:
            start = max(start, self._starts[0] + self._window_ns)
        return max(0, start - now)

    def left(self, now: int) -> None:
        """A request leaves."""
        self._starts.append(now)
        self._slot = max(self._slot, now - CATCH_UP_NS) + self.interval_ns
        self._idle_since = now

    def hold(self, until: int) -> None:
        self.not_before = max(self.not_before, until)
        self._slot = max(self._slot, until)

    def pause(self, now: int) -> None:
        """Longer than a window: somebody else may have called just now."""
        self.hold(now + max(self._window_ns, self.interval_ns) + self.interval_ns)


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
