"""The raw records once more: mapped again with the same configuration, sorted by whom they concern, each with its label.

Nothing of what the stages made of them is used here. Process values are passed over.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.ledger.books.log_index import READING, LogIndex, LogRecord
from schemas.configuration import Configuration, PlantConfig
from schemas.records import EntryVoided, LabourRecorded, MaterialChanged, MaterialRow, OrderRow, ProcessValue
from streams.intake import connections
from streams.intake.routes import ORDER_EVENTS, of_equipment, wrong_clock
from streams.mapping import UNAVAILABLE, Mapper, Operators, RawRecord, Reading, RefusedRecord, compile_source
from tables.canonical import DECLARATIONS
from tables.plant.calendar import calendar_of
from tables.plant.system_of_record import violation


class RereadReading(NamedTuple):
    """A reading as it came: `arrival` counts the raw records. `known_at`: the first cut that knows it (microseconds)."""

    label: int
    known_at: int
    arrival: int
    at: int
    seq: int
    value: int
    raw_source: str
    raw_offset: int
    source: str = ""
    behind: int | None = None
    """How far the plant's slowest intake was then, if it was behind the others (microseconds)."""


class RereadEvent(NamedTuple):
    """Any other canonical event as it came."""

    label: int
    known_at: int
    arrival: int
    event: Any
    behind: int | None = None


class HeldHere(NamedTuple):
    """A configuration of the plant as it held at an equipment; see log_index.Held."""

    plant: PlantConfig
    since: int
    after: int
    arrival: int


@dataclass(slots=True)
class OfEquipment:
    """All that concerns one equipment, in the order of its arrival."""

    readings: dict[str, list[RereadReading]] = field(default_factory=lambda: defaultdict(list))
    """By counter."""
    events: list[RereadEvent] = field(default_factory=list)
    advances: Sequence[int] = ()
    """The moments that the stage's clock went to, where the log tells them; a run's clock goes to every cut."""
    held: Sequence[HeldHere] = ()
    """The configurations that held, where the log tells them; a run has one."""


@dataclass(slots=True)
class Reread:
    """What the raw records say. Figures count as intake does; `refused`: (raw source, offset, code)."""

    equipment: dict[str, OfEquipment] = field(default_factory=lambda: defaultdict(OfEquipment))
    orders: dict[str, list[RereadEvent]] = field(default_factory=lambda: defaultdict(list))
    """Events and declarations that name their order and no equipment."""
    materials: list[RereadEvent] = field(default_factory=list)
    people: list[RereadEvent] = field(default_factory=list)
    """Log-ins and what voids them, at any equipment: they decide about the times at all of them."""
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    refused: list[tuple[str, int, str]] = field(default_factory=list)
    complete: bool = True
    """Nothing that was ever there is missing. Otherwise what does not add up may only have expired."""
    whole: bool = True
    """All that is there was read; otherwise the records around a posting."""
    counted: bool = True
    """`counts` and `refused` can be held against what intake counted."""
    order_rows: Mapping[str, OrderRow] = field(default_factory=dict)
    material_rows: Sequence[MaterialRow] = ()
    """Master data as the ledger has it, for what the records that were read do not tell."""

    def count(self, what: str) -> None:
        self.counts[what] += 1


