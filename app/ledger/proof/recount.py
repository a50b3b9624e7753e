"""One equipment counted again, the slow way: all its records sorted, walked once, each piece given to its owner by definition.

Runs, loads and states are what their events say (tables.equipment.runs); whose moment it is says tables.equipment.attribution.
What the stage's own arithmetic is made of (frames, vectors, buckets, totals that change by differences) has no part in it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from app.ledger.books.rereading import HeldHere, OfEquipment, RereadEvent, RereadReading
from schemas.configuration import Counter, PlantConfig
from schemas.records import (
    CounterState,
    DeclarationRow,
    EquipmentRow,
    EquipmentStateChanged,
    LabourRecorded,
    LotLoaded,
    LotUnloaded,
    OperatorDecision,
    PointState,
    RawRange,
    RunCorrected,
    RunVoided,
)
from tables.canonical import DECLARATIONS
from tables.equipment import activities, count_decisions, declarations, definitions, own_clock, presence
from tables.equipment.attribution import Ownership, count_destinations, unattributed, undecided
from tables.equipment.counter import UNAVAILABLE, Delta, Fall, Point, Walk, upwards
from tables.equipment.definitions import Definition
from tables.equipment.destination import Destination
from tables.equipment.people import Elsewhere, People
from tables.equipment.presence import labour_problem
from tables.equipment.run_events import RUN_EVENTS
from tables.lineage import add_range
from tables.plant.calendar import Calendar
from tables.rows import MemoryRows

ANY_AGE = (LotLoaded, LotUnloaded, OperatorDecision, RunCorrected, RunVoided)
"""Master data of the floor: taken at any age."""


@dataclass(slots=True)
class RecountedPart:
    """What one destination got. `steps`: how many counts at which factor (declarations and times: factor 1)."""

    amount: int = 0
    steps: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    records: int = 0
    first_at: int = 2**62
    last_at: int = 0
    ranges: list[RawRange] = field(default_factory=list)

    def add(self, count: int, factor: int, at: int, raw_source: str, raw_offset: int) -> None:
        self.amount += count * factor
        self.steps[factor] += count
        self.records += 1
        self.first_at, self.last_at = min(self.first_at, at), max(self.last_at, at)
        add_range(self.ranges, raw_source, raw_offset, raw_offset, 1)


@dataclass(slots=True)
class Recounted:
    """All that one equipment gave, by destination, and how its records came."""

    parts: dict[Destination, RecountedPart] = field(default_factory=lambda: defaultdict(RecountedPart))
    tally: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """duplicates, late, too_late (records of runs and declarations)."""
    falls: list[Fall] = field(default_factory=list)
    row: EquipmentRow = field(default_factory=lambda: EquipmentRow("", "", 1))
    """Runs, loads and states as the records tell them; no totals."""


class OfCounter(NamedTuple):
    """What a counter was, and from when on; its readings in the order of their arrival."""

    definitions: Sequence[Definition]
    readings: Sequence[RereadReading]


def recount(
    name: str, records: OfEquipment, people: Sequence[RereadEvent], plant: PlantConfig, calendar: Calendar, cut: int
) -> Recounted:
    """Count the records that were known at `cut` (microseconds). Amounts are in the steps of their destination's scale.
    `people`: log-ins at all equipment of the plant."""
    found = Recounted()
    found.row = row = EquipmentRow(plant.plant.id, name, 1)
    horizon = _Horizon(plant, name, records)
    declared: dict[str, DeclarationRow] = {}
    measured_at = 0
    for told in records.events:
        if told.known_at <= cut:
            before = row.revision, len(row.states), len(row.labour)
            _tell(found, told, horizon, declared)
            if (row.revision, len(row.states), len(row.labour)) != before:
                measured_at = max(measured_at, told.known_at)
    known = People(MemoryRows(), plant.plant.id)
    for told in people:
        if told.known_at <= cut and name in known.hear(told.event, own_clock.reach_us(plant)) and row.labour:
            measured_at = max(measured_at, told.known_at)
    readings = {
        counter: [read for read in reads if read.known_at <= cut and not horizon.passed(read.arrival, read.at)]
        for counter, reads in records.readings.items()
    }
    # Times are measured when something about them is told, and at each shift's end: live, at the first tick behind it.
    shift_end = calendar.shift_at(cut).start
    shift_end = next((at for at in records.advances if shift_end <= at <= cut), shift_end)
    elsewhere = known.elsewhere(name)
    held = [one for one in records.held if one.after < cut or one is records.held[0]] or [HeldHere(plant, 0, 0, 0)]
    counters = {counter: OfCounter(_history(name, counter, reads, held), reads) for counter, reads in readings.items()}
    count_all(found, plant, calendar, counters, declared.values(), max(measured_at, shift_end), elsewhere)
    return found


def count_all(
    found: Recounted,
    plant: PlantConfig,
    calendar: Calendar,
    counters: Mapping[str, OfCounter],
    declared: Iterable[DeclarationRow],
    measured_at: int,
    elsewhere: Elsewhere,
) -> None:
    """Give every piece, declaration and interval to its owner, by the runs, loads and states of `found.row`."""
    row = found.row
    ownership = Ownership(row, calendar, plant.attribution)
    for name, counter in sorted(counters.items()):
        if counter.definitions:
            state = row.counters.get(name)
            _count(found, name, counter, ownership, count_decisions.verdicts(state) if state is not None else {})
    for one in declared:
        for share in declarations.shares_of(one, row, ownership, calendar):
            part = found.parts[Destination.parse(share.destination)]
            part.add(share.amount, 1, one.occurred_at, one.raw_source, one.raw_offset)
    _measure(found, ownership, measured_at, elsewhere)


class _Horizon:
    """Which records came too late: older than the horizon, by the equipment's own clock when they came (own_clock.py)."""

    def __init__(self, plant: PlantConfig, name: str, records: OfEquipment) -> None:
        self._horizon_us, self._clock = plant.attribution.late_horizon_us, dict[int, int]()
        expected, row = plant.expected, EquipmentRow(plant.plant.id, name, 1)
        came: list[RereadReading | RereadEvent] = [read for readings in records.readings.values() for read in readings]
        for one in sorted([*came, *records.events], key=lambda one: one.arrival):
            event = one.event if isinstance(one, RereadEvent) else None
            if expected and not (isinstance(one, RereadReading) and one.value == UNAVAILABLE):
                source, at = (one.source, one.at) if isinstance(one, RereadReading) else (one.event.source, one.event.occurred_at)
                own_clock.listen(row, plant, one.label, source, at)
            own_clock.seen(row, one.label, own_clock.NOBODY_BEHIND if one.behind is None else one.behind)
            self._clock[one.arrival] = own_clock.late_clock(row)
            if expected and type(event) in RUN_EVENTS:  # whether a run was open decides what counts as silence
                RUN_EVENTS[type(event)](row, event)

    def passed(self, arrival: int, at: int) -> bool:
        return at < self._clock[arrival] - self._horizon_us


