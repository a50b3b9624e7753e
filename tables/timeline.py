"""One counter of one equipment: its readings in buckets of ten minutes, in truth order whatever the order of arrival.

Every reading is kept for the late horizon, one that repeats the count too (docs/adr/0012). Readings in order are appended in
one stroke; late ones go into their buckets, which are then counted anew, and the buckets after them while their entry state
changes. Totals change by the difference.

Readings that arrive together are sorted first: those behind what is known are inserted, the others appended, each in one stroke,
because the state depends on which readings are known and not on their order. Where the order matters (which of two readings
with one number came first, what a fall looked like when it came) they are taken in the order of their arrival.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np

from schemas.configuration import Counter
from schemas.records import CounterState, EquipmentRow, PointState, RawRange, Share
from tables.attribution import Ownership
from tables.buckets import BUCKET_US, Bucket, Buckets
from tables.counter import UNAVAILABLE, Delta, Fall, Point, advance, copy
from tables.counting import Counting, merge
from tables.known import Indexes, Known, Readings
from tables.points import RAW_BITS
from tables.rows import RowStore
from tables.totals import give, loosened, replace, tighten

VECTOR_MIN = 24
"""Readings from which on numpy is cheaper than a loop."""
FEW = 48
"""Readings up to which plain ones are cheaper to append without numpy."""
TALLY = {
    "reset": "resets",
    "rollover": "rollovers",
    "placeholder": "placeholders",
    "undecided": "undecided",
    "stepped_back": "stepped_back",
}
"""Name in the row's tally of what a fall was."""
_AS_POINT = [1, 0, 2, 3]
_NO_POINTS = np.empty((0, 4), np.int64)
_NEVER = 2**62


