"""Never more than the limit in any second as the ERP sees it, and nine tenths of it used."""

import random
from bisect import bisect_left
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.erp.pace import JITTER_NS, WINDOW_NS, Pace

MS = 1_000_000
LIMITS = [2, 10, 50, 200]


def most_in_a_second(times: list[int]) -> int:
    ordered = sorted(times)
    return max((bisect_left(ordered, first + WINDOW_NS) - at for at, first in enumerate(ordered)), default=0)


@pytest.mark.parametrize("limit", LIMITS)
def test_under_backlog_nine_tenths_are_used_and_no_second_has_more(limit: int) -> None:
    """Timers fire up to 4 ms late, and a request takes up to 45 ms to arrive."""
    pace, now, chance = Pace(Fraction(limit)), 0, random.Random(limit)
    arrived: list[int] = []
    while now < 30 * WINDOW_NS:
        wait = pace.wait_ns(now)
        if wait:
            now += wait + chance.randrange(4 * MS if limit > 25 else 2 * MS)
            continue
        pace.left(now)
        arrived.append(now + chance.randrange(45 * MS))
    assert most_in_a_second(arrived) <= limit
    assert len(arrived) >= 0.9 * limit * 30


@given(
    st.sampled_from([Fraction(1, 3), Fraction(2), Fraction(21, 2), Fraction(50), Fraction(200)]),
    st.lists(st.tuples(st.integers(0, 700 * MS), st.integers(0, JITTER_NS - 1), st.booleans()), max_size=200),
)
def test_whatever_comes_and_however_late_no_second_has_more(limit: Fraction, requests: list[tuple[int, int, bool]]) -> None:
    pace, now, arrived = Pace(limit), 0, []
    for pause, late, narrowed in requests:
        now += pause
        pace.share = Fraction(1, 2) if narrowed else Fraction(1)
        now += pace.wait_ns(now)
        pace.left(now)
        arrived.append(now + late)
    assert most_in_a_second(arrived) <= -(-limit.numerator // limit.denominator)


@pytest.mark.parametrize("limit", LIMITS)
def test_a_successor_that_pauses_keeps_the_second_of_its_predecessor(limit: int) -> None:
    before, now, arrived = Pace(Fraction(limit)), 0, []
    for _ in range(2 * limit):
        now += before.wait_ns(now)
        before.left(now)
        arrived.append(now + 45 * MS)
    after = Pace(Fraction(limit))
    after.pause(now)
    for _ in range(2 * limit):
        now += after.wait_ns(now)
        after.left(now)
        arrived.append(now)
    assert most_in_a_second(arrived) <= limit
