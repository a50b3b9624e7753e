"""A few records into a topic, all of them or an error: for commands and configuration, not for stages."""

from collections.abc import Iterable, Sequence

from confluent_kafka import KafkaError, KafkaException, Producer

from app.kafka.broker import Broker


def write(
    broker: Broker,
    topic: str,
    records: Iterable[tuple[str | None, bytes]],
    partition: int = -1,
    headers: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Keys and values, in order, each with these headers. `partition` -1: by key. Raises KafkaException."""
    producer = Producer(broker.client(acks="all", enable_idempotence=True))
    failed: list[KafkaError] = []
    for key, value in records:
        producer.produce(
            topic,
            value,
            key,
            partition,
            headers=list(headers),
            on_delivery=lambda error, _: failed.append(error) if error else None,
        )
        producer.poll(0)
    if producer.flush(30) or failed:
        raise KafkaException(failed[0] if failed else KafkaError(KafkaError._TIMED_OUT))
