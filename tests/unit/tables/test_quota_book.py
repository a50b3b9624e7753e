"""What is taken out of quotas: never more than each of them has, in any order of who asks."""

import random

import pytest

from schemas.records import QuotaAsked, QuotaLimit, QuotaRow, QuotaUse
from tables.delivery.outbox import Granted
from tables.delivery.quota_book import slice_us, take_out, use_until

S = 1_000_000
MINUTE, HOUR, DAY = 60 * S, 3_600 * S, 86_400 * S
T = 20_000 * DAY


def ask(row: QuotaRow | None, at: int, calls: int, *limits: QuotaLimit, time: int = 0, corrections: tuple[QuotaUse, ...] = ()):  # type: ignore[no-untyped-def]
    until = use_until(at, min(limit.per_us for limit in limits))
    return take_out(row, QuotaAsked("me", 1, at, until, calls, time, list(limits), list(corrections)))


@pytest.mark.parametrize(
    ("per", "length"),
    [(MINUTE, 5 * S), (5 * MINUTE, 5 * S), (HOUR, MINUTE), (DAY, 24 * MINUTE), (6 * S, S // 2)],
)
def test_a_slice_is_no_shorter_than_a_commit_may_take(per: int, length: int) -> None:
    assert slice_us(per) == length
    for at in range(T, T + 3 * length, length // 7):
        assert length <= use_until(at, per) - at <= 2 * length


def test_all_a_part_and_nothing() -> None:
    limit = QuotaLimit(HOUR, 100, 0)
    row, first = ask(None, T, 60, limit)
    assert (first.calls, first.calls_again) == (60, 0)
    row, second = ask(row, T + MINUTE, 60, limit)
    assert second.calls == 40
    assert second.calls_again == T + 2 * MINUTE + HOUR + MINUTE
    row, third = ask(row, T + 2 * MINUTE, 60, limit)
    assert (third.calls, third.calls_again) == (0, second.calls_again)
    _, before = ask(row, second.calls_again - 1, 60, limit)
    _, after = ask(row, second.calls_again, 70, limit)
    assert (before.calls, after.calls) == (0, 60)


def test_what_is_given_back_comes_free_and_no_more_than_that() -> None:
    limit = QuotaLimit(HOUR, 100, 30 * S)
    row, taken = ask(None, T, 100, limit, time=30 * S)
    back = QuotaUse(taken.until, -40, -10 * S)
    row, again = ask(row, T + 5 * MINUTE, 100, limit, time=30 * S, corrections=(back,))
    assert (again.calls, again.processing_us) == (40, 10 * S)
    row, _ = ask(row, T + 5 * MINUTE, 0, limit, corrections=(QuotaUse(taken.until, -1_000, 0),))
    _, last = ask(row, T + 5 * MINUTE, 100, limit)
    assert last.calls == 60


def test_time_that_was_used_beyond_the_limit_counts() -> None:
    limit = QuotaLimit(HOUR, 0, 30 * S)
    row, _ = ask(None, T, 0, limit, time=30 * S)
    row, _ = ask(row, T, 0, limit, corrections=(QuotaUse(T + MINUTE, 0, 12 * S),))
    assert row.windows[0].uses[0].processing_us + row.windows[0].uses[-1].processing_us >= 42 * S
    _, granted = ask(row, T + MINUTE, 5, limit, time=S)
    assert (granted.calls, granted.processing_us) == (5, 0)


def test_of_a_span_that_is_new_the_longer_one_knows() -> None:
    row, _ = ask(None, T, 90, QuotaLimit(DAY, 1_000, 0))
    _, granted = ask(row, T + 10 * MINUTE, 50, QuotaLimit(HOUR, 100, 0))
    assert granted.calls == 10
    row, _ = ask(None, T, 90, QuotaLimit(HOUR, 1_000, 0))
    _, granted = ask(row, T + 10 * MINUTE, 50, QuotaLimit(DAY, 100, 0))
    assert granted.calls == 10


def test_a_span_that_is_not_stated_is_kept_as_long_as_it_counts() -> None:
    """Somebody who does not know of the change yet makes nothing forgotten."""
    hour, day = QuotaLimit(HOUR, 100, 0), QuotaLimit(DAY, 100, 0)
    row, _ = ask(None, T, 80, day)
    row, _ = ask(row, T, 1, hour)
    _, granted = ask(row, T + 3 * HOUR, 50, day)
    assert granted.calls == 20
    row, _ = ask(row, T + 3 * DAY, 1, hour)
    assert [window.per_us for window in row.windows] == [HOUR]


@pytest.mark.parametrize("seed", range(20))
def test_no_span_has_more_whatever_is_asked_and_given_back(seed: int) -> None:
    """By the latest moments at which what was taken out may be used; the row stays small."""
    chance = random.Random(seed)
    limits = [QuotaLimit(MINUTE, 30, 0), QuotaLimit(20 * MINUTE, 200, 40 * S)]
    row, at, had = None, T, dict[int, list[Granted]]()
    for _ in range(600):
        at += int(chance.expovariate(1 / (5 * S)))
        corrections = []
        for until in [until for until in had if until <= at and chance.random() < 0.5]:
            for one in had[until]:
                back = chance.randint(0, one.calls)
                corrections.append(QuotaUse(until, -back, 0))
                had.setdefault(-until, []).append(Granted("", 0, until, one.calls - back, one.processing_us))
            del had[until]
        row, granted = ask(row, at, chance.randint(0, 20), *limits, time=chance.randint(0, 5 * S), corrections=tuple(corrections))
        had.setdefault(granted.until, []).append(granted)
        uses = [(one.until, one) for ones in had.values() for one in ones]
        for limit in limits:
            inside = [one for until, one in uses if until > at - limit.per_us]
            assert sum(one.calls for one in inside) <= (limit.calls or 2**60)
            assert sum(one.processing_us for one in inside) <= (limit.processing_us or 2**60)
        assert all(len(window.uses) <= 64 for window in row.windows)
