"""Time never overtakes records: a real intake that stalls in mid-stream, on a real Kafka with its registry."""

import json
import os
import signal
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

from app.kafka.connection import connection
from schemas.records import ConfigActivated, Tick
from tests.e2e.command import lineledger
from tests.e2e.test_live import RAW, ready, until, worker
from tests.platform.process import free_ports

STALL_S = 3.0
PER_SECOND = 200


def read(bootstrap: str, topic: str, partition: int) -> list[Message]:
    """All of the partition, committed."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "test", "enable.partition.eof": True}
    consumer, found = Consumer({**settings, "isolation.level": "read_committed"}), []
    consumer.assign([TopicPartition(topic, partition, 0)])
    try:
        while True:
            message = consumer.poll(10)
            assert message is not None, f"{topic} does not answer"
            if message.error() is None:
                found.append(message)
            elif message.error().code() == KafkaError._PARTITION_EOF:
                return found
    finally:
        consumer.close()


class Telemetry(threading.Thread):
    """Records all the time, to the first two of four raw partitions."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        super().__init__(daemon=True)
        self._producer, self._topic, self.over = Producer({"bootstrap.servers": bootstrap}), topic, threading.Event()

    def run(self) -> None:
        number = 0
        while not self.over.wait(1 / PER_SECOND):
            number += 1
            stated = {"ts": time.time_ns() // 1_000_000, "seq": number, "m": "P1", "type": "start", "po": "O1"}
            value = json.dumps({**stated, "run": f"R{number}", "id": f"r{number}"})
            self._producer.produce(self._topic, value, partition=number % 2)
            self._producer.poll(0)
        assert self._producer.flush(20) == 0


@pytest.mark.kafka
@pytest.mark.registry
@pytest.mark.slow
def test_no_tick_overtakes_a_record_when_intake_stalls(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    where = ["--bootstrap", kafka_bootstrap, "--prefix", topic_prefix]
    assert lineledger("topics", "apply", *where, "--raw", RAW, "--replication", "1").code == 0
    assert lineledger("schemas", "apply", "--registry", registry_url, "--prefix", topic_prefix).code == 0
    raw, codec = f"{topic_prefix}{RAW}", connection(kafka_bootstrap, topic_prefix, registry_url).codec()
    arrived: dict[tuple[str, int], int] = {}

    def lag() -> int:
        known = sum(len(read(kafka_bootstrap, raw, number)) for number in range(2))
        inbox = [codec.decode(one.value()) for number in range(4) for one in read(kafka_bootstrap, inbox_topic, number)]
        return known - sum(not isinstance(one, Tick | ConfigActivated) for one in inbox)

    inbox_topic = f"{topic_prefix}equipment.inbox"
    (port,) = free_ports(1)
    with worker(["intake"], port, [*where, "--registry", registry_url], dict(os.environ), tmp_path) as intake:
        until(lambda: ready(port), "a ready intake")
        telemetry = Telemetry(kafka_bootstrap, raw)
        telemetry.start()
        for _ in range(2):  # its answers lie in the socket, the wall clock goes on
            time.sleep(1)
            intake.send_signal(signal.SIGSTOP)
            time.sleep(STALL_S)
            intake.send_signal(signal.SIGCONT)
        time.sleep(2)
        telemetry.over.set()
        telemetry.join()

        until(lambda: lag() == 0, "all records in the inbox")
    for number in range(4):
        for message in read(kafka_bootstrap, raw, number):
            arrived[f"{RAW}/{number}", message.offset()] = message.timestamp()[1] * 1000
    assert len(arrived) > PER_SECOND
    overtaken, ticks = [], 0
    for number in range(4):
        closed: dict[str, int] = defaultdict(int)
        for message in read(kafka_bootstrap, inbox_topic, number):
            record: Any = codec.decode(message.value())
            if isinstance(record, Tick):
                ticks += 1
                closed[record.sender] = record.at
            elif not isinstance(record, ConfigActivated):
                tick = closed[f"intake/{record.raw_source}"]
                if arrived[record.raw_source, record.raw_offset] <= tick or record.label <= tick:
                    overtaken.append((tick - arrived[record.raw_source, record.raw_offset]) / 1e6)
    assert ticks > 100 and not overtaken, f"{len(overtaken)} of {len(arrived)} by up to {max(overtaken)} s"
