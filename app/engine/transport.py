"""Batches in: Faust's consumer delivers one message per (partition, fetch), with the positions it starts and ends at.

Faust can drop fetched records at a rebalance, and a gap in offsets proves nothing on a transactional topic (commit markers
occupy offsets). So each batch carries aiokafka's own positions, and StageApp.step refuses a hole and skips a repeat.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any

import faust
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from app.engine.fetches import Fetches
from app.engine.progress import Progress
from app.fatal import Exit, die

MAX_BATCH_RECORDS = 2000
UNSOUGHT_PAUSE_SECONDS = 0.02
FETCH_WAIT_MS, EMBEDDED_FETCH_WAIT_MS = 50, 30
"""How long the broker may hold a fetch that finds nothing; Faust fixes it at 1.5 s. aiokafka has one fetch at a time per broker,
and leaves out partitions whose records were not taken yet: a busy partition would wait behind a fetch of idle ones. The mock
cluster answers an empty fetch when its time is up, not when data comes."""
FETCH_BYTES = 4 << 20
"""Of one partition in one fetch, compressed: enough for a batch of the fold."""


class Batch(ConsumerMessage):
    """Records of one partition. [start, end) is the chain of positions: `end` includes markers and holes of compaction."""

    start = end = 0
    records: tuple[Any, ...] = ()

    @classmethod
    def of(cls, tp: TP, start: int, end: int, records: Iterable[Any], generation: int) -> "Batch":
        batch: Batch = cls(
            tp.topic, tp.partition, end - 1, time.time(), 0, None, None, None, None, 0, 0, tp, generation_id=generation
        )
        batch.start, batch.end, batch.records = start, end, tuple(records)
        return batch

    def split(self) -> "Iterator[Batch]":
        """One batch per record, as a chain from `start` to `end`."""
        start = self.start
        for record in self.records[:-1]:
            yield Batch.of(self.tp, start, record.offset + 1, (record,), self.generation_id)
            start = record.offset + 1
        yield Batch.of(self.tp, start, self.end, self.records[-1:], self.generation_id)


class Passthrough(faust.Schema):
    """Hands the batch through: decoding is the fold's work, because Faust acks what it cannot decode
    (docs/faust.md, Exceptions ack)."""

    def loads_key(self, app: Any, message: Any, **kwargs: Any) -> None:
        return None

    def loads_value(self, app: Any, message: Any, **kwargs: Any) -> Any:
        return message


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """aiokafka's consumer in Faust's thread: read_committed, and takes that know their positions."""

    def _create_worker_consumer(self, transport: Any) -> Any:
        self.cursor: dict[Any, int] = {}  # position after the last take; only partitions that were sought
        self.consumer.in_transaction = True  # Faust's only switch for read_committed
        try:
            consumer = super()._create_worker_consumer(transport)
            embedded = self.consumer.app.settings.broker.embedded
            consumer._fetch_max_wait_ms = EMBEDDED_FETCH_WAIT_MS if embedded else FETCH_WAIT_MS
            self.consumer.fetches.listen(consumer._client)
            return consumer
        finally:
            self.consumer.in_transaction = False

    async def _fetch_records(
        self, consumer: Any, active_partitions: Any, timeout: Any = None, max_records: Any = None
    ) -> list[Any]:
        try:
            records = await super()._fetch_records(consumer, active_partitions, timeout=timeout, max_records=max_records)
        except NoOffsetForPartitionError:
            # A second rebalance found the fetcher running: the take-over's seek has not come yet, and nobody else's
            # offset may be used. Nothing was taken.
            await asyncio.sleep(UNSOUGHT_PAUSE_SECONDS)
            return []
        except OffsetOutOfRangeError as exc:
            die(Exit.INBOX_TRUNCATED, f"the inbox was cut while it was read: {exc!r}")
        subscription = consumer._subscription.subscription  # no await from here on: take and position agree
        assignment = subscription and subscription.assignment
        takes = []
        for tp, start in list(self.cursor.items()):
            if assignment and tp in assignment.tps and assignment.state_value(tp).has_valid_position:
                end = assignment.state_value(tp).position
                if end != start:
                    self.cursor[tp] = end
                    takes.append((tp, start, end, records.get(tp, ())))
        return takes

    async def _seek_wait(self, consumer: Any, partitions: Mapping[Any, int]) -> None:
        self.cursor.update(partitions)
        await super()._seek_wait(consumer, partitions)

    async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        for tp in revoked:
            self.cursor.pop(tp, None)
        self.consumer.fetches.forget(revoked)
        await super().on_partitions_revoked(revoked)

    async def _commit(self, offsets: Mapping[Any, Any]) -> bool:
        """The group's offsets are a lag display: a failure is no reason to crash (Faust's own commit would)."""
        try:
            await self._ensure_consumer().commit({driver.ensure_aiokafka_TP(tp): offset for tp, offset in offsets.items()})
        except Exception as exc:
            self.log.info("commit of displayed offsets failed: %r", exc)
            return False
        return True

    async def confirm_membership(self) -> bool:
        """One heartbeat, now: does the group still count us in? (Heartbeats pause inside rebalance callbacks.)"""
        return bool(await self.call_thread(self._heartbeat))

    async def _heartbeat(self) -> bool:
        coordinator = self._ensure_consumer()._coordinator
        return coordinator is not None and bool(await coordinator._do_heartbeat())


class Consumer(driver.Consumer):
    """Faust's consumer without its book-keeping of acks: positions are the truth (docs/faust.md, Acks skip records)."""

    cap = MAX_BATCH_RECORDS
    """Records per batch; StageApp adapts it so that one fold stays short and checkpoints stay on time."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.told: dict[TP, int] = {}  # positions that the group knows
        self.progress = Progress()
        self.fetches = Fetches()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def confirm_membership(self) -> bool:
        return bool(await self._thread.confirm_membership())

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust asks each few seconds whether a partition is stuck, and looks at its own commits and acks: they only display
        here, so it called healthy workers stuck. What counts is that positions move and transactions commit."""
        part = self.app.tables.parts.get(tp)
        if part is None or not part.ready:
            return
        fetch = self.fetches.newest(tp)
        waits = self.progress.stands_for(part, fetch.end if fetch is not None else None, now)
        if waits > self.app.conf.broker_commit_livelock_soft_timeout:
            self.log.error("%s: nothing was committed for %.0f s, and records wait (position %s)", tp, waits, part.committed)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Batch]]:
        """Capped batches, round robin over the partitions. What is dropped on return is read again: every resume seeks."""
        takes, _ = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        queue = [(tp, start, end, records, 0) for tp, start, end, records in takes or ()]
        while queue:
            rest = []
            for tp, start, end, records, taken in queue:
                if self.should_stop or not self.flow_active or self.app.consumer_generation_id != generation:
                    return
                part = records[taken : taken + self.cap]
                taken += len(part)
                stop = end if taken >= len(records) else part[-1].offset + 1
                yield tp, Batch.of(tp, start, stop, part, generation)
                if taken < len(records):
                    rest.append((tp, stop, end, records, taken))
            queue = rest

    def on_buffer_full(self, tp: TP) -> None:
        """Backpressure is the bounded queue itself; pausing would deadlock with batches."""

    def on_buffer_drop(self, tp: TP) -> None:
        """See on_buffer_full."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """No ack book-keeping, hence no gaps in it."""

    def ack(self, message: Any) -> bool:
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    async def force_commit(self, topics: Any = None, start_new_transaction: bool = True) -> bool:
        """Tell the group what is committed, for lag displays. A taken-over position is told, too."""
        done = {tp: at for tp, at in self.app.tables.positions("committed").items() if at != self.told.get(tp)}
        if done and await self._commit_offsets(done):
            self.told.update(done)
        return bool(done)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Faust calls this before it resumes the flow: the rows `__position` decide, not the group's offsets."""
        positions = self.app.tables.positions("position")
        if positions:
            await self.seek_wait(positions)
        return dict(positions)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        self.told.clear()
        await super().on_partitions_revoked(revoked)  # Faust stops the flow and empties the stream buffers
        await self.app.tables.release(revoked)  # commit, close; then the group may go on
