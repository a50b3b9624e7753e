"""Which readings of a counter are known already. The buckets are the only memory of it."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from schemas.records import CounterState
from tables.equipment.counter import Point, Readings
from tables.equipment.definitions import Definition, index_at
from tables.equipment.packed_readings import RAW_BITS
from tables.equipment.reading_buckets import BUCKET_US, Bucket, Buckets

Indexes = npt.NDArray[np.int64]

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


def _among(wanted: Indexes, ids: Indexes) -> npt.NDArray[np.bool_]:
    """Which of `wanted` are among these ids, of which there is at least one."""
    if not bool((ids[1:] >= ids[:-1]).all()):
        ids = np.sort(ids)
    found: npt.NDArray[np.bool_] = ids[np.minimum(ids.searchsorted(wanted), len(ids) - 1)] == wanted
    return found


class Known:
    """Asks the buckets. `state` and `buckets` are the timeline's."""

    def __init__(self, buckets: Buckets, state: CounterState, definitions: Sequence[Definition]) -> None:
        self._buckets, self._state, self._definitions = buckets, state, definitions
        self._spans: SequenceSpans | None = None
        """Made from the rows when it is first asked for."""

    def ascending(self, readings: Readings) -> bool:
        """Later than all that is known, each later than the one before it, with numbers that nobody had."""
        state, seqs, times = self._state, readings[:, 0], readings[:, 1]
        first, at = int(seqs[0]), int(times[0])
        if first >= 0:
            if first <= state.high_seq or at < state.last_at or not bool((seqs[1:] > seqs[:-1]).all()):
                return False
            return bool((times[1:] >= times[:-1]).all())
        return at > state.last_at and not bool((seqs >= 0).any()) and bool((times[1:] > times[:-1]).all())

    def repeated(self, readings: Readings) -> Indexes | None:
        """Indexes of readings that may be known already, or of which an earlier one in here has the same number (without
        numbers: the same time). None: some have numbers and some have not."""
        state, numbered = self._state, readings[:, 0] >= 0
        if not numbered.all() and numbered.any():
            return None
        column = 0 if numbered[0] else 1
        ids = readings[:, column]
        order = ids.argsort(kind="stable")  # of the same id the first by arrival is first
        ordered = ids[order]
        known = np.zeros(len(ids), bool)
        known[1:] = ordered[1:] == ordered[:-1]
        asked = int(ordered.searchsorted(state.high_seq if column == 0 else state.last_at, "right"))
        if asked:
            wanted = ordered[:asked]
            numbers = self._sequence().candidates(wanted) if column == 0 else np.unique(wanted // BUCKET_US).tolist()
            for number in numbers:
                bucket = self._buckets.get(number)
                if bucket is not None:
                    known[:asked] |= _among(wanted, bucket.points[:, 1 - column])
        found: Indexes = order[known]
        found.sort()
        return found

    def value_of(self, point: Point, raw_source: str) -> int | None:
        """Value of the reading that came before with this sequence number. Without one: of the same time and value; but two
        increments of one moment are two records."""
        state = self._state
        if point.seq > state.high_seq or (point.seq < 0 and point.at > state.last_at):
            return None
        number = point.at // BUCKET_US
        if point.seq < 0:
            bucket = self._buckets.get(number)
            points = bucket.points if bucket is not None else np.empty((0, 4), np.int64)
            same = points[(points[:, 0] == point.at) & (points[:, 1] == point.seq) & (points[:, 2] == point.value)]
            definition = self._definitions[index_at(self._definitions, point.at)]
            if definition.counter.shows == "increment" and bucket is not None:
                index = bucket.raw_index(raw_source)
                same = same[same[:, 3] == index << RAW_BITS | point.raw]
            return point.value if len(same) else None
        for candidate in sorted(self._sequence().having(point.seq), key=lambda known: known != number):
            bucket = self._buckets.get(candidate)  # first where it belongs: a redelivery has the same time
            if bucket is not None:
                found = bucket.points[bucket.points[:, 1] == point.seq]
                if len(found):
                    return int(found[0, 2])
        return None

    def _sequence(self) -> SequenceSpans:
        if self._spans is None:
            self._spans = SequenceSpans(self._state.oldest_bucket)
            for bucket in self._buckets.between(self._state.oldest_bucket, self._state.newest_bucket):
                self._spans.note(bucket.number, bucket.row.low_seq, bucket.row.high_seq)
        return self._spans

    def note(self, bucket: Bucket) -> None:
        """The bucket got readings."""
        if self._spans is not None:
            self._spans.note(bucket.number, bucket.row.low_seq, bucket.row.high_seq)

    def forget(self, before: int) -> None:
        """Buckets below this number are gone."""
        if self._spans is not None:
            self._spans.forget(before)
