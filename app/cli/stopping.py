"""How a run ends when it is told to (SIGTERM, SIGINT): with 128 + signal, having stopped what it started."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignal:
    """The handler of the signals. It leaves by SystemExit, so that every context on the way closes what it opened.

    The signal may arrive while a C library is at work: librdkafka's client turns the SystemExit into an error of its own, or
    drops it in a callback. So the signal is remembered, too: whatever error comes out is the stop, and `between` looks again.
    """

    def __init__(self) -> None:
        self._signum, self._waits = 0, False

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        for again in SIGNALS:
            signal.signal(again, signal.SIG_IGN)  # a second one must not cut the closing short
        self._signum = signum
        if not self._waits:
            self.check()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Within the block a signal waits for the next look of `between`: nothing is left half done."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    def check(self) -> None:
        """Raises SystemExit when the signal has come."""
        if self._signum:
            sys.exit(128 + self._signum)

    def between(self, progress: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
        """`progress`, which a run calls again and again, with a look at the signal."""

        def told(phase: str, records: int, clock: int) -> None:
            self.check()
            progress(phase, records, clock)

        return told


@contextlib.contextmanager
def stoppable() -> Iterator[StopSignal]:
    """Within the block a signal ends the command; after it the handlers of before are back."""
    stop = StopSignal()
    before = {signum: signal.signal(signum, stop) for signum in SIGNALS}
    try:
        yield stop
    except Exception:
        stop.check()
        raise
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
