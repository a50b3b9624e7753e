"""The topic `config`: validated configurations, stored for ever under their hash."""

import time
from threading import Event

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from app.fatal import Exit, die
from app.kafka.broker import Broker, BrokerRefused, BrokerUnavailable
from app.kafka.metadata import partitions_of, refusal
from app.kafka.writing import write
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import ConfigDocument, LogEpoch

TOPIC = "config"
WAIT_SECONDS, PAUSE_SECONDS = 60.0, 0.2
"""How long a fold waits for a configuration that its log names, and between two looks."""
READ_SECONDS = 5.0


class Configurations:
    """Configurations by hash, read from the topic and kept. `get` blocks: only the first use of a hash reads."""

    def __init__(self, broker: Broker, codec: Codec, prefix: str, ending: Event | None = None) -> None:
        """`ending`: set when the process is told to end; a `get` that waits then ends it."""
        self._ending = ending or Event()
        self._broker, self._codec, self._topic = broker, codec, prefix + TOPIC
        self._known: dict[str, Configuration] = {}
        self._epochs: list[LogEpoch] = []

    def get(self, hash_: str) -> Configuration:
        """Ends the process when nobody ever stored it (CONFIG_MISSING), or no broker says so (BROKER_TIMEOUT,
        BROKER_AUTH): going on would post by other rules."""
        deadline = time.monotonic() + WAIT_SECONDS
        while hash_ not in self._known:
            unread = ""
            try:
                self._read()
            except BrokerRefused as exc:
                die(Exit.BROKER_AUTH, f"waiting for configuration {hash_}: {exc}")
            except (BrokerUnavailable, KafkaException) as exc:
                unread = str(exc)
            if hash_ not in self._known and (time.monotonic() > deadline or self._ending.wait(PAUSE_SECONDS)):
                if unread:
                    die(Exit.BROKER_TIMEOUT, f"waiting for configuration {hash_}: {unread}")
                die(Exit.CONFIG_MISSING, f"configuration {hash_} is not in topic {self._topic}")
        return self._known[hash_]

    def all(self) -> list[Configuration]:
        """Every configuration that was ever stored."""
        self._read()
        return list(self._known.values())

    def publish(self, configuration: Configuration) -> None:
        """Store it unless it is there. Safe to repeat."""
        self._read()
        if configuration.hash not in self._known:
            write(self._broker, self._topic, [(configuration.hash, self._codec.encode(configuration.document()))])
            self._known[configuration.hash] = configuration

    def epochs(self) -> list[LogEpoch]:
        """Every raising of the log epoch that the topic still has (app/kafka/log_epoch.py)."""
        self._read()
        return list(self._epochs)

    def _take(self, record: ConfigDocument | LogEpoch) -> None:
        if isinstance(record, LogEpoch):
            self._epochs.append(record)
        else:
            configuration = Configuration.from_document(record)
            self._known[configuration.hash] = configuration

    def _read(self) -> None:
        """All of the topic, to its end. Raises BrokerUnavailable, BrokerRefused: half of it would look like all of it, and one
        that cannot be read like an empty one."""
        self._epochs.clear()
        consumer = Consumer(
            self._broker.client(
                group_id=f"{self._topic}.reader",
                enable_auto_commit=False,
                enable_partition_eof=True,
                auto_offset_reset="earliest",
                fetch_wait_max_ms=10,
            )
        )
        try:
            partitions = partitions_of(consumer, self._topic, READ_SECONDS)
            consumer.assign([TopicPartition(self._topic, partition, 0) for partition in partitions])
            open_partitions = len(partitions)
            while open_partitions:
                message = consumer.poll(READ_SECONDS)
                if message is None:
                    raise BrokerUnavailable(f"topic {self._topic} was not read to its end: no answer for {READ_SECONDS:.0f} s")
                if message.error():
                    if message.error().code() != KafkaError._PARTITION_EOF:
                        raise refusal(self._topic, message.error())
                    open_partitions -= 1
                else:
                    self._take(self._codec.decode(message.value()))
        finally:
            consumer.close()
