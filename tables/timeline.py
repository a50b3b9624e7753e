"""One counter of one equipment: its readings in buckets of ten minutes, in truth order whatever the order of arrival.

Every reading is kept for the late horizon, one that repeats the count too (docs/adr/0012). Readings in order are appended in
one stroke; a late one goes into its bucket, which is then counted anew, and the buckets after it while their entry state
changes. Totals change by the difference.
"""

import struct
from bisect import insort
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from schemas.configuration import Counter
from schemas.records import CounterState, EquipmentRow, PointState, RawRange, Share, TimelineRow
from tables.attribution import Ownership, Span, count_destinations, unattributed
from tables.counter import UNAVAILABLE, Delta, Fall, Point, advance, copy
from tables.destination import Destination
from tables.lineage import add_range, add_ranges
from tables.rows import RowStore
from tables.totals import give, shrunk, take_back

_POINT = struct.Struct("<4q")
BUCKET_US = 600_000_000
RAW_BITS = 48
"""A point's raw position: index of the bucket's raw source << 48 | offset."""
VECTOR_MIN = 24
"""Readings from which on numpy is cheaper than a loop."""
TALLY = {
    "reset": "resets",
    "rollover": "rollovers",
    "placeholder": "placeholders",
    "undecided": "undecided",
    "stepped_back": "stepped_back",
}
"""Name in the row's tally of what a fall was."""
Readings = npt.NDArray[np.int64]
"""n x 4: source_seq, occurred_at, value, raw offset (the layout of CounterFrame.readings)."""


