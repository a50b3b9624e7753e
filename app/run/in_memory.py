"""All stages of one plant in this process, over a log in memory: no broker, no worker process.

Stages take turns in a fixed order, each partition by itself, so what is folded is a function of the input alone. (When the ERP
answers is not; the content of postings does not depend on it.) Each inbox is one partition (docs/adr/0110), unless an
installation says how many it has.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from app.cycles import OF_A_RUN, seldom_looked_for
from app.erp.adapters import adapter_for
from app.erp.endpoint import OwnedLog, doorway_of, endpoint_of
from app.erp.executor import Executor
from app.erp.metrics import ErpMetrics
from app.erp.of_run import RunErp
from app.erp.sent_postings import SentPostings
from app.erp.telemetry_check import SeenTelemetry
from app.erp.traffic import JOURNAL, TrafficJournal
from app.inputs.input_files import InputFile
from app.inputs.recorded_input import RecordedInput
from app.kafka.partitioner import partition_of
from app.run.accused import Accused, FoldFailed, blamed
from app.run.checkpoint import FedSoFar, Partition
from app.run.kept_run import KeptRun, keeping
from app.run.request import Ran, RunRequest, on_their_way
from app.topology import raw_topics
from schemas.catalog import Catalog, catalog
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import CounterFrame, PostingRow, RawRange, Tick, Total
from schemas.topics import EXCEPTIONS, TELEMETRY_PROCESS, inbox_of
from streams.delivery.stage import DeliveryStage
from streams.equipment.stage import EquipmentStage
from streams.intake.raw_headers import CONTROL_HEADER
from streams.intake.stage import IntakeStage
from streams.lots.stage import LotsStage
from streams.mapping import RawRecord
from streams.memory_step import Handed, MemoryStep, MemoryTopology, Message, Sent
from streams.orders.stage import OrdersStage
from streams.stage import Gathering
from tables.delivery.outbox import Entry
from tables.row_kinds import POSITION_ROWS, POSTING_ROWS, WAITING_ROWS

FOLDED = ("equipment", "lots", "orders", "delivery")
"""Stages with an inbox, in the order of their turns."""
BATCH = 2_000
"""Raw records of one turn."""
CHECKPOINT_RECORDS = 50_000
"""Raw records between two checkpoints: until then equipment keeps what changed unpacked."""
MAX_KEYS = 100_000
"""Keys whose partition is kept."""
ERP_SECONDS = 0.001
"""The executor's turn after each batch."""
WAIT_SECONDS = 0.2
"""For an answer of the ERP, between two looks at whether the run is to stop."""
SESSION_SECONDS = 10.0
"""Of the lease, which nobody can take away here."""


@dataclass(slots=True)
class Inbox:
    """One partition of the log in memory: what was not read yet."""

    next_offset: int = 0
    waiting: list[Message] = field(default_factory=list)

    def append(self, value: Any, key: bytes = b"", headers: Sequence[tuple[str, bytes]] = ()) -> None:
        self.waiting.append(Message(self.next_offset, value, key, headers=headers))
        self.next_offset += 1

    def take(self) -> list[Message]:
        taken, self.waiting = self.waiting, []
        return taken


