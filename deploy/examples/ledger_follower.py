"""Example: what another system does with the public ledger. Prints each posting and each account as a JSON line.

    python deploy/examples/ledger_follower.py --bootstrap HOST:PORT --registry URL [--prefix P] [--until-end]

Nothing of lineledger is imported: confluent-kafka and fastavro are all that it needs. A value is Confluent's wire format: a
zero byte, the id of the schema in the registry (4 bytes), Avro. The topics are compacted: the newest record of a key holds, and
none is ever taken back. read_committed, because a state that was rolled back was never true.
"""

import argparse
import io
import json
import sys
import urllib.request

import fastavro
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

TOPICS = ("ledger.postings", "ledger.accounts")


class Schemas:
    """Schemas of the registry by their id, each asked for once."""

    def __init__(self, registry: str) -> None:
        self._registry, self._known = registry.rstrip("/"), {}

    def read(self, value: bytes) -> tuple[str, dict]:
        """Name of the record, and its fields."""
        number = int.from_bytes(value[1:5], "big")
        if number not in self._known:
            with urllib.request.urlopen(f"{self._registry}/schemas/ids/{number}", timeout=10) as answer:  # noqa: S310 (the registry that was named)
                self._known[number] = fastavro.parse_schema(json.loads(json.load(answer)["schema"]))
        schema = self._known[number]
        return schema["name"].rpartition(".")[2], fastavro.schemaless_reader(io.BytesIO(value[5:]), schema)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--bootstrap", required=True)
    arguments.add_argument("--registry", required=True)
    arguments.add_argument("--prefix", default="")
    arguments.add_argument("--until-end", action="store_true", help="Stop when everything that is there was read.")
    given = arguments.parse_args()
    schemas = Schemas(given.registry)
    consumer = Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": f"{given.prefix}example-ledger-follower",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    names = [given.prefix + topic for topic in TOPICS]
    partitions = [(name, p) for name in names for p in consumer.list_topics(name, timeout=10).topics[name].partitions]
    consumer.assign([TopicPartition(name, partition, 0) for name, partition in partitions])
    ended = set()
    while not (given.until_end and len(ended) == len(partitions)):
        message = consumer.poll(1.0)
        if message is None:
            continue
        error = message.error()
        if error is None:
            name, fields = schemas.read(message.value())
            print(json.dumps({"type": name, "key": message.key().decode(), **fields}, default=str), flush=True)
        elif error.code() == KafkaError._PARTITION_EOF:
            ended.add((message.topic(), message.partition()))
        else:
            raise KafkaException(error)
    consumer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
