"""From the points of a bucket to shares: how many pieces lie between readings, and whose they are.

Two ways that give the same: a vectorised one where nothing has to be decided (the count never falls, never jumps, is always
available), and the definition, point by point, for everything else. tests/property/test_counting.py compares them.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from schemas.configuration import Counter
from schemas.configuration.counters import ABSURD_TIMES, MAX_LEVEL
from schemas.records import CountFall, PointState, RawRange, Share
from tables.equipment import falls, plausible
from tables.equipment.attribution import Ownership, Span, count_destinations, unattributed, undecided
from tables.equipment.counter import NO_DECISIONS, UNAVAILABLE, Delta, Point, Walk, copy
from tables.equipment.packed_readings import MAX_OFFSET, RAW_BITS, Points
from tables.equipment.reading_buckets import Bucket, raw_of
from tables.lineage import add_range, add_ranges

Pieces = npt.NDArray[np.int64]


class Counting:
    """One counter under one ownership. A new ownership is a new Counting."""

    def __init__(
        self,
        name: str,
        counter: Counter,
        ownership: Ownership,
        basis: bool = True,
        decided: Mapping[int, str] = NO_DECISIONS,
    ) -> None:
        self._name, self._counter, self._ownership, self._basis, self._decided = name, counter, ownership, basis, decided
        self._adds_up, self._switches = counter.shows == "increment", counter.shows == "signal"
        self._learns = plausible.learns(counter)
        self._span = Span(0, 0, None, (), (), "")
        self._keys: list[tuple[str, int]] = []
        """Destinations of `_span` as keys, with their factors."""

    def is_plain(self, state: PointState) -> bool:
        """A reading that does not fall adds its difference, if that is believed; what comes next does not matter."""
        return self._adds_up or (
            state.value is not None and state.low is None and state.broken_at is None and state.excursion is None
        )

    def pieces(self, state: PointState, times: Pieces, values: Pieces, never_falls: bool = False) -> Pieces | None:
        """Pieces at each of these readings after a plain state, or the first state of all. None: something has to be decided.

        `never_falls`: it is known that none is lower than the one before it.
        """
        if self._adds_up:
            return np.where(values == UNAVAILABLE, 0, values)
        lowest = int(values[0] if never_falls else values.min())
        if lowest == UNAVAILABLE or (lowest < 0 and self._counter.shows == "total"):
            return None
        if self._switches:
            values = (values > 0).astype(np.int64)
        previous = np.int64(values[0] if state.value is None else state.value)
        if self._switches:
            return np.maximum(np.diff(values, prepend=previous), 0)
        if int(values[0]) < previous or not (never_falls or bool((values[1:] >= values[:-1]).all())):
            return None
        pieces = values.copy()
        pieces[1:] -= values[:-1]
        pieces[0] -= previous
        if self._learns and int(values[-1]) - int(previous) <= self._counter.absurd:
            return pieces
        return pieces if self._levels(state, times, pieces) is not None else None

    def _levels(self, state: PointState, times: Pieces, pieces: Pieces) -> int | None:
        """Level of the rate's bucket after these pieces. None: some of them may not be believed."""
        counter, bounds = self._counter, self._counter.bounds
        if self._learns:
            return state.level if int(pieces.max()) <= max(counter.absurd, ABSURD_TIMES * state.most) else None
        if not counter.judges:
            return state.level
        if bounds.step is not None and int(pieces.max()) > bounds.step:
            return None
        if bounds.burst is None:
            return state.level
        began = int(times[0]) if state.value is None else state.at
        if int(pieces.sum()) * bounds.per >= MAX_LEVEL or (int(times[-1]) - began) * bounds.rate >= MAX_LEVEL:
            return None
        endless = state.level + pieces.cumsum() * bounds.per - (times - began) * bounds.rate
        levels = endless - np.minimum(np.minimum.accumulate(endless), 0)
        return int(levels[-1]) if int(levels.max()) <= bounds.burst * bounds.per else None

    def asked_from(self, state: PointState) -> int:
        """Rises from which on `steps` has to be asked: smaller ones are believed, and change nothing but the count."""
        if self._learns:
            return state.most if state.most_us > plausible.SECOND_US else state.most + 1
        return 0 if self._counter.judges else MAX_LEVEL

    def steps(self, state: PointState, at: int, pieces: int) -> bool:
        """Let a state that needs no more than its time take a rise of the count. False: it may not be believed."""
        room = plausible.room(state, at, self._counter)
        if room is not None and pieces > room:
            return False
        plausible.note(state, at, pieces, self._counter, True)
        return True

    def after(self, state: PointState, points: Points, pieces: Pieces) -> PointState:
        """The state after points that add `pieces` each, as `pieces` gave them."""
        if self._adds_up:
            return copy(state)
        value, at = int(points[-1, 2]), int(points[-1, 0])
        most, most_us, level = state.most, state.most_us, state.level
        if self._learns:
            largest = int(pieces.max())
            if largest > most or (largest == most and largest and most_us > plausible.SECOND_US):
                times, where = points[:, 0], (pieces == largest).nonzero()[0]
                before = times[where - 1]
                if not where[0]:
                    before[0] = times[0] if state.value is None else state.at
                most, most_us = plausible.larger_step(most, most_us, largest, int((times[where] - before).min()))
        else:
            found = self._levels(state, points[:, 0], pieces)
            level = found if found is not None else level
        value = int(value > 0) if self._switches else value
        return PointState(
            value=value, seq=int(points[-1, 1]), at=at, level=level, most=most, most_us=most_us, former=state.former
        )

    def count(self, bucket: Bucket) -> tuple[PointState, list[Share], list[CountFall]]:
        """State after the bucket's points, what they give, and their falls, from the state before."""
        entry, points = bucket.row.entry, bucket.points
        pieces = None
        if len(points) and (self.is_plain(entry) or entry == PointState()):
            pieces = self.pieces(entry, points[:, 0], points[:, 2])
        if pieces is None:
            return self.count_by_definition(bucket)
        return self.after(entry, points, pieces), self.shares_of(points, pieces, bucket.row.raw_sources), []

    def count_by_definition(self, bucket: Bucket) -> tuple[PointState, list[Share], list[CountFall]]:
        state, shares, found = copy(bucket.row.entry), list[Share](), list[CountFall]()
        self.count_points(bucket, bucket.points, state, shares, found)
        return state, shares, found

    def count_points(
        self, bucket: Bucket, points: Points, state: PointState, shares: list[Share], found: list[CountFall]
    ) -> None:
        """Points of the bucket, one by one: the state moves over them, and what they give is added."""
        walk = self.walk(state)
        for values in points.tolist():
            walk.take(Point(*values))
            for delta in walk.deltas:
                merge(shares, self.shares_of_delta(delta, *raw_of(bucket, delta.raw)))
            walk.deltas.clear()
        for fall in walk.falls:
            falls.note(found, fall)

    def walk(self, state: PointState) -> Walk:
        """From `state`, which moves with it."""
        return Walk(state, self._counter, self._decided)

    def shares_of(self, points: Points, pieces: Pieces, raw_sources: Sequence[str]) -> list[Share]:
        """What these points give that add `pieces` each."""
        if np.count_nonzero(pieces) < len(points):
            adding = pieces.nonzero()[0]
            points, pieces = points[adding], pieces[adding]
        shares: list[Share] = []
        times, start = points[:, 0], 0
        while start < len(points):
            keys = self._keys_at(int(times[start]))
            stop = int(times.searchsorted(self._span.end)) if int(times[-1]) >= self._span.end else len(points)
            if keys:
                ranges = _ranges(points[start:stop, 3], raw_sources)
                amount, first, last = int(pieces[start:stop].sum()), int(times[start]), int(times[stop - 1])
                (key, factor), *others = keys
                found = [Share(key, amount * factor, stop - start, first, last, ranges)]
                for key, factor in others:
                    found.append(Share(key, amount * factor, stop - start, first, last, [_copy(entry) for entry in ranges]))
                shares = merge(shares, found) if shares else found
            start = stop
        return shares

    def shares_of_delta(self, delta: Delta, raw_source: str, raw: int) -> list[Share]:
        """The owner of the later reading gets its pieces; across a disconnect only if it owned the start as well (ADR 0008).
        What nobody believes yet belongs to nobody."""
        if delta.undecided is not None:
            date = self._ownership.at(delta.undecided).business_date
            key = undecided(date, self._name, self._counter, delta.undecided).key()
            return [Share(key, delta.pieces, 1, delta.at, delta.at, [RawRange(raw_source, raw, raw, 1)])]
        keys = self._keys_at(delta.at)
        span = self._span
        if delta.gap_from is not None and span.run is not None and self._counter.counts != "indicator":
            before = self._ownership.at(delta.gap_from).run
            if before is None or before.run != span.run.run:
                keys = [(unattributed(span.business_date, self._name, self._counter).key(), 1)]
        return [
            Share(key, delta.pieces * factor, 1, delta.at, delta.at, [RawRange(raw_source, raw, raw, 1)]) for key, factor in keys
        ]

    def owner_at(self, moment: int) -> tuple[list[tuple[str, int]], int]:
        """Destinations of a count at that moment, with their factors, and when that ends."""
        return self._keys_at(moment), self._span.end

    def _keys_at(self, moment: int) -> list[tuple[str, int]]:
        if not self._span.start <= moment < self._span.end:
            self._span = self._ownership.at(moment)
            found = count_destinations(self._span, self._name, self._counter, self._basis)
            self._keys = [(to.key(), factor) for to, factor in found]
        return self._keys


