"""Counting by several definitions: each reading by the one that held when it occurred (tables/equipment/definitions.py)."""

from collections.abc import Callable, Sequence

import numpy as np

from schemas.records import CountFall, PointState, Share
from tables.equipment.counter import Readings, copy, upwards_all
from tables.equipment.counting import Counting
from tables.equipment.definitions import Definition, carried, index_at
from tables.equipment.reading_buckets import BUCKET_US, Bucket


class RedefinedCounting:
    """`until`: from then on the last definition holds."""

    def __init__(self, definitions: Sequence[Definition], counting: Callable[[Definition], Counting]) -> None:
        self._definitions = definitions
        self._countings = [counting(one) for one in definitions]
        self.until = definitions[-1].since

    def upwards(self, readings: Readings) -> Readings:
        """Values as counts that grow."""
        if int(readings[:, 1].min()) >= self.until:
            return upwards_all(readings, self._definitions[-1].counter)
        counters = [self._definitions[index_at(self._definitions, at)].counter for at in readings[:, 1].tolist()]
        parts = [upwards_all(readings[index : index + 1], counter) for index, counter in enumerate(counters)]
        return np.concatenate(parts)

    def at(self, moment: int) -> Counting:
        return self._countings[index_at(self._definitions, moment)]

    def carried(self, state: PointState, moment: int) -> PointState:
        """The state as a reading of `moment` finds it; the same object where nothing lies between."""
        return carried(state, self._definitions, moment)

    def count(self, bucket: Bucket) -> tuple[PointState, list[Share], list[CountFall]]:
        """As Counting.count."""
        began, points = bucket.number * BUCKET_US, bucket.points
        first = index_at(self._definitions, began)
        if first == index_at(self._definitions, began + BUCKET_US - 1) and (
            not len(points) or self.carried(bucket.row.entry, int(points[0, 0])) is bucket.row.entry
        ):
            return self._countings[first].count(bucket)
        state, shares, found = copy(bucket.row.entry), list[Share](), list[CountFall]()
        edges = [*(one.since for one in self._definitions[1:]), int(points[-1, 0]) + 1]
        start = 0
        for counting, edge in zip(self._countings, edges, strict=True):
            stop = max(start, int(points[:, 0].searchsorted(edge)))
            if stop > start:
                state = copy(self.carried(state, int(points[start, 0])))
                counting.count_points(bucket, points[start:stop], state, shares, found)
            start = stop
        return state, shares, found
