"""Packed points: what a day may weigh, and what older rows look like."""

import numpy as np
import pytest

from benchmarks.equipment_fold import dirty_readings
from schemas.records import PointState, TimelineRow
from tables.equipment.packed_readings import UnknownFormat, pack, unpack
from tables.equipment.reading_buckets import MAX_BESIDE, Bucket

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


@pytest.mark.parametrize("order", [1, -1])
def test_a_few_late_readings_stand_beside_the_packed_ones(order: int) -> None:
    known = points(1)
    late = np.arange(7, 600, 61)[: MAX_BESIDE + 1][::order]
    bucket = Bucket(7, TimelineRow(PointState(), PointState(), ["a"]))
    bucket.append(np.delete(known, late, axis=0))
    packed = bucket.pack().packed
    for count, at in enumerate(late[:MAX_BESIDE], 1):
        bucket.insert(known[at : at + 1])
        row = bucket.pack()
        assert (row.packed, len(row.points)) == (packed, 32 * count), "nothing is packed for a few"
        bucket = Bucket(7, row)  # another process goes on with the row
        assert (len(bucket.points), bucket.changed) == (600 - len(late) + count, False), "reading changes nothing"
    bucket.insert(known[late[MAX_BESIDE] :][:1])
    assert (bucket.points == known).all()
    row = bucket.pack()
    assert (row.packed, row.points) == (pack(known), b""), "with one more all are"


def test_points_after_the_packed_ones_are_packed_with_them() -> None:
    known = points(1)
    bucket = Bucket(7, TimelineRow(PointState(), PointState(), ["a"]))
    bucket.append(np.delete(known[:500], 400, axis=0))
    bucket = Bucket(7, bucket.pack())
    bucket.insert(known[400:401])
    bucket = Bucket(7, bucket.pack())
    bucket.append(known[500:])
    row = bucket.pack()
    assert (row.packed, row.points) == (pack(known), b"")


def test_equal_points_are_equal_bytes_where_rows_are_compared() -> None:
    known = points(1)
    bucket = Bucket(7, TimelineRow(PointState(), PointState(), ["a"]))
    bucket.append(np.delete(known, 77, axis=0))
    bucket = Bucket(7, bucket.pack())
    bucket.insert(known[77:78])
    row = Bucket(7, bucket.pack()).pack(whole=True)
    assert (row.packed, row.points) == (pack(known), b"")


def test_a_later_format_is_not_guessed() -> None:
    with pytest.raises(UnknownFormat):
        unpack(b"\x02\x00")
