"""Live master data: asks the ERP what changed, and writes it into the plant's raw topic, one pull per Kafka transaction.

Where to go on stands in the topic itself: the mark that ended the last committed pull. Nothing else is kept anywhere.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from app.erp.master import WrittenStates, lines_of, until_of
from app.erp.port import ErpAdapter, ErpUnavailable

PARTITION = 0
"""One partition: a later state of an order must not overtake an earlier one."""
TIMEOUT_S = 30.0
FIRST_STEP = 16
"""Offsets to look back for the mark; doubled until it is found or the topic begins."""
READ_S = 5.0


class MasterLog:
    """The raw topic of one plant: `until` of the last pull, and pulls written whole or not at all.

    A second one on the same topic fences the first (KafkaException, fatal). `client`: librdkafka settings of the broker.
    """

    def __init__(self, client: dict[str, Any], topic: str) -> None:
        self._client, self._topic = client, topic
        self._producer = Producer(
            {
                **client,
                "transactional.id": f"{topic}.master",
                "transaction.timeout.ms": int(TIMEOUT_S * 1000),
                "compression.type": "lz4",
            }
        )
        self._producer.init_transactions(TIMEOUT_S)

    def until(self) -> str:
        """`until` of the newest mark in the log; empty: there is none (any more)."""
        consumer = Consumer(
            {
                **self._client,
                "group.id": f"{self._topic}.master",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
            }
        )
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(self._topic, PARTITION), timeout=TIMEOUT_S)
            step = FIRST_STEP
            while high > low:
                start = max(low, high - step)
                found = self._last_mark(consumer, start)
                if found is not None or start == low:
                    return found or ""
                step *= 2
            return ""
        finally:
            consumer.close()

    def _last_mark(self, consumer: Consumer, start: int) -> str | None:
        """The newest mark at `start` or later."""
        consumer.assign([TopicPartition(self._topic, PARTITION, start)])
        found = None
        while True:
            message = consumer.poll(READ_S)
            if message is None:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{self._topic}: nothing came"))
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    return found
                raise KafkaException(error)
            mark = until_of(message.value() or b"")
            found = found if mark is None else mark

    def write(self, lines: list[bytes]) -> None:
        """All lines, or none. Raises KafkaException."""
        self._producer.begin_transaction()
        try:
            for line in lines:
                self._producer.produce(self._topic, line, partition=PARTITION)
            self._producer.commit_transaction(TIMEOUT_S)
        except KafkaException as error:
            if not error.args[0].fatal():
                self._producer.abort_transaction(TIMEOUT_S)
            raise


class MasterPoller:
    """`pull` once, or `run` for ever: each `every_s` seconds while `owning()`. The ERP being away is told and waited for; a
    Kafka that fails ends the poller's log, and the next pull begins with a new one."""

    def __init__(
        self, adapter: ErpAdapter, open_log: Callable[[], MasterLog], owning: Callable[[], bool], every_s: float
    ) -> None:
        self._adapter, self._open_log, self._owning, self._every_s = adapter, open_log, owning, every_s
        self._log: MasterLog | None = None
        self._seen, self._until = WrittenStates(), ""
        self._told = structlog.get_logger("master")
        self._failing = ""
        """Code of the pull before, if it got nothing."""

    async def run(self) -> None:
        while True:
            if self._owning():
                try:
                    await self.pull()
                    self._failing = ""
                except ErpUnavailable as error:
                    if error.code != self._failing:  # once per outage, not once per pull
                        self._told.warning("master data not pulled", code=error.code, detail=error.detail)
                    self._failing = error.code
                except KafkaException as error:
                    self._told.warning("master data not written", detail=str(error))
                    self._log = None
            else:
                self._log = None
            await asyncio.sleep(self._every_s)

    async def pull(self) -> int:
        """Lines written. Raises ErpUnavailable, KafkaException."""
        if self._log is None:
            self._log = await asyncio.to_thread(self._open_log)
            self._seen, self._until = WrittenStates(), await asyncio.to_thread(self._log.until)
        changes = await self._adapter.master_data(self._until)
        known = self._seen.copy()
        lines = list(lines_of(changes, datetime.now(UTC), known))
        if lines:
            await asyncio.to_thread(self._log.write, lines)
        self._seen, self._until = known, changes.until or self._until
        return len(lines)
