"""Whether the rows of a stage are of one moment: its partitions commit one by one, and sums over them hold at one clock."""

import time
from collections.abc import Callable, Mapping

from schemas.records import PartitionPosition
from streams.clock import clock_of, clocks_in

Rows = Mapping[str, Mapping[bytes, bytes]]
"""Encoded rows by stage."""
PAUSE_SECONDS = 0.02
"""Between two looks: partitions are together for a part of a second, then the next tick comes."""


def clocks_of(positions: Mapping[str, PartitionPosition], plant: str) -> dict[str, int]:
    """The plant's clock in each partition that heard of it, microseconds."""
    found = {}
    for name, row in positions.items():
        reached = clock_of(row, plant, [upstream for (where, upstream), _ in clocks_in(row.clocks) if where == plant])
        if reached:
            found[name] = reached
    return found


def taken(
    look: Callable[[], Rows], positions: Callable[[Rows], Mapping[str, PartitionPosition]], plant: str, wait_s: float
) -> Rows:
    """The rows at a moment at which all partitions have the same clock of the plant; after `wait_s` as they are."""
    deadline = time.monotonic() + wait_s
    while True:
        rows = look()
        if len(set(clocks_of(positions(rows), plant).values())) <= 1 or time.monotonic() >= deadline:
            return rows
        time.sleep(PAUSE_SECONDS)
