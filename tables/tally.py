"""Figures of a partition's rows, kept with each change of a row: nobody counts rows to show a figure."""

import heapq
from collections import Counter
from collections.abc import Mapping
from typing import Generic, TypeVar

Place = TypeVar("Place", bound=tuple[str, ...])


class Tally(Generic[Place]):
    """How many things are in which place. A place with nothing in it is not listed."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}
        self._counts: Counter[Place] = Counter()

    def put(self, name: str, place: Place | None) -> None:
        """Where the thing is now; None: in no place that counts."""
        before = self._places.get(name)
        if before == place:
            return
        if before is not None:
            self._counts[before] -= 1
            if not self._counts[before]:
                del self._counts[before]
        if place is None:
            self._places.pop(name, None)
        else:
            self._places[name] = place
            self._counts[place] += 1

    def __contains__(self, name: str) -> bool:
        """Is the thing in a place that counts?"""
        return name in self._places

    def counts(self) -> Mapping[Place, int]:
        """A copy: it is asked by other threads."""
        return self._counts.copy()


class Oldest:
    """The smallest time of things that come and go."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}
        self._heap: list[tuple[int, str]] = []

    def put(self, name: str, at: int | None) -> None:
        """None: it is gone."""
        if self._at.get(name) == at:
            return
        if at is None:
            del self._at[name]
        else:
            self._at[name] = at
            heapq.heappush(self._heap, (at, name))
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)

    @property
    def at(self) -> int | None:
        """None: there is nothing."""
        heap = self._heap
        return heap[0][0] if heap else None