def _tell(found: Recounted, told: RereadEvent, horizon: _Horizon, declared: dict[str, DeclarationRow]) -> None:
    event, row = told.event, found.row
    if getattr(event, "event_id", "") in declared and type(event) in DECLARATIONS:
        found.tally["duplicates"] += 1
    elif horizon.passed(told.arrival, event.occurred_at) and not isinstance(event, ANY_AGE):
        found.tally["too_late"] += 1
    elif isinstance(event, EquipmentStateChanged):
        found.tally["duplicates"] += not presence.state_changed(row, event)
    elif type(event) in RUN_EVENTS:
        revision = row.revision
        RUN_EVENTS[type(event)](row, event)
        found.tally["duplicates"] += row.revision == revision
    elif type(event) in DECLARATIONS:
        declared[event.event_id] = declarations.kept(event)
    elif isinstance(event, OperatorDecision):
        row.counters.setdefault(event.counter, CounterState(PointState(), PointState()))
        count_decisions.decided(row, event)
    else:
        assert isinstance(event, LabourRecorded), f"{type(event).__name__} concerns no equipment"
        if labour_problem(event) is None:
            found.tally["duplicates"] += not presence.labour(row, event)


def _history(equipment: str, name: str, reads: Sequence[RereadReading], held: Sequence[HeldHere]) -> list[Definition]:
    """What the counter was, and from when on. What held before its first reading came says nothing about it."""
    first = min((read.arrival for read in reads), default=0)
    found: list[Definition] = []
    removed: int | None = None
    for index, one in enumerate(held):
        if index + 1 < len(held) and held[index + 1].arrival <= first:
            continue
        defined = definitions.defined(one.plant, equipment, name, one.since)
        if defined is None:
            removed = one.since if removed is None else removed
        elif not found:
            found.append(defined._replace(since=0))
        elif not definitions.same(found[-1], defined):
            since = one.since if removed is None else removed
            found.append(defined._replace(since=max(since, found[-1].since)))
        removed = removed if defined is None else None
    return found


