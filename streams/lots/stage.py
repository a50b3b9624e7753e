"""Stage lots (key plant|material|lot): holds, genealogy and dispositions in; lot states, quality states, shipment blocks out.

A hold travels along every edge as HoldForwarded; a lot passes on only what made it grow, so cycles come to rest.

What only lets a lot grow is folded on arrival: a hold must not wait for the slowest machine. Over recorded input it waits for its
time, as everything does there, so that what is sent does not depend on who reads faster (ADR 0031).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from schemas.catalog import DAY_US
from schemas.configuration.rules import OnHold
from schemas.records import (
    ClockRepaired,
    ConfigActivated,
    DispositionDecided,
    GenealogyEdge,
    HoldExempted,
    HoldForwarded,
    HoldPlaced,
    HoldReleased,
    InspectionRecorded,
    InspectionRequested,
    LotCreated,
    LotMade,
    LotMerged,
    LotRow,
    LotShipped,
    LotSplit,
    LotStaged,
    LotState,
    PendingRow,
    PlantRow,
    QualityState,
    ShipmentBlock,
    Tick,
    UpstreamOrdered,
)
from schemas.topics import DELIVERY_INBOX, LOT_STATES, LOTS_INBOX, ORDERS_INBOX, SHIPMENT_BLOCKS
from streams import boundary, clock
from streams.boundary import AT_ONCE, Handling, Original
from streams.endpoints import newcomers, tell_all
from streams.lots import changes
from streams.lots.changes import Onward
from streams.lots.scopes import Scopes
from streams.repairs import repair
from streams.silence import ordered
from streams.step import Step, Topology, at_once, sender
from streams.waiting_records import Waiting
from tables import lots
from tables.clock_times import lowered
from tables.due_index import DueIndex
from tables.row_kinds import LOT_MARK_ROWS, LOT_ROWS
from tables.rows import nothing

MOST_FORGOTTEN_PER_TICK = 500
"""Rows that go at one tick: a few milliseconds of the loop."""
BEHIND_AT_MOST_US = 30 * DAY_US
"""How much earlier than its lot a mark may be."""


def row_key(plant: str, material: str, lot: str) -> str:
    return LOT_ROWS.key(plant, material, lot)


Change = Callable[[LotRow, Any], Onward]
"""What a record changes in the row of its lot."""


class LotRecord(NamedTuple):
    """Where a record that is being folded came from: for a dead letter of it."""

    offset: int
    original: bytes


class LotNews(NamedTuple):
    """What the orders of a lot are told of it."""

    quality: lots.Quality
    open_inspections: int
    staged: bool


_UNKNOWN = LotNews(lots.UNKNOWN, 0, False)


def _told(row: LotRow) -> LotNews:
    return LotNews(lots.quality(row), lots.open_inspections(row), bool(row.location))


class LotsStage:
    name = "lots"
    version = 1

    def __init__(self, topology: Topology, recorded: bool = False) -> None:
        self._topology, self._recorded, self._keep_us = topology, recorded, LOT_ROWS.keep_us
        self._waiting: dict[int, Waiting] = {}
        self._forget: dict[int, DueIndex] = {}
        self._scopes: dict[int, Scopes] = {}

    def remember(self, step: Step) -> Iterator[None]:
        waiting = self._waiting[step.partition] = Waiting(step.rows)
        forget = self._forget[step.partition] = DueIndex()
        yield from waiting.remember()
        scopes = self._scopes[step.partition] = Scopes()
        yield from scopes.remember(step)
        marked: set[str] = set()
        for page in step.rows.pages(LOT_MARK_ROWS.prefix, nothing):
            for mark, _ in page:
                at, _, lot = LOT_MARK_ROWS.bare(mark).partition("|")
                key = LOT_ROWS.key(lot)
                forget.put(lot.partition("|")[0], key, int(at))
                marked.add(key)
            yield
        for page in step.rows.pages(LOT_ROWS.prefix, lambda key: key not in marked):
            for key, row in page:
                if row is not None:
                    self._mark(step, key, row)
            yield

    def taken_over(self, step: Step) -> None:
        at_once(self.remember(step))

    def left(self, partition: int) -> None:
        self._waiting.pop(partition, None)
        self._forget.pop(partition, None)
        self._scopes.pop(partition, None)

    def fold(self, step: Step) -> None:
        self._greet(step)
        for message, record, handling in boundary.records(step, self.name, HANDLERS):
            unordered = handling.rank == AT_ONCE or (handling.rank <= _GROWS and not self._recorded)
            if unordered or record.label <= self._clock(step, record.plant):
                handling.handle(self, step, record, LotRecord(message.offset, message.value))
            else:
                row = PendingRow(record.label, message.value, message.offset, step.state.log_epoch)
                identity = handling.identity(record)
                self._waiting[step.partition].add(record.plant, record.label, handling.rank, identity, row)

    def _greet(self, step: Step) -> None:
        """An endpoint that is new in the installation hears what is on hold, before any tick: nothing goes out without it."""
        for name, partition in newcomers(step.state, self._topology.endpoints):
            for _, row in LOT_ROWS.scan(step.rows):
                now = _told(row).quality
                if now != _UNKNOWN.quality:
                    at, epoch = step.state.next_offset - 1, step.state.log_epoch
                    known = LotState(row.plant, row.material, row.lot, now.held, list(now.holds), row.touched_at, at, epoch)
                    step.emit(DELIVERY_INBOX, name, known, partition)

    def _clock(self, step: Step, plant: str) -> int:
        return clock.clock_of(step.state, plant, self._upstreams(step, plant))

    def _upstreams(self, step: Step, plant: str) -> Sequence[str]:
        return clock.upstreams_of(self._topology, self.name, step.state, plant)

    def _tick(self, step: Step, tick: Tick, source: LotRecord) -> None:
        advance = clock.observe(step.state, tick, clock.watch_of(self._topology, self.name, step.state, tick.plant))
        if advance is None:
            return
        clock.activate(step.state, tick.plant, advance.now, clock.intakes_of(self._topology))
        for _, rows in self._waiting[step.partition].due(tick.plant, advance.now):
            for row in rows:
                record = step.decode(row.record)
                step.waited = row
                HANDLERS[type(record)].handle(self, step, record, LotRecord(row.inbox_offset, row.record))
        step.waited = None
        for key, at in self._forget[step.partition].take(tick.plant, advance.now, MOST_FORGOTTEN_PER_TICK).items():
            step.rows.delete(_mark_key(key, at))
            self._forget_lot(step, key, advance.now)
        self._scopes[step.partition].forget(step, tick.plant, advance.now, MOST_FORGOTTEN_PER_TICK)
        signed = sender(self.name, LOTS_INBOX, step.partition)
        onward = Tick(tick.plant, advance.now, signed, tick.final and tick.at == advance.now)
        tell_all(step, self._topology.endpoints, onward)

    def _configured(self, step: Step, record: ConfigActivated, source: LotRecord) -> None:
        clock.schedule(step.state, record)

    def _ordered(self, step: Step, record: UpstreamOrdered, source: LotRecord) -> None:
        ordered(step.state, record)

    def _repair(self, step: Step, record: ClockRepaired, source: LotRecord) -> None:
        if repair(step.state, record):
            self._waiting[step.partition].lower(record.plant, record.at)
            self._scopes[step.partition].lower(step, record.plant, record.at)
            late = record.at + self._keep_us - BEHIND_AT_MOST_US
            for key in self._forget[step.partition].later_than(record.plant, late):
                row: LotRow = step.rows.get(key)
                if lowered(row, record.at):
                    step.rows.put(key, row)
                    self._mark(step, key, row)
            onward = replace(record, sender=sender(self.name, LOTS_INBOX, step.partition))
            tell_all(step, self._topology.endpoints, onward)

    def fold_into_lot(self, step: Step, record: Any, source: LotRecord, change: Change) -> None:
        """Fold one record into its lot and tell who must know."""
        plant, material, lot = _subject(record)
        key = row_key(plant, material, lot)
        known: LotRow | None = step.rows.get(key)
        before, orders = (_told(known), known.orders) if known else (_UNKNOWN, [])
        try:
            # On a copy: a refused record leaves no trace. (No function of tables.lots changes a list in place.)
            row = replace(known) if known else lots.born(plant, material, lot)
            out = change(row, record)
        except lots.LotFull as exc:
            self._full(step, record, source, exc)
            return
        # What lots itself sends along new edges carries no label: it counts as of the clock.
        label = getattr(record, "label", 0) or self._clock(step, plant)
        row.touched_at = max(row.touched_at, label)
        step.rows.put(key, row)
        self._mark(step, key, row)
        for onward in out:
            step.emit(LOTS_INBOX, "|".join(_subject(onward)), onward)
        self._publish(step, row, before, orders, label)

    def fold_into_scope(self, step: Step, record: HoldPlaced | HoldReleased | LotMade, source: LotRecord) -> None:
        """Fold a record about an equipment, an order, a run or a supplier's lot."""
        scopes, label = self._scopes[step.partition], record.label or self._clock(step, record.plant)
        try:
            if isinstance(record, LotMade):
                scopes.made(step, record, label)
            else:
                scopes.hold(step, record, label)
        except lots.LotFull as exc:
            self._full(step, record, source, exc)

    def _full(self, step: Step, record: Any, source: LotRecord, exc: lots.LotFull) -> None:
        original = Original(record, value=source.original, offset=source.offset)
        boundary.refuse(step, self.name, exc.code, str(exc), original)

    def _mark(self, step: Step, key: str, row: LotRow) -> None:
        """A lot that may be forgotten some day has a mark of that time or of an earlier one: it moves when it is far behind, not
        with each record. When its time has come, the row is asked."""
        forget, at = self._forget[step.partition], lots.forget_at(row, self._keep_us)
        known = forget.next_of(row.plant, key)
        if at is None or (known is not None and known <= at < known + BEHIND_AT_MOST_US):
            return
        if known is not None:
            step.rows.delete(_mark_key(key, known))
        forget.put(row.plant, key, at)
        step.rows.put(_mark_key(key, at), PlantRow(row.plant, at))

    def _forget_lot(self, step: Step, key: str, now: int) -> None:
        """The time of its mark has come."""
        row: LotRow = step.rows.get(key)
        at = lots.forget_at(row, self._keep_us)
        if at is None or at > now:
            self._mark(step, key, row)
            return
        step.rows.delete(key)
        for topic in (LOT_STATES, SHIPMENT_BLOCKS):
            step.retire(topic, LOT_ROWS.bare(key))

    def _publish(self, step: Step, row: LotRow, before: LotNews, known_orders: list[str], label: int) -> None:
        told = _told(row)
        now = told.quality
        key = f"{row.plant}|{row.material}|{row.lot}"
        held, holds = now.held, list(now.holds)
        news = held or told.open_inspections or told.staged
        orders = row.orders if told != before else [order for order in row.orders if order not in known_orders and news]
        for order in orders:
            state = QualityState(
                row.plant, row.material, row.lot, held, holds, label, step.offset, order, told.open_inspections, told.staged
            )
            step.emit(ORDERS_INBOX, f"{row.plant}|{order}", state)
        if now == before.quality:
            return
        lot_state = LotState(row.plant, row.material, row.lot, held, holds, label, step.offset, step.state.log_epoch)
        tell_all(step, self._topology.endpoints, lot_state)
        step.emit(LOT_STATES, key, lot_state)
        if self._blocks_shipments(step, row.plant):
            step.emit(SHIPMENT_BLOCKS, key, ShipmentBlock(row.plant, row.material, row.lot, held, holds, label))

    def _inspected(self, step: Step, record: InspectionRecorded, source: LotRecord) -> None:
        policy = self._policy(step, record.plant)
        severity = lots.BLOCK if policy is None else policy.failed_inspection
        self.fold_into_lot(step, record, source, partial(changes.inspected, severity=severity))

    def _blocks_shipments(self, step: Step, plant: str) -> bool:
        policy = self._policy(step, plant)
        return policy is None or policy.shipment == "block"

    def _policy(self, step: Step, plant: str) -> OnHold | None:
        """None: no configuration of the plant is known yet."""
        hash_ = step.state.configurations.get(plant)
        return None if hash_ is None else self._topology.configuration(hash_).rules.on_hold


