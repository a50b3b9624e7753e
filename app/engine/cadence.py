"""When the checkpoints of one partition begin: pure arithmetic over monotonic seconds that the caller reads."""

FOLD_SECONDS = 0.1
"""Between the end of a checkpoint and the begin of the next one, however late that is: else the fold gets no time."""
PHASE = 0.618
"""Of the interval, between the checkpoints of two neighbouring partitions: spreads any number of them."""


class Cadence:
    """One checkpoint per interval, at a phase of the interval that each partition has for itself: all partitions of a process
    pack their rows on one loop, and begun together the last one would wait for all others."""

    def __init__(self, partition: int, now: float) -> None:
        self._phase = PHASE * partition
        self._interval = 0
        self.ended_at = now
        """End of the last checkpoint, or of the take-over."""

    def begin(self, interval: float, now: float) -> bool:
        """Is it time? True once per `interval` (seconds): the caller begins the checkpoint then."""
        number = int(now / interval + self._phase)
        if number <= self._interval or now < self.ended_at + min(interval, FOLD_SECONDS):
            return False
        self._interval = number
        return True

    def end(self, now: float) -> None:
        """A checkpoint was committed, or the partition taken over."""
        self.ended_at = now
