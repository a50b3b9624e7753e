"""Which partitions a topic has: or why nobody can say. An answer without partitions is not an empty topic."""

import time
from typing import Any

from confluent_kafka import KafkaError

from app.kafka.broker import Broker, BrokerRefused, BrokerUnavailable
from schemas.catalog import catalog

FORBIDDEN = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED})
_MISSING = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC})
WITHIN_SECONDS, PAUSE_SECONDS = 5.0, 0.1
"""How long the broker may know nothing of a topic, have no leader for it, or refuse its client: right after a start it does."""


class TopicMissing(BrokerUnavailable):
    """The broker answers, and has no such topic."""

    code = "TOPIC_MISSING"


def partitions_of(client: Any, topic: str, within: float = WITHIN_SECONDS) -> list[int]:
    """Partitions of the topic (full name), ascending. `client`: any of librdkafka's; waits `within` seconds for a good answer.

    Raises TopicMissing, BrokerRefused (no right to the topic), BrokerUnavailable (no leader), KafkaException (no answer).
    """
    deadline = time.monotonic() + within
    while True:
        found = client.list_topics(topic, timeout=within).topics[topic]
        if found.error is None and found.partitions:
            return sorted(found.partitions)
        if time.monotonic() > deadline:
            raise refusal(topic, found.error)
        time.sleep(PAUSE_SECONDS)


def count_of(broker: Broker, prefix: str, topic: str) -> int:
    """Partitions of a topic of a live installation, for who asks about it; of a source's topic that nobody made yet the
    catalog's. Raises like `partitions_of`."""
    try:
        return len(partitions_of(broker.admin(), prefix + topic))
    except TopicMissing:
        return catalog().partitions(topic)


def refusal(topic: str, error: KafkaError | None) -> BrokerUnavailable | BrokerRefused:
    """What the broker's answer about a topic means."""
    if error is not None and error.code() in FORBIDDEN:
        return BrokerRefused(f"no right to use {topic} ({error.str()})")
    if error is None or error.code() in _MISSING:
        return TopicMissing(f"{topic}; run `lineledger topics apply`")
    return BrokerUnavailable(f"{topic}: {error.str()}")
