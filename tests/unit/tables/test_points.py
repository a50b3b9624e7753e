"""Packed points: what a day may weigh, and what older rows look like."""

import numpy as np
import pytest

from benchmarks.equipment_fold import dirty_readings
from schemas.records import PointState, TimelineRow
from tables.buckets import Bucket
from tables.points import UnknownFormat, pack, unpack

BUCKETS_OF_A_DAY = 144
BYTES_OF_A_DAY = 170_000
"""Leaves 200 bytes of each bucket for its shares and states: 200 KB altogether."""


def points(every: int) -> np.ndarray:
    return dirty_readings(600, every)[:, [1, 0, 2, 3]]


@pytest.mark.parametrize("every", [1, 25])
def test_a_day_of_readings_at_one_hertz(every: int) -> None:
    """Times jitter by 20 ms, raw positions by those of other machines."""
    packed = pack(points(every))
    assert (unpack(packed) == points(every)).all()
    assert len(packed) * BUCKETS_OF_A_DAY < BYTES_OF_A_DAY


def test_late_readings_are_outliers_not_wider_columns() -> None:
    known = points(1)
    before = len(pack(known))
    known[::20, 3] += np.arange(30) * 77_777 + 1_000_000
    assert (unpack(pack(known)) == known).all()
    assert len(pack(known)) < before + 30 * 22


def test_records_over_four_partitions() -> None:
    known = points(1)
    before = len(pack(known))
    known[:, 3] = (np.arange(600) * 7 % 4) << 48 | known[:, 3] // 4
    assert (unpack(pack(known)) == known).all()
    assert len(pack(known)) < 1.3 * before


def test_rows_of_earlier_versions_are_read() -> None:
    old = TimelineRow(PointState(), PointState(), ["a"], points=points(1).astype("<i8").tobytes())
    bucket = Bucket(7, old)
    assert (bucket.points == points(1)).all()
    row = bucket.pack()
    assert row.points == b""
    assert (unpack(row.packed) == points(1)).all()


def test_a_later_format_is_not_guessed() -> None:
    with pytest.raises(UnknownFormat):
        unpack(b"\x02\x00")
