"""A counter's readings in truth order, and the pieces between them.

A point is (occurred_at, source_seq, value, raw): microseconds; -1 without sequence; scaled integer or UNAVAILABLE; raw position.
Values count upwards here: `upwards` turns what a counter shows that counts down.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from schemas.configuration import Counter
from schemas.records import Excursion, FormerCount, PointState
from tables.equipment import plausible

UNAVAILABLE = -(2**63)
ROLL_OVER_SHARE = 10
"""With `on_fall: reset` and a modulus, a fall is a roll-over when the count went over the edge by less than a tenth of it."""
ACCEPT, DISCARD = "accept", "discard"
Readings = npt.NDArray[np.int64]
"""n x 4: source_seq, occurred_at, value, raw offset (the layout of CounterFrame.readings)."""
NO_DECISIONS: Mapping[int, str] = {}


class Point(NamedTuple):
    at: int
    seq: int
    value: int
    raw: int


class Delta(NamedTuple):
    """Pieces that belong to the reading at `at`. `gap_from`: time of the last reading before a disconnect (or before readings
    that were none), else None. `undecided`: nobody believes them yet; when what nobody believes began."""

    at: int
    pieces: int
    raw: int
    gap_from: int | None
    undecided: int | None = None


class Fall(NamedTuple):
    """What a fall or a jump turned out to be, and what it added itself.

    reset | rollover | placeholder | undecided; below_zero: no count; baseline: filled up, by how much
    nobody knows; dip: too small to be a new start; jump: not believed; spike: the count before the jump went on.
    stepped_back: the sequence says that this reading is older than the one before it, so the equipment's clock went back
    between the two. It shows a count that is already counted.
    """

    at: int
    was: str
    pieces: int = 0


def upwards(value: int, counter: Counter) -> int:
    """What a reading shows, as a count that grows; its own inverse."""
    return -value if counter.shows == "remaining" and value != UNAVAILABLE else value


def upwards_all(readings: Readings, counter: Counter) -> Readings:
    """As `upwards`, of a table of readings; the table itself stays as it is."""
    if counter.shows != "remaining":
        return readings
    readings = readings.copy()
    values = readings[:, 2]
    readings[:, 2] = np.where(values == UNAVAILABLE, values, -values)
    return readings


class Walk:
    """One counter over its points. `decided`: what people decided, by the time at which something undecided began."""

    __slots__ = ("_counter", "_decided", "_state", "deltas", "falls")

    def __init__(self, state: PointState, counter: Counter, decided: Mapping[int, str] = NO_DECISIONS) -> None:
        self._state, self._counter, self._decided = state, counter, decided
        self.deltas: list[Delta] = []
        self.falls: list[Fall] = []

    def take(self, point: Point) -> None:
        """Move the state over the next point in truth order; add what it gives. Exact integer arithmetic."""
        state, counter = self._state, self._counter
        if counter.shows == "increment":
            self._increment(point)
        elif state.value is None:
            if not self._is_none(point.value):  # the first reading ever is a baseline
                state.value = int(point.value > 0) if counter.shows == "signal" else point.value
                state.seq, state.at = point.seq, point.at
        elif point.value == UNAVAILABLE:
            if not 0 <= point.seq < state.seq:
                state.broken_at = (state.at or point.at) if state.broken_at is None else state.broken_at
            else:
                self.falls.append(Fall(point.at, "stepped_back"))
        elif counter.shows == "signal":
            self._signal(state.value, point)
        elif 0 <= point.seq < state.seq and point.value < state.value:
            self.falls.append(Fall(point.at, "stepped_back"))
        elif self._is_none(point.value) and not self._is_dip(state.value, point.value):
            self.falls.append(Fall(point.at, "below_zero"))
            state.broken_at = (state.at or point.at) if state.broken_at is None else state.broken_at
        elif state.low is not None:
            self._decide(state.value, state.low, point)
        elif point.value < state.value:
            self._falls(state.value, point)
        else:
            self._rises(state.value, point)

    def _is_none(self, value: int) -> bool:
        """A total below zero is none: gateways write -1 where they know nothing. A meter may begin there, and what has a modulus
        may count through it."""
        counter = self._counter
        if value == UNAVAILABLE:
            return True
        negative = value < 0 and counter.shows == "total" and counter.modulus is None
        return negative and (counter.counts != "consumption" or (self._state.value or 0) > 0)

    # -- what needs no state, or no more than one bit

    def _increment(self, point: Point) -> None:
        """What was counted stands in the record itself: no baseline, no fall, and nothing to keep in the state. A negative one
        takes back what an earlier one counted."""
        if point.value not in (0, UNAVAILABLE):
            self.deltas.append(Delta(point.at, point.value, point.raw, None))

    def _signal(self, before: int, point: Point) -> None:
        """Each rise of the signal is one piece."""
        now, gap = int(point.value > 0), self._gap()
        self._stand(point, now)
        if now > before:
            self.deltas.append(Delta(point.at, 1, point.raw, gap))

    # -- rises

    def _rises(self, old: int, point: Point) -> None:
        """The count is where it was, or higher."""
        state, pieces = self._state, point.value - old
        room, doubted = plausible.room(state, point.at, self._counter), state.excursion
        believed = room is None or pieces <= room
        if doubted is None:
            if believed:
                self._counts(point, pieces)
            else:
                self._doubt(point, pieces)
        elif believed and (point.value < doubted.shows or doubted.shows < old):
            self._comes_back(point, pieces, doubted)
        else:
            self._doubt(point, pieces)

    def _counts(self, point: Point, pieces: int) -> None:
        gap = self._gap()
        plausible.note(self._state, point.at, pieces, self._counter, True)
        self._stand(point, point.value)
        if pieces:
            self.deltas.append(Delta(point.at, pieces, point.raw, gap))

    # -- what is not believed

    def _doubt(self, point: Point, held: int) -> None:
        """The count that stands is kept; what the counter shows instead is undecided, unless a person decided about it."""
        state, known = self._state, self._state.excursion
        began = point.at if known is None else known.began_at
        if known is None:
            self.falls.append(Fall(point.at, "jump"))
        decided = self._decided.get(began)
        if decided is None:
            state.excursion, state.low, state.low_at = Excursion(began, point.value, held), None, 0
            self._hold(point, held - (known.held if known is not None else 0), began)
            return
        assert state.value is not None, "nothing is doubted before the first reading"
        if known is not None:
            self._hold(point, -known.held, began)  # decided when its beginning was forgotten already
        gap, former = self._gap(), FormerCount(state.value, state.at, state.level, point.value)
        accepted = decided == ACCEPT
        plausible.note(state, point.at, held if accepted else 0, self._counter, point.value > state.value)
        if accepted:
            self.deltas.append(Delta(point.at, held, point.raw, gap))
        state.former = former if decided == DISCARD and point.value > former.value else None
        self._stand(point, point.value)

    def _hold(self, point: Point, pieces: int, began: int) -> None:
        if pieces:
            self.deltas.append(Delta(point.at, pieces, point.raw, None, began))

    def _comes_back(self, point: Point, pieces: int, doubted: Excursion) -> None:
        """The count that stood goes on: what was shown in between never was. Meanwhile nobody counted: a gap."""
        self.falls.append(Fall(doubted.began_at, "spike"))
        self._hold(point, -doubted.held, doubted.began_at)
        self._counts(point, pieces)

    def _former_goes_on(self, point: Point) -> bool:
        """After a jump that a person discarded, the count before it comes back: what was counted since is counted already."""
        state, former = self._state, self._state.former
        if former is None or state.value is None:
            return False
        then = replace(state, value=former.value, at=former.at, level=former.level)
        value = former.value if self._is_dip(former.value, point.value) else point.value
        room = plausible.room(then, point.at, self._counter)
        if value < former.value or (room is not None and value - former.value > room):
            return False
        self.falls.append(Fall(point.at, "spike"))
        pieces = value - former.value - (state.value - former.from_value)
        state.level = plausible.level_after(state, point.at, 0, self._counter)
        state.former = None
        self._stand(point, value)
        if pieces:
            self.deltas.append(Delta(point.at, pieces, point.raw, former.at))
        return True

    # -- falls

    def _falls(self, old: int, point: Point) -> None:
        state, doubted = self._state, self._state.excursion
        if self._is_dip(old, point.value):
            self.falls.append(Fall(point.at, "dip"))
            held = point._replace(value=old)
            if doubted is None:
                self._counts(held, 0)
            else:
                self._comes_back(held, 0, doubted)
        elif self._former_goes_on(point):
            pass
        elif doubted is not None and doubted.shows <= point.value:
            self._doubt(point, doubted.held + point.value - doubted.shows)  # it goes on below the count that stands
        elif self._counter.on_fall == "placeholder":
            state.low, state.low_at = point.value, point.at
            self.falls.append(Fall(point.at, "undecided"))
        else:
            self._begins_anew(old, point.value, point.at, point)

    def _begins_anew(self, old: int, low: int, low_at: int, point: Point) -> None:
        """The count fell to `low` and stands at the point now. What was undecided before stays undecided."""
        state, counter = self._state, self._counter
        was, first = self._fell(old, low)
        pieces = first + point.value - low
        room = plausible.room(state, point.at, counter) if counter.at_most else None
        if room is not None and pieces > room and was != "baseline":
            self._doubt(point, pieces)
            return
        self.falls.append(Fall(low_at, was, first))
        gap = self._gap() if low_at == point.at else None
        plausible.note(state, point.at, pieces, counter, False)
        state.former = None
        self._stand(point, point.value)
        if first:
            self.deltas.append(Delta(low_at, first, point.raw, gap))
        if pieces > first:
            self.deltas.append(Delta(point.at, pieces - first, point.raw, gap))

    def _fell(self, old: int, new: int) -> tuple[str, int]:
        """What a fall is, and what it added."""
        counter, modulus = self._counter, self._counter.modulus
        over = new + modulus - old if modulus is not None else 0
        if counter.on_fall == "rollover" or (modulus is not None and over < modulus // ROLL_OVER_SHARE):
            return "rollover", over
        if counter.shows == "remaining":
            begun = counter.starts_at
            return ("baseline", 0) if begun is None else ("reset", max(0, begun + new))
        return "reset", new

    def _is_dip(self, old: int, new: int) -> bool:
        return new < old and self._counter.dips(old, new)

    def _decide(self, old: int, low: int, point: Point) -> None:
        """The count fell before: the old count going on shows a placeholder, the low count growing shows that it really fell."""
        state = self._state
        if point.value == low:
            return
        if point.value < low:
            state.low, state.low_at = point.value, point.at
            return
        if point.value < old and not self._is_dip(old, point.value):
            self._begins_anew(old, low, state.low_at, point)
            return
        self.falls.append(Fall(state.low_at, "placeholder"))
        # Between the two readings nobody counted: a gap.
        state.broken_at = state.low_at if state.broken_at is None else state.broken_at
        state.low, state.low_at = None, 0
        if point.value < old:
            self._falls(old, point)
        else:
            self._rises(old, point)

    # -- the state

    def _gap(self) -> int | None:
        """Time of the last reading that stands, if something lies between it and now that is none."""
        state = self._state
        if state.broken_at is None and state.excursion is None:
            return None
        return state.at or state.broken_at

    def _stand(self, point: Point, value: int) -> None:
        state = self._state
        state.value, state.seq, state.at = value, point.seq, point.at
        state.low, state.low_at, state.broken_at, state.excursion = None, 0, None, None


def copy(state: PointState) -> PointState:
    """Excursion and former count are never changed in place."""
    return PointState(
        state.value,
        state.low,
        state.low_at,
        state.broken_at,
        state.seq,
        state.at,
        state.level,
        state.most,
        state.most_us,
        state.excursion,
        state.former,
    )
