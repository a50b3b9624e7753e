"""Example: what another system does with the public topics. Prints each order's state and each key figure as a JSON line.

    python deploy/examples/subscriber.py --bootstrap HOST:PORT --registry URL [--prefix P] [--until-end]

It is a plain Kafka consumer: read_committed (a state that was rolled back was never true), from the beginning, without a group
of its own offsets. The topics are compacted, so it sees at least the newest record of each key; records of a key come in order.
A record without a value says that what its key told is forgotten.
"""

import argparse
import json
import sys

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from app.kafka.registry import ids, registry_client
from schemas.catalog import catalog
from schemas.codec import Codec

TOPICS = ("orders.state", "production.kpis")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--bootstrap", required=True)
    arguments.add_argument("--registry", default="", help="Without: the fixed ids of the embedded broker.")
    arguments.add_argument("--prefix", default="")
    arguments.add_argument("--until-end", action="store_true", help="Stop when everything that is there was read.")
    given = arguments.parse_args()
    codec = Codec(ids(registry_client(given.registry), catalog(), given.prefix)) if given.registry else Codec()
    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": f"{given.prefix}example-subscriber",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    names = [given.prefix + topic for topic in TOPICS]
    partitions = [(name, p) for name in names for p in consumer.list_topics(name, timeout=10).topics[name].partitions]
    consumer.assign([TopicPartition(name, partition, 0) for name, partition in partitions])
    ended: set[tuple[str, int]] = set()
    while not (given.until_end and len(ended) == len(partitions)):
        message = consumer.poll(1.0)
        if message is None:
            continue
        error = message.error()
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise KafkaException(error)
            ended.add((message.topic(), message.partition()))
            continue
        if message.value() is None:  # a tombstone: what was told under this key is forgotten
            told = {"type": "Forgotten", "topic": message.topic().removeprefix(given.prefix), "key": message.key().decode()}
            print(json.dumps(told), flush=True)
            continue
        record = codec.decode(message.value())
        print(json.dumps({"type": type(record).__name__, **record.to_avro()}, default=str), flush=True)
    consumer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
