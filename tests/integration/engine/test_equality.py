"""I4 on the real equipment stage: live rows = rows restored cold from the changelog = offline fold of the inbox."""

import asyncio
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import rocksdict
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition

from app.engine.restore import META_KEY
from app.engine.rows import POSITION_KEY
from app.kafka.broker import Broker
from app.kafka.connection import Connection
from app.kafka.topics import admin_client, apply
from app.settings import Settings
from app.topology import PlantProcess
from schemas.catalog import catalog
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import PartitionPosition
from streams.equipment.stage import EquipmentStage
from streams.memory_step import MemoryStep, Message
from tables.equipment.equipment import fold_journals
from tables.equipment.reading_buckets import Bucket
from tables.plant.calendar import calendar_of
from tables.row_kinds import TIMELINE_ROWS
from tables.rows import MemoryRows
from tests.chaos.processes import SHORT, WorkerProcess, wait_until
from tests.integration.engine.shop_floor import configuration, records

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
MINUTES = 20 if SHORT else 120
OFFLINE_BATCH = 7
CODEC = Codec()


class Floor:
    """Topics, inbox and worker of one test."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path) -> None:
        self.bootstrap, self.prefix, self.folder = bootstrap, prefix, folder
        apply(admin_client(bootstrap), catalog(), prefix, ())
        self.plant = PlantProcess(Settings(Connection(Broker(bootstrap), prefix), recorded=True))
        asyncio.run(self.plant.prepare())
        self.config = configuration()
        self.plant.configurations.publish(self.config)
        self.partitions = catalog().partitions("equipment.inbox")

    def feed(self, minutes: int) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap, "partitioner": "murmur2_random"})
        topic = self.prefix + "equipment.inbox"
        for key, record in records(self.config, minutes):
            value = CODEC.encode(record)
            if key is not None:
                producer.produce(topic, value, key)
            else:
                for partition in range(self.partitions):
                    producer.produce(topic, value, "P", partition)
        assert producer.flush(30) == 0

    def worker(self, turn: int) -> WorkerProcess:
        arguments = [self.bootstrap, self.prefix, str(self.folder / "volume")]
        return WorkerProcess("tests.integration.engine.equipment_worker", arguments, self.folder / f"worker.{turn}.log")

    def read(self, topic: str, partition: int) -> list[Any]:
        settings = {"group.id": "facts", "isolation.level": "read_committed", "enable.partition.eof": True}
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "enable.auto.commit": False, **settings})
        consumer.assign([TopicPartition(self.prefix + topic, partition, 0)])
        found = []
        try:
            while True:
                message = consumer.poll(20)
                assert message is not None
                if message.error() and message.error().code() == KafkaError._PARTITION_EOF:
                    return found
                assert not message.error(), message.error()
                found.append(message)
        finally:
            consumer.close()

    def cold(self, partition: int) -> dict[str, Any]:
        rows = {message.key().decode(): message.value() for message in self.read("equipment.changelog", partition)}
        return {key: CODEC.decode(value) for key, value in rows.items() if value is not None}

    def live(self, partition: int) -> dict[str, Any]:
        """The local store of the stopped process."""
        (path,) = (self.folder / "volume").rglob(f"equipment-{partition}.db")
        db = rocksdict.Rdict(str(path), rocksdict.Options(raw_mode=True))
        rows = {key.decode(): CODEC.decode(value) for key, value in db.items() if key != META_KEY}
        db.close()
        return rows

    def offline(self, partition: int, position: PartitionPosition) -> MemoryStep:
        stage, step = EquipmentStage(self.plant.installation), MemoryStep("equipment.inbox", partition, CODEC)
        step.state = PartitionPosition(0, position.log_epoch, position.fold_version, position.inbox_topic_id)
        stage.taken_over(step)
        inbox = [message for message in self.read("equipment.inbox", partition) if message.offset() < position.next_offset]
        for start in range(0, len(inbox), OFFLINE_BATCH):
            batch = inbox[start : start + OFFLINE_BATCH]
            step.records = [Message(message.offset(), message.value(), message.key()) for message in batch]
            stage.fold(step)
        stage.before_commit(step)
        step.state.next_offset = position.next_offset
        step.state.partitions, step.state.read_marks = position.partitions, position.read_marks  # what the engine notes itself
        return step


def whole(config: Configuration, rows: dict[str, Any]) -> dict[str, Any]:
    """The rows with what is in journals only: when rows are put depends on when checkpoints are."""
    store = MemoryRows(dict(rows))
    fold_journals(store, config.plant, calendar_of(config.plant))
    for key, row in store.scan(TIMELINE_ROWS.prefix):
        store.put(key, Bucket(0, row).pack(whole=True))  # which late readings stand beside depends on the checkpoints
    return store.rows


def test_live_cold_and_offline_are_equal_after_a_crash(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> None:
    """Frames, runs, late and repeated readings through a process that is killed once: three ways to the same rows, and the
    totals that went to orders are those of the offline fold, each once, although its batches were cut elsewhere."""
    floor = Floor(kafka_bootstrap, topic_prefix, tmp_path)
    floor.feed(MINUTES)
    first = floor.worker(1)
    try:
        wait_until(lambda: floor.read("equipment.changelog", 0), "the first transaction")
        first.send(signal.SIGKILL)
        first.ended()
        second = floor.worker(2)
        ends = {partition: floor.read("equipment.inbox", partition)[-1].offset() + 1 for partition in range(floor.partitions)}
        wait_until(
            lambda: all(
                getattr(floor.cold(partition).get(POSITION_KEY), "next_offset", 0) == end for partition, end in ends.items()
            ),
            "everything is folded",
            90,
        )
        assert second.stop() == 0
    finally:
        for process in (first, second):
            if process.code is None:
                process.kill()
    folded = rows = 0
    sent: Counter[bytes] = Counter()
    for partition in range(floor.partitions):
        cold = floor.cold(partition)
        position = cold.pop(POSITION_KEY)
        live = floor.live(partition)
        assert live.pop(POSITION_KEY) == position
        offline = floor.offline(partition, position)
        assert cold == live
        assert whole(floor.config, cold) == whole(floor.config, offline.rows.rows)
        assert position == offline.state
        sent.update(CODEC.encode(message.record) for message in offline.sent if message.topic == "orders.inbox")
        folded, rows = folded + position.next_offset, rows + len(cold)
    orders = catalog().partitions("orders.inbox")
    received = Counter(message.value() for partition in range(orders) for message in floor.read("orders.inbox", partition))
    assert received == sent
    print(f"{folded} inbox records, {rows} rows, {sum(sent.values())} messages to orders: live = cold = offline")
    assert rows > len(sent) // 1000 and folded > MINUTES * 12
