"""Readings of one counter: what each adds, and what a fall turns out to be."""

from typing import Any, NamedTuple

import pytest

from schemas.configuration import Counter
from schemas.records import PointState
from tables.equipment.counter import UNAVAILABLE, Delta, Fall, Point, Walk

U = UNAVAILABLE
RESET: dict[str, Any] = {"on_fall": "reset"}
RESET_AT_1000: dict[str, Any] = {"on_fall": "reset", "modulus": 1000}
ROLL: dict[str, Any] = {"on_fall": "rollover", "modulus": 1000}
HOLD_AT_1000: dict[str, Any] = {"on_fall": "placeholder", "modulus": 1000}
HOLD: dict[str, Any] = {"on_fall": "placeholder"}
METER: dict[str, Any] = {"counts": "consumption", "of": "loaded_lot", "position": "hopper", "decimals": 1, "unit": "kg"}
SIGNED: dict[str, Any] = {"on_fall": "rollover", "modulus": 65_536}


class Walked(NamedTuple):
    deltas: list[Delta]
    falls: list[Fall]
    state: PointState


def walk(counter: dict[str, Any], values: list[int]) -> Walked:
    """The readings at 1, 2, 3 .. microseconds, raw positions ten times that."""
    state = PointState()
    walking = Walk(state, Counter(**counter))
    for moment, value in enumerate(values, 1):
        walking.take(Point(moment, -1, value, moment * 10))
    return Walked(walking.deltas, walking.falls, state)


@pytest.mark.parametrize(
    ("counter", "values", "deltas", "falls"),
    [
        pytest.param(RESET, [500], [], [], id="the first reading ever is a baseline"),
        pytest.param(RESET, [500, 507, 507, 510], [(2, 7), (4, 3)], [], id="the same count again adds nothing"),
        pytest.param(RESET, [100, 103, 4, 6], [(2, 3), (3, 4), (4, 2)], [(3, "reset")], id="a reset counts from zero"),
        pytest.param(RESET, [100, 0, 2], [(3, 2)], [(2, "reset")], id="a reset to zero"),
        pytest.param(ROLL, [997, 2], [(2, 5)], [(2, "rollover")], id="over the edge of the modulus"),
        pytest.param(RESET, [100, 103, -1, 105], [(2, 3), (4, 2)], [(3, "below_zero")], id="less than zero is no count"),
        pytest.param(RESET, [-1, 1000, 1003], [(3, 3)], [], id="nor a baseline"),
        pytest.param(RESET, [100, -105, -1, 4], [(4, 4)], [(2, "below_zero"), (3, "below_zero"), (4, "reset")], id="nor a reset"),
        pytest.param(HOLD, [50, -1, 53], [(3, 3)], [(2, "below_zero")], id="nor a placeholder"),
        pytest.param(METER, [-2, 3, 700, 690], [(2, 5), (3, 697)], [(4, "dip")], id="a meter may begin below zero"),
        pytest.param(METER, [500, -3, 510], [(3, 10)], [(2, "below_zero")], id="and never falls there"),
        pytest.param({**METER, "dip": "5"}, [1, -1, 4], [(3, 3)], [(2, "dip")], id="but for a dip"),
        pytest.param(
            SIGNED, [32_767, -32_768, -32_766], [(2, 1), (3, 2)], [(2, "rollover")], id="one that counts through it may"
        ),
        pytest.param(ROLL, [500, 400], [(2, 900)], [(2, "rollover")], id="with rollover each fall is one"),
        pytest.param(RESET_AT_1000, [990, 50], [(2, 60)], [(2, "rollover")], id="reset with modulus: just over the edge"),
        pytest.param(RESET_AT_1000, [950, 49], [(2, 99)], [(2, "rollover")], id="99 of 1000 over the edge rolls over"),
        pytest.param(RESET_AT_1000, [950, 50], [(2, 50)], [(2, "reset")], id="100 of 1000 is a reset"),
        pytest.param(RESET_AT_1000, [990, 400], [(2, 400)], [(2, "reset")], id="reset with modulus: far from the edge"),
        pytest.param(HOLD, [50, 0], [], [(2, "undecided")], id="a zero stays undecided"),
        pytest.param(HOLD, [50, 0, 0, 0], [], [(2, "undecided")], id="time does not decide"),
        pytest.param(HOLD, [50, 0, 50], [], [(2, "undecided"), (2, "placeholder")], id="the old count is back"),
        pytest.param(HOLD, [50, 0, 53], [(3, 3)], [(2, "undecided"), (2, "placeholder")], id="the old count goes on"),
        pytest.param(HOLD, [50, 0, 2], [(3, 2)], [(2, "undecided"), (2, "reset")], id="the low count grows: a reset"),
        pytest.param(
            HOLD, [50, 4, 6], [(2, 4), (3, 2)], [(2, "undecided"), (2, "reset")], id="what the reset showed first counts too"
        ),
        pytest.param(
            HOLD,
            [50, 0, 50, 0, 51],
            [(5, 1)],
            [(2, "undecided"), (2, "placeholder"), (4, "undecided"), (4, "placeholder")],
            id="two placeholders",
        ),
        pytest.param(HOLD, [50, 7, 0, 53], [(4, 3)], [(2, "undecided"), (3, "placeholder")], id="falling twice, then going on"),
        pytest.param(
            HOLD_AT_1000, [995, 0, 4], [(2, 5), (3, 4)], [(2, "undecided"), (2, "rollover")], id="a roll-over after all"
        ),
        pytest.param(HOLD_AT_1000, [500, 0, 4], [(3, 4)], [(2, "undecided"), (2, "reset")], id="far from the edge a reset"),
        pytest.param(HOLD, [50, 7, 0, 2], [(4, 2)], [(2, "undecided"), (3, "reset")], id="falling twice, then growing"),
        pytest.param(RESET, [U, U, 10, 12], [(4, 2)], [], id="unavailable before the baseline is nothing"),
        pytest.param(HOLD, [50, U, 0, U, 0, 53], [(6, 3)], [(3, "undecided"), (3, "placeholder")], id="unavailable in between"),
    ],
)
def test_readings(counter: dict[str, Any], values: list[int], deltas: list[Any], falls: list[Any]) -> None:
    walked = walk(counter, values)
    assert [(delta.at, delta.pieces) for delta in walked.deltas] == deltas
    assert [(fall.at, fall.was) for fall in walked.falls] == falls
    decided_later = tuple(values) in ((50, 4, 6), (995, 0, 4))  # the pieces up to the fall are believed at the third
    assert all(delta.raw == (30 if decided_later else delta.at * 10) for delta in walked.deltas)


