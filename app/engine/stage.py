"""A stage: one Faust app with an inbox, a pure fold, a table, and the exactly-once boundary around each batch."""

import asyncio
import contextlib
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import faust
from faust.types import TP

from app.engine.partition import Checkpoint, OutgoingMessage, OwnedPartition
from app.engine.position import PartitionSpec
from app.engine.restore import Changelog
from app.engine.rows import RowCache, StoreDamaged, ValueTooLarge
from app.engine.tables import StageTable, TableManager
from app.engine.transport import FETCH_BYTES, MAX_BATCH_RECORDS, Batch, Consumer, Passthrough
from app.fatal import Exit, die
from app.kafka.broker import Broker
from schemas.codec import MAX_MESSAGE_BYTES, Codec, UnknownSchema
from schemas.records import ExceptionRecord, PartitionPosition, PendingRow
from schemas.topics import changelog_of
from streams import public_rows
from streams.stage import Fold, Gathering, Remembering
from streams.step import SUSPECT_LIMIT

FOLD_SECONDS = 0.1
"""A batch is capped so that one fold blocks the loop no longer than this."""
MAX_PENDING = 50_000
"""Rows and messages that may wait for a transaction before the fold waits for it."""
MOST_THREADS = 16
"""For takes-over and commits of one stage. A thread per owned partition would grow with the catalog."""
DELETE_RETENTION_SECONDS = 86_400
STORE_OPTIONS = {
    "driver": "rocksdict",
    "block_cache_size": 32 << 20,
    "write_buffer_size": 8 << 20,
    "max_write_buffer_number": 2,
}


class PartitionStep:
    """What a fold sees: the partition's rows and clock state, the records of one batch, and where results go."""

    __slots__ = (
        "_codec",
        "_letters",
        "_out",
        "_prefix",
        "_released",
        "careful",
        "offset",
        "partition",
        "records",
        "rows",
        "state",
        "suspects",
        "topic",
        "waited",
    )

    def __init__(
        self,
        part: OwnedPartition,
        records: Sequence[Any],
        prefix: str,
        suspects: Mapping[int, int],
        letters: Counter[tuple[str, str]],
    ) -> None:
        """`letters`: counts dead letters by (plant, code)."""
        self.rows: RowCache = part.rows
        self.state: PartitionPosition = part.state
        self.records = records
        self.topic, self.partition = part.tp.topic.removeprefix(prefix), part.tp.partition
        self.offset = -1
        """Inbox offset of the record being folded: set by the fold, named when it fails."""
        self.waited: PendingRow | None = None
        self.suspects = frozenset(offset for offset, count in suspects.items() if count >= SUSPECT_LIMIT)
        self.careful = bool(suspects)
        """A record near here ended the process before: fold one by one, so that the right one is named."""
        self._codec, self._out, self._released, self._prefix = part.codec, part.out, part.released, prefix
        self._letters = letters

    def emit(self, topic: str, key: str, record: Any, partition: int | None = None) -> None:
        """Send a record with this step's transaction. Topic without prefix; partition None: by murmur2 of the key."""
        self._out.append(OutgoingMessage(self._prefix + topic, key.encode(), self._encoded(topic, record), partition))
        if isinstance(record, ExceptionRecord):
            self._letters[record.plant, record.code] += 1

    def retire(self, topic: str, key: str) -> None:
        """A tombstone, with this step's transaction."""
        self._out.append(OutgoingMessage(self._prefix + topic, key.encode(), None))

    def broadcast(self, topic: str, key: str, record: Any, partitions: int) -> None:
        """The same record to partitions 0 .. `partitions` - 1, encoded once."""
        value = self._encoded(topic, record)
        self._out.extend(OutgoingMessage(self._prefix + topic, key.encode(), value, partition) for partition in range(partitions))

    def _encoded(self, topic: str, record: Any) -> bytes:
        value = self._codec.encode(record)
        if len(value) > MAX_MESSAGE_BYTES:
            raise ValueTooLarge(f"{type(record).__name__} for {topic} has {len(value)} bytes")
        return value

    def decode(self, value: bytes) -> Any:
        return self._codec.decode(value)

    def fields(self, value: bytes) -> tuple[str, dict[str, Any]]:
        return self._codec.fields(value)

    def release(self, entry: Any) -> None:
        """Hand an outbox entry to the executor once this step is committed."""
        self._released.append(entry)


class PartitionObserver(Protocol):
    """Told which partitions are ours, e.g. the executor of outbox entries."""

    def taken_over(self, partition: int) -> None: ...

    def left(self, partition: int) -> None: ...


