"""Orders at rest that are looked at again because master data of a material of theirs changed: some at each tick.

A material may have ten thousand of them. How far they are is in the key of a row, so a take-over goes on where it was:

    k|plant|material|order                 all at rest with the material whose key is greater are still to come
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from heapq import nsmallest

from schemas.records import PlantRow
from tables.orders.account import escaped, unescaped
from tables.row_kinds import WAKING_ROWS
from tables.rows import RowStore

Resting = Callable[[str, str], Iterable[str]]
"""Plant, material -> row keys of the orders at rest that have accounts of it."""


class Waking:
    def __init__(self, rows: RowStore) -> None:
        self._rows = rows
        self._reached: dict[str, dict[str, str]] = defaultdict(dict)
        """Plant -> material -> row key of the order up to which all were looked at."""

    def remember(self) -> None:
        for key in self._rows.names(WAKING_ROWS.prefix):
            plant, material, order = (unescaped(part) for part in WAKING_ROWS.bare(key).split("|"))
            self._reached[plant][material] = order

    def put(self, plant: str, material: str) -> None:
        """Its master data changed (again): from the first order on."""
        self._move(plant, material, "")

    def waits(self, plant: str) -> bool:
        """Is any order still to come?"""
        return bool(self._reached.get(plant))

    def take(self, plant: str, resting: Resting, most: int | None) -> list[tuple[str, str]]:
        """The next orders with the material that concerns them, at most `most` (None: all), in their order."""
        taken: list[tuple[str, str]] = []
        for material, reached in sorted(self._reached[plant].items()):
            behind = [order for order in resting(plant, material) if order > reached]
            following = nsmallest(len(behind) if most is None else most - len(taken), behind)
            taken += [(order, material) for order in following]
            if len(following) == len(behind):
                self._move(plant, material, None)
            elif following:
                self._move(plant, material, following[-1])
        return taken

    def _move(self, plant: str, material: str, reached: str | None) -> None:
        before = self._reached[plant].pop(material, None)
        if before is not None and before != reached:
            self._rows.delete(_key(plant, material, before))
        if reached is not None:
            self._reached[plant][material] = reached
            self._rows.put(_key(plant, material, reached), PlantRow(plant, 0))


def _key(plant: str, material: str, order: str) -> str:
    return WAKING_ROWS.key(*(escaped(part) for part in (plant, material, order)))
