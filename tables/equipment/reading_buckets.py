"""The buckets of one counter: ten minutes of readings each, unpacked while they are worked on.

A row keeps its points packed (packed_readings.py). A change works on a table of numbers in memory; `save` packs what
changed and puts it into the rows, at the latest before each checkpoint. Packing is the dearest part of a late reading: the few
that came since a bucket was packed stand beside the packed ones as they are.
"""

from collections.abc import Iterator

import numpy as np

from schemas.records import PointState, TimelineRow
from tables.equipment.counter import UNAVAILABLE, Point, copy
from tables.equipment.packed_readings import RAW_BITS, Points, pack, unpack
from tables.rows import RowStore

BUCKET_US = 600_000_000
_NO_POINTS = np.empty((0, 4), np.int64)
_ROOM = 64
"""Points that a bucket has room for at first."""
MAX_BESIDE = 8
"""Late points beside the packed ones; with more the bucket is packed anew."""


class Bucket:
    """Row and points of ten minutes. After a change of either: `changed = True`."""

    __slots__ = ("_beside", "_table", "changed", "number", "row", "size")

    def __init__(self, number: int, row: TimelineRow) -> None:
        self.number, self.row = number, row
        self.changed = False
        self.size = 0
        self._table: Points | None = None
        self._beside: Points | None = None
        """Late points since it was packed; None: it has to be packed."""

    @property
    def points(self) -> Points:
        """In truth order. A view: not to be kept over a change."""
        return self._unpacked()[: self.size]

    def _unpacked(self) -> Points:
        if self._table is None:
            row = self.row
            beside = np.frombuffer(row.points, "<i8").astype(np.int64).reshape(-1, 4)
            self._table = unpack(row.packed) if row.packed else beside
            self.size = len(self._table)
            if row.packed:
                self._beside, changed = beside, self.changed
                if len(beside):
                    self._place(beside[np.lexsort((beside[:, 3], beside[:, 1], beside[:, 0]))])  # they came in any order
                self.changed = changed
        return self._table

    def append(self, points: Points) -> None:
        """Points that are later than all in here."""
        self._put(points)
        self._span(points[:, 1])

    def append_span(self, points: Points, low_seq: int, high_seq: int) -> None:
        """As `append`, of points whose lowest and highest number (not negative) are known."""
        self._put(points)
        row = self.row
        row.low_seq = low_seq if row.low_seq < 0 else min(row.low_seq, low_seq)
        row.high_seq = max(row.high_seq, high_seq)

    def _put(self, points: Points) -> None:
        begin = len(self.points)
        self._beside = None
        end = begin + len(points)
        self._grown(end)[begin:end] = points

    def _grown(self, size: int) -> Points:
        """The table with room for so many points, of which it has the first ones."""
        table = self._unpacked()
        if size > len(table):
            self._table = np.empty((max(_ROOM, size + size // 2), 4), np.int64)
            self._table[: self.size] = table[: self.size]
            table = self._table
        self.size, self.changed = size, True
        return table

    def append_one(self, point: Point) -> None:
        table = self._unpacked()
        if self.size == len(table):
            self.append(np.array([point], np.int64))
            return
        table[self.size] = point
        self._beside = None
        self.size, self.changed = self.size + 1, True
        if point.seq >= 0:
            row = self.row
            row.low_seq = point.seq if row.low_seq < 0 else min(row.low_seq, point.seq)
            row.high_seq = max(row.high_seq, point.seq)

    def insert(self, points: Points) -> None:
        """Points in truth order, anywhere."""
        self._place(points)
        if self._beside is not None:
            self._beside = np.concatenate([self._beside, points])
        self._span(points[:, 1])

    def turn(self, since: int) -> None:
        """What the counter showed from then on grows where it fell."""
        points = self.points
        turned = (points[:, 0] >= since) & (points[:, 2] != UNAVAILABLE)
        points[turned, 2] *= -1
        self._beside, self.changed = None, True

    def _place(self, points: Points) -> None:
        known = self.points
        times, news = known[:, 0], points[:, 0]
        at = times.searchsorted(news, "right")
        end = len(known) + len(points)
        if len(times) and bool(((at > 0) & (times[at - 1] == news)).any()):
            table = np.concatenate([known, points])
            self._table = table[np.lexsort((table[:, 3], table[:, 1], table[:, 0]))]
            self.size, self.changed = end, True
        else:
            first = int(at[0])
            moved = known[first:].copy()
            after = self._grown(end)[first:end]
            places = at - first + np.arange(len(at))
            stays = np.ones(len(after), bool)
            stays[places] = False
            after[stays] = moved
            after[places] = points

    def _span(self, seqs: Points) -> None:
        low, high, row = int(seqs.min()), int(seqs.max()), self.row
        if high >= 0:
            low = low if low >= 0 else int(seqs[seqs >= 0].min())
            row.low_seq = low if row.low_seq < 0 else min(row.low_seq, low)
            row.high_seq = max(row.high_seq, high)

    def raw_index(self, raw_source: str) -> int:
        sources = self.row.raw_sources
        if raw_source not in sources:
            sources.append(raw_source)
        return sources.index(raw_source)

    def pack(self, whole: bool = False) -> TimelineRow:
        """The row with its points. `whole`: all of them packed, so that equal points are equal bytes."""
        if self._table is None and not whole:
            return self.row
        points = self.points
        if self._beside is not None and len(self._beside) <= (0 if whole else MAX_BESIDE):
            self.row.points = self._beside.astype("<i8").tobytes()
        else:
            self.row.packed, self.row.points = pack(points), b""
            self._beside = _NO_POINTS if self.row.packed else None
        return self.row


class Buckets:
    """All buckets of a counter that are within the late horizon, by number (time divided by their length)."""

    def __init__(self, rows: RowStore, prefix: str) -> None:
        self._rows, self._prefix = rows, prefix
        self._open: dict[int, Bucket] = {}

    @property
    def opened(self) -> int:
        """How many are in memory."""
        return len(self._open)

    def get(self, number: int) -> Bucket | None:
        bucket = self._open.get(number)
        if bucket is None:
            row: TimelineRow | None = self._rows.get(f"{self._prefix}{number}")
            if row is None:
                return None
            bucket = self._open[number] = Bucket(number, row)
        return bucket

    def create(self, number: int, entry: PointState) -> Bucket:
        bucket = self._open[number] = Bucket(number, TimelineRow(copy(entry), copy(entry), []))
        bucket.changed = True
        return bucket

    def between(self, first: int, last: int) -> Iterator[Bucket]:
        for number in range(first, last + 1):
            bucket = self.get(number)
            if bucket is not None:
                yield bucket

    def delete(self, number: int) -> None:
        self._open.pop(number, None)
        self._rows.delete(f"{self._prefix}{number}")

    def save(self, newest: int, keep: int = 0) -> None:
        """Put what changed. The newest stays unpacked, and `keep` others."""
        for bucket in self._open.values():
            if bucket.changed:
                self._rows.put(f"{self._prefix}{bucket.number}", bucket.pack())
                bucket.changed = False
        others = [number for number in self._open if number != newest]
        for number in others[: max(0, len(others) - keep)]:
            del self._open[number]


def raw_of(bucket: Bucket, raw: int) -> tuple[str, int]:
    """Raw source and offset of a point."""
    return bucket.row.raw_sources[raw >> RAW_BITS], raw & ((1 << RAW_BITS) - 1)
