"""The ledger of a live installation: a snapshot read of the changelogs, and its raw topics as source records. Reads only."""

import time
from collections.abc import Container
from heapq import merge
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from app.kafka.broker import Broker
from app.kafka.configurations import Configurations
from app.ledger.inputs import SourceExpired
from app.ledger.rereading import Reread, reread
from app.ledger.snapshot import Snapshot
from app.run.collector import Collector
from app.simulation.memory_step import MemoryRows
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import RawRange
from streams.equipment import calendar_of
from streams.mapping import RawRecord
from tables.equipment import fold_journals

STAGES = ("equipment", "lots", "orders", "delivery")
READ_SECONDS, SETTLE_SECONDS = 60.0, 60.0


class NoInstallation(LookupError):
    """There is no ledger under this address and prefix."""

    code = "NO_INSTALLATION"


def read(broker: Broker, codec: Codec, prefix: str, plant: str = "") -> Snapshot:
    """All rows as they are committed now. `plant`: which of several; empty: the only one. Raises NoInstallation."""
    topics = sorted(broker.admin().list_topics(timeout=10).topics)
    names = {name.removeprefix(prefix) for name in topics if name.startswith(prefix)}
    if not all(f"{stage}.changelog" in names for stage in STAGES):
        raise NoInstallation(f"{broker.bootstrap} has no lineledger topics under the prefix `{prefix}`; check --prefix")
    intakes = {
        name.removesuffix(".changelog"): name for name in names if name.startswith("intake.") and name.endswith(".changelog")
    }
    collector = Collector(
        broker, codec, prefix, {**intakes, **{stage: f"{stage}.changelog" for stage in STAGES}}, from_start=False
    )
    try:
        collector.settle(SETTLE_SECONDS)
        collector.check()
        found = _plant_of(collector, plant)
        rows = {stage: _of_plant(collector.rows(stage), found) for stage in STAGES}
        rows["intake"] = {
            f"__position/{name}/{key.rpartition('/')[2]}": row for name in intakes for key, row in collector.rows(name).items()
        }
        letters = [letter for letter in collector.exceptions() if letter.plant == found]
        hashes = {row.configurations.get(found) for key, row in rows["orders"].items() if key.startswith("__position")}
        (hash_,) = sorted(one for one in hashes if one)[-1:]
    finally:
        collector.close()
    configuration = Configurations(broker, codec, prefix).get(hash_)
    equipment = MemoryRows()
    for key, row in rows["equipment"].items():
        equipment.put(key, row)
    fold_journals(equipment, configuration.plant, calendar_of(configuration.plant))
    rows["equipment"] = dict(equipment.scan(""))
    return Snapshot(rows, letters, configuration, {"live": True, "erp": configuration.erp.erp.adapter, "embedded": False})


def _plant_of(collector: Collector, wanted: str) -> str:
    plants = sorted({plant for state in collector.positions("orders").values() for plant in state.configurations})
    if wanted in plants or (not wanted and len(plants) == 1):
        return wanted or plants[0]
    if not plants:
        raise NoInstallation("no plant has begun here yet; start `lineledger worker intake`")
    raise NoInstallation(f"--plant is one of {', '.join(plants)}")


def _of_plant(rows: dict[str, Any], plant: str) -> dict[str, Any]:
    """Without the rows of other plants."""

    def belongs(key: str, row: Any) -> bool:
        if key.startswith("__position"):
            return True
        if key.startswith("p|"):
            return bool(row.posting.plant == plant)
        return key.split("|", 2)[1] == plant

    return {key: row for key, row in rows.items() if belongs(key, row)}


class TopicSources:
    """The raw topics of a plant, read again by offsets (read_committed)."""

    def __init__(self, broker: Broker, prefix: str, configuration: Configuration, private_key: bytes) -> None:
        self._broker, self._prefix, self._private_key = broker, prefix, private_key
        self._topics = {source.read.topic: name for name, source in configuration.plant.sources.items() if source.read.topic}

    def read(self, snapshot: Snapshot, only: Container[str] | None, until: int) -> Reread:
        consumer = self._consumer()
        try:
            partitions = [
                (topic, partition)
                for topic in self._topics
                for partition in sorted(
                    consumer.list_topics(self._prefix + topic, timeout=10).topics[self._prefix + topic].partitions
                )
            ]
            records = merge(*[self._records(consumer, *tp) for tp in partitions], key=lambda raw: raw.received_at)
            found = reread(records, snapshot.configuration, self._private_key, live=True, only=only)
            lows = [consumer.get_watermark_offsets(TopicPartition(self._prefix + t, p), timeout=10)[0] for t, p in partitions]
            found.complete = not any(lows)
            return found
        finally:
            consumer.close()

    def check(self, ranges: list[RawRange]) -> None:
        consumer = self._consumer()
        try:
            for entry in ranges:
                topic, _, partition = entry.raw_source.rpartition("/")
                if topic not in self._topics:
                    raise SourceExpired(f"{entry.raw_source} is no raw topic of this plant any more")
                tp = TopicPartition(self._prefix + topic, int(partition))
                low, high = consumer.get_watermark_offsets(tp, timeout=10)
                if entry.first < low:
                    raise SourceExpired(f"{entry.raw_source} begins at {low}, the posting's first record was {entry.first}")
                if entry.last >= high:
                    raise SourceExpired(
                        f"{entry.raw_source} ends at {high}, the posting's last record was {entry.last}: it was recreated"
                    )
        finally:
            consumer.close()

    def _consumer(self) -> Consumer:
        return Consumer(
            self._broker.client(
                group_id=f"{self._prefix}trace",
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="error",
                enable_partition_eof=True,
            )
        )

    def _records(self, consumer: Consumer, topic: str, partition: int) -> list[RawRecord]:
        """One partition from its beginning to its present end, as intake has them."""
        source = self._topics[topic]
        tp = TopicPartition(self._prefix + topic, partition)
        low, high = consumer.get_watermark_offsets(tp, timeout=10)
        found: list[RawRecord] = []
        consumer.assign([TopicPartition(self._prefix + topic, partition, low)])
        deadline = time.monotonic() + READ_SECONDS
        while low < high:
            for message in consumer.consume(1000, 1.0):
                error = message.error()
                if error is None:
                    received_at = message.timestamp()[1] * 1000
                    found.append(RawRecord(message.value(), source, f"{topic}/{partition}", message.offset(), received_at))
                    low, deadline = message.offset() + 1, time.monotonic() + READ_SECONDS
                elif error.code() == KafkaError._PARTITION_EOF:
                    low = max(low, message.offset())
                else:
                    raise KafkaException(error)
            if time.monotonic() > deadline:
                raise SourceExpired(f"{topic}/{partition} gives no records at {low}; check the broker and ask again")
        return found
