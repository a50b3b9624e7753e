"""Which partitions a topic has: or why nobody can say. An answer without partitions is not an empty topic."""

import time
from typing import Any

from confluent_kafka import KafkaError

from app.kafka.broker import BrokerRefused, BrokerUnavailable

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


def existing_count(client: Any, topic: str, within: float = WITHIN_SECONDS) -> int | None:
    """Partitions of the topic (full name) now; None: the broker answers and has no such topic. Raises BrokerRefused,
    BrokerUnavailable, KafkaException."""
    found = client.list_topics(topic, timeout=within).topics[topic]
    if found.error is None and found.partitions:
        return len(found.partitions)
    wrong = refusal(topic, found.error)
    if isinstance(wrong, TopicMissing):
        return None
    raise wrong


def refusal(topic: str, error: KafkaError | None) -> BrokerUnavailable | BrokerRefused:
    """What the broker's answer about a topic means."""
    if error is not None and error.code() in FORBIDDEN:
        return BrokerRefused(f"no right to use {topic} ({error.str()})")
    if error is None or error.code() in _MISSING:
        return TopicMissing(f"{topic}; run `lineledger topics apply`")
    return BrokerUnavailable(f"{topic}: {error.str()}")