@dataclass(slots=True)
class Chain:
    """The stages, their rows, and what is on its way between them."""

    configuration: Configuration
    raw: str
    private_key: bytes
    catalog: Catalog = field(default_factory=catalog)
    """With the counts of partitions."""
    codec: Codec = field(default_factory=Codec)
    seen: SeenTelemetry = field(default_factory=SeenTelemetry)
    """Names and values of telemetry, as the topic would have had them."""
    letters: list[bytes] = field(default_factory=list)
    released: Callable[[int, list[Any]], None] = lambda partition, entries: None
    """Told the outbox entries of a turn of delivery."""
    accused: Accused = field(default_factory=Accused)
    """Records whose folding raised before."""
    begins: Callable[[str, int], Partition | None] = lambda stage, partition: None
    """What a partition begins with; None: with nothing."""
    place: int = 0
    """Delivery's partition of the ERP."""
    _inboxes: dict[tuple[str, int], Inbox] = field(default_factory=lambda: defaultdict(Inbox))
    _partitions: dict[tuple[str, str], int] = field(default_factory=dict)
    """(topic, key) -> partition, of the keys that were met last."""
    _steps: dict[tuple[str, int], MemoryStep] = field(default_factory=dict)
    _stages: dict[str, Any] = field(default_factory=dict)
    _changed: set[tuple[str, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        found = {self.configuration.hash: self.configuration}
        endpoints = self.catalog.of_one_plant(self.configuration.erp.erp.endpoint).endpoints
        self.place = min(endpoints.values())
        topology = MemoryTopology(found, self.catalog.partitions, [self.raw], endpoints)
        self._stages = {
            "intake": IntakeStage(topology, self.raw, self.configuration, True, self.private_key),
            "equipment": EquipmentStage(topology),
            "lots": LotsStage(topology, True),
            "orders": OrdersStage(topology),
            "delivery": DeliveryStage(topology, True),
        }
        self._open("intake", self.raw, 0)
        for stage in FOLDED:
            for partition in range(self.catalog.partitions(inbox_of(stage))):
                self._open(stage, inbox_of(stage), partition)

    def feed(self, records: Iterable[RawRecord], last: bool = False) -> None:
        """One turn of intake, then all turns that follow from it. `last`: the end of the input follows these."""
        raw = self._inboxes[self.raw, 0]
        for record in records:
            raw.append(record)
        if last:
            raw.append(b"", headers=[(CONTROL_HEADER, b"end")])
        self._turn("intake", 0, raw.take())
        self.settle()

    def settle(self) -> None:
        """Turns until nothing is on its way between the stages."""
        moved = True
        while moved:
            moved = False
            for stage in FOLDED:
                for partition in range(self.catalog.partitions(inbox_of(stage))):
                    if messages := self._inboxes[inbox_of(stage), partition].take():
                        self._turn(stage, partition, messages)
                        moved = True

    def tell(self, record: Any) -> None:
        """An outcome of the ERP, into the inbox of delivery."""
        inbox = self._inboxes[inbox_of("delivery"), self.place]
        inbox.append(self.codec.encode(record), self.configuration.erp.erp.endpoint.encode())

    def checkpoint(self) -> None:
        """Everything that changed stands in the rows."""
        for stage, partition in sorted(self._changed):
            fold = self._stages[stage]
            if isinstance(fold, Gathering):
                fold.before_commit(self._steps[stage, partition])
            for _, row in WAITING_ROWS.scan(self._steps[stage, partition].rows):
                row.record = bytes(row.record)  # it may have been handed over
        self._changed.clear()

    def at_rest(self) -> dict[tuple[str, int], Partition]:
        """All rows and positions, at a moment at which nothing is on its way."""
        self.settle()
        while self._changed:
            self.checkpoint()
            self.settle()
        return {at: Partition(step.rows, step.state) for at, step in self._steps.items()}

    def release(self) -> None:
        """Hand out the outbox entries that the beginning gave: of postings that were on their way."""
        for (stage, partition), step in self._steps.items():
            if stage == "delivery":
                self._released(partition, step)

    def posting(self, posting_id: str) -> PostingRow | None:
        return POSTING_ROWS.find(self._steps["delivery", self.place].rows, posting_id)

    def active(self, plant: str) -> str:
        """Hash of the configuration that delivery has active for the plant."""
        return self._steps["delivery", self.place].state.configurations.get(plant, "")

    def on_their_way(self) -> int:
        """Postings that the ERP may still get."""
        rows = self._steps["delivery", self.place].rows
        return on_their_way(self.configuration, (row for _, row in POSTING_ROWS.scan(rows)))

    def clock(self) -> int:
        """The slowest clock of orders, microseconds."""
        plant = self.configuration.plant.plant.id
        states = [step.state for (stage, _), step in self._steps.items() if stage == "orders"]
        return min(state.reached.get(plant, 0) for state in states)

    def encoded(self) -> dict[str, dict[bytes, bytes]]:
        """Rows as a changelog would have them, by stage."""
        found: dict[str, dict[bytes, bytes]] = defaultdict(dict)
        for (stage, partition), step in self._steps.items():
            found[stage].update((key.encode(), self.codec.encode(row)) for key, row in step.rows.rows.items())
            found[stage][f"{POSITION_ROWS.prefix}/{partition}".encode()] = self.codec.encode(step.state)
        return dict(found)

    # -- turns

    def _open(self, stage: str, topic: str, partition: int) -> None:
        step = self._steps[stage, partition] = MemoryStep(topic, partition, self.codec, self._emit)
        begins = self.begins(stage, partition)
        if begins is not None:
            step.rows, step.state = begins
            self._inboxes[topic, partition].next_offset = step.state.next_offset
        self._stages[stage].taken_over(step)

    def _turn(self, stage: str, partition: int, messages: Sequence[Message]) -> None:
        step = self._steps[stage, partition]
        for batch in self.accused.batches((stage, partition), step, messages):
            step.records = batch
            try:
                self._stages[stage].fold(step)
            except Exception as wrong:
                raise blamed(wrong, (stage, partition), step) from wrong
        if stage == "intake":
            self._stages[stage].before_commit(step)
        else:
            self._changed.add((stage, partition))
        step.state.next_offset = messages[-1].offset + 1
        self._released(partition, step)

    def _released(self, partition: int, step: MemoryStep) -> None:
        if step.released:
            entries, step.released = step.released, []
            self.released(partition, entries)

    def _emit(self, sent: Sent) -> None:
        if sent.topic == TELEMETRY_PROCESS:
            self.seen.note(sent.record.name, sent.record.value)
        elif sent.topic == EXCEPTIONS:
            self.letters.append(self.codec.encode(sent.record))
        elif sent.topic.endswith(".inbox"):
            partition = self._partition(sent.topic, sent.key) if sent.partition is None else sent.partition
            self._inboxes[sent.topic, partition].append(self._value(sent.record), sent.key.encode())

    def _partition(self, topic: str, key: str) -> int:
        known = self._partitions.get((topic, key))
        if known is None:
            if len(self._partitions) >= MAX_KEYS:
                self._partitions.clear()
            known = self._partitions[topic, key] = partition_of(key.encode(), self.catalog.partitions(topic))
        return known

    def _value(self, record: Any) -> Any:
        """Records of the kinds that come with each reading or tick are handed over; the others as a broker would have them: a
        stage may keep what it sent, and change it."""
        kind = type(record)
        if kind is Total:
            record.ranges = [RawRange(one.raw_source, one.first, one.last, one.records) for one in record.ranges]
        elif kind is not Tick and kind is not CounterFrame:
            return self.codec.encode(record)
        return Handed(record, self.codec)


def run(request: RunRequest, erp: RunErp, files: Sequence[InputFile], key: bytes) -> Ran:
    """Everything, the end of the input, and what the ERP says to it; from a checkpoint on where there is one. After a record that
    cannot be folded once more from there (app/run/accused.py)."""
    accused, about = Accused(), erp.configuration.erp.erp
    nothing_twice = about.entry is None or about.tells_repetitions or (erp.lasts and request.checkpoint is not None)
    while True:
        accused.begin()
        try:
            return _begun(request, erp, files, key, accused)
        except FoldFailed as failed:
            if not accused.accuse(failed) or not nothing_twice:
                raise (failed.__cause__ or failed) from None
            stage, partition = failed.place
            said = {"code": "FOLD_FAILED", "stage": stage, "partition": partition}
            logging.getLogger(__name__).error("folding a record raised; once more from before it", exc_info=True, extra=said)


def _begun(request: RunRequest, erp: RunErp, files: Sequence[InputFile], key: bytes, accused: Accused) -> Ran:
    with keeping(request.checkpoint if erp.lasts else None, not erp.configuration.erp.erp.tells_repetitions) as kept:
        raw = next(iter(raw_topics(erp.configuration, recorded=True)))
        known: dict[str, Any] = {} if kept is None else {"seen": kept.seen, "letters": kept.letters, "begins": kept.begins}
        # A tick goes to each partition from each of those before it; one owner of all needs no shares.
        counts = request.catalog if request.installation is not None else request.catalog.in_one_partition()
        chain = Chain(erp.configuration, raw, key, counts, accused=accused, **known)
        records = RecordedInput(files, erp.configuration.plant, key, None if kept is None else kept.place)
        before = 0 if kept is None else kept.fed.by_source.total()
        request.reading(records, before)
        began = time.monotonic()
        with request.between_turns(), seldom_looked_for(OF_A_RUN):
            fed = asyncio.run(feed(chain, records, erp.environ, request.out / JOURNAL, request.progress, kept))
        rate = (fed.total() - before) / (time.monotonic() - began)
        return Ran(chain.encoded(), chain.letters, fed, rate, 0, chain.seen)


async def feed(
    chain: Chain,
    records: RecordedInput,
    environ: Mapping[str, str],
    journal: Path,
    progress: Callable[[str, int, int], None] = lambda phase, records, clock: None,
    kept: KeptRun | None = None,
) -> Counter[str]:
    """Returns the raw records by raw source. `environ`: with the address and secret of the ERP.

    `progress` may raise SystemExit: then nothing is on its way, and the run is kept as it stands.
    """
    fed, packed, looked = FedSoFar() if kept is None else kept.fed, 0, False

    def look(phase: str) -> None:
        nonlocal looked
        looked = True
        progress(phase, fed.by_source.total(), chain.clock())
        looked = False
        if kept is not None and kept.due:
            kept.write(chain.at_rest)

    try:
        async with _Erp(chain, environ, journal, lambda: look("draining"), None if kept is None else kept.sent):
            source = iter(records)
            while batch := list(islice(source, BATCH)):
                chain.feed(batch)
                fed.by_source.update(record.raw_source for record in batch)
                fed.place = records.place
                packed += len(batch)
                if packed >= CHECKPOINT_RECORDS:
                    chain.checkpoint()
                    packed = 0
                look("running")
                await asyncio.sleep(ERP_SECONDS)
            if not fed.ended:
                chain.feed((), last=True)
                chain.checkpoint()
                fed.ended = True
            look("running")
    except SystemExit:
        if kept is not None and looked:  # what the ERP had answered until its calls ended, too
            kept.write(chain.at_rest)
        raise
    return fed.by_source


class _Erp:
    """The executor beside the chain; on the way out it is waited for. Without an adapter all postings stay queued."""

    def __init__(
        self, chain: Chain, environ: Mapping[str, str], journal: Path, waits: Callable[[], None], sent: SentPostings | None
    ) -> None:
        """`waits`: called again and again while the ERP is waited for. `sent`: where what leaves is noted; None: nowhere."""
        self._chain, self._told, self._waits, self._sent = chain, asyncio.Event(), waits, sent
        environ = {**os.environ, **environ}
        metrics = ErpMetrics(CollectorRegistry())
        sinks = [metrics, TrafficJournal(journal), *([] if sent is None else [sent])]
        doorway = doorway_of(chain.configuration)
        adapter = adapter_for(chain.configuration.erp, environ, *sinks, doorway=doorway)
        log = OwnedLog(
            send=self._tell,
            peek=chain.posting,
            configuration=lambda _: chain.configuration,
            active=chain.active,
            last_good=lambda: time.clock_gettime(time.CLOCK_BOOTTIME),  # nobody else can own the endpoint
        )
        self._executor: Executor | None = None
        if adapter is not None:
            self._executor, _ = endpoint_of(chain.configuration, adapter, environ, doorway, log, metrics, SESSION_SECONDS)

    def _tell(self, record: Any) -> None:
        self._chain.tell(record)
        self._told.set()

    async def __aenter__(self) -> None:
        if self._executor is not None:
            self._chain.released = self._accept
            self._executor.taken_over(self._chain.place)
            self._executor.start()
            self._chain.release()

    def _accept(self, partition: int, entries: list[Entry]) -> None:
        if self._executor is not None:
            self._executor.accept(partition, entries if self._sent is None else self._sent.certain(entries, self._tell))

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        if self._executor is None:
            return
        try:
            while error is None and self._chain.on_their_way():
                self._waits()
                with contextlib.suppress(TimeoutError):  # an ERP that does not answer keeps nobody from stopping
                    await asyncio.wait_for(self._told.wait(), WAIT_SECONDS)
                self._told.clear()
                self._chain.settle()
        finally:
            await self._executor.close()
