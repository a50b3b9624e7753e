"""One counter of one equipment: its readings in buckets of ten minutes, in truth order for any order of arrival.

Every reading is kept for the late horizon, one that repeats the count too (docs/adr/0012). Readings in order are appended in
one stroke; late ones go into their buckets, which are then counted anew, and the buckets after them while their entry state
changes. Totals change by the difference.

Readings that arrive together are sorted first: those behind what is known are inserted, the others appended, each in one stroke,
because the state depends on which readings are known and not on their order. Where the order matters (which of two readings
with one number came first) they are taken in the order of their arrival.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from schemas.records import CounterState, EquipmentRow, PointState, RawRange, Share
from tables.equipment import definitions, falls
from tables.equipment.attribution import Ownership
from tables.equipment.count_decisions import forget, is_settled, verdicts
from tables.equipment.counter import Point, Readings, copy, upwards_all
from tables.equipment.counting import Counting, merge
from tables.equipment.definitions import Definition
from tables.equipment.known_readings import Indexes, Known
from tables.equipment.packed_readings import RAW_BITS
from tables.equipment.reading_buckets import BUCKET_US, Bucket, Buckets
from tables.equipment.reading_order import by_bucket, truth_order
from tables.equipment.redefined_counting import RedefinedCounting
from tables.equipment.totals import give, loosened, replace, tighten
from tables.row_kinds import TIMELINE_ROWS
from tables.rows import RowStore

VECTOR_MIN = 24
"""Readings from which on numpy is cheaper than a loop."""
FEW = 48
"""Readings up to which plain ones are cheaper to append without numpy."""
_AS_POINT = [1, 0, 2, 3]


class Timeline:
    """The fold of one counter. `row` and the buckets are its state; nothing else is kept. After a change call `save`."""

    def __init__(self, rows: RowStore, row: EquipmentRow, name: str, defined: Sequence[Definition], ownership: Ownership) -> None:
        """`defined`: what the counter was within the late horizon, and is."""
        self._row, self._name, self._definitions = row, name, defined
        self._counter = defined[-1].counter
        self.buckets = Buckets(rows, TIMELINE_ROWS.under(row.plant, row.equipment, name))
        state = row.counters.get(name)
        if state is None:
            state = row.counters[name] = CounterState(PointState(), PointState())
        self.state = state
        self._known = Known(self.buckets, self.state, defined)
        self.attribute_by(ownership)

    def attribute_by(self, ownership: Ownership) -> None:
        decided = verdicts(self.state)

        def counting(one: Definition) -> Counting:
            return Counting(self._name, one.counter, ownership, one.basis, decided)

        self._counting = counting(self._definitions[-1])
        self._redefined = RedefinedCounting(self._definitions, counting) if len(self._definitions) > 1 else None

    def save(self, keep: int) -> None:
        """`keep`: buckets that stay unpacked beside the newest."""
        self.buckets.save(self.state.newest_bucket, keep)

    # -- readings

    def read(self, readings: Readings, raw_source: str) -> list[int]:
        """Fold readings of one raw source, in the order of their arrival.

        Returns the indexes of those that are refused: their sequence number had another value before (the first one stays).
        """
        readings = upwards_all(readings, self._counter) if self._redefined is None else self._redefined.upwards(readings)
        if self._tells_of_before(readings):
            return self._read_each(readings, raw_source)
        if len(readings) <= FEW and self._append_few(readings, raw_source):
            return []
        if len(readings) < VECTOR_MIN:
            return self._read_each(readings, raw_source)
        if self._known.ascending(readings):
            self._append(readings, raw_source, ascending=True)
            return []
        repeated = self._known.repeated(readings)
        if repeated is None:
            return self._read_each(readings, raw_source)
        self._read_new(np.delete(readings, repeated, axis=0) if len(repeated) else readings, raw_source)
        conflicts = self._read_each(readings[repeated], raw_source)
        return repeated[conflicts].tolist()  # type: ignore[no-any-return]

    def _tells_of_before(self, readings: Readings) -> bool:
        """Of what occurred by another definition, or right after it."""
        known = self._redefined
        return known is not None and (
            int(readings[:, 1].min()) < known.until or known.carried(self.state.tail, known.until) is not self.state.tail
        )

    def _read_each(self, readings: Readings, raw_source: str) -> list[int]:
        """One by one, but for stretches that are the everyday case."""
        conflicts, late, rows, start = [], set[int](), readings.tolist(), 0
        while start < len(rows):
            stop = self._ascending_until(rows, start)
            if stop - start > 1:
                self._recount(late)
                late.clear()
                if self._append_few(readings[start:stop], raw_source):
                    start = stop
                    continue
            for index in range(start, stop):
                seq, at, value, raw = rows[index]
                point = Point(at, seq, value, raw)
                known = self._known.value_of(point, raw_source)
                if known is None:
                    self._read_one(point, raw_source, late)
                elif known == value:
                    self._count("duplicates")
                else:
                    self._count("conflicts")
                    conflicts.append(index)
            start = stop
        self._recount(late)
        return conflicts

    def _ascending_until(self, rows: list[list[int]], start: int) -> int:
        """Where the readings from `start` on end that are later than all that is known, with higher numbers; at least one."""
        high_seq, last_at, stop = self.state.high_seq, self.state.last_at, start
        while stop < len(rows) and rows[stop][0] > high_seq and rows[stop][1] >= last_at:
            high_seq, last_at, _, _ = rows[stop]
            stop += 1
        return max(stop, start + 1)

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
        if len(readings) < VECTOR_MIN:
            self._read_each(readings, raw_source)
            return
        state = self.state
        seqs, times, raws = readings[:, 0], readings[:, 1], readings[:, 3]
        order = truth_order(readings)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        after = (times > state.last_at) | (
            (times == state.last_at) & ((seqs > state.last_seq) | ((seqs == state.last_seq) & (raws > state.last_raw)))
        )
        late = ~after | (rank < np.maximum.accumulate(rank))
        ordered = readings[order]
        split = len(readings) - int(after.sum())
        if split:
            self._recount(self._insert(ordered[:split], raw_source))
        self._append(ordered[split:], raw_source)
        self._count("late", int(late.sum()))

    # -- append

    def _append(self, readings: Readings, raw_source: str, ascending: bool = False) -> None:
        """Readings in truth order that are later than all that is known. `ascending`: their numbers are so, too."""
        if not len(readings):
            return
        values = readings[:, 2]
        rises = self._counter.shows in ("increment", "signal")
        falls_at = () if rises else ((values[1:] < values[:-1]).nonzero()[0] + 1).tolist()
        start = 0
        for stop in (*falls_at, len(readings)):
            size = stop - start
            while start < stop:
                part = readings[start : min(stop, start + size)]
                tail, pieces = self.state.tail, None
                if len(part) >= VECTOR_MIN // 4 and self._counting.is_plain(tail):
                    pieces = self._counting.pieces(tail, part[:, 1], part[:, 2], never_falls=not rises)
                    if pieces is None and len(part) >= VECTOR_MIN and (rises or int(part[0, 2]) >= (tail.value or 0)):
                        size = len(part) // 2  # something within it has to be decided: up to there in one stroke
                        continue
                if pieces is None:
                    seq, at, value, raw = part[0].tolist()
                    self._append_one(Point(at, seq, value, raw), raw_source)
                    start, size = start + 1, stop - start - 1
                else:
                    self._append_many(part, pieces, raw_source, ascending)
                    start, size = start + len(part), stop - start - len(part)

    def _append_few(self, readings: Readings, raw_source: str) -> bool:
        """The everyday case, cheap: a few readings of one bucket and one owner, each later than the one before, that only
        add. False: it is not that case, and nothing was done."""
        state, tail = self.state, self.state.tail
        if self._counter.shows in ("increment", "signal") or tail.value is None or not self._counting.is_plain(tail):
            return False
        if self._tells_of_before(readings):
            return False
        rows = readings.tolist()
        began, before = rows[0][1], tail.value
        keys, owned_until = self._counting.owner_at(began)
        number, end = began // BUCKET_US, min(owned_until, (began // BUCKET_US + 1) * BUCKET_US)
        high_seq, last_at, value, previous = state.high_seq, state.last_at, before, tail.at
        adding, asked_from = [], self._counting.asked_from(tail)
        moved = PointState(before, None, 0, None, -1, previous, tail.level, tail.most, tail.most_us, None, tail.former)
        for row in rows:
            seq, at, shown, _ = row
            if seq <= high_seq or seq < 0 or at < last_at or at >= end or shown < value:
                return False
            if shown - value >= asked_from:
                moved.at = previous
                if not self._counting.steps(moved, at, shown - value):
                    return False
                asked_from = self._counting.asked_from(moved)
            if shown != value:
                adding.append(row)
            high_seq, last_at, value, previous = seq, at, shown, at
        bucket = self._bucket(number)
        points = readings[:, _AS_POINT]
        points[:, 3] |= bucket.raw_index(raw_source) << RAW_BITS
        bucket.append_span(points, rows[0][0], high_seq)
        self._known.note(bucket)
        moved.value, moved.seq, moved.at = value, high_seq, last_at
        state.tail, bucket.row.exit = moved, copy(moved)
        state.last_seq, state.last_at, state.high_seq, state.last_raw = high_seq, last_at, high_seq, rows[-1][3]
        if adding and keys:
            raws, pieces = [row[3] for row in adding], value - before
            first, last, lineage = adding[0][1], adding[-1][1], (raw_source, min(raws), max(raws), len(raws))
            shares = [Share(key, pieces * factor, len(raws), first, last, [RawRange(*lineage)]) for key, factor in keys]
            self._credit(bucket, shares)
        return True

    def _append_many(self, readings: Readings, pieces: Indexes, raw_source: str, ascending: bool) -> None:
        state, times, start = self.state, readings[:, 1], 0
        last_seq, last_at, _, last_raw = readings[-1].tolist()
        numbered = ascending and last_seq >= 0
        while start < len(readings):
            number = int(times[start]) // BUCKET_US
            end = (number + 1) * BUCKET_US
            stop = int(times.searchsorted(end)) if last_at >= end else len(readings)
            bucket = self._bucket(number)
            points = readings[start:stop][:, _AS_POINT]
            points[:, 3] |= bucket.raw_index(raw_source) << RAW_BITS
            if numbered:
                bucket.append_span(points, int(points[0, 1]), int(points[-1, 1]))
            else:
                bucket.append(points)
            self._known.note(bucket)
            if self._counter.shows != "increment":
                state.tail = self._counting.after(state.tail, points, pieces[start:stop])
                bucket.row.exit = copy(state.tail)
            self._credit(bucket, self._counting.shares_of(points, pieces[start:stop], bucket.row.raw_sources))
            start = stop
        state.last_seq, state.last_at, state.last_raw = last_seq, last_at, last_raw
        state.high_seq = max(state.high_seq, last_seq if numbered else int(readings[:, 0].max()))

    def _append_one(self, point: Point, raw_source: str) -> None:
        state = self.state
        state.last_at, state.last_seq, state.last_raw = point.at, point.seq, point.raw
        state.high_seq = max(state.high_seq, point.seq)
        bucket, counting = self._bucket(point.at // BUCKET_US), self._counting
        if self._redefined is not None:
            counting, state.tail = self._redefined.at(point.at), self._redefined.carried(state.tail, point.at)
        walk = counting.walk(state.tail)
        walk.take(point)
        bucket.append_one(point._replace(raw=bucket.raw_index(raw_source) << RAW_BITS | point.raw))
        self._known.note(bucket)
        bucket.row.exit = copy(state.tail)
        if walk.falls:
            before = [falls.copy(fall) for fall in bucket.row.falls]
            for fall in walk.falls:
                falls.note(bucket.row.falls, fall)
            falls.tally(self._row, before, bucket.row.falls)
            bucket.changed = True
        for delta in walk.deltas:
            self._credit(bucket, counting.shares_of_delta(delta, raw_source, delta.raw))

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
        for number, start, stop in by_bucket(readings):
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
            self._recount(range(first, last if is_settled(self._row, state, self.buckets, to_us) else last + 1))

    def redefined(self, since: int, turned: bool) -> None:
        """What occurred `since` then was counted by another definition, and is counted anew."""
        for bucket in self.buckets.between(since // BUCKET_US, self.state.newest_bucket) if turned else ():
            bucket.turn(since)
        self.recount(since, 2**62)

    def decided(self, began_at: int) -> None:
        """A person decided about what began then: count from there on."""
        state = self.state
        if state.newest_bucket:
            self._recount([min(max(began_at // BUCKET_US, state.oldest_bucket), state.newest_bucket)])

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
        exit_, shares, found = (self._redefined or self._counting).count(bucket)
        bucket.changed |= exit_ != bucket.row.exit or found != bucket.row.falls
        bucket.row.exit = exit_
        falls.tally(self._row, bucket.row.falls, found)
        bucket.row.falls = found
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
                state.falls = falls.kept(state.falls, bucket.row.falls)
                self.buckets.delete(state.oldest_bucket)
            state.oldest_bucket += 1
        forget(state, state.oldest_bucket * BUCKET_US)
        if state.former:
            definitions.forget(state, self._definitions, min(before_us, state.oldest_bucket * BUCKET_US))
        self._known.forget(state.oldest_bucket)

    def _count(self, what: str, times: int = 1) -> None:
        if times:
            self._row.tally[what] = self._row.tally.get(what, 0) + times