def _mark_key(key: str, at: int) -> str:
    return LOT_MARK_ROWS.key(f"{at:020d}", LOT_ROWS.bare(key))


def _subject(record: Any) -> tuple[str, str, str]:
    """Plant, material and lot whose row a record changes; of a scope its name, and no material."""
    if isinstance(record, GenealogyEdge):
        return record.plant, record.parent_material, record.parent_lot
    if isinstance(record, LotMade):
        return record.plant, "", record.name
    return record.plant, record.material, record.lot


def _edge_named(edge: GenealogyEdge) -> str:
    parent, child = f"{edge.parent_material}|{edge.parent_lot}", f"{edge.child_material}|{edge.child_lot}"
    return f"{parent}|{child}|{edge.order}"


def _made_named(made: LotMade) -> str:
    version = f"{made.log_epoch:010d}|{made.inbox_offset:020d}"
    return "|".join((made.scope, made.name, made.material, made.lot, made.part, version))


_GROWS = "4"
"""Highest rank of the kinds of which any order of arrival gives the same lot."""
Handle = Callable[[LotsStage, Step, Any, LotRecord], None]


def _of_a_lot(change: Change) -> Handle:
    def handle(stage: LotsStage, step: Step, record: Any, source: LotRecord) -> None:
        stage.fold_into_lot(step, record, source, change)

    return handle


