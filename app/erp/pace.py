"""When the next request may leave for an ERP. Time comes in as nanoseconds of a monotonic clock; nothing waits in here."""

from fractions import Fraction

from app.erp.window import Departure, Window

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
        self._window = Window(count, _ceiling(count / self.most * WINDOW_NS) + JITTER_NS, JITTER_NS)
        self._slot = 0
        """Of the next request."""
        self._idle_since: int | None = 0
        """Nobody has asked since the last one left; None: somebody has."""
        self.not_before = 0

    @property
    def interval_ns(self) -> int:
        return _ceiling(Fraction(self._window.length_ns, self._window.count) / self.share)

    def wait_ns(self, now: int, ahead: int = 0) -> int:
        """How long somebody who wants to leave has to wait. `ahead`: how many requests go first."""
        if self._idle_since is not None:
            self._slot = max(self._slot, min(now, self._slot + now - self._idle_since))
            self._idle_since = None
        start = max(max(self._slot, now) + ahead * self.interval_ns if ahead else self._slot, self.not_before)
        return max(0, max(start, self._window.free_from(now)) - now)

    def again_ns(self, now: int, departure: Departure) -> int:
        """As `wait_ns`, for one that had its slot and is only leaving now."""
        return max(0, max(self.not_before, self._window.free_from(now, departure)) - now)

    def left(self, now: int) -> Departure:
        """A request leaves, or is let in and will; what becomes of it then is for the departure."""
        self._slot = max(self._slot, now - CATCH_UP_NS) + self.interval_ns
        self._idle_since = now
        return self._window.let_in(now)

    def hold(self, until: int) -> None:
        self.not_before = max(self.not_before, until)
        self._slot = max(self._slot, until)

    def pause(self, now: int) -> None:
        """Longer than a window: somebody else may have called just now."""
        self.hold(now + max(self._window.length_ns, self.interval_ns) + self.interval_ns)


def _ceiling(value: Fraction) -> int:
    return -(-value.numerator // value.denominator)