@dataclass(slots=True)
class StageSettings:
    """How a stage runs here."""

    broker: Broker
    credentials: Any = None
    """What Faust's client must show to the broker (app/engine/credentials.py)."""
    prefix: str = ""
    datadir: str = "out/data"
    instance: str | None = None
    """Static group member id: a restart within the session timeout keeps its partitions."""
    checkpoint_interval: float = 1.0
    session_timeout: float = 10.0
    log_epoch: int = 1
    changelog_max_age: float = DELETE_RETENTION_SECONDS / 2
    topic_ids: Mapping[str, str] = field(default_factory=dict)
    partitions: int = 4


class StageApp(faust.App):
    """StageApp(fold, inboxes, codec, settings): builds its agent; run it with a Faust worker."""

    def __init__(self, fold: Fold, inboxes: Sequence[str], codec: Codec, settings: StageSettings) -> None:
        self.stage, self.codec, self.settings = fold, codec, settings
        self.inboxes = {settings.prefix + inbox for inbox in inboxes}
        self.checkpoint_interval = settings.checkpoint_interval
        self.on_checkpoint: Callable[[Checkpoint], None] = lambda checkpoint: None
        self.on_released: Callable[[int, Sequence[Any]], None] = lambda partition, entries: None
        self.observers: list[PartitionObserver] = []
        self.threads = ThreadPoolExecutor(MOST_THREADS, fold.name)
        self.letters: Counter[tuple[str, str]] = Counter()
        """Dead letters of this process by (plant, code)."""
        self.last_commit_boottime = 0.0
        """CLOCK_BOOTTIME of the last transaction that committed: a lease must not trust a clock that sleeps."""
        self.clock_ahead: float | None = None
        """Seconds by which this host's clock is ahead of a broker's; None: not compared (intake compares)."""
        super().__init__(
            f"{settings.prefix}{fold.name}",
            broker=f"aiokafka://{settings.broker.bootstrap}",
            broker_credentials=settings.credentials,
            datadir=settings.datadir,
            store="rocksdb://",
            StageTable=StageTable,
            TableManager=TableManager,
            web_enabled=False,
            topic_partitions=settings.partitions,
            topic_disable_leader=True,
            topic_allow_declare=False,  # topics come from the catalog, by `lineledger topics apply`
            stream_wait_empty=False,
            stream_recovery_delay=0.0,
            stream_buffer_maxsize=4,  # counts batches
            consumer_auto_offset_reset="none",
            consumer_max_fetch_size=FETCH_BYTES,
            consumer_group_instance_id=settings.instance,
            broker_commit_interval=1.0,
            # The mock cluster of librdkafka >= 2.15 changes batches after their checksum was made.
            broker_check_crcs=not settings.broker.embedded,
            broker_session_timeout=settings.session_timeout,
            broker_heartbeat_interval=settings.session_timeout / 4,
        )
        self.table = self.Table(
            fold.name,
            default=None,
            partitions=settings.partitions,
            key_type=str,
            value_type=None,
            options=dict(STORE_OPTIONS),
            changelog_topic=None,
        )
        self._suspects: dict[TP, dict[int, int]] = {}
        channel = self.topic(*sorted(self.inboxes), schema=Passthrough())
        self.agent(channel, name=f"{fold.name}.fold", concurrency=1)(self._fold_batches)

    def _new_transport(self) -> Any:
        transport = super()._new_transport()
        transport.Consumer = Consumer
        return transport

    def owned_partition(self, tp: TP) -> OwnedPartition:
        """A partition of this stage, not yet opened. Inboxes of one stage share a table, so partitions must not collide."""
        settings, name = self.settings, f"{self.settings.prefix}{changelog_of(self.stage.name)}"
        changelog = Changelog(name, tp.partition, settings.topic_ids.get(name, ""), settings.changelog_max_age)
        spec = PartitionSpec(
            self.conf.id,
            self.stage.name,
            tp,
            settings.topic_ids.get(tp.topic, ""),
            changelog,
            settings.log_epoch,
            self.stage.version,
            settings.partitions,
        )
        part = OwnedPartition(settings.broker, self.codec, self.table.data, spec, self._checkpointed, self.threads)
        part.on_released = lambda partition, entries: self.on_released(partition, entries)
        part.before_commit = lambda: self._before_commit(part)
        return part

    def _before_commit(self, part: OwnedPartition) -> None:
        step = self.idle_step(part)
        with self._guarded(part, step):
            if isinstance(self.stage, Gathering):
                self.stage.before_commit(step)
            for told in public_rows.of(self.stage.name):
                public_rows.tell(step, told, part.rows.changed(told.kind.prefix))

    def _checkpointed(self, checkpoint: Checkpoint) -> None:
        self.last_commit_boottime = time.clock_gettime(time.CLOCK_BOOTTIME)
        self.on_checkpoint(checkpoint)

    async def _fold_batches(self, stream: Any) -> None:
        async for batch in stream:
            for piece in self._pieces(batch):
                with self.step(piece) as step:
                    if step is not None:
                        self.stage.fold(step)
                await self._breathe(piece)

    def _pieces(self, batch: Batch) -> Iterator[Batch]:
        """The batch; near a record that ended the process before, one by one, so that the right one is named."""
        part = self.tables.parts.get(batch.tp)
        if part is None or not part.ready or not self._suspected(part):
            yield batch
            return
        yield from batch.split()

    @contextlib.contextmanager
    def step(self, batch: Batch) -> Iterator[PartitionStep | None]:
        """Exactly-once boundary of one fold (no await inside). None: the batch is not ours any more, or was folded before."""
        part = self.tables.parts.get(batch.tp)
        if part is None or not part.ready or batch.end <= part.position:
            yield None
            return
        if batch.start > part.position:
            die(Exit.INBOX_HOLE, f"{batch.tp}: batch starts at {batch.start}, position is {part.position}")
        records = batch.records
        if batch.start < part.position:
            records = tuple(record for record in records if record.offset >= part.position)
        suspects = self._suspected(part)
        part.rows.careful = bool(suspects)
        step = PartitionStep(part, records, self.settings.prefix, suspects, self.letters)
        started = time.perf_counter()
        with self._guarded(part, step):
            yield step
        part.position = batch.end
        if records:
            part.folded += len(records)
            part.newest = records[-1]
            per_record = (time.perf_counter() - started) / len(records)
            self.consumer.cap = max(1, min(MAX_BATCH_RECORDS, int(FOLD_SECONDS / (per_record + 1e-9))))
        part.settle()

    @contextlib.contextmanager
    def _guarded(self, part: OwnedPartition, step: PartitionStep) -> Iterator[None]:
        try:
            yield
        except StoreDamaged as exc:
            part.drop_store()
            die(Exit.STORE_DAMAGED, f"{part.tp}: {exc}")
        except UnknownSchema as exc:
            # The record is not to blame: it waits, over restarts, for a program or a registry that knows its schema.
            die(Exit.SCHEMA_UNKNOWN, f"{part.tp}@{step.offset}: {exc}")
        except Exception as exc:
            # Rows may be half changed: never commit them. After SUSPECT_LIMIT deaths the record is dead-lettered.
            if step.offset >= 0:
                part.accuse(step.offset)
            die(Exit.FOLD_FAILED, f"{part.tp}@{step.offset}: {exc!r}\n{traceback.format_exc()}")

    async def remember(self, part: OwnedPartition) -> None:
        """Build the fold's memory of a restored partition. The loop runs in between: heartbeats and other partitions go on.
        What the fold emits here leaves with the first checkpoint."""
        step = self.idle_step(part)
        if not isinstance(self.stage, Remembering):
            with self._guarded(part, step):
                self.stage.taken_over(step)
            return
        remembering = self.stage.remember(step)
        going = True
        while going and not part.leaving:
            with self._guarded(part, step):
                going = next(remembering, self) is not self
            await asyncio.sleep(0)

    def on_taken_over(self, part: OwnedPartition) -> None:
        """The partition is restored and ours, its memory is there, nothing was folded yet."""
        for observer in self.observers:
            observer.taken_over(part.tp.partition)

    def on_left(self, part: OwnedPartition) -> None:
        for observer in self.observers:
            observer.left(part.tp.partition)
        self._suspects.pop(part.tp, None)
        self.stage.left(part.tp.partition)

    def idle_step(self, part: OwnedPartition) -> PartitionStep:
        """A step without records, for the one stage that lets time in (intake, live): no await until it is folded."""
        return PartitionStep(part, (), self.settings.prefix, {}, self.letters)

    def _suspected(self, part: OwnedPartition) -> dict[int, int]:
        known = self._suspects.get(part.tp)
        if known is None:
            known = self._suspects[part.tp] = part.suspects()
        if known and max(known) < part.position:
            known = self._suspects[part.tp] = {}  # behind us
        return known

    async def _breathe(self, batch: Batch) -> None:
        """After each step: let the loop run, and wait for the transaction when too much is pending."""
        part = self.tables.parts.get(batch.tp)
        if part is not None and part.ready and part.pending > MAX_PENDING:
            await part.checkpoint()
        await asyncio.sleep(0)
