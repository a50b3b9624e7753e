"""One owned inbox partition: take-over, checkpoint, leave.

The producer's transactional id belongs to the partition, so a successor's `init_transactions` fences the owner
before it: a stalled owner's queued rows can never land after its successor's (they would be lost to the next cold restore).
"""

import asyncio
import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import rocksdict
from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from app.engine.cadence import Cadence
from app.engine.position import PartitionSpec, WrongLog, take_up
from app.engine.read_marks import intact_up_to, remember
from app.engine.restore import open_restored, put_meta
from app.engine.rows import POSITION_KEY, RowCache, StoreDamaged, ValueTooLarge
from app.fatal import Exit, die
from app.kafka.broker import Broker
from schemas.codec import MAX_MESSAGE_BYTES, Codec, UnknownSchema
from schemas.records import PartitionPosition

TRANSACTION_TIMEOUT_MS = 30_000
RETRY_SECONDS = 120.0
"""How long one librdkafka call that answers `retriable` is repeated: a broker may be away for this long."""
FENCED = frozenset({KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED})
TIMED_OUT = frozenset({KafkaError._TIMED_OUT, KafkaError._MSG_TIMED_OUT, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN})


@dataclass(slots=True, frozen=True)
class OutgoingMessage:
    """An outgoing message, encoded. `partition` None: by murmur2 of the key."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


@dataclass(slots=True, frozen=True)
class Checkpoint:
    """Figures of one commit, for metrics and benchmarks. Times in seconds."""

    partition: int
    gap: float
    took: float
    rows: int
    messages: int
    records: int


class OwnedPartition:
    """State of one inbox partition in the process that owns it. Folds run on the event loop, commits in a thread."""

    def __init__(
        self,
        broker: Broker,
        codec: Codec,
        store: Any,
        spec: PartitionSpec,
        on_checkpoint: Callable[[Checkpoint], None],
        threads: Executor,
    ) -> None:
        """`threads`: of the app, for what waits for the broker."""
        self.broker, self.codec, self.store, self.spec, self.on_checkpoint = broker, codec, store, spec, on_checkpoint
        self.tp, self.threads = spec.tp, threads
        self.transactional_id = f"{spec.group}.{spec.stage}.{spec.tp.topic}.{spec.tp.partition}"
        self.out: list[OutgoingMessage] = []
        self.released: list[Any] = []
        """Outbox entries of the uncommitted step: they reach the executor only after the commit."""
        self.position = 0
        """Next inbox offset to fold. Everything before `committed` is in a transaction or, as commit markers, needs none."""
        self.committed = 0
        self.folded = 0
        self.newest: Any = None
        """The last record that was folded, until a commit has noted it."""
        self.ready = self.leaving = False
        self.cadence = Cadence(spec.tp.partition, time.monotonic())
        self.lock = asyncio.Lock()
        self.opened: asyncio.Future[None] | None = None
        self.undelivered: Any = None
        """KafkaError of `__position`, when a commit only says that messages failed."""
        self.on_released: Callable[[int, Sequence[Any]], None] = lambda partition, entries: None
        self.before_commit: Callable[[], None] = lambda: None
        """On the loop, before the snapshot: what the fold gathered leaves with this commit."""
        self.suspect_file = Path(str(store.partition_path(spec.tp.partition)) + ".suspect")

    # -- take-over (in a thread, outside the rebalance callback: aiokafka sends no heartbeats inside it)

    def open(self) -> None:
        """Fence the predecessor, restore the store, read `__position` and check it. Ends the process on failure."""
        try:
            self._open()
        except StoreDamaged as exc:
            self.drop_store()
            die(Exit.STORE_DAMAGED, f"{self.tp}: {exc}")
        except UnknownSchema as exc:
            # The row is not to blame: it waits, over restarts, for a program or a registry that knows its schema.
            die(Exit.SCHEMA_UNKNOWN, f"{self.tp}: a row: {exc}")
        except Exception as exc:
            die(Exit.TAKEOVER_FAILED, f"{self.tp}: {exc!r}")

    def _open(self) -> None:
        self.producer = Producer(self.producer_settings())
        self._transactional(self.producer.init_transactions, 30)
        consumer = KafkaConsumer(
            self.broker.client(
                group_id=self.transactional_id,
                isolation_level="read_committed",
                enable_partition_eof=True,
                enable_auto_commit=False,
                auto_offset_reset="error",
                fetch_wait_max_ms=10,  # else each end of partition costs 500 ms
                fetch_queue_backoff_ms=10,
            )
        )
        try:
            self.db, restored = open_restored(
                lambda: self.store._open_for_partition(self.tp.partition),
                self.store.partition_path(self.tp.partition),
                consumer,
                self.spec.changelog,
                lambda: self.leaving,
            )
            inbox = TopicPartition(self.tp.topic, self.tp.partition)
            low, high = consumer.get_watermark_offsets(inbox, timeout=10)
            self.rows = RowCache(self.db, self.codec)
            self.state = self._take_up(low, high, lambda state: intact_up_to(consumer, inbox, state, low, high))
        finally:
            consumer.close()
        self.position = self.committed = self.state.next_offset
        self.cadence.end(time.monotonic())
        self.restored = restored

    def _take_up(self, low: int, high: int, intact: Callable[[PartitionPosition], int]) -> PartitionPosition:
        """`__position`, checked against the inbox [low, high)."""
        known: PartitionPosition | None = self.rows.get(POSITION_KEY)
        before = known.next_offset if known is not None else 0
        try:
            state = take_up(self.spec, known, low, high, intact, self.broker.embedded)
        except WrongLog as wrong:
            if not self.leaving:
                die(wrong.exit, f"{self.tp}: {wrong}")
            state = known or PartitionPosition(low, self.spec.log_epoch, self.spec.fold_version, self.spec.inbox_id)
        if known is not None and known.next_offset != before:
            self.suspect_file.unlink(missing_ok=True)  # its offsets are of another log
        return state

    def producer_settings(self) -> dict[str, Any]:
        return self.broker.client(
            transactional_id=self.transactional_id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            delivery_timeout_ms=TRANSACTION_TIMEOUT_MS,
            partitioner="murmur2_random",
            compression_type="lz4",
            linger_ms=5,
            batch_size=1 << 20,
            queue_buffering_max_messages=1_000_000,
            message_max_bytes=MAX_MESSAGE_BYTES + (64 << 10),  # the codec's limit and the overhead of a batch
        )

    # -- checkpoint

    @property
    def pending(self) -> int:
        """Rows and messages that wait for the next transaction."""
        return self.rows.pending + len(self.out)

    @property
    def wants_checkpoint(self) -> bool:
        """Something was folded since the last one, and none is under way. (Asked 50 times a second: no task for nothing.)"""
        return self.ready and not self.leaving and bool(self.folded or self.pending) and not self.lock.locked()

    async def checkpoint(self) -> None:
        """Move position, rows and messages together, or not at all. The steps, in the order that the guarantee needs:

        1. on the loop, let the fold emit what it gathered, then take a snapshot of dirty rows, messages and position
           (the fold goes on meanwhile);
        2. in a thread: begin, produce messages, rows and `__position`, commit (begins only when about to commit);
        3. after the commit: one RocksDB write batch (the store is never ahead of the changelog);
        4. release committed outbox entries to the executor.
        """
        async with self.lock:
            if not self.ready or not (self.rows.pending or self.out or self.folded):
                return
            self.before_commit()
            self.state.next_offset = self.position
            position, folded = self.position, self.folded
            if self.newest is not None:
                self.state.read_marks, self.newest = remember(self.state.read_marks, self.newest), None
            rows = self._take_dirty()
            mark = self.codec.encode(self.state)
            out, released = self.out, self.released
            self.out, self.released, self.folded = [], [], 0
            started = time.monotonic()
            await asyncio.get_running_loop().run_in_executor(self.threads, self._commit, rows, mark, out)
            now = time.monotonic()
            self.committed = position
            gap = now - self.cadence.ended_at
            self.on_checkpoint(Checkpoint(self.tp.partition, gap, now - started, len(rows), len(out), folded))
            self.cadence.end(now)
            self.rows.written()
            self.settle()
            if released:
                self.on_released(self.tp.partition, released)

    def settle(self) -> None:
        """Nothing waits for a transaction: what lies between `committed` and `position` are markers. Lag can reach zero."""
        if not (self.pending or self.folded or self.released or self.lock.locked()):
            self.committed = self.position

    def _take_dirty(self) -> list[tuple[bytes, bytes | None]]:
        try:
            return self.rows.take_dirty()
        except StoreDamaged as exc:
            self.drop_store()
            die(Exit.STORE_DAMAGED, f"{self.tp}: {exc}")
        except ValueTooLarge as exc:
            # One of the records since the last checkpoint made it grow: the next owner folds them one by one.
            self.accuse(self.position - 1, deaths=0)
            die(Exit.FOLD_FAILED, f"{self.tp}: before {self.position}: {exc}")

    def _commit(self, rows: list[tuple[bytes, bytes | None]], mark: bytes, out: list[OutgoingMessage]) -> None:
        try:
            self._transaction(rows, mark, out)
        except KafkaException as exc:
            cause = self._fatal_cause() or exc.args[0]
            die(_exit_of(cause), f"{self.transactional_id}: {exc!r} {cause}")
        except Exception as exc:
            die(Exit.COMMIT_FAILED, f"{self.transactional_id}: {exc!r}")

    def _fatal_cause(self) -> Any:
        """KafkaError that ended the producer, or None: `produce` says only "fatal", the next poll raises the cause."""
        try:
            self.producer.poll(0)
        except KafkaException as exc:
            return exc.args[0]
        return None

    def _transaction(self, rows: list[tuple[bytes, bytes | None]], mark: bytes, out: list[OutgoingMessage]) -> None:
        changelog, partition = self.spec.changelog, self.tp.partition
        ends: list[int] = []

        def delivered(error: Any, message: Any) -> None:
            if error is None:
                ends.append(message.offset() + 1)  # `__position` is the last record of this transaction here
            else:
                self.undelivered = error

        self._transactional(self.producer.begin_transaction)
        for message in out:
            self._produce(message.topic, message.value, message.key, message.partition)
        for key, value in rows:
            self._produce(changelog.topic, value, key, partition)
        self._produce(changelog.topic, mark, POSITION_KEY.encode(), partition, delivered)
        self._transactional(self.producer.commit_transaction, 30)  # flushes; raises if any record failed
        batch = rocksdict.WriteBatch(raw_mode=True)
        self.rows.write_back([*rows, (POSITION_KEY.encode(), mark)], batch)
        put_meta(batch, changelog.topic_id, max(ends))
        self.db.write(batch)

    def _produce(
        self, topic: str, value: bytes | None, key: bytes | None, partition: int | None, on_delivery: Any = None
    ) -> None:
        extra = {} if partition is None else {"partition": partition}
        if on_delivery is not None:
            extra["on_delivery"] = on_delivery
        while True:
            try:
                self.producer.produce(topic, value, key, **extra)
            except BufferError:
                self.producer.poll(0.05)
            else:
                return

    def _transactional(self, call: Callable[..., Any], *args: Any) -> None:
        """Retry what is retriable; all else (fenced, unauthorised, abortable) ends the process uncommitted."""
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                call(*args)
                return
            except KafkaException as exc:
                error = exc.args[0]
                if not error.retriable() or time.monotonic() > deadline:
                    cause = self.undelivered if error.code() == KafkaError._INCONSISTENT else None
                    die(_exit_of(cause or error), f"{self.transactional_id}: {call.__name__}: {error} {cause or ''}")
                time.sleep(0.1)

    # -- a record that made the fold fail

    def suspects(self) -> dict[int, int]:
        """Offset -> times that folding it ended the process; survives the process beside the store."""
        try:
            return msgspec.json.decode(self.suspect_file.read_bytes(), type=dict[int, int])
        except (OSError, msgspec.DecodeError):
            return {}

    def accuse(self, offset: int, deaths: int = 1) -> None:
        """Remember that folding `offset` ended the process; `deaths` 0: it or one before it, fold up to here one by one."""
        counts = {known: count for known, count in self.suspects().items() if known >= self.committed}
        counts[offset] = counts.get(offset, 0) + deaths
        temporary = self.suspect_file.with_suffix(".suspect.new")
        temporary.write_bytes(msgspec.json.encode(counts))
        os.replace(temporary, self.suspect_file)

    def drop_store(self) -> None:
        """Delete the local store, which cannot be read; only for a process that ends now. The changelog has every row."""
        path = Path(self.store.partition_path(self.tp.partition))
        condemned = path.with_suffix(".damaged")
        shutil.rmtree(condemned, ignore_errors=True)
        path.rename(condemned)  # at once, also while RocksDB has files of it open
        shutil.rmtree(condemned, ignore_errors=True)

    # -- leave (after the flow was stopped)

    async def leave(self) -> None:
        """Commit what is folded, close store and producer; then the group may hand the partition on."""
        await self.checkpoint()
        async with self.lock:
            self.ready = False
            await asyncio.get_running_loop().run_in_executor(self.threads, self._close)

    def _close(self) -> None:
        self.store._dbs.pop(self.tp.partition, None)
        self.db.close()
        self.db = self.producer = None  # frees the client in this thread


def _exit_of(error: Any) -> Exit:
    if error.code() in FENCED:
        return Exit.FENCED
    return Exit.BROKER_TIMEOUT if error.code() in TIMED_OUT else Exit.COMMIT_FAILED
