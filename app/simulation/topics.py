"""History from the raw topics of an installation: read, never committed, never joined with its consumer groups."""

import heapq
import secrets
from collections.abc import Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from app.kafka.broker import Broker
from app.kafka.metadata import partitions_of
from schemas.configuration import PlantConfig
from streams.mapping import Mapper, RawRecord, compile_source

BATCH = 2_000
POLL_SECONDS = 5.0


def recorded(broker: Broker, prefix: str, plant: PlantConfig, private_key: bytes, since_us: int) -> Iterator[RawRecord]:
    """Every record that the raw topics got from `since_us` until now, in the order of the broker's append times."""
    streams = []
    for name, source in plant.sources.items():
        if source.read.topic:
            mapper = compile_source(name, source, plant, private_key)
            streams += [
                _records(broker, prefix, source.read.topic, partition, name, mapper, since_us)
                for partition in _partitions(broker, prefix + source.read.topic)
            ]
    return heapq.merge(*streams, key=lambda record: record.received_at)


def _consumer(broker: Broker) -> Consumer:
    return Consumer(
        broker.client(
            group_id=f"lineledger-simulation-{secrets.token_hex(4)}",
            enable_auto_commit=False,
            isolation_level="read_committed",
            enable_partition_eof=True,
            queued_max_messages_kbytes=4096,
        )
    )


def _partitions(broker: Broker, topic: str) -> list[int]:
    consumer = _consumer(broker)
    try:
        return partitions_of(consumer, topic)
    finally:
        consumer.close()


def _records(
    broker: Broker, prefix: str, topic: str, partition: int, source: str, mapper: Mapper, since_us: int
) -> Iterator[RawRecord]:
    consumer = _consumer(broker)
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
