"""Limits at the edge, against real clients: a full producer queue, the largest message, an inbox that is cut while it is read."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import Producer, TopicPartition
from faust.types import TP

from app.engine.partition import OutgoingMessage, OwnedPartition
from app.engine.position import PartitionSpec
from app.engine.restore import Changelog
from app.kafka.broker import Broker
from app.kafka.topics import admin_client, apply
from schemas.catalog import catalog
from schemas.codec import MAX_MESSAGE_BYTES, Codec
from tests.chaos.counting_plant import PARTITIONS, CountingPlant
from tests.chaos.counting_stage import INBOX
from tests.chaos.processes import wait_until

INBOX_TRUNCATED = 73


def _owned(bootstrap: str, changelog: str, folder: Path) -> OwnedPartition:
    """A partition that writes, without a store."""
    spec = PartitionSpec("g", "orders", TP("inbox", 0), "", Changelog(changelog, 0, "", 60.0), 1, 1, 1)
    store = SimpleNamespace(partition_path=lambda partition: folder / f"{partition}.db")
    return OwnedPartition(Broker(bootstrap), Codec(), store, spec, lambda checkpoint: None, ThreadPoolExecutor(1))


class _CountsFull:
    """A producer that counts how often its queue was full."""

    def __init__(self, producer: Producer) -> None:
        self._producer, self.full, self.poll = producer, 0, producer.poll

    def produce(self, *args: Any, **kwargs: Any) -> None:
        try:
            self._producer.produce(*args, **kwargs)
        except BufferError:
            self.full += 1
            raise


def test_a_full_queue_waits_and_loses_nothing(embedded_bootstrap: str, tmp_path: Path) -> None:
    """BufferError of librdkafka: the commit's thread polls and goes on (docs/faust.md, The producer gives up)."""
    producer = Producer({"bootstrap.servers": embedded_bootstrap, "queue.buffering.max.messages": 10})
    producer.list_topics("full.out", timeout=10)
    part = _owned(embedded_bootstrap, "full.changelog", tmp_path)
    part.producer = counting = _CountsFull(producer)
    delivered: list[int] = []

    def note(error: Any, message: Any) -> None:
        assert error is None
        delivered.append(int(message.value()))

    for number in range(1_000):
        part._produce("full.out", b"%d" % number, b"k", 0, note)
    assert producer.flush(20) == 0
    assert counting.full > 0, "the queue was never full: this test shows nothing"
    assert delivered == list(range(1_000))


@pytest.mark.kafka
def test_the_largest_row_and_message_pass_the_broker(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> None:
    """What the codec allows, producer and topics carry, also when it does not compress; else a checkpoint could never commit."""
    apply(admin_client(kafka_bootstrap), catalog(), topic_prefix, ())
    part = _owned(kafka_bootstrap, f"{topic_prefix}orders.changelog", tmp_path)
    part.transactional_id = topic_prefix + part.transactional_id
    written: list[Any] = []
    part.db = SimpleNamespace(write=written.append)
    part.rows = SimpleNamespace(write_back=lambda rows, batch: None)  # type: ignore[assignment]
    part.producer = Producer(part.producer_settings())
    part._transactional(part.producer.init_transactions, 30)
    largest = os.urandom(MAX_MESSAGE_BYTES)
    part._transaction([(b"k" * 200, largest)], b"mark", [OutgoingMessage(f"{topic_prefix}orders.inbox", b"k" * 200, largest)])
    assert len(written) == 1


@pytest.mark.kafka
@pytest.mark.slow
def test_an_inbox_cut_while_it_is_read_ends_the_process(kafka_bootstrap: str, topic_prefix: str, tmp_path: Path) -> None:
    """Records that nobody folded are gone: INBOX_TRUNCATED instead of a silent jump to the log's new start."""
    plant = CountingPlant(kafka_bootstrap, topic_prefix, tmp_path)
    try:
        worker = plant.start()
        worker.await_log("OWNED", count=PARTITIONS)
        plant.feed(2_000)
        plant.await_drained()
        worker.send(signal.SIGSTOP)
        plant.feed(2_000, seed=2)
        cut = [TopicPartition(topic_prefix + INBOX, partition, end) for partition, end in plant.ends().items()]
        for future in plant.admin.delete_records(cut).values():
            future.result(20)
        plant.feed(100, seed=3)
        before = plant.positions()
        worker.send(signal.SIGCONT)
        wait_until(lambda: worker.code is not None, f"it ends; {worker.text()[-2000:]}", 30)
        assert worker.code == INBOX_TRUNCATED, worker.text()[-2000:]
        after = plant.positions()
        print(f"positions before the cut {before}, at the end {after}, log starts at {[tp.offset for tp in cut]}")
    finally:
        plant.close()
