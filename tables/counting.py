"""From the points of a bucket to shares: how many pieces lie between readings, and whose they are.

Two ways that give the same: a vectorised one where nothing has to be decided (the count never falls, is always available), and
the definition, point by point, for everything else. tests/property/test_counting.py compares them.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from schemas.configuration import Counter
from schemas.records import PointState, RawRange, Share
from tables.attribution import Ownership, Span, count_destinations, unattributed
from tables.buckets import Bucket, raw_of
from tables.counter import UNAVAILABLE, Delta, Point, advance, copy
from tables.lineage import add_range, add_ranges
from tables.points import RAW_BITS, Points

_OFFSET = (1 << RAW_BITS) - 1
Pieces = npt.NDArray[np.int64]


class Counting:
    """One counter under one ownership. A new ownership is a new Counting."""

    def __init__(self, name: str, counter: Counter, ownership: Ownership, basis: bool = True) -> None:
        self._name, self._counter, self._ownership, self._basis = name, counter, ownership, basis
        self._adds_up = counter.shows == "increment"
        self._span = Span(0, 0, None, (), (), "")
        self._keys: list[tuple[str, int]] = []
        """Destinations of `_span` as keys, with their factors."""

    def is_plain(self, state: PointState) -> bool:
        """A reading that does not fall adds its difference, whatever comes next."""
        return self._adds_up or (state.value is not None and state.low is None and state.broken_at is None)

    def pieces(self, before: int | None, values: Pieces) -> Pieces | None:
        """Pieces at each of these readings after the value `before`. None: something has to be decided."""
        if self._adds_up:
            return np.where(values == UNAVAILABLE, 0, values)
        previous = np.int64(values[0] if before is None else before)
        if int(values.min()) == UNAVAILABLE or int(values[0]) < previous or bool((values[1:] < values[:-1]).any()):
            return None
        pieces = values.copy()
        pieces[1:] -= values[:-1]
        pieces[0] -= previous
        return pieces

    def count(self, bucket: Bucket) -> tuple[PointState, list[Share]]:
        """State after the bucket's points, and what they give, from the state before."""
        entry, points = bucket.row.entry, bucket.points
        pieces = None
        if len(points) and (self.is_plain(entry) or entry == PointState()):
            pieces = self.pieces(entry.value, points[:, 2])
        if pieces is None:
            return self.count_by_definition(bucket)
        exit_ = copy(entry) if self._adds_up else PointState(value=int(points[-1, 2]), seq=int(points[-1, 1]))
        return exit_, self.shares_of(points, pieces, bucket.row.raw_sources)

    def count_by_definition(self, bucket: Bucket) -> tuple[PointState, list[Share]]:
        state, shares = copy(bucket.row.entry), list[Share]()
        for values in bucket.points.tolist():
            deltas: list[Delta] = []
            advance(state, Point(*values), self._counter, deltas, [])
            for delta in deltas:
                merge(shares, self.shares_of_delta(delta, *raw_of(bucket, delta.raw)))
        return state, shares

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
                merge(
                    shares,
                    [
                        Share(key, amount * factor, stop - start, first, last, [_copy(entry) for entry in ranges])
                        for key, factor in keys
                    ],
                )
            start = stop
        return shares

    def shares_of_delta(self, delta: Delta, raw_source: str, raw: int) -> list[Share]:
        """Whoever owns the later reading gets its pieces; across a disconnect only if it owned the start as well (ADR 0008)."""
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


def merge(shares: list[Share], more: Iterable[Share]) -> None:
    """Add to the shares of the same destinations; others are appended (and belong to `shares` from now on)."""
    for share in more:
        known = next((entry for entry in shares if entry.destination == share.destination), None)
        if known is None:
            shares.append(share)
            continue
        known.amount += share.amount
        known.records += share.records
        known.first_at, known.last_at = min(known.first_at, share.first_at), max(known.last_at, share.last_at)
        add_ranges(known.ranges, share.ranges)


def _ranges(raws: Pieces, raw_sources: Sequence[str]) -> list[RawRange]:
    low, high = int(raws.min()), int(raws.max())
    if low >> RAW_BITS == high >> RAW_BITS:
        return [RawRange(raw_sources[low >> RAW_BITS], low & _OFFSET, high & _OFFSET, len(raws))]
    ranges: list[RawRange] = []
    for index in np.unique(raws >> RAW_BITS).tolist():
        of = raws[raws >> RAW_BITS == index]
        add_range(ranges, raw_sources[index], int(of.min()) & _OFFSET, int(of.max()) & _OFFSET, len(of))
    return ranges


def _copy(entry: RawRange) -> RawRange:
    return RawRange(entry.raw_source, entry.first, entry.last, entry.records)
