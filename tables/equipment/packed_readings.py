"""Readings of a bucket as bytes: a table of numbers of which most can be foretold from the sequence number.

A point is (occurred_at, seq, value, raw source index << 48 | raw offset). Each of its columns is stored as what differs from a
straight line over the sequence number:

    residual = (x[i] - x[i-1]) - step * (seq[i] - seq[i-1])

or, where that is smaller, as its distance to that line through the first value. A source that reads once per second has a
constant step for its time and nearly constant steps for everything else, so that a residual has a few bits. Residuals are
written with as many bits as nearly all of them need, counted from the smallest that is no outlier; outliers (a reading that came
late has a raw position far from its neighbours') are listed. All arithmetic is modulo 2^64, so every 64 bit number comes back
exactly, for any value; foretelling badly only costs room.

Offsets are foretold within their raw source, because one equipment's records may be spread over the partitions of a topic.

    packed  = format (1 byte: 1), n, unit, columns: seq, time, value, source, offset
    unit    = 1: times are whole milliseconds, 0: microseconds
    column  = first, step, reference, width (bits, + 128: distance to the line), outliers,
              [bytes of an outlier, positions, outliers], residuals
    numbers are varints (zigzag where negative is possible); residuals are bits; positions are
    uint16 (uint32 beyond 65,536 residuals), they and the outliers little-endian
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

FORMAT = 1
RAW_BITS = 48
"""A point's raw position: index of the bucket's raw source << 48 | offset."""
MAX_OFFSET = (1 << RAW_BITS) - 1
Points = npt.NDArray[np.int64]
"""n x 4: occurred_at, source_seq, value, raw position; in truth order."""
_MILLISECOND = 1000
_MASK = (1 << 64) - 1
_POWERS = np.array([1 << width for width in range(64)], np.uint64)
_WIDTHS = np.arange(64)
_CERTAIN = 8
"""Up to this many bits nobody looks for outliers."""
_OUTLIER_BITS = 40
"""About what an outlier costs."""
_FROM_LINE = 128
"""Flag of the width: each residual is the distance to the line, not to the value before."""
_NONE = np.zeros(0, np.int64)


class UnknownFormat(ValueError):
    """These bytes were packed by a later version of the program."""


def pack(points: Points) -> bytes:
    """The points as bytes; `unpack` gives them back."""
    n = len(points)
    out = bytearray([FORMAT])
    _put(out, n)
    if not n:
        return bytes(out)
    at, seq, value, raw = points.T
    unit = _MILLISECOND if not (at % _MILLISECOND).any() else 1
    out.append(unit == _MILLISECOND)
    ahead = _differences(seq)
    _column(out, seq, _NONE)
    _column(out, at // unit if unit > 1 else at, ahead)
    _column(out, value, ahead)
    source, offset = raw >> RAW_BITS, raw & MAX_OFFSET
    _column(out, source, _NONE)
    if _varies(source):
        order = source.argsort(kind="stable")
        offset, ahead = offset[order], _differences(seq[order])
    _column(out, offset, ahead)
    return bytes(out)


def unpack(packed: bytes) -> Points:
    """Raises UnknownFormat."""
    if packed[:1] != bytes([FORMAT]):
        raise UnknownFormat(f"points in format {packed[:1].hex()}")
    reader = _Reader(packed)
    n = reader.number()
    points = np.empty((n, 4), np.int64)
    if not n:
        return points
    unit = _MILLISECOND if reader.number() else 1
    seq = reader.column(n, _NONE)
    ahead = _differences(seq)
    points[:, 1] = seq
    points[:, 0] = reader.column(n, ahead) * unit
    points[:, 2] = reader.column(n, ahead)
    source = reader.column(n, _NONE)
    if _varies(source):
        order = source.argsort(kind="stable")
        offset = np.empty(n, np.int64)
        offset[order] = reader.column(n, _differences(seq[order]))
    else:
        offset = reader.column(n, ahead)
    points[:, 3] = source << RAW_BITS | offset
    return points


def _differences(values: Points) -> Points:
    return values[1:] - values[:-1]  # np.diff takes several times as long for so few


def _varies(source: Points) -> bool:
    return bool(source[0] != source[-1] or (source != source[0]).any())


def _column(out: bytearray, values: Points, ahead: Points) -> None:
    """`ahead`: how far the sequence went on between two values; empty: not foretold from it."""
    n = len(values) - 1
    residuals = _differences(values)
    step = 0
    if n and len(ahead):
        span = int(seq_span) if (seq_span := ahead.sum()) > 0 else 0
        step = _signed(int(values[-1]) - int(values[0])) // span if span else 0
        if step:
            residuals = residuals - np.int64(step) * ahead
    frame, flag = _frame(residuals), 0
    if frame.bits > n and len(ahead):
        from_line = residuals.cumsum()
        other = _frame(from_line)
        if other.bits < frame.bits:
            residuals, frame, flag = from_line, other, _FROM_LINE
    low, width, outliers, _ = frame
    _put(out, _zigzag(int(values[0])))
    _put(out, _zigzag(step))
    _put(out, _zigzag(low))
    out.append(width | flag)
    _put(out, len(outliers))
    if not width and not len(outliers):
        return
    shifted = (residuals - np.int64(low)).view(np.uint64)
    if len(outliers):
        exact = residuals[outliers]
        folded = ((exact << 1) ^ (exact >> 63)).view(np.uint64)
        size = max(1, -(-int(folded.max()).bit_length() // 8))
        out.append(size)
        out += outliers.astype(_positions(n)).tobytes()
        out += folded.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :size].tobytes()
        shifted[outliers] = 0
    out += _bits(shifted, width)


class _Frame(NamedTuple):
    """How to write residuals: reference, width, the indexes of the outliers, and about how many bits that takes."""

    low: int
    width: int
    outliers: Points
    bits: int


def _frame(residuals: Points) -> _Frame:
    """So that the whole is about the smallest."""
    n = len(residuals)
    if not n:
        return _Frame(0, 0, _NONE, 0)
    low, high = int(residuals.min()), int(residuals.max())
    width = (high - low).bit_length()
    if width <= _CERTAIN:
        return _Frame(low, width, _NONE, n * width)
    ordered = residuals.copy()
    ordered.sort()
    low = int(ordered[n // 16])  # what is below is an outlier, if there is any
    below = int(ordered.searchsorted(low))
    above = n - (ordered[below:] - np.int64(low)).view(np.uint64).searchsorted(_POWERS) - below
    costs = n * _WIDTHS + (above + below) * _OUTLIER_BITS
    best = int(costs.argmin())
    whole = int(ordered[0])
    if width < 64 and n * width <= int(costs[best]):
        return _Frame(whole, width, _NONE, n * width)
    outliers = ((residuals - np.int64(low)).view(np.uint64) >= _POWERS[best]).nonzero()[0]
    return _Frame(low, best, outliers, int(costs[best]))


def _bits(values: npt.NDArray[np.uint64], width: int) -> bytes:
    """The low `width` bits of each, one behind the other."""
    if not width:
        return b""
    size = _size(width)
    octets = values.astype(f">u{size}").view(np.uint8).reshape(-1, size)
    if width == 8 * size:
        return octets.tobytes()
    return np.packbits(np.unpackbits(octets, axis=1)[:, 8 * size - width :]).tobytes()


def _positions(n: int) -> "np.dtype[np.unsignedinteger[Any]]":
    return np.dtype("<u2") if n <= 1 << 16 else np.dtype("<u4")


def _size(width: int) -> int:
    """Bytes of the smallest integer that has so many bits."""
    return 1 if width <= 8 else 2 if width <= 16 else 4 if width <= 32 else 8


class _Reader:
    __slots__ = ("_at", "_packed")

    def __init__(self, packed: bytes) -> None:
        self._packed, self._at = packed, 1

    def octet(self) -> int:
        self._at += 1
        return self._packed[self._at - 1]

    def number(self) -> int:
        value = shift = 0
        while True:
            octet = self._packed[self._at]
            self._at += 1
            value |= (octet & 127) << shift
            if octet < 128:
                return value
            shift += 7

    def signed(self) -> int:
        value = self.number()
        return value >> 1 ^ -(value & 1)

    def take(self, length: int) -> bytes:
        self._at += length
        return self._packed[self._at - length : self._at]

    def column(self, n: int, ahead: Points) -> Points:
        first, step, low = self.signed(), self.signed(), self.signed()
        width, many = self.octet(), self.number()
        from_line, width = width & _FROM_LINE, width & ~_FROM_LINE
        outliers = exact = _NONE
        if many:
            size = self.number()
            outliers = np.frombuffer(self.take(many * _positions(n - 1).itemsize), _positions(n - 1)).astype(np.int64)
            octets = np.zeros((many, 8), np.uint8)
            octets[:, :size] = np.frombuffer(self.take(size * many), np.uint8).reshape(-1, size)
            folded = octets.view("<u8").reshape(-1).astype(np.uint64)
            exact = (folded >> np.uint64(1)).view(np.int64) ^ -(folded & np.uint64(1)).view(np.int64)
        values = np.empty(n, np.int64)
        values[0] = first
        residuals = self._bits(n - 1, width) + np.int64(low)
        residuals[outliers] = exact
        if from_line:
            residuals[1:] -= residuals[:-1].copy()
        if step:
            residuals += np.int64(step) * ahead
        values[1:] = residuals
        return values.cumsum(out=values)

    def _bits(self, n: int, width: int) -> Points:
        if not width:
            return np.zeros(n, np.int64)
        size = _size(width)
        packed = np.frombuffer(self.take(-(-n * width // 8)), np.uint8)
        if width < 8 * size:
            wide = np.zeros((n, 8 * size), np.uint8)
            wide[:, 8 * size - width :] = np.unpackbits(packed, count=n * width).reshape(n, width)
            packed = np.packbits(wide, axis=1)
        return packed.reshape(n, size).view(f">u{size}").reshape(n).astype(np.uint64).view(np.int64)


def _put(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _zigzag(value: int) -> int:
    return (value << 1 ^ value >> 63) & _MASK


def _signed(value: int) -> int:
    """The number of 64 bits that is equal to it modulo 2^64."""
    value &= _MASK
    return value - (1 << 64) if value >> 63 else value
