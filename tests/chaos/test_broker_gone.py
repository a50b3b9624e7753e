"""The broker goes away in mid-stream: processes wait or end uncommitted, a supervisor restarts them, the end is exact."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.counting_plant import PARTITIONS, CountingPlant
from tests.chaos.processes import SHORT, WorkerProcess, wait_until
from tests.platform.kafka_jars import ClusterProcess

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
OUTAGE_SECONDS = 15 if SHORT else 60
RECORDS = 20_000
UNCOMMITTED_ENDS = {74, 75, 76, 77}
"""TAKEOVER_FAILED, FENCED, BROKER_TIMEOUT, COMMIT_FAILED."""


@pytest.fixture
def own_plant(kafka_process: ClusterProcess, tmp_path: Path) -> Iterator[CountingPlant]:
    made = CountingPlant(kafka_process.bootstrap, "gone.", tmp_path)
    yield made
    made.close()


class Supervisor:
    """Restarts a worker that ended, at once, and remembers how it ended."""

    def __init__(self, plant: CountingPlant) -> None:
        self.plant, self.codes, self.worker = plant, list[int](), plant.start("a", checkpoint=1.0)

    def look(self) -> WorkerProcess:
        if self.worker.code is not None:
            self.codes.append(self.worker.code)
            self.worker = self.plant.start("a", checkpoint=1.0)
        return self.worker


@pytest.mark.parametrize("kill", [False, True], ids=["stopped", "killed"])
def test_a_broker_outage_in_mid_stream_is_exact(own_plant: CountingPlant, kafka_process: ClusterProcess, kill: bool) -> None:
    """60 s (15 s in CI) without a broker, with folded rows uncommitted."""
    supervisor = Supervisor(own_plant)
    supervisor.worker.await_log("OWNED", count=PARTITIONS)
    own_plant.feed(RECORDS)
    wait_until(lambda: sum(own_plant.positions().values()) > 0, "it is in mid-stream")
    own_plant.feed(RECORDS, seed=2)
    kafka_process.stop(kill=kill)
    back_at = time.monotonic() + OUTAGE_SECONDS
    while time.monotonic() < back_at:
        supervisor.look()
        time.sleep(0.1)
    kafka_process.start()

    def drained() -> bool:
        supervisor.look()
        return own_plant.quiet_lag() == 0

    took = wait_until(drained, f"lag is zero again; ends so far {supervisor.codes}", 120)
    own_plant.feed(RECORDS, seed=3)
    wait_until(drained, "it goes on", 60)
    print(f"outage of {OUTAGE_SECONDS} s, kill={kill}: ends {supervisor.codes}, lag zero {took:.1f} s after the broker is back")
    assert supervisor.look().stop() == 0
    assert set(supervisor.codes) <= UNCOMMITTED_ENDS, supervisor.codes
    own_plant.assert_exact("after the outage")