def _count(
    found: Recounted,
    name: str,
    counter: OfCounter,
    ownership: Ownership,
    decided: Mapping[int, str],
) -> None:
    history, readings = counter
    taken: list[RereadReading] = []
    known: set[tuple[int | str, ...]] = set()
    newest = 0
    for read in readings:
        identity = _identity(read, history[definitions.index_at(history, read.at)].counter)
        if identity in known:
            found.tally["duplicates"] += 1
            continue
        known.add(identity)
        taken.append(read)
        found.tally["late"] += read.at < newest
        newest = max(newest, read.at)
    taken.sort(key=lambda read: (read.at, read.seq, read.raw_offset))
    state, start = PointState(), 0
    for number, definition in enumerate(history):
        stop = start
        while stop < len(taken) and definitions.index_at(history, taken[stop].at) == number:
            stop += 1
        if stop == start:
            continue
        state = definitions.carried(state, history, taken[start].at)
        walk = Walk(state, definition.counter, decided)
        for index in range(start, stop):
            read = taken[index]
            walk.take(Point(read.at, read.seq, upwards(read.value, definition.counter), index))
        found.falls += walk.falls
        for delta in walk.deltas:
            _give(found, name, definition, delta, taken[delta.raw], ownership)
        start = stop


def _identity(read: RereadReading, counter: Counter) -> tuple[int | str, ...]:
    """What makes a second reading a repetition (docs/adr/0012): its sequence number, else time and value; two increments of one
    moment are two records."""
    if read.seq >= 0:
        return (read.seq,)
    if counter.shows == "increment":
        return read.at, read.value, read.raw_source, read.raw_offset
    return read.at, read.value


def _give(
    found: Recounted, name: str, definition: Definition, delta: Delta, told_by: RereadReading, ownership: Ownership
) -> None:
    counter = definition.counter
    if delta.undecided is not None:
        destination = undecided(ownership.at(delta.undecided).business_date, name, counter, delta.undecided)
        found.parts[destination].add(delta.pieces, 1, delta.at, told_by.raw_source, told_by.raw_offset)
        return
    span = ownership.at(delta.at)
    destinations = count_destinations(span, name, counter, definition.basis)
    if delta.gap_from is not None and span.run is not None and counter.counts != "indicator":
        before = ownership.at(delta.gap_from).run
        if before is None or before.run != span.run.run:  # pieces counted across a disconnect: only a run that covers it
            destinations = [(unattributed(span.business_date, name, counter), 1)]
    for destination, factor in destinations:
        found.parts[destination].add(delta.pieces, factor, delta.at, told_by.raw_source, told_by.raw_offset)


def _measure(found: Recounted, ownership: Ownership, until: int, elsewhere: Elsewhere) -> None:
    for key, measured in activities.measure(found.row, ownership, until, elsewhere).items():
        part = found.parts[Destination.parse(key)]
        part.amount = measured.amount
        part.steps[1] = part.amount
        part.records, part.first_at, part.last_at = len(measured.told_by), measured.first, measured.last
        for raw_source, raw_offset in sorted(measured.told_by):
            add_range(part.ranges, raw_source, raw_offset, raw_offset, 1)