def _of_lot_or_scope(change: Change) -> Handle:
    def handle(stage: LotsStage, step: Step, record: Any, source: LotRecord) -> None:
        if record.scope:
            stage.fold_into_scope(step, record, source)
        else:
            stage.fold_into_lot(step, record, source, change)

    return handle


HANDLERS: Mapping[type, Handling[Handle]] = {
    Tick: Handling(AT_ONCE, LotsStage._tick),
    ConfigActivated: Handling(AT_ONCE, LotsStage._configured),
    ClockRepaired: Handling(AT_ONCE, LotsStage._repair),
    UpstreamOrdered: Handling(AT_ONCE, LotsStage._ordered),
    HoldForwarded: Handling(AT_ONCE, _of_a_lot(changes.forwarded)),
    LotCreated: Handling("1", _of_a_lot(changes.created)),
    LotSplit: Handling("2", _of_a_lot(changes.split)),
    LotMerged: Handling("2", _of_a_lot(changes.merged)),
    GenealogyEdge: Handling("2", _of_a_lot(changes.consumed), _edge_named),
    LotMade: Handling("2", LotsStage.fold_into_scope, _made_named),
    InspectionRequested: Handling("3", _of_a_lot(changes.requested)),
    InspectionRecorded: Handling("3", LotsStage._inspected),
    HoldPlaced: Handling("4", _of_lot_or_scope(changes.placed)),
    HoldReleased: Handling("4", _of_lot_or_scope(changes.released)),
    HoldExempted: Handling("4", _of_a_lot(changes.exempted)),
    DispositionDecided: Handling("4", _of_a_lot(changes.disposed)),
    LotStaged: Handling("5", _of_a_lot(changes.staged)),
    LotShipped: Handling("5", _of_a_lot(changes.shipped)),
}
"""What lots does with each record of its inbox. Ranks: order of kinds within one label."""
