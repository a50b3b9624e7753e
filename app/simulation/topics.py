"""History from the raw topics of an installation: read, never committed, never joined with its consumer groups."""

import heapq
import secrets
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from schemas.configuration import PlantConfig
from streams.mapping import Mapper, RawRecord, compile_source

BATCH = 2_000
POLL_SECONDS = 5.0


def recorded(bootstrap: str, prefix: str, plant: PlantConfig, private_key: bytes, since_us: int) -> Iterator[RawRecord]:
    """Every record that the raw topics got from `since_us` until now, in the order of the broker's append times."""
    streams = []
    for name, source in plant.sources.items():
        if source.read.topic:
            mapper = compile_source(name, source, plant, private_key)
            streams += [
                _records(bootstrap, prefix, source.read.topic, partition, name, mapper, since_us)
                for partition in _partitions(bootstrap, prefix + source.read.topic)
            ]
    return heapq.merge(*streams, key=lambda record: record.received_at)


def _consumer(bootstrap: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"lineledger-simulation-{secrets.token_hex(4)}",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "queued.max.messages.kbytes": 4096,
        }
    )


def _partitions(bootstrap: str, topic: str) -> list[int]:
    consumer = _consumer(bootstrap)
    try:
        return sorted(consumer.list_topics(topic, timeout=POLL_SECONDS).topics[topic].partitions)
    finally:
        consumer.close()


def _records(
    bootstrap: str, prefix: str, topic: str, partition: int, source: str, mapper: Mapper, since_us: int
) -> Iterator[RawRecord]:
    consumer = _consumer(bootstrap)
    try:
        (start,) = consumer.offsets_for_times([TopicPartition(prefix + topic, partition, since_us // 1000)], POLL_SECONDS)
        if start.offset < 0:
            return  # nothing as new as that
        consumer.assign([start])
        while True:
            for message in consumer.consume(BATCH, POLL_SECONDS):
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:
                    return
                if error is not None:
                    raise KafkaException(error)
                received_at = message.timestamp()[1] * 1000
                value = mapper.redacted(message.value() or b"")
                yield RawRecord(value, source, f"{topic}/{partition}", message.offset(), received_at)
    finally:
        consumer.close()
