"""The broker that chaos tests take away comes back with its data, and accepts transactions."""

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from app.kafka.topics import admin_client, apply
from schemas.catalog import catalog
from tests.platform.kafka_jars import ClusterProcess

pytestmark = pytest.mark.kafka
TOPIC = "orders.inbox"


def _send(bootstrap: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": "t", "log_level": 0})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(TOPIC, value, partition=0)
    producer.commit_transaction(20)


def _committed(bootstrap: str, count: int) -> list[bytes]:
    """The first `count` committed values of partition 0."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "g", "isolation.level": "read_committed", "log_level": 0})
    try:
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        return [message.value() for message in consumer.consume(count, timeout=20)]
    finally:
        consumer.close()


@pytest.mark.parametrize("kill", [False, True], ids=["stop", "kill"])
def test_it_comes_back_at_the_same_address_with_its_data(kafka_process: ClusterProcess, kill: bool) -> None:
    apply(admin_client(kafka_process.bootstrap), catalog(), "", ())
    _send(kafka_process.bootstrap, b"before")
    first_pid, address = kafka_process.pid, kafka_process.bootstrap

    kafka_process.stop(kill=kill)
    with pytest.raises(RuntimeError, match="not running"):
        _ = kafka_process.pid
    kafka_process.start()

    assert (kafka_process.bootstrap, kafka_process.pid == first_pid) == (address, False)
    _send(kafka_process.bootstrap, b"after")
    assert _committed(kafka_process.bootstrap, 2) == [b"before", b"after"]
