"""How much a counter can have counted between two readings: what is stated of it (`at_most`), or else what is not absurd.

A rate bounds every stretch of time between two readings: the counter can have counted what the rate gives in that time, and one
period's worth more, because readings come bunched. So it is a bucket that runs empty at that rate; its level is kept in
steps x period, so that it is exact.
"""

from schemas.configuration import Counter
from schemas.configuration.counters import ABSURD_TIMES
from schemas.records import PointState

SECOND_US = 1_000_000


def level_after(state: PointState, at: int, pieces: int, counter: Counter) -> int:
    """How full the bucket is at that time, after pieces that were made since the count that stands."""
    bounds = counter.bounds
    if bounds.burst is None:
        return state.level
    level = state.level + pieces * bounds.per - bounds.rate * (at - state.at)
    return min(max(0, level), bounds.burst * bounds.per)


def room(state: PointState, at: int, counter: Counter) -> int | None:
    """Steps that can be believed at that time, after the count that stands. None: any number."""
    if not counter.judges:
        return None
    bounds, since = counter.bounds, at - state.at
    if counter.at_most:
        found = bounds.step
        if bounds.burst is not None:
            left = (bounds.burst * bounds.per - state.level + bounds.rate * since) // bounds.per
            found = left if found is None else min(found, left)
        return found
    if not state.most:
        return None  # nothing to compare with
    return max(counter.absurd, ABSURD_TIMES * state.most * max(1, since // state.most_us))


def note(state: PointState, at: int, pieces: int, counter: Counter, rose: bool) -> None:
    """Pieces are believed at that time: what can be believed next. To be called before the state moves there."""
    if not counter.judges:
        return
    state.level = level_after(state, at, pieces, counter)
    if rose and pieces and learns(counter) and pieces >= state.most:
        state.most, state.most_us = larger_step(state.most, state.most_us, pieces, at - state.at)


def learns(counter: Counter) -> bool:
    """Does it compare jumps with its largest step?"""
    return counter.judges and not counter.at_most


def larger_step(most: int, most_us: int, pieces: int, since: int) -> tuple[int, int]:
    """The largest step so far and the shortest time in which it was made, after another step."""
    since = max(SECOND_US, since)
    if pieces > most:
        return pieces, since
    return (most, min(most_us, since)) if pieces == most else (most, most_us)
