"""Which lane's turn it is: holds, the completion of operations and the rest share the calls, and age raises what waits."""

import heapq
from collections.abc import Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

HOLDS, COMPLETION, REST = range(3)
"""What concerns lots on hold; orders with an operation to finish; everything else."""
STRIDES = (10, 20, 60)
"""Of each tier: six, three and one of ten calls while all of them wait."""
RAISE_US = 1_800_000_000
"""What is older than the newest cut by so much counts as of the next tier."""

K = TypeVar("K")


class Turn(NamedTuple):
    """Order within a lane. The final posting of an operation goes after the others of its cut."""

    cut: int
    final: bool
    account: str
    sequence: int
    posting_id: str


Rank = tuple[int, Turn]


class Tiers(Generic[K]):
    """Keys by rank. The tier whose turn it is gives its oldest; one that had nothing to give saves up no turns."""

    def __init__(self) -> None:
        self._heaps: tuple[list[tuple[Rank, K]], ...] = ([], [], [])
        self._passes = [0, 0, 0]
        self._at = 0
        self._newest = 0

    def __len__(self) -> int:
        return sum(map(len, self._heaps))

    def push(self, rank: Rank, key: K) -> None:
        self._newest = max(self._newest, rank[1].cut)
        heapq.heappush(self._heaps[rank[0]], (rank, key))

    def refill(self, entries: Iterable[tuple[Rank, K]]) -> None:
        """Instead of all that is there."""
        for heap in self._heaps:
            heap.clear()
        for rank, key in entries:
            self.push(rank, key)

    def pop(self, valid: Callable[[K, Rank], bool]) -> K | None:
        """The next one that is still `valid`; the others are dropped."""
        oldest: dict[int, tuple[Turn, int]] = {}
        for tier, heap in enumerate(self._heaps):
            while heap and not valid(heap[0][1], heap[0][0]):
                heapq.heappop(heap)
            if heap:
                turn = heap[0][0][1]
                raised = max(HOLDS, tier - (self._newest - turn.cut) // RAISE_US)
                oldest[raised] = min(oldest.get(raised, (turn, tier)), (turn, tier))
        if not oldest:
            return None
        chosen = min(oldest, key=lambda tier: (max(self._passes[tier], self._at), tier))
        self._at = max(self._passes[chosen], self._at)
        self._passes[chosen] = self._at + STRIDES[chosen]
        return heapq.heappop(self._heaps[oldest[chosen][1]])[1]
