"""Stage intake (one app per raw topic, one plant per topic): raw records become canonical events, and time enters the log.

In: raw records. Out: events to equipment, orders and lots, process values to telemetry.process, what cannot be mapped to
exceptions; and to every partition of the stages it feeds, ticks and configuration.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from schemas.configuration import Configuration
from schemas.records import (
    ConfigActivated,
    EndpointOrdered,
    EntryVoided,
    ExceptionRecord,
    LabourRecorded,
    LetterSettled,
    MaterialChanged,
    OperatorDecision,
    ProcessValue,
    Tick,
    UpstreamOrdered,
)
from schemas.topics import EQUIPMENT_INBOX, EXCEPTIONS, LOTS_INBOX, ORDERS_INBOX, TELEMETRY_PROCESS
from streams import boundary
from streams.boundary import Handling, Letter
from streams.intake import connections
from streams.intake.clock import CONFIGURED, EPOCH, FINAL, LABEL, TICK, IntakeClock
from streams.intake.frames import OpenFrames
from streams.intake.raw_headers import CONTROL_HEADER, POSITION_HEADER, RECEIVED_HEADER, SOURCE_HEADER, stated_place
from streams.intake.routes import EQUIPMENT_EVENTS, LOT_EVENTS, ORDER_EVENTS, made_by, of_equipment, wrong_clock
from streams.mapping import Mapper, Operators, RawRecord, Reading, RefusedRecord, compile_source
from streams.mapping.operators import REPLAYED, RESOLVED
from streams.repairs import CONTROL, repair_of
from streams.step import RawMessage, Step, Topology, sender
from tables.canonical import ACCOUNT_KINDS, DECLARATIONS
from tables.plant.calendar import calendar_of
from tables.plant.system_of_record import violation
from tables.scopes import inbox_key

READING, EVENT = "0", "1"
"""Ranks: events bear the label of their interval and belong to the system of record of their source; readings do not."""
FEEDS = (EQUIPMENT_INBOX, ORDERS_INBOX, LOTS_INBOX)
MAX_TEXTS = 4096
LIVE_STEP_US = 1_000_000


class IntakeStage:
    """`recorded`: input with its own time (received_at in a header), all of it in partition 0 of the raw topic."""

    version = 1

    def __init__(
        self,
        topology: Topology,
        topic: str,
        configuration: Configuration,
        recorded: bool,
        private_key: bytes = b"",
        host: Callable[[], int] | None = None,
    ) -> None:
        """`host`: the clock of this host, microseconds; None: append times are believed (recorded input has its own)."""
        self.name = f"intake.{topic}"
        self._topology, self._topic, self._configuration, self._recorded = topology, topic, configuration, recorded
        plant = configuration.plant
        self._plant = plant.plant.id
        step_us = plant.clock.step_us if recorded else LIVE_STEP_US
        self.future_us, self._horizon_us = plant.clock.future_us, plant.attribution.late_horizon_us
        self._host = host
        self._clock = IntakeClock(calendar_of(plant), step_us, self.future_us, host)
        self._mappers = {
            name: compile_source(name, source, plant, private_key)
            for name, source in plant.sources.items()
            if recorded or source.read.topic == topic
        }
        self._live_source = next(iter(self._mappers), "")
        self._systems = {name: source.system for name, source in plant.sources.items() if source.system is not None}
        self._connected = frozenset(name for name, source in plant.sources.items() if source.read.connection == "snapshot")
        """Sources whose connections begin with a snapshot."""
        self._frames = OpenFrames(self._plant)
        self._texts: dict[bytes, str] = {}
        """Header values that were read: a file has one source and one name."""

    def taken_over(self, step: Step) -> None:
        """Say which configuration holds, before any record; an intake keeps its choice in `__position`."""
        wanted, known = self._configuration.hash, step.state.configurations.get(self._plant)
        # A raised epoch: an inbox may be new, or a stage's state lost with its changelog. A stage that knows it ignores it.
        same_log = step.state.marks.get(EPOCH, 1) == step.state.log_epoch
        if self._silent(step) or (wanted == known and same_log):
            return
        step.state.marks[EPOCH] = step.state.log_epoch
        step.state.configurations[self._plant] = wanted
        # Later than the one before it, also within one second: by its time every stage knows which of two is the newer one.
        at = 0 if known is None else max(step.state.marks.get(TICK, 0), step.state.marks.get(CONFIGURED, 0) + 1)
        step.state.marks[CONFIGURED] = at
        started_at = self._host() if self._host is not None and not self._recorded else 0
        self._broadcast(step, ConfigActivated(self._plant, wanted, at, self._me(step), started_at))

    def left(self, partition: int) -> None:
        self._frames.left(partition)
        self._clock.left(partition)

    def before_commit(self, step: Step) -> None:
        """The fuller the frames, the cheaper each reading; yet what is committed as read must have left."""
        self._frames.flush_all(step)

    def _silent(self, step: Step) -> bool:
        """Recorded input lives in partition 0; the others of its topic are no upstreams of anybody."""
        return self._recorded and step.partition != 0

    # -- fold

    def fold(self, step: Step) -> None:
        marks, suspects, is_open = step.state.marks, step.suspects, self._clock.is_open
        came = 0
        for message in step.records:
            step.offset = message.offset
            raw = self._raw(step, message)
            if raw is None:
                self._control(step, message)
                continue
            if not is_open(marks, raw.received_at):
                self._advance(step, raw.received_at)
            if message.offset in suspects:
                self._refuse(step, RefusedRecord("FOLD_FAILED", "folding this record ended the process before"), raw, None)
                continue
            mapper = self._mappers.get(raw.source)
            if mapper is None:
                self._refuse(step, RefusedRecord("UNKNOWN_SOURCE", f"`{raw.source}` is no source of plant.yaml"), raw, None)
                continue
            came += 1
            if type(mapper) is Operators:
                raw, mapper = mapper.unwrapped(raw)
            items: Sequence[Any] = mapper.map(raw)
            if mapper.name in self._connected:
                items = connections.with_gaps(items, raw, mapper.read, marks)
            if not items:
                self._count(step, "ignored")
            refused = marks.get("refused", 0)
            for item in items:
                self._route(step, item, raw, mapper)
            for letter in raw.settles:  # of a replay: it worked when nothing of it was refused again
                letter.state = REPLAYED if marks.get("refused", 0) > refused else RESOLVED
                boundary.settled(step, letter)
        if came:
            self._count(step, "raw", came)

    def idle(self, step: Step, now_us: int) -> None:
        """Live and without lag: the wall clock moves the plant's time on (docs/architecture.md, The clock is in the log)."""
        reached = None if self._recorded else self._clock.idle_label(step.state.marks, now_us)
        if reached is not None:
            self._move(step, reached)
            self._tick(step, reached, final=False)

    def _raw(self, step: Step, message: RawMessage) -> RawRecord | None:
        """The record as its source has it; None: a control record, the end of recorded input or a repair of the clock."""
        if not self._recorded:
            if CONTROL_HEADER in dict(message.headers or ()):
                return None
            stated = stated_place(message.headers)
            topic_place = (f"{self._topic}/{step.partition}", message.offset)
            here, offset = topic_place if stated is None else (self._text(stated[0]), stated[1])
            arrived = self._clock.arrived(step.partition, step.state.marks, message.timestamp * 1000)
            return RawRecord(message.value, self._live_source, here, offset, arrived)
        handed: Any = message.value
        if type(handed) is RawRecord:  # within one process
            return handed
        headers = dict(message.headers)
        if CONTROL_HEADER in headers:
            return None
        file, _, line = headers[POSITION_HEADER].rpartition(b":")
        source, texts = headers[SOURCE_HEADER], self._texts
        return RawRecord(
            message.value,
            texts.get(source) or self._text(source),
            texts.get(file) or self._text(file),
            int(line),
            int(headers[RECEIVED_HEADER]),
        )

    def _text(self, header: bytes) -> str:
        known = self._texts.get(header)
        if known is None:
            if len(self._texts) >= MAX_TEXTS:
                self._texts.clear()
            known = self._texts[header] = header.decode(errors="replace")
        return known

    # -- the clock

    def _advance(self, step: Step, received_at: int) -> None:
        """Close the interval that is over, then open the one that `received_at` falls into."""
        label = self._clock.label_for(step.state.marks, received_at)
        if label is not None:
            self._move(step, label)

    def _move(self, step: Step, label: int) -> None:
        for at in self._clock.due(step.state.marks, label):
            self._tick(step, at, final=False)
        self._clock.opened(step.partition, step.state.marks, label)

    def _tick(self, step: Step, at: int, final: bool) -> None:
        if at <= step.state.marks.get(TICK, 0):
            return
        self._frames.flush_all(step)
        step.state.marks[TICK] = at
        self._broadcast(step, Tick(self._plant, at, self._me(step), final))

    def _control(self, step: Step, message: RawMessage) -> None:
        if self._recorded:
            *before, last = self._clock.end(step.state.marks) or [0]
            for at in before:
                self._tick(step, at, final=False)
            self._tick(step, last, final=True)
            step.state.marks[FINAL] = 1
            return
        orders = dict(message.headers)[CONTROL_HEADER] == CONTROL and message.offset not in step.suspects
        repair = repair_of(message.value, self._plant, self._me(step)) if orders else None
        if repair is None:
            raw = RawRecord(message.value, self._live_source, f"{self._topic}/{step.partition}", message.offset, 0)
            self._refuse(step, RefusedRecord("BAD_CONTROL", "a control record that orders nothing of this plant"), raw, None)
            return
        self._frames.flush_all(step)
        self._clock.lower(step.partition, step.state.marks, repair.at)
        self._broadcast(step, repair)

    def _broadcast(self, step: Step, record: Any) -> None:
        for topic in FEEDS:
            step.broadcast(topic, self._plant, record, self._topology.partitions(topic))

    def _me(self, step: Step) -> str:
        return sender("intake", self._topic, step.partition)

    # -- routing

    def _route(self, step: Step, item: Any, raw: RawRecord, mapper: Mapper) -> None:
        kind = type(item)
        if kind is RefusedRecord:
            self._refuse(step, item, raw, mapper)
            return
        handling = HANDLERS.get(kind)
        if handling is None:
            self._refuse(step, RefusedRecord("WRONG_STAGE", kind.__name__), raw, mapper)
            return
        if item.received_at > raw.received_at + self.future_us or item.occurred_at > raw.received_at + self._horizon_us:
            wrong = wrong_clock(item, raw, self.future_us, self._horizon_us)
            if wrong is not None:
                self._refuse(step, wrong, raw, mapper)
                return
        if handling.rank != READING:
            system = self._systems.get(raw.source)
            foreign = violation(system, item) if system is not None else None
            if foreign is not None:
                self._refuse(
                    step, RefusedRecord(foreign.code, foreign.detail, kind=ACCOUNT_KINDS.get(kind.__name__, "")), raw, mapper
                )
                return
            item.label = step.state.marks[LABEL]
        if not handling.handle(self, step, item, raw):
            detail = f"{kind.__name__} has neither equipment nor order"
            self._refuse(step, RefusedRecord("NO_EQUIPMENT", detail, kind=kind.__name__), raw, mapper)

    # -- who gets it; False: nobody, it names neither equipment nor order

    def _reading(self, step: Step, reading: Reading, raw: RawRecord) -> bool:
        self._frames.collect(step, reading, raw)
        self._count(step, "readings")
        return True

    def _process_value(self, step: Step, item: ProcessValue, raw: RawRecord) -> bool:
        self._count(step, "process_values")
        step.emit(TELEMETRY_PROCESS, f"{item.plant}|{item.equipment}", item)
        return True

    def _to_equipment(self, step: Step, item: Any, raw: RawRecord) -> bool:
        self._count(step, "other")
        self._send_to_equipment(step, item)
        return True

    def _to_people(self, step: Step, item: LabourRecorded | EntryVoided, raw: RawRecord) -> bool:
        """A person is at one place at a time, over all equipment."""
        self._to_equipment(step, item, raw)
        partitions = self._topology.partitions(EQUIPMENT_INBOX)
        step.broadcast(EQUIPMENT_INBOX, f"{item.plant}|{item.equipment}", replace(item, copy=True), partitions)
        return True

    def _declaration(self, step: Step, item: Any, raw: RawRecord) -> bool:
        if not (item.equipment or item.order):
            return False
        self._count(step, "declarations")
        if item.equipment:
            self._send_to_equipment(step, item)
        else:
            self._send_to_order(step, item)
            for made in made_by(item):  # an equipment tells of its lots itself
                step.emit(LOTS_INBOX, inbox_key(made.plant, made.name), made)
        return True

    def _decision(self, step: Step, item: OperatorDecision, raw: RawRecord) -> bool:
        """About a counter, or about something of an order."""
        self._count(step, "other")
        if of_equipment(item):
            self._send_to_equipment(step, item)
        else:
            self._send_to_order(step, item)
        return True

    def _to_order(self, step: Step, item: Any, raw: RawRecord) -> bool:
        self._count(step, "other")
        self._send_to_order(step, item)
        return True

    def _to_all(self, step: Step, item: UpstreamOrdered, raw: RawRecord) -> bool:
        self._count(step, "other")
        self._broadcast(step, item)
        return True

    def _endpoint(self, step: Step, item: EndpointOrdered, raw: RawRecord) -> bool:
        """Through one partition of orders: what is said later comes later."""
        self._count(step, "other")
        step.emit(ORDERS_INBOX, f"{item.plant}|", item)
        return True

    def _material(self, step: Step, item: MaterialChanged, raw: RawRecord) -> bool:
        self._count(step, "other")
        step.broadcast(ORDERS_INBOX, f"{item.plant}|{item.material}", item, self._topology.partitions(ORDERS_INBOX))
        return True

    def _letter_settled(self, step: Step, item: LetterSettled, raw: RawRecord) -> bool:
        self._count(step, "other")
        boundary.settled(step, item)
        return True

    def _to_lot(self, step: Step, item: Any, raw: RawRecord) -> bool:
        self._count(step, "other")
        scope = getattr(item, "scope", "")
        key = inbox_key(item.plant, item.lot) if scope else f"{item.plant}|{item.material}|{item.lot}"
        step.emit(LOTS_INBOX, key, item)
        return True

    def _send_to_equipment(self, step: Step, item: Any) -> None:
        self._frames.flush(step, item.equipment)  # readings before the event go first
        step.emit(EQUIPMENT_INBOX, f"{item.plant}|{item.equipment}", item)

    def _send_to_order(self, step: Step, item: Any) -> None:
        step.emit(ORDERS_INBOX, f"{item.plant}|{item.order}", item)

    # -- refusals and figures

    def _refuse(self, step: Step, refused: RefusedRecord, raw: RawRecord, mapper: Mapper | None) -> None:
        self._count(step, "refused")
        original = raw.value if mapper is None else mapper.redacted(raw.value)
        step.emit(EXCEPTIONS, f"{self._plant}|{refused.code}", self._letter(refused, raw, original))

    def _letter(self, refused: RefusedRecord, raw: RawRecord, original: bytes) -> ExceptionRecord:
        replayed = f" replay {raw.replay}" if raw.replay else ""
        return Letter(
            event_id=(refused.event_id or f"{raw.raw_source}:{raw.raw_offset}") + replayed,
            plant=self._plant,
            stage="intake",
            code=refused.code,
            detail=refused.detail,
            source=raw.source,
            raw_source=raw.raw_source,
            raw_offset=raw.raw_offset,
            original=original,
            quantity=refused.quantity,
            kind=refused.kind,
            received_at=raw.received_at,
        ).record()

    def _count(self, step: Step, what: str, number: int = 1) -> None:
        """Exactly-once figures for the report: they move with the position."""
        marks = step.state.marks
        marks[what] = marks.get(what, 0) + number


_Handle = Callable[[IntakeStage, Step, Any, RawRecord], bool]
HANDLERS: Mapping[type, Handling[_Handle]] = {
    Reading: Handling(READING, IntakeStage._reading),
    ProcessValue: Handling(EVENT, IntakeStage._process_value),
    **dict.fromkeys(EQUIPMENT_EVENTS, Handling(EVENT, IntakeStage._to_equipment)),
    **dict.fromkeys((LabourRecorded, EntryVoided), Handling(EVENT, IntakeStage._to_people)),
    **dict.fromkeys(DECLARATIONS, Handling(EVENT, IntakeStage._declaration)),
    **dict.fromkeys(ORDER_EVENTS, Handling(EVENT, IntakeStage._to_order)),
    OperatorDecision: Handling(EVENT, IntakeStage._decision),
    **dict.fromkeys(LOT_EVENTS, Handling(EVENT, IntakeStage._to_lot)),
    MaterialChanged: Handling(EVENT, IntakeStage._material),
    UpstreamOrdered: Handling(EVENT, IntakeStage._to_all),
    EndpointOrdered: Handling(EVENT, IntakeStage._endpoint),
    LetterSettled: Handling(EVENT, IntakeStage._letter_settled),
}
"""Who gets what a mapping gives."""
