"""A broker that loses the end of an inbox: refused until an operator raises the log epoch, then nothing is skipped."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import NewPartitions

from tests.chaos.counting_plant import PARTITIONS, CountingPlant
from tests.chaos.counting_stage import CHANGELOG, INBOX
from tests.chaos.processes import wait_until
from tests.platform.kafka_jars import ClusterProcess

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
RECORDS = 2_000
INBOX_TRUNCATED, TOPIC_MISMATCH = 73, 78


@pytest.fixture
def own_plant(kafka_process: ClusterProcess, tmp_path: Path) -> Iterator[CountingPlant]:
    made = CountingPlant(kafka_process.bootstrap, "tail.", tmp_path)
    yield made
    made.close()


def lose_inbox(kafka: ClusterProcess) -> None:
    """All that the disk has of the inbox, while the topic stays the same one."""
    folders = [one.parent for one in kafka.log.parent.rglob("partition.metadata") if one.parent.name.startswith(f"tail.{INBOX}-")]
    assert len(folders) == PARTITIONS
    for folder in folders:
        for file in folder.iterdir():
            if file.name != "partition.metadata":
                file.unlink()


def is_empty(plant: CountingPlant) -> bool:
    try:
        return not any(plant.ends().values())
    except KafkaException:
        return False  # it has no leader yet


def test_a_lost_tail_is_refused_and_mended_by_a_raised_epoch(own_plant: CountingPlant, kafka_process: ClusterProcess) -> None:
    own_plant.feed(RECORDS, finals=0.0)
    worker = own_plant.start()
    own_plant.await_drained()
    assert worker.stop() == 0
    before = own_plant.facts().rows
    kafka_process.stop()
    lose_inbox(kafka_process)
    kafka_process.start()
    wait_until(lambda: is_empty(own_plant), "the log is shorter than what was read")
    assert own_plant.start().ended() == INBOX_TRUNCATED
    own_plant.feed(3 * RECORDS, seed=2, finals=0.0)
    again = own_plant.start()
    assert again.ended() == INBOX_TRUNCATED, "every position lies inside the log again, of which it read nothing"
    raised = own_plant.start(log_epoch=2)
    own_plant.await_drained()
    assert raised.stop() == 0
    facts = own_plant.facts()
    for key, (count, total, _) in facts.rows.items():
        old, new = before.get(key, (0, 0, -1)), facts.expected.get(key, (0, 0, -1))
        assert (count, total) == (old[0] + new[0], old[1] + new[1]), key
    once_more = own_plant.start(log_epoch=2)
    once_more.await_log("OWNED", count=PARTITIONS)
    assert once_more.stop() == 0


def test_partitions_that_were_added_are_refused(plant: CountingPlant) -> None:
    """Keys would hash to other partitions than their rows: also while the process runs."""
    plant.feed(RECORDS)
    worker = plant.start()
    plant.await_drained()
    more = [NewPartitions(plant.prefix + name, 2 * PARTITIONS) for name in (INBOX, CHANGELOG)]
    for future in plant.admin.create_partitions(more).values():
        future.result(20)
    assert worker.stop() in (0, TOPIC_MISMATCH)
    assert plant.start().ended() == TOPIC_MISMATCH
    assert plant.start(log_epoch=2).ended() == TOPIC_MISMATCH, "a raised epoch does not help"
