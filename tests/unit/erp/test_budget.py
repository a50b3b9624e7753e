"""The budget: calls per second, concurrency, narrowing and the circuit."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.erp.budget import BREAKER_FAILURES, SLOW_FLOOR, WHOLE, WINDOW_NS, Budget
from tables.invariant import InvariantBroken

MS = 1_000_000
CALLS = st.tuples(
    st.sampled_from(["accepted", "rejected", "retry", "unknown"]), st.integers(1, 3_000 * MS), st.sampled_from([0, 700])
)


def call(budget: Budget, now: int, result: str = "accepted", code: str = "", latency: int = MS, retry_after_ms: int = 0) -> int:
    """Start as early as allowed; returns the start."""
    wait = budget.wait_ns(now)
    assert wait is not None
    budget.started(now + wait)
    budget.ended(now + wait + latency, result, code, latency, retry_after_ms)
    return now + wait


@given(
    st.fractions(Fraction(1, 5), 50, max_denominator=20),
    st.integers(1, 4),
    st.lists(st.tuples(CALLS, st.integers(0, 400 * MS)), max_size=80),
)
def test_no_window_ever_has_more_calls_than_allowed(rate: Fraction, concurrency: int, calls: list[tuple[object, int]]) -> None:
    budget, now = Budget(rate, concurrency), 0
    running: list[tuple[int, str, int, int]] = []
    starts: list[int] = []
    for (result, latency, after), pause in calls:  # type: ignore[misc]
        now += pause
        while (wait := budget.wait_ns(now)) != 0:
            if wait is None:
                ends, ended, taken, later = min(running)
                running.remove((ends, ended, taken, later))
                now = max(now, ends)
                budget.ended(now, ended, "", taken, later)
            else:
                now += wait
        budget.started(now)
        starts.append(now)
        running.append((now + latency, result, latency, after))
        assert len(running) <= concurrency
    assert all((later - earlier) * rate >= WINDOW_NS for earlier, later in itertools.pairwise(starts))
    for first in starts:
        for seconds in (1, 3):
            within = sum(first <= start < first + seconds * WINDOW_NS for start in starts)
            assert within <= -(-rate.numerator * seconds // rate.denominator)


def test_a_call_outside_the_budget_is_a_defect() -> None:
    budget = Budget(Fraction(10), 1)
    budget.started(0)
    with pytest.raises(InvariantBroken, match="outside the budget"):
        budget.started(5 * MS)


def test_retry_after_is_kept_and_throttling_halves_once_per_window() -> None:
    budget = Budget(Fraction(10), 8)
    budget.started(0)
    budget.started(100 * MS)
    for _ in range(2):
        budget.ended(200 * MS, "retry", "ERP_THROTTLED", MS, 3_000)
    assert (budget.rate, budget.calls) == (Fraction(5), 4)
    assert budget.wait_ns(200 * MS) == 3_000 * MS


def test_a_reason_of_the_document_does_not_slow_the_others() -> None:
    budget = Budget(Fraction(10), 4)
    call(budget, 0, "retry", "STOCK_SHORT", retry_after_ms=60_000)
    assert (budget.rate, budget.wait_ns(WINDOW_NS)) == (10, 0)


def test_rising_latency_narrows_and_quiet_windows_widen_additively() -> None:
    budget, now = Budget(Fraction(10), 5), 0
    for _ in range(10):
        now = call(budget, now, latency=100 * MS) + 100 * MS
    assert budget.rate == 10
    for _ in range(40):
        now = call(budget, now, latency=900 * MS) + 900 * MS
    assert budget.rate == Fraction(10) * SLOW_FLOOR / WHOLE
    assert budget.calls == 1
    seen = {budget.rate}
    for _ in range(60):
        now = call(budget, now + WINDOW_NS, latency=100 * MS)
        seen.add(budget.rate)
    # Back in equal steps of a twentieth.
    assert sorted(seen) == [Fraction(5, 2) + step * Fraction(1, 2) for step in range(16)]
    assert budget.calls == 5


def test_the_circuit_opens_probes_and_closes() -> None:
    budget, now = Budget(Fraction(1000), 4), 0
    for _ in range(BREAKER_FAILURES):
        now = call(budget, now, "unknown") + MS
    assert budget.open
    assert budget.wait_ns(now) == 1_000 * MS
    now += 1_000 * MS
    budget.started(now)
    assert budget.wait_ns(now + 500 * MS) is None  # one probe at a time
    budget.ended(now + 500 * MS, "unknown", "", MS, 0)
    assert budget.wait_ns(now + 500 * MS) == 2_000 * MS
    call(budget, now + 500 * MS, "rejected")
    assert not budget.open


def test_the_cool_down_has_a_most() -> None:
    budget, now = Budget(Fraction(1000), 1), 0
    for _ in range(30):
        now = call(budget, now, "unknown") + MS
    assert budget.wait_ns(now) == 60_000 * MS


@pytest.mark.parametrize("rate", [Fraction(10), Fraction(1, 3)])
def test_a_take_over_pauses_longer_than_the_window(rate: Fraction) -> None:
    budget = Budget(rate, 1)
    budget.pause(0)
    wait = budget.wait_ns(0)
    assert wait is not None
    assert wait > max(WINDOW_NS, WINDOW_NS / rate)
