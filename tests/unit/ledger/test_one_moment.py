"""A live reconciliation sums over partitions that commit one by one: it takes the rows when all have the same clock."""

from collections.abc import Mapping

import pytest

from app.ledger.books.one_moment import Rows, clocks_of, taken
from schemas.records import PartitionPosition

PLANT = "P"


class Log:
    """Partitions whose clocks move on from look to look, as a live installation's do."""

    def __init__(self, *looks: tuple[int, ...]) -> None:
        self._looks, self.looked = looks, 0

    def look(self) -> Rows:
        self.looked += 1
        return {"orders": {b"%d" % n: b"%d" % at for n, at in enumerate(self._looks[min(self.looked, len(self._looks)) - 1])}}


def positions(rows: Rows) -> Mapping[str, PartitionPosition]:
    return {key.decode(): position(int(value)) for key, value in rows["orders"].items()}


def position(at: int) -> PartitionPosition:
    return PartitionPosition(0, 1, 1, "", reached={PLANT: at} if at else {})


@pytest.mark.parametrize(
    ("looks", "looked"),
    [
        (((5, 5, 0),), 1),
        (((5, 4), (5, 5)), 2),
        (((5, 4), (6, 5), (6, 6), (7, 6)), 3),
        (((0, 0),), 1),
    ],
)
def test_rows_are_taken_when_the_partitions_are_together(looks: tuple[tuple[int, ...], ...], looked: int) -> None:
    log = Log(*looks)
    rows = taken(log.look, positions, PLANT, 60.0)
    assert log.looked == looked
    assert len(set(clocks_of(positions(rows), PLANT).values())) <= 1


def test_nobody_waits_for_ever_or_unasked() -> None:
    apart = Log((5, 4))
    assert clocks_of(positions(taken(apart.look, positions, PLANT, 0.0)), PLANT) == {"0": 5, "1": 4}
    assert apart.looked == 1
    taken(apart.look, positions, PLANT, 0.1)
    assert apart.looked > 1
