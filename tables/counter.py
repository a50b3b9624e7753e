"""A counter's readings in truth order, and the pieces between them.

A point is (occurred_at, source_seq, value, raw): microseconds; -1 without sequence; scaled integer or UNAVAILABLE; raw position.
"""

from typing import NamedTuple

from schemas.configuration import Counter
from schemas.records import PointState

UNAVAILABLE = -(2**63)
ROLL_OVER_SHARE = 10
"""With `on_fall: reset` and a modulus, a fall is a roll-over when the count went over the edge by less than a tenth of it."""


class Point(NamedTuple):
    at: int
    seq: int
    value: int
    raw: int


class Delta(NamedTuple):
    """Pieces that belong to the reading at `at`. `gap_from`: time of the reading before a disconnect, else None."""

    at: int
    pieces: int
    raw: int
    gap_from: int | None


class Fall(NamedTuple):
    """What a fall turned out to be: reset | rollover | placeholder | undecided."""

    at: int
    was: str


def advance(state: PointState, point: Point, counter: Counter, deltas: list[Delta], falls: list[Fall]) -> bool:
    """Move `state` over the next point in truth order; append what it adds. Exact integer arithmetic.

    False: the point changes nothing (the same value again), so it need not be kept.
    """
    if counter.shows == "increment":
        return _increment(point, deltas)
    if point.value == UNAVAILABLE:
        if state.value is None or state.broken_at is not None:
            return False
        state.broken_at = point.at
        return True
    if state.value is None:
        state.value = point.value  # the first reading ever is a baseline
        return True
    if state.low is not None:
        return _decide(state, point, deltas, falls)
    old, gap_from = state.value, state.broken_at
    if point.value == old:
        state.broken_at = None
        return gap_from is not None
    if point.value < old and counter.on_fall == "placeholder":
        state.low, state.low_at = point.value, point.at
        falls.append(Fall(point.at, "undecided"))
        return True
    pieces = point.value - old
    if pieces < 0:
        was = _fall(old, point.value, counter)
        falls.append(Fall(point.at, was))
        pieces = pieces + (counter.modulus or 0) if was == "rollover" else point.value
    state.value, state.broken_at = point.value, None
    if pieces:
        deltas.append(Delta(point.at, pieces, point.raw, gap_from))
    return True


def _increment(point: Point, deltas: list[Delta]) -> bool:
    """What was counted stands in the record itself: no baseline, no fall, and nothing to keep in the state. A negative one
    takes back what an earlier one counted."""
    if point.value in (0, UNAVAILABLE):
        return False
    deltas.append(Delta(point.at, point.value, point.raw, None))
    return True


def _fall(old: int, new: int, counter: Counter) -> str:
    if counter.on_fall == "rollover":
        return "rollover"
    if counter.modulus is not None and new + counter.modulus - old < counter.modulus // ROLL_OVER_SHARE:
        return "rollover"
    return "reset"


def _decide(state: PointState, point: Point, deltas: list[Delta], falls: list[Fall]) -> bool:
    """The count fell before: the old count going on shows a placeholder, the low count growing shows a reset."""
    assert state.value is not None
    assert state.low is not None
    old, low, low_at = state.value, state.low, state.low_at
    if point.value >= old:
        falls.append(Fall(low_at, "placeholder"))
        if point.value > old:
            # Between the two readings nobody counted: a gap, from the disconnect, or from the placeholder itself.
            deltas.append(
                Delta(point.at, point.value - old, point.raw, low_at if state.broken_at is None else min(low_at, state.broken_at))
            )
    elif point.value > low:
        falls.append(Fall(low_at, "reset"))
        if low:
            deltas.append(Delta(low_at, low, point.raw, None))
        deltas.append(Delta(point.at, point.value - low, point.raw, None))
    elif point.value < low:
        state.low, state.low_at = point.value, point.at
        return True
    else:
        return False
    state.value, state.low, state.low_at, state.broken_at = point.value, None, 0, None
    return True


def copy(state: PointState) -> PointState:
    return PointState(state.value, state.low, state.low_at, state.broken_at)
