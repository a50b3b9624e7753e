"""What time the brokers have: a probe is written to a topic with LogAppendTime, and the answer says when it was appended."""

import time

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, Message, Producer

from app.kafka.broker import Broker
from app.kafka.metadata import partitions_of
from schemas.topics import CLOCK_PROBE

ANSWER_SECONDS = 10.0


class ClockUnknown(RuntimeError):
    """The brokers did not say what time they have."""


class BrokerClock:
    """Compares this host's clock with those of the brokers that lead a partition of the topic `clock.probe`."""

    def __init__(self, broker: Broker, prefix: str) -> None:
        self._topic = prefix + CLOCK_PROBE
        self._producer = Producer(broker.client(acks="all", linger_ms=0, delivery_timeout_ms=int(ANSWER_SECONDS * 1000)))

    def host_is_ahead(self) -> float:
        """Seconds; below 0: behind. Of several brokers the one that differs most. What the way to the broker and back takes is no
        difference. Blocks for up to twice ANSWER_SECONDS. Raises ClockUnknown."""
        partitions = partitions_of(self._producer, self._topic, ANSWER_SECONDS)
        found: list[float] = []
        for partition in partitions:
            asked = time.time()

            def answered(error: KafkaError | None, message: Message, asked: float = asked) -> None:
                kind, appended = message.timestamp()
                if error is None and kind == TIMESTAMP_LOG_APPEND_TIME:
                    found.append(difference(asked, appended / 1000, time.time()))

            self._producer.produce(self._topic, b"", partition=partition, on_delivery=answered)
            self._producer.flush(ANSWER_SECONDS)
        if not found or len(found) < len(partitions):
            raise ClockUnknown(f"{len(found)} of {len(partitions)} partitions of {self._topic} told their append time")
        return max(found, key=abs)


def difference(asked: float, appended: float, answered: float) -> float:
    """How far the host is ahead of the broker, at least. Times: seconds since 1970, the first and the last of the host."""
    if asked <= appended <= answered:
        return 0.0
    return asked - appended if appended < asked else answered - appended
