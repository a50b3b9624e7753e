"""Which buckets may hold a sequence number."""

import numpy as np
import numpy.typing as npt

_NOTHING = 2**63 - 1


class SequenceSpans:
    """Lowest and highest sequence number of each bucket, for as many buckets as the late horizon has."""

    def __init__(self, first: int) -> None:
        self._first = first
        self._low = np.full(64, _NOTHING, np.int64)
        self._high = np.full(64, -1, np.int64)

    def note(self, number: int, low: int, high: int) -> None:
        """The bucket has numbers from `low` to `high`; negative: none."""
        if low < 0:
            return
        index = number - self._first
        if index < 0 or index >= len(self._low):
            index = self._grow(index)
        if low < self._low[index]:
            self._low[index] = low
        if high > self._high[index]:
            self._high[index] = high

    def _grow(self, index: int) -> int:
        before = max(0, -index)
        after = max(0, index + 1 - len(self._low)) + 64
        self._low = np.pad(self._low, (before, after), constant_values=_NOTHING)
        self._high = np.pad(self._high, (before, after), constant_values=-1)
        self._first -= before
        return index + before

    def forget(self, before: int) -> None:
        """Buckets below this number are gone."""
        gone = before - self._first
        if gone > 0:
            self._low, self._high, self._first = self._low[gone:], self._high[gone:], before

    def having(self, seq: int) -> list[int]:
        """Buckets whose span the number lies in."""
        return (np.flatnonzero((self._low <= seq) & (self._high >= seq)) + self._first).tolist()

    def candidates(self, seqs: npt.NDArray[np.int64]) -> list[int]:
        """Buckets whose span one of these numbers lies in."""
        ordered = np.sort(seqs)
        below = np.searchsorted(ordered, self._low, "left")
        upto = np.searchsorted(ordered, self._high, "right")
        return (np.flatnonzero(upto > below) + self._first).tolist()
