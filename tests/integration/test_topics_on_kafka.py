"""Topics on a real broker: made as the catalog says, and never altered."""

from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from app.ingest.raw_writer import RawWriter
from app.kafka.broker import Broker
from app.kafka.metadata import TopicMissing, existing_count, partitions_of
from app.kafka.topics import BrokerUnavailable, TopicDrift, admin_client, apply, plan
from schemas.catalog import catalog
from tests.platform.kafka_jars import ClusterProcess

pytestmark = pytest.mark.kafka
RAW_TOPICS = ["raw.brn1.presses", "raw.brn1.pallets"]


def _names() -> set[str]:
    """Without prefix. `raw` and `intake.changelog` are patterns: one topic per source."""
    sources = {name for raw in RAW_TOPICS for name in (raw, f"intake.{raw}.changelog")}
    return set(catalog().topics) - {"raw", "intake.changelog"} | sources


@pytest.fixture
def admin(kafka_bootstrap: str) -> AdminClient:
    return admin_client(kafka_bootstrap)


def test_an_empty_broker_gets_every_topic_and_then_nothing_is_to_do(admin: AdminClient, topic_prefix: str) -> None:
    first = plan(admin, catalog(), topic_prefix, RAW_TOPICS)
    assert {change.action for change in first} == {"create"}
    assert {change.topic for change in first} == {f"{topic_prefix}{name}" for name in _names()}

    assert apply(admin, catalog(), topic_prefix, RAW_TOPICS) == first

    assert {change.action for change in plan(admin, catalog(), topic_prefix, RAW_TOPICS)} == {"ok"}
    assert {change.action for change in apply(admin, catalog(), topic_prefix, RAW_TOPICS)} == {"ok"}


def test_nobody_makes_a_topic_by_asking_for_it(tmp_path: Path) -> None:
    """As brokers are by default: a topic that is asked for, or written to, would be made with one partition and without the
    append time. Workers would end (TOPIC_MISMATCH, APPEND_TIME_MISSING), and `topics apply` would refuse (TOPIC_DRIFT)."""
    cluster = ClusterProcess(tmp_path, auto_create_topics_enable="true")
    cluster.start()
    try:
        broker = Broker(cluster.bootstrap)
        broker.reach()
        admin = broker.admin()
        assert existing_count(admin, "asked.for") is None
        with pytest.raises(TopicMissing):
            partitions_of(admin, "waited.for", within=1)
        producer = Producer(broker.client(message_timeout_ms=2000))
        producer.produce("written.to", b"value")
        producer.flush(10)
        assert RawWriter(broker, "dropped.to", lambda: False).partitions() == 0
        assert [name for name in admin.list_topics(timeout=10).topics if not name.startswith("__consumer")] == []
        changes = apply(admin, catalog(), "", RAW_TOPICS)
        assert {change.action for change in changes} == {"create"}
    finally:
        cluster.stop()


def test_a_new_source_is_added_without_touching_the_rest(admin: AdminClient, topic_prefix: str) -> None:
    apply(admin, catalog(), topic_prefix, RAW_TOPICS[:1])
    actions = {change.topic: change.action for change in apply(admin, catalog(), topic_prefix, RAW_TOPICS)}
    created = {topic for topic, action in actions.items() if action == "create"}
    assert created == {f"{topic_prefix}{RAW_TOPICS[1]}", f"{topic_prefix}intake.{RAW_TOPICS[1]}.changelog"}


@pytest.mark.parametrize(
    ("partitions", "config", "reason"),
    [
        (3, {}, "partitions is 3, wanted 4"),
        (4, {"cleanup.policy": "compact,delete"}, "cleanup.policy is compact,delete, wanted compact"),
        (4, {"cleanup.policy": "compact", "max.message.bytes": "1000"}, "max.message.bytes is 1000, wanted 1114112"),
    ],
)
def test_drift_is_refused_and_nothing_is_created(
    admin: AdminClient, topic_prefix: str, partitions: int, config: dict[str, str], reason: str
) -> None:
    topic = f"{topic_prefix}orders.changelog"
    admin.create_topics([NewTopic(topic, num_partitions=partitions, replication_factor=1, config=config)])[topic].result(20)

    with pytest.raises(TopicDrift) as refused:
        apply(admin, catalog(), topic_prefix, RAW_TOPICS)

    assert refused.value.code == "TOPIC_DRIFT"
    assert [change.topic for change in refused.value.changes] == [topic]
    assert reason in refused.value.changes[0].reasons
    assert [name for name in admin.list_topics(timeout=10).topics if name.startswith(topic_prefix)] == [topic]


def test_topics_for_recorded_input_are_no_topics_for_live_input(admin: AdminClient, topic_prefix: str) -> None:
    apply(admin, catalog(), topic_prefix, RAW_TOPICS, recorded=True)
    assert {change.action for change in plan(admin, catalog(), topic_prefix, RAW_TOPICS, recorded=True)} == {"ok"}

    drift = {
        change.topic: change.reasons for change in plan(admin, catalog(), topic_prefix, RAW_TOPICS) if change.action == "drift"
    }
    assert "message.timestamp.type is CreateTime, wanted LogAppendTime" in drift[f"{topic_prefix}{RAW_TOPICS[0]}"]
    assert "retention.ms is -1, wanted 604800000" in drift[f"{topic_prefix}orders.inbox"]


def test_recorded_input_keeps_timestamps_of_years_ago_and_live_input_gets_the_brokers(
    admin: AdminClient, topic_prefix: str, kafka_bootstrap: str
) -> None:
    long_ago_ms = 1_104_537_600_000  # 2005-01-01
    apply(admin, catalog(), f"{topic_prefix}rec.", RAW_TOPICS, recorded=True)
    apply(admin, catalog(), f"{topic_prefix}live.", RAW_TOPICS)
    assert _timestamp_after_append(kafka_bootstrap, f"{topic_prefix}rec.{RAW_TOPICS[0]}", long_ago_ms) == long_ago_ms
    assert _timestamp_after_append(kafka_bootstrap, f"{topic_prefix}live.{RAW_TOPICS[0]}", long_ago_ms) > long_ago_ms


def test_more_replicas_than_brokers_is_an_error_with_a_code(admin: AdminClient, topic_prefix: str) -> None:
    with pytest.raises(BrokerUnavailable, match="eplication") as refused:
        apply(admin, catalog(), topic_prefix, (), replication=3)
    assert refused.value.code == "BROKER_UNAVAILABLE"


def _timestamp_after_append(bootstrap: str, topic: str, timestamp_ms: int) -> int:
    """Produce one record with a timestamp and read back the one that the log has."""
    from confluent_kafka import Consumer, Producer, TopicPartition

    reports: list[tuple[object, int]] = []
    producer = Producer({"bootstrap.servers": bootstrap, "message.timeout.ms": 10000})
    producer.produce(
        topic, b"x", partition=0, timestamp=timestamp_ms, on_delivery=lambda error, sent: reports.append((error, sent.offset()))
    )
    assert producer.flush(15) == 0
    assert reports == [(None, 0)]
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": topic, "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(topic, 0, 0)])
        message = consumer.poll(15)
        assert message is not None and message.error() is None
        return int(message.timestamp()[1])
    finally:
        consumer.close()