def reread(
    records: Iterable[RawRecord],
    configuration: Configuration,
    private_key: bytes,
    *,
    only: Container[str] | None = None,
) -> Reread:
    """Map the records of a run (in the order in which intake had them) again. `only`: equipment that matters; None: all."""
    plant = configuration.plant
    step_us, calendar = plant.clock.step_us, calendar_of(plant)
    again = Remapping(configuration, private_key)
    found, label = Reread(), 0
    for arrival, raw in enumerate(records):
        if raw.received_at > label:  # a label closes the interval that the record falls into, and never goes back
            label = min(-(-raw.received_at // step_us) * step_us, calendar.next_cut(raw.received_at - 1))
        raw, items = again.items(raw)
        for item in _counted(found, raw, items):
            _sort(found, item, LogRecord(arrival, label, "", raw.source, "", known_at=label), raw, only)
    return found


def reread_by_log(
    records: Iterable[tuple[RawRecord, bool]],
    index: LogIndex,
    mapped_by: Callable[[str], "Remapping"],
    by_hash: Callable[[str], Configuration],
) -> Reread:
    """Map records of a live installation again; what became of them, when and in which order, is what the log says.

    `records`: each with whether intake has counted it. `mapped_by`: a configuration's hash, empty: the log does not say which.
    `by_hash`: the configuration itself.
    """
    found = Reread(complete=index.complete)
    told: list[tuple[LogRecord, Any, RawRecord]] = []
    for raw, counts in records:
        entries = index.at.get((raw.raw_source, raw.raw_offset), ())
        hashes = {entry.configuration for entry in entries} or {""}
        mapped = {hash_: mapped_by(hash_).items(raw) for hash_ in hashes}
        if counts:
            for _ in _counted(found, *next(iter(mapped.values()))):
                pass
        for entry, item in _told(entries, mapped):
            told.append((entry, item, mapped[entry.configuration][0]))
    told.sort(key=lambda each: each[0].arrival)
    for entry, item, raw in told:
        hash_ = entry.in_force if entry.record == READING else ""
        if hash_ and by_hash(hash_).plant.counter_for(entry.equipment, entry.counter) is None:
            continue  # refused: nobody knew the counter then
        _sort(found, item, entry, raw, None)
    for equipment, advances in index.advances.items():
        found.equipment[equipment].advances = advances
        found.equipment[equipment].held = [HeldHere(by_hash(hash_).plant, *when) for hash_, *when in index.held[equipment]]
    return found


def _told(entries: Sequence[LogRecord], mapped: Mapping[str, tuple[RawRecord, Sequence[Any]]]) -> Iterable[tuple[LogRecord, Any]]:
    """Each entry with what its raw record says for it. An entry of which the record says nothing is left out: then the sum
    differs."""
    seen: dict[tuple[str, str, str], int] = defaultdict(int)
    for entry in entries:
        items = mapped[entry.configuration][1]
        if entry.record == READING:
            key = (entry.configuration, entry.equipment, entry.counter)
            readings = [item for item in items if type(item) is Reading and (item.equipment, item.counter) == key[1:]]
            if entry.gap and readings and not any(reading.value == UNAVAILABLE for reading in readings):
                # A connection began: the records before it, which say so, are not among those that were read.
                following = readings[seen[key] % len(readings)]
                yield entry, following._replace(occurred_at=following.occurred_at - 1, seq=-1, value=UNAVAILABLE)
            elif readings:  # a replay repeats them all
                yield entry, readings[seen[key] % len(readings)]
                seen[key] += 1
        else:
            yield from (
                (entry, item)
                for item in items
                if type(item).__name__ == entry.record and getattr(item, "event_id", "") == entry.event_id
            )


class Remapping:
    """The mappings of one configuration."""

    def __init__(self, configuration: Configuration, private_key: bytes) -> None:
        plant = configuration.plant
        self._marks = dict[str, int]()
        """What connections the records so far came by."""
        self._mappers: dict[str, Mapper] = {
            name: compile_source(name, source, plant, private_key) for name, source in plant.sources.items()
        }
        self._systems = {name: source.system for name, source in plant.sources.items() if source.system is not None}
        self._future_us, self._horizon_us = plant.clock.future_us, plant.attribution.late_horizon_us

    def items(self, raw: RawRecord) -> tuple[RawRecord, Sequence[Any]]:
        """What intake makes of a record, and the record that it is: a replay is the original one."""
        mapper = self._mappers.get(raw.source)
        if isinstance(mapper, Operators):
            raw, mapper = mapper.unwrapped(raw)
        items: Sequence[Any] = [RefusedRecord("UNKNOWN_SOURCE", raw.source)]
        if mapper is not None:
            items = connections.with_gaps(mapper.map(raw), raw, mapper.read, self._marks)
        return raw, [self._taken(item, raw) for item in items]

    def _taken(self, item: Any, raw: RawRecord) -> Any:
        if type(item) is RefusedRecord:
            return item
        wrong = wrong_clock(item, raw, self._future_us, self._horizon_us)
        if wrong is not None:
            return wrong
        system = self._systems.get(raw.source) if type(item) is not Reading else None
        foreign = violation(system, item) if system is not None else None
        return item if foreign is None else RefusedRecord(foreign.code, foreign.detail)


def _counted(found: Reread, raw: RawRecord, items: Sequence[Any]) -> Iterable[Any]:
    """The items that are events or readings; all of them counted as intake counts them."""
    found.count("raw")
    if not items:
        found.count("ignored")
    for item in items:
        kind = type(item)
        if kind is Reading:
            found.count("readings")
        elif kind is RefusedRecord:
            found.count("refused")
            found.refused.append((raw.raw_source, raw.raw_offset, item.code))
            continue
        elif kind is ProcessValue:
            found.count("process_values")
            continue
        elif kind in DECLARATIONS and not (item.equipment or item.order):
            found.count("refused")
            found.refused.append((raw.raw_source, raw.raw_offset, "NO_EQUIPMENT"))
            continue
        else:
            found.count("declarations" if kind in DECLARATIONS else "other")
        yield item


def _sort(found: Reread, item: Any, entry: LogRecord, raw: RawRecord, only: Container[str] | None) -> None:
    kind = type(item)
    if kind is Reading:
        if only is None or item.equipment in only:
            read = RereadReading(
                entry.label,
                entry.known_at,
                entry.arrival,
                item.occurred_at,
                item.seq,
                item.value,
                raw.raw_source,
                raw.raw_offset,
                raw.source,
                entry.behind,
            )
            found.equipment[item.equipment].readings[item.counter].append(read)
        return
    item.label = entry.label
    told = RereadEvent(entry.label, entry.known_at, entry.arrival, item, entry.behind)
    if of_equipment(item):
        if isinstance(item, LabourRecorded | EntryVoided) and entry.copy is not False:
            found.people.append(told)
        if entry.copy:
            return
        if only is None or item.equipment in only:
            found.equipment[item.equipment].events.append(told)
    elif kind in ORDER_EVENTS or kind in DECLARATIONS:
        found.orders[item.order].append(told)
    elif kind is MaterialChanged:
        found.materials.append(told)
