"""Live master data on a real Kafka: a pull is written whole, a new poller goes on where the log says, an old one is fenced."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from app.erp.master import MasterChanges, PulledItem, PulledOperation, PulledOrder, until_of
from app.erp.master_poller import MasterLog, MasterPoller
from app.erp.sim.adapter import SimAdapter
from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.process import SimulatorProcess

pytestmark = pytest.mark.kafka


@pytest.fixture
def topic(kafka_bootstrap: str, topic_prefix: str) -> str:
    name = f"{topic_prefix}raw.p.erp-master"
    admin = AdminClient({"bootstrap.servers": kafka_bootstrap})
    admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])[name].result(20)
    return name


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    with SimulatorProcess(tmp_path / "erp") as process:
        yield process


def planned(number: str, changed: str) -> MasterChanges:
    item = PulledItem(item="1", material="4711", quantity="100", unit="PC")
    order = PulledOrder(
        changed=changed, order=number, status="released", items=[item], operations=[PulledOperation(operation="10")]
    )
    return MasterChanges("", orders=[order])


async def plan(simulator: SimulatorProcess, *changes: MasterChanges) -> None:
    control = SimulatorControl(simulator.url, simulator.token)
    for change in changes:
        await control.plan(change)
    await control.close()


def committed(bootstrap: str, topic: str) -> list[bytes]:
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "t", "isolation.level": "read_committed", "enable.partition.eof": True}
    )
    consumer.assign([TopicPartition(topic, 0, 0)])
    found: list[bytes] = []
    while True:
        message = consumer.poll(10)
        assert message is not None, "the topic did not end"
        error: Any = message.error()
        if error is not None:
            assert error.code() == KafkaError._PARTITION_EOF, error
            consumer.close()
            return found
        found.append(message.value())


async def test_a_new_poller_goes_on_and_the_old_one_is_fenced(
    kafka_bootstrap: str, topic: str, simulator: SimulatorProcess
) -> None:
    def poller() -> MasterPoller:
        return MasterPoller(adapter, lambda: MasterLog({"bootstrap.servers": kafka_bootstrap}, topic), lambda: True, 60)

    adapter = SimAdapter(simulator.url, simulator.token)
    await plan(simulator, planned("1", "1"), planned("2", "1"))
    first = poller()
    assert await first.pull() == 3, "two orders and the mark"
    assert await first.pull() == 0
    await plan(simulator, planned("2", "2"))
    second = poller()
    assert await second.pull() == 2, "only what was planned since: the log said where to go on"
    await plan(simulator, planned("3", "1"))
    with pytest.raises(KafkaException) as fenced:
        await first.pull()
    assert fenced.value.args[0].code() in (KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED)
    assert await second.pull() == 2
    await adapter.close()
    lines = committed(kafka_bootstrap, topic)
    orders = [line for line in lines if until_of(line) is None]
    assert [b'"order":"%s"' % number in line for number, line in zip((b"1", b"2", b"2", b"3"), orders, strict=True)] == [True] * 4
    assert [until_of(line) for line in lines if until_of(line) is not None] == ["2", "3", "4"]


async def test_a_long_pull_is_found_by_its_mark(kafka_bootstrap: str, topic: str, simulator: SimulatorProcess) -> None:
    """The mark is further back than the first look: aborted and empty offsets lie behind it."""
    log = MasterLog({"bootstrap.servers": kafka_bootstrap}, topic)
    assert await asyncio.to_thread(log.until) == ""
    await asyncio.to_thread(log.write, [b'{"type":"pulled","until":"77"}', *[b'{"type":"order"}'] * 200])
    assert await asyncio.to_thread(log.until) == "77"
