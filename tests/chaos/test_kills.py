"""Crashes at any point, also inside a commit, with and without the local volume."""

import random

import pytest

from tests.chaos import faults
from tests.chaos.counting_plant import PARTITIONS, CountingPlant
from tests.chaos.processes import SHORT, wait_until

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
RECORDS = 10_000 if SHORT else 40_000
POINTS = [faults.KILL_BEFORE_COMMIT, faults.KILL_AFTER_COMMIT, ""]
SCHEDULE = [(point, cold) for point in POINTS for cold in (False, True)]
SIGKILLED = -9


def test_kills_at_any_point_are_exact(plant: CountingPlant) -> None:
    """Six kills, each point warm and cold. Of an aborted transaction nothing is visible; after a commit that the local store
    does not know, the store catches up from the changelog (docs/faust.md, The store is ahead)."""
    rnd = random.Random(7)
    for turn, (point, cold) in enumerate(SCHEDULE):
        worker = plant.start("a", fault=point, rate=3)
        plant.feed(RECORDS, seed=turn)
        if not point:
            worker.await_log("OWNED", count=PARTITIONS)
            before = plant.positions()
            wait_until(lambda before=before: plant.positions() != before, "it is in mid-stream")
            plant.feed(rnd.randrange(RECORDS), seed=100 + turn)
            worker.kill()
        seed = 1_000 * (turn + 1)
        while worker.code is None:
            plant.feed(1_000, seed)  # something to commit, until the dice kill it
            seed += 1
            wait_until(lambda worker=worker: worker.code is not None or plant.quiet_lag() == 0, "it folds or dies")
        assert worker.ended() == SIGKILLED, worker.text()[-2000:]
        if cold:
            plant.lose_volume("a")
    last = plant.start("a")
    plant.await_drained()
    assert last.stop() == 0
    plant.assert_exact(f"{len(SCHEDULE)} kills")
    aborted = sum(1 for _ in plant.messages("counting.out", "read_uncommitted")) - sum(1 for _ in plant.messages("counting.out"))
    print(f"messages of aborted transactions, invisible: {aborted}")
    assert aborted > 0, "kills before the commit must leave aborted messages"
