"""Graceful stops, restarts and scaling: nothing is folded twice, nothing waits."""

import pytest

from tests.chaos.counting_plant import PARTITIONS, CountingPlant
from tests.chaos.processes import SHORT, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
RECORDS = 10_000 if SHORT else 40_000


def test_a_stop_drains_and_a_restart_goes_on_where_it_ended(plant: CountingPlant) -> None:
    """Graceful stop: exit code 0, every folded record is committed; the restart takes over exactly there, from its volume.

    The inbox ends with commit markers: the displayed lag reaches zero all the same.
    """
    plant.feed(RECORDS, transactional=True)
    first = plant.start()
    plant.await_drained()
    assert first.stop() == 0
    committed = plant.positions()
    plant.assert_exact("after the stop")

    second = plant.start()
    second.await_log("OWNED", count=PARTITIONS)
    taken = {int(p): int(at) for p, at in second.found(r"OWNED (\d+) position=(\d+) restored=0 ")}
    assert taken == committed, "a warm restart replays nothing and starts at __position"
    plant.feed(RECORDS // 4, seed=2)
    plant.await_drained()
    assert second.stop() == 0
    plant.assert_exact("after the restart")


def test_scaling_up_and_down_in_mid_stream_is_exact(plant: CountingPlant) -> None:
    """1 -> 2 -> 1 workers with batches in flight. A member that leaves gives its partitions up at its session timeout."""
    first = plant.start("a")
    first.await_log("OWNED", count=PARTITIONS)
    plant.feed(RECORDS)
    second = plant.start("b")
    second.await_log("OWNED")
    plant.feed(RECORDS, seed=2)
    assert second.stop() == 0
    took = wait_until(lambda: plant.quiet_lag() == 0, "the one that stays takes all partitions back", 60)
    print(f"scale-down: lag zero {took:.1f} s after the second worker left")
    assert first.stop() == 0
    plant.assert_exact("1 -> 2 -> 1")