class Timeline:
    """The fold of one counter. `row` and the buckets in `rows` are its state; nothing else is kept."""

    def __init__(
        self, rows: RowStore, row: EquipmentRow, name: str, counter: Counter, ownership: Ownership, basis: bool = True
    ) -> None:
        self._rows, self._row, self._name, self._counter, self._ownership = rows, row, name, counter, ownership
        self._basis = basis
        self._prefix = f"t|{row.plant}|{row.equipment}|{name}|"
        state = row.counters.get(name)
        if state is None:
            state = row.counters[name] = CounterState(PointState(), PointState())
        self.state = state
        self._seqs: dict[int, tuple[int, int]] | None = None
        """Bucket -> its lowest and highest sequence number; made from the rows when it is first asked for."""

    def attribute_by(self, ownership: Ownership) -> None:
        self._ownership = ownership

    # -- readings

    def read(self, readings: Readings, raw_source: str) -> list[int]:
        """Fold readings of one raw source, in the order of their arrival.

        Returns the indexes of those that are refused: their sequence number had another value before (the first one stays).
        """
        late: set[int] = set()
        start = 0
        conflicts: list[int] = []
        if len(readings) > VECTOR_MIN:
            # a baseline has to be decided by itself
            start = int(self.state.tail.value is None and self._counter.shows == "total")
            self._read_some(readings[:start], raw_source, late)
            if self._in_order(readings[start:]):
                self._append_many(readings[start:], raw_source)
                return conflicts
        conflicts = [start + index for index in self._read_some(readings[start:], raw_source, late)]
        self._recount(late)
        return conflicts

    def _read_some(self, readings: Readings, raw_source: str, late: set[int]) -> list[int]:
        conflicts = []
        for index, (seq, at, value, raw) in enumerate(readings.tolist()):
            point = Point(at, seq, value, raw)
            known = self._known(point, raw_source)
            if known is None:
                self._read_one(point, raw_source, late)
            elif known.value == value:
                self._count("duplicates")
            else:
                self._count("conflicts")
                conflicts.append(index)
        return conflicts

    def _read_one(self, point: Point, raw_source: str, late: set[int]) -> None:
        state = self.state
        if (point.at, point.seq, point.raw) > (state.last_at, state.last_seq, state.last_raw):
            if late:
                self._recount(late)
                late.clear()
            self._append_one(point, raw_source)
        else:
            self._insert(point, raw_source)
            late.add(point.at // BUCKET_US)
        state.high_seq = max(state.high_seq, point.seq)
        self._note_seqs(point.at // BUCKET_US, point.seq, point.seq)

    def _in_order(self, readings: Readings) -> bool:
        """Nothing to decide: later than all known, sequence and value never fall, always available."""
        state = self.state
        seqs, times = readings[:, 0], readings[:, 1]
        if int(times[0]) < state.last_at or not self._values_rise(readings[:, 2]):
            return False
        first = int(seqs[0])
        if first >= 0:
            if first <= state.high_seq or not bool((seqs[1:] > seqs[:-1]).all()):
                return False
        elif bool((seqs >= 0).any()) or int(times[0]) == state.last_at:
            return False
        return bool((times[1:] >= times[:-1]).all())

    def _values_rise(self, values: Readings) -> bool:
        tail = self.state.tail
        if self._counter.shows == "increment":
            return int(values.min()) > UNAVAILABLE
        if tail.value is None or tail.low is not None or tail.broken_at is not None or int(values[0]) < tail.value:
            return False
        return bool((values[1:] >= values[:-1]).all())

    def _append_many(self, readings: Readings, raw_source: str) -> None:
        state, values = self.state, readings[:, 2]
        deltas = values if self._counter.shows == "increment" else np.diff(values, prepend=np.int64(state.tail.value or 0))
        state.last_seq, state.last_at, state.last_raw = int(readings[-1, 0]), int(readings[-1, 1]), int(readings[-1, 3])
        state.high_seq = max(state.high_seq, state.last_seq)
        times = readings[:, 1]
        start = 0
        while start < len(readings):
            at = int(times[start])
            span = self._ownership.at(at)
            stop = int(np.searchsorted(times, min(span.end, (at // BUCKET_US + 1) * BUCKET_US)))
            self._append_slice(span, readings[start:stop], deltas[start:stop], raw_source)
            start = stop

    def _append_slice(self, span: Span, readings: Readings, deltas: npt.NDArray[np.int64], raw_source: str) -> None:
        """Readings of one bucket and one owner."""
        number = int(readings[0, 1]) // BUCKET_US
        bucket = self._open_bucket(number)
        stored = readings[:, (1, 0, 2, 3)].copy()
        stored[:, 3] |= raw_index(bucket, raw_source) << RAW_BITS
        bucket.points += stored.tobytes()
        self._note_seqs(number, int(readings[0, 0]), int(readings[-1, 0]))
        if self._counter.shows == "total":
            self.state.tail.value, self.state.tail.seq = int(readings[-1, 2]), int(readings[-1, 0])
            bucket.exit = copy(self.state.tail)
        points, pieces = readings[deltas != 0], int(deltas.sum())
        if not len(points):
            return
        first_at, last_at, raws, n = int(points[0, 1]), int(points[-1, 1]), points[:, 3], len(points)
        self._credit(
            bucket,
            [
                Share(
                    destination.key(),
                    pieces * factor,
                    n,
                    first_at,
                    last_at,
                    [RawRange(raw_source, int(raws.min()), int(raws.max()), n)],
                )
                for destination, factor in count_destinations(span, self._name, self._counter, self._basis)
            ],
        )

    def _append_one(self, point: Point, raw_source: str) -> None:
        state = self.state
        state.last_at, state.last_seq, state.last_raw = point.at, point.seq, point.raw
        deltas: list[Delta] = []
        falls: list[Fall] = []
        before = copy(state.tail)
        advance(state.tail, point, self._counter, deltas, falls)
        bucket = self._open_bucket(point.at // BUCKET_US, before)
        raw = raw_index(bucket, raw_source) << RAW_BITS | point.raw
        bucket.points += _POINT.pack(point.at, point.seq, point.value, raw)
        bucket.exit = copy(state.tail)
        self._tally(falls)
        shares: list[Share] = []
        for delta in deltas:
            self._share(delta, raw_source, delta.raw, shares)
        self._credit(bucket, shares)

    # -- buckets

    def _open_bucket(self, number: int, entry: PointState | None = None) -> TimelineRow:
        key = f"{self._prefix}{number}"
        bucket: TimelineRow | None = self._rows.get(key)
        if bucket is None:
            entry = copy(entry or self.state.tail)
            bucket = TimelineRow(entry, copy(entry), b"", [])
            state = self.state
            if not state.newest_bucket:
                state.oldest_bucket = state.newest_bucket = number
            state.oldest_bucket, state.newest_bucket = min(state.oldest_bucket, number), max(state.newest_bucket, number)
        self._rows.put(key, bucket)
        return bucket

    def _insert(self, point: Point, raw_source: str) -> None:
        """Put a late point into its bucket."""
        number = point.at // BUCKET_US
        bucket = self._open_bucket(number, self._entry_of(number))
        points = points_of(bucket)
        raw = raw_index(bucket, raw_source) << RAW_BITS | point.raw
        insort(points, point._replace(raw=raw), key=lambda known: (known.at, known.seq, known.raw))
        bucket.points = np.array(points, "<i8").tobytes()
        self._count("late")

    def _entry_of(self, number: int) -> PointState:
        """State before a bucket that does not exist: the exit of the one before it."""
        for earlier in range(number - 1, self.state.oldest_bucket - 1, -1):
            bucket: TimelineRow | None = self._rows.get(f"{self._prefix}{earlier}")
            if bucket is not None:
                return bucket.exit
        return self.state.base

    def recount(self, from_us: int, to_us: int) -> None:
        """Runs or loads of [from_us, to_us] changed: attribute that time again."""
        state = self.state
        if state.newest_bucket:
            first, last = max(from_us // BUCKET_US, state.oldest_bucket), min(to_us // BUCKET_US, state.newest_bucket)
            self._recount(set(range(first, last + 1)))

    def _recount(self, numbers: set[int]) -> None:
        """Count these buckets anew, and each one after them whose entry state changed by it."""
        if not numbers:
            return
        loose: set[str] = set()
        entry: PointState | None = None
        for number in range(min(numbers), self.state.newest_bucket + 1):
            bucket: TimelineRow | None = self._rows.get(f"{self._prefix}{number}")
            if bucket is None:
                continue
            if entry is None:
                entry = self._entry_of(number)
            if number in numbers or bucket.entry != entry:
                bucket.entry = copy(entry)
                loose |= self._count_bucket(bucket)
                self._rows.put(f"{self._prefix}{number}", bucket)
            elif number > max(numbers):
                entry = None  # from here on nothing changes, and the tail stays
                break
            entry = bucket.exit
        if entry is not None:
            self.state.tail = copy(entry)
        if loose:
            self._tighten(loose)

    def _count_bucket(self, bucket: TimelineRow) -> set[str]:
        state, shares = copy(bucket.entry), list[Share]()
        for point in points_of(bucket):
            deltas: list[Delta] = []
            advance(state, point, self._counter, deltas, [])
            for delta in deltas:
                self._share(delta, bucket.raw_sources[delta.raw >> RAW_BITS], delta.raw & ((1 << RAW_BITS) - 1), shares)
        bucket.exit = state
        if shares == bucket.shares:
            return set()
        old, bucket.shares = bucket.shares, shares
        take_back(self._row, old)
        give(self._row, shares)
        return shrunk(old, shares)

    def _tighten(self, destinations: set[str]) -> None:
        """Bounds only ever widen; after quantity was moved they are rebuilt from what is left."""
        rebuilt = {key: self._row.totals[key] for key in destinations}
        for total in rebuilt.values():
            total.ranges, total.records, total.first_at, total.last_at = [], 0, 2**62, 0
        for number in range(self.state.oldest_bucket, self.state.newest_bucket + 1):
            bucket: TimelineRow | None = self._rows.get(f"{self._prefix}{number}")
            for share in bucket.shares if bucket is not None else ():
                if share.destination in rebuilt:
                    total = rebuilt[share.destination]
                    total.records += share.records
                    total.first_at, total.last_at = min(total.first_at, share.first_at), max(total.last_at, share.last_at)
                    add_ranges(total.ranges, share.ranges)
        for total in rebuilt.values():
            total.first_at = min(total.first_at, total.last_at)

    def expire(self, before_us: int) -> None:
        """Forget buckets that ended before: their quantity stays in the totals, where nothing can move it any more."""
        state = self.state
        while state.newest_bucket and state.oldest_bucket < min(state.newest_bucket, before_us // BUCKET_US):
            key = f"{self._prefix}{state.oldest_bucket}"
            bucket: TimelineRow | None = self._rows.get(key)
            if bucket is not None:
                state.base = copy(bucket.exit)
                self._rows.delete(key)
            if self._seqs is not None:
                self._seqs.pop(state.oldest_bucket, None)
            state.oldest_bucket += 1

    # -- shares

    def _share(self, delta: Delta, raw_source: str, raw: int, shares: list[Share]) -> None:
        span = self._ownership.at(delta.at)
        if delta.gap_from is not None and span.run is not None:
            before = self._ownership.at(delta.gap_from).run
            if before is None or before.run != span.run.run:
                destinations = [(unattributed(span.business_date, self._name, self._counter), 1)]
                if self._counter.counts != "indicator":
                    add_share(shares, destinations, delta, raw_source, raw)
                return
        add_share(shares, count_destinations(span, self._name, self._counter, self._basis), delta, raw_source, raw)

    def _credit(self, bucket: TimelineRow, shares: list[Share]) -> None:
        for share in shares:
            known = next((entry for entry in bucket.shares if entry.destination == share.destination), None)
            if known is None:
                bucket.shares.append(Share(share.destination, 0, 0, share.first_at, share.last_at))
                known = bucket.shares[-1]
            known.amount += share.amount
            known.records += share.records
            known.first_at, known.last_at = min(known.first_at, share.first_at), max(known.last_at, share.last_at)
            add_ranges(known.ranges, share.ranges)
        give(self._row, shares)

    # -- sequence numbers

    def _known(self, point: Point, raw_source: str) -> Point | None:
        """The reading that came before with this sequence number; without one see `_same`."""
        if point.seq > self.state.high_seq or (point.seq < 0 and point.at > self.state.last_at):
            return None
        number = point.at // BUCKET_US
        if point.seq < 0:
            bucket: TimelineRow | None = self._rows.get(f"{self._prefix}{number}")
            same = (known for known in points_of(bucket) if self._same(bucket, known, point, raw_source)) if bucket else iter(())
            return next(same, None)
        if self._seqs is None:
            self._seqs = self._seqs_of_rows()
        candidates = [known for known, (low, high) in self._seqs.items() if low <= point.seq <= high]
        for candidate in sorted(candidates, key=lambda known: known != number):  # a redelivery has the same time
            bucket = self._rows.get(f"{self._prefix}{candidate}")
            for known in points_of(bucket) if bucket is not None else ():
                if known.seq == point.seq:
                    return known
        return None

    def _same(self, bucket: TimelineRow, known: Point, point: Point, raw_source: str) -> bool:
        """Without sequence numbers: a total that shows the same at the same time says nothing new, but two increments of
        one moment are two records."""
        if known[:3] != point[:3]:
            return False
        index, offset = known.raw >> RAW_BITS, known.raw & ((1 << RAW_BITS) - 1)
        return self._counter.shows == "total" or (bucket.raw_sources[index], offset) == (raw_source, point.raw)

    def _seqs_of_rows(self) -> dict[int, tuple[int, int]]:
        found: dict[int, tuple[int, int]] = {}
        for number in range(self.state.oldest_bucket, self.state.newest_bucket + 1):
            bucket: TimelineRow | None = self._rows.get(f"{self._prefix}{number}")
            seqs = [point.seq for point in points_of(bucket) if point.seq >= 0] if bucket is not None else []
            if seqs:
                found[number] = (min(seqs), max(seqs))
        return found

    def _note_seqs(self, number: int, low: int, high: int) -> None:
        if self._seqs is not None and low >= 0:
            known = self._seqs.get(number, (low, high))
            self._seqs[number] = (min(low, known[0]), max(high, known[1]))

    def _tally(self, falls: Sequence[Fall]) -> None:
        for fall in falls:
            self._count(TALLY[fall.was])

    def _count(self, what: str) -> None:
        self._row.tally[what] = self._row.tally.get(what, 0) + 1


def add_share(
    shares: list[Share], destinations: Sequence[tuple[Destination, int]], delta: Delta, raw_source: str, raw: int
) -> None:
    for destination, factor in destinations:
        key = destination.key()
        known = next((share for share in shares if share.destination == key), None)
        if known is None:
            known = Share(key, 0, 0, delta.at, delta.at)
            shares.append(known)
        known.amount += delta.pieces * factor
        known.records += 1
        known.first_at, known.last_at = min(known.first_at, delta.at), max(known.last_at, delta.at)
        add_range(known.ranges, raw_source, raw, raw, 1)


def points_of(bucket: TimelineRow) -> list[Point]:
    return [Point(*values) for values in np.frombuffer(bucket.points, "<i8").reshape(-1, 4).tolist()]


def raw_index(bucket: TimelineRow, raw_source: str) -> int:
    if raw_source not in bucket.raw_sources:
        bucket.raw_sources.append(raw_source)
    return bucket.raw_sources.index(raw_source)