def merge(shares: list[Share], more: Iterable[Share]) -> list[Share]:
    """`shares`, with more added to those of the same destinations; others are appended (and belong to it from now on)."""
    for share in more:
        known = next((entry for entry in shares if entry.destination == share.destination), None)
        if known is None:
            shares.append(share)
            continue
        known.amount += share.amount
        known.records += share.records
        known.first_at, known.last_at = min(known.first_at, share.first_at), max(known.last_at, share.last_at)
        add_ranges(known.ranges, share.ranges)
    return shares


def _ranges(raws: Pieces, raw_sources: Sequence[str]) -> list[RawRange]:
    low, high = int(raws.min()), int(raws.max())
    if low >> RAW_BITS == high >> RAW_BITS:
        return [RawRange(raw_sources[low >> RAW_BITS], low & MAX_OFFSET, high & MAX_OFFSET, len(raws))]
    ranges: list[RawRange] = []
    for index in np.unique(raws >> RAW_BITS).tolist():
        of = raws[raws >> RAW_BITS == index]
        add_range(ranges, raw_sources[index], int(of.min()) & MAX_OFFSET, int(of.max()) & MAX_OFFSET, len(of))
    return ranges


def _copy(entry: RawRange) -> RawRange:
    return RawRange(entry.raw_source, entry.first, entry.last, entry.records)
