"""Never more than the limit in any second as the ERP sees it, and nine tenths of it used."""

import heapq
import itertools
import random
from bisect import bisect_left
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.erp.pace import JITTER_NS, WINDOW_NS, Pace
from app.erp.window import Departure

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


def sent_under_backlog(pace: Pace, seconds: int, late: Callable[[], int]) -> list[int]:
    """Somebody always waits, and wakes up `late`."""
    now, sent = 0, list[int]()
    while now < seconds * WINDOW_NS:
        wait = pace.wait_ns(now)
        if wait:
            now += wait + late()
            continue
        pace.left(now)
        sent.append(now)
    return sent


@pytest.mark.parametrize("limit", LIMITS)
def test_who_always_wakes_up_late_still_uses_nine_tenths(limit: int) -> None:
    """20 ms late on average, some more than 100 ms: a machine whose cores are all busy."""
    chance = random.Random(limit)
    sent = sent_under_backlog(Pace(Fraction(limit)), 60, lambda: int(min(chance.expovariate(1 / 20), 200) * MS))
    assert len(sent) >= 0.9 * limit * 60
    assert most_in_a_second(sent) <= limit


@pytest.mark.parametrize("limit", LIMITS)
def test_a_stall_moves_nobody_but_those_whose_slots_it_took(limit: int) -> None:
    """A tenth of a second once, then in every second, and a fifth."""
    for stalls, stall_ms, least in ((1, 100, 0.95), (60, 100, 0.93), (60, 200, 0.9)):
        ends = [n * 60 * WINDOW_NS // stalls + 517 * MS for n in range(stalls)]
        pace, now, sent = Pace(Fraction(limit)), 0, list[int]()
        while now < 60 * WINDOW_NS:
            wait = pace.wait_ns(now)
            now += wait
            if wait and ends and now >= ends[0]:
                now = max(now, ends.pop(0) + stall_ms * MS)
            elif not wait:
                pace.left(now)
                sent.append(now)
        assert len(sent) >= least * limit * 60 - 1, f"{stalls} stalls of {stall_ms} ms: {len(sent)}"
        assert most_in_a_second(sent) <= limit


@pytest.mark.parametrize("idle_ms", [1_500, 130, 60_000])
def test_time_in_which_nobody_wanted_to_leave_is_not_made_up_for(idle_ms: int) -> None:
    pace, now, sent = Pace(Fraction(10)), 0, list[int]()
    for pause in (0, 0, idle_ms, 0, 0, 0):
        now += pause * MS
        now += pace.wait_ns(now)
        pace.left(now)
        sent.append(now)
    assert min(later - earlier for earlier, later in itertools.pairwise(sent)) >= WINDOW_NS // 10


def test_time_in_which_the_erp_asked_to_be_left_alone_is_not_made_up_for() -> None:
    pace = Pace(Fraction(10))
    pace.left(0)
    assert pace.wait_ns(0) > 0
    pace.hold(30 * WINDOW_NS)
    sent = [at for at in sent_under_backlog(pace, 32, lambda: 0) if at]
    assert sent[0] == 30 * WINDOW_NS
    assert min(later - earlier for earlier, later in itertools.pairwise(sent)) >= WINDOW_NS // 10


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


class Stalls:
    """Requests of one pace that stall before they leave, and before their bytes are gone, on the way to an ERP that logs nothing
    while it stalls itself, and then all that came. `answer_ms`: after the line in its log."""

    def __init__(self, limit: int, seed: int, stalled: float, answer_ms: int = 5) -> None:
        self.pace, self.chance = Pace(Fraction(limit)), random.Random(seed)
        self.stalled, self.answer_ms = stalled, answer_ms
        self.logged: list[int] = []
        self._due: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = itertools.count()

    def run(self, seconds: int) -> list[int]:
        self._at(0, self._let_in)
        while self._due and self._due[0][0] < seconds * WINDOW_NS:
            now, _, what = heapq.heappop(self._due)
            what(now)
        return sorted(at for at in self.logged if at < seconds * WINDOW_NS)

    def _at(self, when: int, what: Callable[[int], None]) -> None:
        heapq.heappush(self._due, (when, next(self._order), what))

    def _stall(self) -> int:
        return self.chance.randrange(2_000 * MS) if self.chance.random() < self.stalled else self.chance.randrange(MS)

    def _let_in(self, now: int) -> None:
        wait = self.pace.wait_ns(now)
        if wait == 0:
            departure = self.pace.left(now)
            self._at(now + self._stall(), lambda then: self._leave(then, departure))
        self._at(now + wait, self._let_in)

    def _leave(self, now: int, departure: Departure) -> None:
        wait = self.pace.again_ns(now, departure)
        if wait:
            self._at(now + wait, lambda then: self._leave(then, departure))
            return
        departure.leaves(now, document=True)
        gone = now + self._stall()
        arrives = self.chance.randrange(now, gone + 1) + self.chance.randrange(45 * MS)
        since = arrives % (5 * WINDOW_NS)
        logged = arrives - since + 900 * MS if self.stalled and since < 900 * MS else arrives
        self.logged.append(logged)
        self._at(gone, departure.gone)
        answered = max(gone, logged + self.answer_ms * MS)
        self._at(answered, lambda then: departure.over(then, answered=True))


@given(st.sampled_from(LIMITS), st.integers(0, 2**32), st.sampled_from([0.005, 0.05, 0.3]))
@settings(max_examples=20, deadline=None)
def test_wherever_a_request_stalls_no_second_has_more(limit: int, seed: int, stalled: float) -> None:
    assert most_in_a_second(Stalls(limit, seed, stalled).run(12 if limit < 50 else 3)) <= limit


@pytest.mark.parametrize("answer_ms", [5, 300, 2_000])
@pytest.mark.parametrize("limit", LIMITS)
def test_an_erp_that_is_slow_is_known_to_be_and_nine_tenths_are_used(limit: int, answer_ms: int) -> None:
    """It takes ten seconds, and as long as an answer does, to know."""
    logged = Stalls(limit, limit, 0.0, answer_ms).run(40)
    assert most_in_a_second(logged) <= limit
    assert sum(at >= 20 * WINDOW_NS for at in logged) >= 0.9 * limit * 20 - 1


def test_an_answer_that_is_late_counts_and_one_that_never_comes_does_not_for_ever() -> None:
    pace = Pace(Fraction(1))
    departure = pace.left(0)
    departure.leaves(0, document=True)
    assert pace.again_ns(3 * WINDOW_NS, departure) == 0, "it does not count against itself"
    assert pace.wait_ns(3 * WINDOW_NS) == WINDOW_NS + JITTER_NS, "its bytes may leave at any moment"
    departure.gone(3 * WINDOW_NS)
    assert pace.wait_ns(4 * WINDOW_NS) == WINDOW_NS
    assert pace.wait_ns(5 * WINDOW_NS + JITTER_NS) == 0, "it may never be answered"
    departure.over(6 * WINDOW_NS, answered=True)
    assert pace.wait_ns(6 * WINDOW_NS) == WINDOW_NS