@pytest.mark.parametrize(
    ("counter", "values", "gaps"),
    [
        pytest.param(RESET, [10, 12], [None], id="no disconnect"),
        pytest.param(RESET, [10, U, 12], [1], id="counted while nobody read: since the last reading"),
        pytest.param(RESET, [10, 11, U, U, 12], [None, 2], id="the gap begins at the last reading before the disconnect"),
        pytest.param(RESET, [10, 10, U, 12], [2], id="also at one that repeats the count"),
        pytest.param(RESET, [10, U, 10, 12], [None], id="back with the same count: the gap is closed"),
        pytest.param(RESET, [10, U, 3], [1], id="a reset during the disconnect"),
        pytest.param(HOLD, [10, 0, 12], [1], id="a placeholder is a gap"),
        pytest.param(HOLD, [10, U, 0, 12], [1], id="a placeholder after a disconnect"),
        pytest.param(HOLD, [10, 0, U, 12], [1], id="a disconnect after a placeholder"),
        pytest.param(HOLD, [10, 0, 12, 15], [1, None], id="after the gap all is as before"),
    ],
)
def test_gaps(counter: dict[str, Any], values: list[int], gaps: list[int | None]) -> None:
    assert [delta.gap_from for delta in walk(counter, values).deltas] == gaps


def test_the_zeros_of_a_real_mill_in_miniature() -> None:
    """Thirteen zeros after reconnects; twelve times the old count goes on, once the operator had reset it."""
    values, expected = [100], 0
    for n in range(13):
        low = values[-1]
        if n == 7:
            values += [U, 0, 1, 2]
            expected += 2
        else:
            values += [U, 0, low, low + 3]
            expected += 3
    walked = walk(HOLD, values)
    assert sum(delta.pieces for delta in walked.deltas) == expected
    decided = [fall.was for fall in walked.falls if fall.was != "undecided"]
    assert decided.count("placeholder") == 12
    assert decided.count("reset") == 1
    assert walked.state.low is None


@pytest.mark.parametrize(
    ("counter", "readings", "pieces", "falls"),
    [
        pytest.param(
            RESET, [(1, 100), (4, 103), (2, 101), (5, 104), (3, 102), (6, 105)], 5, ["stepped_back"] * 2, id="two seconds"
        ),
        pytest.param(RESET, [(1, 100), (2, 7), (3, 9)], 9, ["reset"], id="a reset is none: its sequence goes on"),
        pytest.param(RESET, [(3, 100), (1, 0), (4, 2)], 2, ["stepped_back", "reset"], id="after it a reset is seen all the same"),
        pytest.param(ROLL, [(1, 100), (3, 130), (2, 120), (4, 140)], 40, ["stepped_back"], id="no roll-over"),
        pytest.param(HOLD, [(1, 100), (3, 130), (2, 120), (4, 140)], 40, ["stepped_back"], id="nothing to decide"),
        pytest.param(RESET, [(1, 100), (3, 130), (2, U), (4, 140)], 40, ["stepped_back"], id="nor a disconnect"),
        pytest.param(
            HOLD, [(-1, 100), (-1, 130), (-1, 120), (-1, 140)], 40, ["undecided", "placeholder"], id="no sequence: held"
        ),
        pytest.param(RESET, [(-1, 100), (-1, 130), (-1, 120), (-1, 140)], 170, ["reset"], id="no sequence: a fall is a reset"),
    ],
)
def test_a_clock_that_went_back(counter: dict[str, Any], readings: list[tuple[int, int]], pieces: int, falls: list[str]) -> None:
    """Readings (sequence, value) in the order of their times: the sequence shows which of them are behind."""
    walking = Walk(PointState(), Counter(**counter))
    for moment, (seq, value) in enumerate(readings, 1):
        walking.take(Point(moment, seq, value, moment))
    assert sum(delta.pieces for delta in walking.deltas) == pieces
    assert [fall.was for fall in walking.falls] == falls
