"""The budget: calls per second, concurrency, narrowing and the circuit."""

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.erp.budget import SLOW_FLOOR, SUSPECT_SHARE, WHOLE, Budget
from app.erp.circuit import BREAKER_FAILURES, SILENT_LANES
from app.erp.pace import JITTER_NS, WINDOW_NS
from app.erp.port import Answer
from tables.invariant import InvariantBroken

MS = 1_000_000
CALLS = st.tuples(
    st.sampled_from(["accepted", "rejected", "retry", "unknown"]), st.integers(1, 3_000 * MS), st.sampled_from([0, 700])
)


def call(
    budget: Budget,
    now: int,
    result: str = "accepted",
    code: str = "",
    latency: int = MS,
    retry_after_ms: int = 0,
    lane: str = "",
) -> int:
    """Start as early as allowed; returns the start."""
    wait = budget.wait_ns(now)
    assert wait is not None
    budget.started(now + wait)
    budget.ended(now + wait + latency, Answer(result, code=code, retry_after_ms=retry_after_ms), latency, lane)
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
                budget.ended(now, Answer(ended, retry_after_ms=later), taken)
            else:
                now += wait
        budget.started(now)
        starts.append(now)
        running.append((now + latency, result, latency, after))
        assert len(running) <= concurrency
    assert all((later - earlier) * rate >= WINDOW_NS for earlier, later in itertools.pairwise(starts))
    for first in starts:
        for seconds in (1, 3):
            within = sum(first <= start < first + seconds * WINDOW_NS + JITTER_NS for start in starts)
            assert within <= -(-rate.numerator * seconds // rate.denominator)


def test_a_call_outside_the_budget_is_a_defect() -> None:
    budget = Budget(Fraction(10), 1)
    budget.started(0)
    with pytest.raises(InvariantBroken, match="outside the budget"):
        budget.started(5 * MS)


def test_retry_after_is_kept_and_throttling_halves_once_per_window() -> None:
    budget = Budget(Fraction(10), 8)
    budget.started(0)
    budget.started(110 * MS)
    for _ in range(2):
        budget.ended(200 * MS, Answer("retry", code="ERP_THROTTLED", retry_after_ms=3_000), MS)
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
        now = call(budget, now, "retry", "ERP_UNREACHABLE") + MS
    assert budget.open
    assert budget.wait_ns(now) is None
    assert budget.probe_wait_ns(now) == 1_000 * MS
    now += 1_000 * MS
    budget.probing(now)
    budget.probed(now + 500 * MS, Answer("unknown", code="ERP_UNREACHABLE"))
    assert budget.probe_wait_ns(now + 500 * MS) == 2_000 * MS
    now += 2_500 * MS
    budget.probing(now)
    budget.probed(now, Answer("not_found"))
    assert not budget.open
    assert budget.rate == 1000, "an outage is no load"


def test_a_few_lanes_never_open_the_circuit() -> None:
    budget, now = Budget(Fraction(1000), 4), 0
    for n in range(200):
        now = call(budget, now, "unknown", "ERP_TIMEOUT", lane=f"L{n % (SILENT_LANES - 1)}") + MS
    assert budget.circuit.closed
    assert (budget.rate, budget.calls) == (1000, 4)


def test_several_silent_lanes_ask_the_erp_and_its_answer_decides() -> None:
    budget, now = Budget(Fraction(1000), 4), 0
    for n in range(SILENT_LANES):
        now = call(budget, now, "unknown", "ERP_TIMEOUT", lane=f"L{n}") + MS
    assert not budget.open
    assert budget.wait_ns(now) is None
    now += budget.interval_ns
    assert budget.probe_wait_ns(now) == 0
    budget.probing(now)
    budget.probed(now, Answer("not_found"))
    assert budget.circuit.closed
    for n in range(SILENT_LANES - 1):
        now = call(budget, now, "unknown", "ERP_TIMEOUT", lane=f"L{n}") + MS
    call(budget, now)
    now = call(budget, now + MS, "unknown", "ERP_TIMEOUT", lane="L9") + MS
    assert budget.circuit.closed, "one was answered between them"


def test_the_cool_down_has_a_most() -> None:
    budget, now = Budget(Fraction(1000), 1), 0
    for _ in range(BREAKER_FAILURES):
        now = call(budget, now, "retry", "ERP_UNREACHABLE") + MS
    for _ in range(30):
        wait = budget.probe_wait_ns(now)
        assert wait is not None
        budget.probing(now + wait)
        now += wait
        budget.probed(now, Answer("unknown"))
    assert budget.probe_wait_ns(now) == 15_000 * MS


@pytest.mark.parametrize("scope", ["lane", "material", "document"])
def test_what_is_of_one_lane_neither_slows_nor_delays_the_others(scope: str) -> None:
    budget, now = Budget(Fraction(10), 4), 0
    for _ in range(50):
        wait = budget.wait_ns(now)
        assert wait is not None
        budget.started(now + wait)
        now += wait
        budget.ended(now, Answer("retry", code="ERP_BUSY", retry_after_ms=60_000, scope=scope), 0)
    assert (budget.rate, budget.calls, budget.wait_ns(now + 110 * MS)) == (10, 4, 0)


def test_a_few_slow_lanes_do_not_narrow_the_budget() -> None:
    budget, now = Budget(Fraction(10), 5), 0
    for n in range(90):
        now = call(budget, now, latency=(5_000 if n % 3 == 0 else 100) * MS) + 5_000 * MS
    assert (budget.rate, budget.calls) == (10, 5)


def test_suspects_have_a_share_and_the_rest_when_nobody_else_waits() -> None:
    budget = Budget(Fraction(10), 4)
    budget.started(0, suspect=True)
    budget.ended(MS, Answer("unknown"), MS, "L", suspect=True)
    assert budget.suspect_wait_ns(110 * MS, alone=False) == SUSPECT_SHARE * budget.interval_ns - 110 * MS
    assert budget.suspect_wait_ns(110 * MS, alone=True) == 0
    budget.started(110 * MS, suspect=True)
    assert budget.suspect_wait_ns(10_000 * MS, alone=True) is None, "one of four places"
    assert budget.wait_ns(10_000 * MS) == 0


def test_with_one_place_a_suspect_that_hung_lets_the_others_go_first() -> None:
    budget = Budget(Fraction(10), 1)
    budget.started(0, suspect=True)
    budget.ended(10_000 * MS, Answer("unknown"), 10_000 * MS, "L", suspect=True)
    assert budget.suspect_wait_ns(10_000 * MS, alone=True) == 19 * 10_000 * MS
    assert budget.wait_ns(10_000 * MS) == 0


@pytest.mark.parametrize("rate", [Fraction(10), Fraction(1, 3)])
def test_a_take_over_pauses_longer_than_the_window(rate: Fraction) -> None:
    budget = Budget(rate, 1)
    budget.pause(0)
    wait = budget.wait_ns(0)
    assert wait is not None
    assert wait > max(WINDOW_NS, WINDOW_NS / rate)
