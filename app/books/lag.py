"""How far the books are behind the topics, by what their process tells its consumer group."""

from collections.abc import Mapping

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import OffsetSpec

from app.books.following import GROUP, topics
from app.kafka.broker import Broker

REQUEST_SECONDS = 10.0


def lag_of_books(broker: Broker, prefix: str, partitions: Mapping[str, int]) -> int | None:
    """Records that are not in the tables yet; None: nobody has told how far books are. `partitions`: by topic without prefix.

    Raises KafkaException where the broker does not answer.
    """
    admin = broker.admin()
    places = [(prefix + name, partition) for name in topics() for partition in range(partitions.get(name, 0))]
    group = ConsumerGroupTopicPartitions(f"{prefix}{GROUP}", [TopicPartition(*place) for place in places])
    (asked,) = admin.list_consumer_group_offsets([group], request_timeout=REQUEST_SECONDS).values()
    try:
        offsets = asked.result(REQUEST_SECONDS + 1).topic_partitions
    except KafkaException as error:
        if error.args[0].code() in (KafkaError.GROUP_ID_NOT_FOUND, KafkaError.GROUP_AUTHORIZATION_FAILED):
            return None
        raise
    told = {(one.topic, one.partition): one.offset for one in offsets if one.offset >= 0}
    if not told:
        return None
    ends = admin.list_offsets({TopicPartition(*place): OffsetSpec.latest() for place in places}, request_timeout=REQUEST_SECONDS)
    found = {(one.topic, one.partition): future.result(REQUEST_SECONDS + 1).offset for one, future in ends.items()}
    lag: int = sum(max(0, found[place] - told.get(place, 0)) for place in places)
    return lag