class Timeline:
    """The fold of one counter. `row` and the buckets are its state; nothing else is kept. Whoever changes it calls `save`."""

    def __init__(
        self, rows: RowStore, row: EquipmentRow, name: str, counter: Counter, ownership: Ownership, basis: bool = True
    ) -> None:
        """`basis`: what is backflushed follows from this counter."""
        self._row, self._name, self._counter, self._basis = row, name, counter, basis
        self.buckets = Buckets(rows, f"t|{row.plant}|{row.equipment}|{name}|")
        state = row.counters.get(name)
        if state is None:
            state = row.counters[name] = CounterState(PointState(), PointState())
        self.state = state
        self._known = Known(self.buckets, self.state, counter)
        self.attribute_by(ownership)

    def attribute_by(self, ownership: Ownership) -> None:
        self._counting = Counting(self._name, self._counter, ownership, self._basis)

    def save(self, keep: int) -> None:
        """`keep`: buckets that stay unpacked beside the newest."""
        self.buckets.save(self.state.newest_bucket, keep)

    # -- readings

    def read(self, readings: Readings, raw_source: str) -> list[int]:
        """Fold readings of one raw source, in the order of their arrival.

        Returns the indexes of those that are refused: their sequence number had another value before (the first one stays).
        """
        if len(readings) <= FEW and self._append_few(readings, raw_source):
            return []
        if len(readings) < VECTOR_MIN:
            return self._read_each(readings, raw_source)
        if self._known.ascending(readings):
            self._append(readings, raw_source)
            return []
        repeated = self._known.repeated(readings)
        if repeated is None:
            return self._read_each(readings, raw_source)
        self._read_new(np.delete(readings, repeated, axis=0) if len(repeated) else readings, raw_source)
        conflicts = self._read_each(readings[repeated], raw_source)
        return repeated[conflicts].tolist()  # type: ignore[no-any-return]

    def _read_each(self, readings: Readings, raw_source: str) -> list[int]:
        """One by one."""
        conflicts, late = [], set[int]()
        for index, (seq, at, value, raw) in enumerate(readings.tolist()):
            point = Point(at, seq, value, raw)
            known = self._known.value_of(point, raw_source)
            if known is None:
                self._read_one(point, raw_source, late)
            elif known == value:
                self._count("duplicates")
            else:
                self._count("conflicts")
                conflicts.append(index)
        self._recount(late)
        return conflicts

    def _read_one(self, point: Point, raw_source: str, late: set[int]) -> None:
        state = self.state
        if (point.at, point.seq, point.raw) > (state.last_at, state.last_seq, state.last_raw):
            if late:
                self._recount(late)
                late.clear()
            self._append_one(point, raw_source)
        else:
            late |= self._insert(np.array([(point.seq, point.at, point.value, point.raw)], np.int64), raw_source)
            self._count("late")

    def _read_new(self, readings: Readings, raw_source: str) -> None:
        """Readings that nobody knows, in the order of their arrival."""
        while len(readings) >= VECTOR_MIN:
            state = self.state
            seqs, times, raws = readings[:, 0], readings[:, 1], readings[:, 3]
            order = _truth_order(readings)
            rank = np.empty(len(order), np.int64)
            rank[order] = np.arange(len(order))
            after = (times > state.last_at) | (
                (times == state.last_at) & ((seqs > state.last_seq) | ((seqs == state.last_seq) & (raws > state.last_raw)))
            )
            late = ~after | (rank < np.maximum.accumulate(rank))
            ordered = readings[order]
            split = len(readings) - int(after.sum())
            stop = self._first_fall(ordered[split:], order[split:]) if late.any() else len(readings)
            if 0 < split < len(readings):
                stop = min(stop, self._first_misfit(ordered[:split], order[:split]))
            if stop >= len(readings):
                self._recount(self._insert(ordered[:split], raw_source) if split else set())
                self._append(ordered[split:], raw_source)
                self._count("late", int(late.sum()))
                return
            # A fall among late readings: up to it in one stroke, itself and a few more as they came, then go on.
            self._read_new(readings[:stop], raw_source)
            self._read_each(readings[stop : stop + VECTOR_MIN], raw_source)
            readings = readings[stop + VECTOR_MIN :]
        self._read_each(readings, raw_source)

    def _first_fall(self, ordered: Readings, arrival: Indexes) -> int:
        """Index by arrival of the first reading that makes the count fall among these, or be undecided; else a large one."""
        if not len(ordered) or self._counter.shows == "increment":
            return _NEVER
        if not self._counting.is_plain(self.state.tail):
            return 0
        values = ordered[:, 2]
        falls = (values[1:] < values[:-1]).nonzero()[0]
        found = int(np.maximum(arrival[falls], arrival[falls + 1]).min()) if len(falls) else _NEVER
        assert self.state.tail.value is not None
        return min(found, int(arrival[0])) if int(values[0]) < self.state.tail.value else found

    def _first_misfit(self, ordered: Readings, arrival: Indexes) -> int:
        """Index by arrival of the first of these late readings that does not lie between the counts around it: it might
        change what the readings after all others mean. Else a large one."""
        if self._counter.shows == "increment":
            return _NEVER
        found = _NEVER
        for number, start, stop in _by_bucket(ordered):
            times, values = ordered[start:stop, 1], ordered[start:stop, 2]
            bucket, following = self.buckets.get(number), self._after(number)
            known = bucket.points if bucket is not None else _NO_POINTS
            entry = bucket.row.entry if bucket is not None else self._entry_of(number)
            around = np.empty(len(known) + 2, np.int64)
            around[0] = UNAVAILABLE if entry.value is None else entry.value
            around[1:-1] = known[:, 2]
            around[-1] = int(following.points[0, 2]) if following is not None else _NEVER
            at = known[:, 0].searchsorted(times, "right")
            misfits = (values < around[at]) | (values > around[at + 1])
            misfits[1:] |= values[1:] < values[:-1]
            misfits |= at > known[:, 0].searchsorted(times)  # of one moment: the number decides
            if misfits.any():
                found = min(found, int(arrival[start:stop][misfits].min()))
        return found

    # -- append

    def _append(self, readings: Readings, raw_source: str) -> None:
        """Readings in truth order that are later than all that is known."""
        if not len(readings):
            return
        values = readings[:, 2]
        falls = () if self._counter.shows == "increment" else ((values[1:] < values[:-1]).nonzero()[0] + 1).tolist()
        start = 0
        for stop in (*falls, len(readings)):
            while start < stop:
                part = readings[start:stop]
                tail = self.state.tail
                pieces = self._counting.pieces(tail.value, part[:, 2]) if stop - start >= VECTOR_MIN // 4 else None
                if pieces is None or not self._counting.is_plain(tail):
                    seq, at, value, raw = part[0].tolist()
                    self._append_one(Point(at, seq, value, raw), raw_source)
                    start += 1
                else:
                    self._append_many(part, pieces, raw_source)
                    start = stop

    def _append_few(self, readings: Readings, raw_source: str) -> bool:
        """The everyday case, cheap: a few readings of one bucket and one owner, each later than the one before, that only
        add. False: it is not that case, and nothing was done."""
        state, tail = self.state, self.state.tail
        if self._counter.shows == "increment" or tail.value is None or not self._counting.is_plain(tail):
            return False
        rows = readings.tolist()
        began, before = rows[0][1], tail.value
        keys, owned_until = self._counting.owner_at(began)
        number, end = began // BUCKET_US, min(owned_until, (began // BUCKET_US + 1) * BUCKET_US)
        high_seq, last_at, value = state.high_seq, state.last_at, before
        adding = []
        for row in rows:
            seq, at, shown, _ = row
            if seq <= high_seq or seq < 0 or at < last_at or at >= end or shown < value:
                return False
            if shown != value:
                adding.append(row)
            high_seq, last_at, value = seq, at, shown
        bucket = self._bucket(number)
        points = readings[:, _AS_POINT]
        points[:, 3] |= bucket.raw_index(raw_source) << RAW_BITS
        bucket.append_span(points, rows[0][0], high_seq)
        self._known.note(bucket)
        state.tail = PointState(value=value, seq=high_seq)
        bucket.row.exit = copy(state.tail)
        state.last_seq, state.last_at, state.high_seq, state.last_raw = high_seq, last_at, high_seq, rows[-1][3]
        if adding and keys:
            raws, pieces = [row[3] for row in adding], value - before
            first, last, lineage = adding[0][1], adding[-1][1], (raw_source, min(raws), max(raws), len(raws))
            shares = [Share(key, pieces * factor, len(raws), first, last, [RawRange(*lineage)]) for key, factor in keys]
            self._credit(bucket, shares)
        return True

    def _append_many(self, readings: Readings, pieces: Indexes, raw_source: str) -> None:
        state, times, start = self.state, readings[:, 1], 0
        while start < len(readings):
            number = int(times[start]) // BUCKET_US
            end = (number + 1) * BUCKET_US
            stop = int(times.searchsorted(end)) if int(times[-1]) >= end else len(readings)
            bucket = self._bucket(number)
            points = readings[start:stop][:, _AS_POINT]
            points[:, 3] |= bucket.raw_index(raw_source) << RAW_BITS
            bucket.append(points)
            self._known.note(bucket)
            if self._counter.shows == "total":
                state.tail = PointState(value=int(points[-1, 2]), seq=int(points[-1, 1]))
                bucket.row.exit = copy(state.tail)
            self._credit(bucket, self._counting.shares_of(points, pieces[start:stop], bucket.row.raw_sources))
            start = stop
        state.last_seq, state.last_at, _, state.last_raw = readings[-1].tolist()
        state.high_seq = max(state.high_seq, int(readings[:, 0].max()))

    def _append_one(self, point: Point, raw_source: str) -> None:
        state = self.state
        state.last_at, state.last_seq, state.last_raw = point.at, point.seq, point.raw
        state.high_seq = max(state.high_seq, point.seq)
        deltas: list[Delta] = []
        falls: list[Fall] = []
        bucket = self._bucket(point.at // BUCKET_US)
        advance(state.tail, point, self._counter, deltas, falls)
        bucket.append_one(point._replace(raw=bucket.raw_index(raw_source) << RAW_BITS | point.raw))
        self._known.note(bucket)
        bucket.row.exit = copy(state.tail)
        for fall in falls:
            self._count(TALLY[fall.was])
        for delta in deltas:
            self._credit(bucket, self._counting.shares_of_delta(delta, raw_source, delta.raw))

    def _credit(self, bucket: Bucket, shares: list[Share]) -> None:
        give(self._row, shares)
        merge(bucket.row.shares, shares)
        bucket.changed = True

    # -- buckets

    def _bucket(self, number: int) -> Bucket:
        """The bucket of this number; a new one begins with what was before it."""
        bucket, state = self.buckets.get(number), self.state
        if bucket is None:
            bucket = self.buckets.create(number, state.tail if number > state.newest_bucket else self._entry_of(number))
            if not state.newest_bucket:
                state.oldest_bucket = state.newest_bucket = number
            state.oldest_bucket, state.newest_bucket = min(state.oldest_bucket, number), max(state.newest_bucket, number)
        return bucket

    def _insert(self, readings: Readings, raw_source: str) -> set[int]:
        """Put readings in truth order into their buckets. Returns those: they have to be counted anew."""
        numbers = set[int]()
        for number, start, stop in _by_bucket(readings):
            numbers.add(number)
            bucket = self._bucket(number)
            points = readings[start:stop][:, _AS_POINT]
            points[:, 3] |= bucket.raw_index(raw_source) << RAW_BITS
            bucket.insert(points)
            self._known.note(bucket)
        self.state.high_seq = max(self.state.high_seq, int(readings[:, 0].max()))
        return numbers

    def _entry_of(self, number: int) -> PointState:
        """State before a bucket that does not exist: the exit of the one before it."""
        for earlier in range(number - 1, self.state.oldest_bucket - 1, -1):
            bucket = self.buckets.get(earlier)
            if bucket is not None:
                return bucket.row.exit
        return self.state.base

    def recount(self, from_us: int, to_us: int) -> None:
        """Runs or loads of [from_us, to_us] changed: attribute that time again."""
        state = self.state
        if state.newest_bucket:
            first, last = max(from_us // BUCKET_US, state.oldest_bucket), min(to_us // BUCKET_US, state.newest_bucket)
            self._recount(range(first, last + 1))

    def _recount(self, numbers: Iterable[int]) -> None:
        """Count these buckets anew, and each one after them whose entry state changed by it."""
        loose: set[str] = set()
        done = -1
        for number in sorted(numbers):
            if number <= done:
                continue
            bucket = self.buckets.get(number)
            entry = self._entry_of(number) if bucket is not None else None
            while bucket is not None and entry is not None:
                if bucket.row.entry != entry:
                    bucket.row.entry, bucket.changed = copy(entry), True
                loose |= self._count_bucket(bucket)
                done, entry = bucket.number, bucket.row.exit
                bucket = self._after(done)
                if bucket is None:
                    self.state.tail = copy(entry)
                elif bucket.row.entry == entry and bucket.number not in numbers:
                    break
        if loose:
            tighten(self._row, loose, self._shares_since)

    def _after(self, number: int) -> Bucket | None:
        return next(self.buckets.between(number + 1, self.state.newest_bucket), None)

    def _shares_since(self, first_at: int) -> Iterable[Share]:
        """Shares of all buckets in which something counted at `first_at` or later can be."""
        first = max(first_at // BUCKET_US, self.state.oldest_bucket)
        for bucket in self.buckets.between(first, self.state.newest_bucket):
            yield from bucket.row.shares

    def _count_bucket(self, bucket: Bucket) -> set[str]:
        exit_, shares = self._counting.count(bucket)
        bucket.changed |= exit_ != bucket.row.exit
        bucket.row.exit = exit_
        if shares == bucket.row.shares:
            return set()
        bucket.changed = True
        old, bucket.row.shares = bucket.row.shares, shares
        loose = loosened(self._row, old, shares)
        replace(self._row, old, shares)
        return loose

    def expire(self, before_us: int) -> None:
        """Forget buckets that ended before: their quantity stays in the totals, where nothing can move it any more."""
        state = self.state
        while state.newest_bucket and state.oldest_bucket < min(state.newest_bucket, before_us // BUCKET_US):
            bucket = self.buckets.get(state.oldest_bucket)
            if bucket is not None:
                state.base = copy(bucket.row.exit)
                self.buckets.delete(state.oldest_bucket)
            state.oldest_bucket += 1
        self._known.forget(state.oldest_bucket)

    def _count(self, what: str, times: int = 1) -> None:
        if times:
            self._row.tally[what] = self._row.tally.get(what, 0) + times


def _truth_order(readings: Readings) -> Indexes:
    """By time, number, raw position."""
    times = readings[:, 1]
    order: Indexes = times.argsort(kind="stable")
    ordered = times[order]
    return np.lexsort((readings[:, 3], readings[:, 0], times)) if bool((ordered[1:] == ordered[:-1]).any()) else order


def _by_bucket(ordered: Readings) -> Iterator[tuple[int, int, int]]:
    """(number of the bucket, first, last + 1) of readings in truth order."""
    numbers = ordered[:, 1] // BUCKET_US
    if numbers[0] == numbers[-1]:
        yield int(numbers[0]), 0, len(numbers)
        return
    starts = [0, *((numbers[1:] != numbers[:-1]).nonzero()[0] + 1).tolist(), len(numbers)]
    for start, stop in pairwise(starts):
        yield int(numbers[start]), start, stop
