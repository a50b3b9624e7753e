"""The embedded broker does what a demo needs, and the limits that its docstring states are the real ones."""

import uuid

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from app.kafka.embedded import EMBEDDED_PARTITIONS, EmbeddedBroker


def test_touched_topics_have_their_partitions_and_carry_records(embedded_bootstrap: str) -> None:
    topic = f"t{uuid.uuid4().hex}"
    with EmbeddedBroker() as own:
        own.touch([topic, topic])
        assert own.bootstrap != embedded_bootstrap
        producer = Producer({"bootstrap.servers": own.bootstrap, "log_level": 0})
        assert len(producer.list_topics(topic, timeout=5).topics[topic].partitions) == EMBEDDED_PARTITIONS
        for partition in range(EMBEDDED_PARTITIONS):
            producer.produce(topic, f"value {partition}", partition=partition)
        assert producer.flush(10) == 0
        consumer = Consumer({"bootstrap.servers": own.bootstrap, "group.id": "g", "log_level": 0})
        try:
            consumer.assign([TopicPartition(topic, partition, 0) for partition in range(EMBEDDED_PARTITIONS)])
            messages = consumer.consume(EMBEDDED_PARTITIONS, timeout=10)
            assert sorted(m.value() for m in messages) == [f"value {p}".encode() for p in range(EMBEDDED_PARTITIONS)]
        finally:
            consumer.close()


def test_outside_its_context_it_is_not_there() -> None:
    broker = EmbeddedBroker()
    with broker:
        assert broker.bootstrap
    assert broker.bootstrap == ""
    with pytest.raises(RuntimeError, match="not running"):
        broker.touch(["t"])


def test_it_trims_silently_so_readers_must_keep_up() -> None:
    """The documented limit (about 5 MB a partition): if librdkafka changes it, the docstring and the demo must change."""
    with EmbeddedBroker() as broker:
        broker.touch(["t"])
        producer = Producer({"bootstrap.servers": broker.bootstrap, "log_level": 0})
        for _ in range(12):
            producer.produce("t", bytes(900_000), partition=0)
            assert producer.flush(10) == 0
        consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "g", "log_level": 0})
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition("t", 0), timeout=10)
        finally:
            consumer.close()
        assert high == 12
        assert 12 - 7 <= low < 12
