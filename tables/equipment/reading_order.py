"""Readings that arrived in any order: in truth order, and by the buckets they belong to."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from tables.equipment.counter import Readings
from tables.equipment.known_readings import Indexes
from tables.equipment.reading_buckets import BUCKET_US


def truth_order(readings: Readings) -> Indexes:
    """By time, number, raw position."""
    times = readings[:, 1]
    order: Indexes = times.argsort(kind="stable")
    ordered = times[order]
    return np.lexsort((readings[:, 3], readings[:, 0], times)) if bool((ordered[1:] == ordered[:-1]).any()) else order


def by_bucket(ordered: Readings) -> Iterator[tuple[int, int, int]]:
    """(number of the bucket, first, last + 1) of readings in truth order."""
    numbers = ordered[:, 1] // BUCKET_US
    if numbers[0] == numbers[-1]:
        yield int(numbers[0]), 0, len(numbers)
        return
    starts = [0, *((numbers[1:] != numbers[:-1]).nonzero()[0] + 1).tolist(), len(numbers)]
    for start, stop in pairwise(starts):
        yield int(numbers[start]), start, stop
