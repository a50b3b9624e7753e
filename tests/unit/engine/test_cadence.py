"""One checkpoint per interval, partitions have phases, and the fold always gets some time."""

from itertools import pairwise

from app.engine.cadence import FOLD_SECONDS, Cadence

START, POLL = 1000.0, 0.02


def begins(cadence: Cadence, lasts: list[float], seconds: float) -> list[tuple[float, float]]:
    """(begin, end) of the checkpoints of 1 s, which last so long in turn; the loop asks 50 times a second."""
    now, found = START, list[tuple[float, float]]()
    while now < START + seconds:
        if cadence.begin(1.0, now):
            began = now
            now += lasts[len(found) % len(lasts)]
            cadence.end(now)
            found.append((began, now))
        now += POLL
    return found


def test_once_per_interval_however_long_it_lasts() -> None:
    found = begins(Cadence(0, START), [0.1, 0.1, 0.1, 0.4], 40.0)
    apart = [later - earlier for (earlier, _), (later, _) in pairwise(found[1:])]
    assert 39 <= len(found) <= 41
    assert all(abs(gap - 1.0) < 2 * POLL for gap in apart), apart


def test_partitions_have_phases() -> None:
    ends = sorted(begins(Cadence(number, START), [0.0], 5.0)[-1][1] % 1.0 for number in range(4))
    apart = [(after - before) % 1.0 for before, after in zip(ends, ends[1:] + ends[:1], strict=True)]
    assert min(apart) > 0.1, ends


def test_the_fold_gets_time_however_long_a_checkpoint_lasts() -> None:
    found = begins(Cadence(0, START), [3.0], 30.0)
    assert len(found) >= 9
    assert all(began - ended > 0.9 * FOLD_SECONDS for (_, ended), (began, _) in pairwise(found))


def test_after_a_pause_it_is_time_at_once_and_once() -> None:
    cadence = Cadence(0, START)
    assert [cadence.begin(1.0, START + 100 + step * POLL) for step in range(5)] == [True, False, False, False, False]
