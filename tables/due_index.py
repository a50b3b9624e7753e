"""When each row is due, by time: the clock's advance costs what is due, not what there is."""

import heapq
from collections import defaultdict

SPARE_ENTRIES = 1_000
"""Outdated entries that are kept beyond as many as there are rows; then the heap is built again."""


class DueIndex:
    """Due times of rows of one partition, by plant. In memory only: a take-over builds it from the rows."""

    def __init__(self) -> None:
        self._at: dict[str, dict[str, int]] = defaultdict(dict)
        self._heaps: dict[str, list[tuple[int, str]]] = defaultdict(list)

    def put(self, plant: str, key: str, at: int | None) -> None:
        """The row is due at this log time and at no other; None: it is not due."""
        known = self._at[plant]
        if at is None:
            known.pop(key, None)
        elif known.get(key) != at:
            known[key] = at
            heap = self._heaps[plant]
            heapq.heappush(heap, (at, key))
            if len(heap) > 2 * len(known) + SPARE_ENTRIES:
                self._heaps[plant] = [(moment, name) for name, moment in known.items()]
                heapq.heapify(self._heaps[plant])

    def take(self, plant: str, now: int, most: int = 1 << 62) -> dict[str, int]:
        """What is due up to `now` with its time, the oldest first and at most `most`; each is told once and then has to be put
        again."""
        heap, known, taken = self._heaps[plant], self._at[plant], dict[str, int]()
        while heap and heap[0][0] <= now and len(taken) < most:
            at, key = heapq.heappop(heap)
            if known.get(key) == at:
                taken[key] = known.pop(key)
        return taken

    def first(self, plant: str) -> int | None:
        """When the next of them is due; None: none is."""
        heap, known = self._heaps[plant], self._at[plant]
        while heap and known.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def later_than(self, plant: str, at: int) -> list[str]:
        """What is due later than `at`, by key: looks at all of the plant's, for repairs."""
        return sorted(key for key, due in self._at[plant].items() if due > at)

    def next_of(self, plant: str, key: str) -> int | None:
        return self._at[plant].get(key)
