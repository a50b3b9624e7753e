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
    """What a fall turned out to be: reset | rollover | placeholder | undecided | stepped_back.

    stepped_back: the sequence says that this reading is older than the one before it, so the equipment's clock went back
    between the two. It shows a count that is already counted.
    """

    at: int
    was: str


def advance(state: PointState, point: Point, counter: Counter, deltas: list[Delta], falls: list[Fall]) -> None:
    """Move `state` over the next point in truth order; append what it adds. Exact integer arithmetic."""
    if counter.shows == "increment":
        _increment(point, deltas)
        return
    if state.value is None:
        if point.value != UNAVAILABLE:
            state.value, state.seq = point.value, point.seq  # the first reading ever is a baseline
        return
    if 0 <= point.seq < state.seq and point.value < state.value:
        falls.append(Fall(point.at, "stepped_back"))
        return
    if point.value == UNAVAILABLE:
        state.broken_at = point.at if state.broken_at is None else state.broken_at
        return
    if state.low is not None:
        _decide(state, point, counter, deltas, falls)
        return
    old, gap_from = state.value, state.broken_at
    if point.value < old and counter.on_fall == "placeholder":
        state.low, state.low_at = point.value, point.at
        falls.append(Fall(point.at, "undecided"))
        return
    pieces = point.value - old
    if pieces < 0:
        was = _fall(old, point.value, counter)
        falls.append(Fall(point.at, was))
        pieces = pieces + (counter.modulus or 0) if was == "rollover" else point.value
    _stand(state, point)
    if pieces:
        deltas.append(Delta(point.at, pieces, point.raw, gap_from))


def _stand(state: PointState, point: Point) -> None:
    state.value, state.seq, state.low, state.low_at, state.broken_at = point.value, point.seq, None, 0, None


def _increment(point: Point, deltas: list[Delta]) -> None:
    """What was counted stands in the record itself: no baseline, no fall, and nothing to keep in the state. A negative one
    takes back what an earlier one counted."""
    if point.value not in (0, UNAVAILABLE):
        deltas.append(Delta(point.at, point.value, point.raw, None))


def _fall(old: int, new: int, counter: Counter) -> str:
    if counter.on_fall == "rollover":
        return "rollover"
    if counter.modulus is not None and new + counter.modulus - old < counter.modulus // ROLL_OVER_SHARE:
        return "rollover"
    return "reset"


def _decide(state: PointState, point: Point, counter: Counter, deltas: list[Delta], falls: list[Fall]) -> None:
    """The count fell before: the old count going on shows a placeholder, the low count growing shows that it really fell."""
    assert state.value is not None
    assert state.low is not None
    old, low, low_at = state.value, state.low, state.low_at
    if point.value == low:
        return
    if point.value < low:
        state.low, state.low_at = point.value, point.at
        return
    if point.value >= old:
        falls.append(Fall(low_at, "placeholder"))
        if point.value > old:
            # Between the two readings nobody counted: a gap, from the disconnect, or from the placeholder itself.
            gap_from = low_at if state.broken_at is None else min(low_at, state.broken_at)
            deltas.append(Delta(point.at, point.value - old, point.raw, gap_from))
    else:
        was = _fall(old, low, counter)
        falls.append(Fall(low_at, was))
        first = low + (counter.modulus or 0) - old if was == "rollover" else low
        if first:
            deltas.append(Delta(low_at, first, point.raw, None))
        deltas.append(Delta(point.at, point.value - low, point.raw, None))
    _stand(state, point)


def copy(state: PointState) -> PointState:
    return PointState(state.value, state.low, state.low_at, state.broken_at, state.seq)
