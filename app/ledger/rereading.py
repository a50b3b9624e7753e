"""The raw records once more: mapped again with the same configuration, sorted by whom they concern, each with its label.

Nothing of what the stages made of them is used here. Process values are passed over.
"""

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.configuration import Configuration
from schemas.records import EntryVoided, LabourRecorded, MaterialChanged, ProcessValue
from streams import connections
from streams.equipment import calendar_of
from streams.intake import LIVE_STEP_US
from streams.mapping import Operators, RawRecord, Reading, Refused, compile_source
from streams.routes import DECLARATIONS, ORDER_EVENTS, of_equipment, wrong_clock


class Read(NamedTuple):
    """A reading as it came: `arrival` counts the raw records."""

    label: int
    arrival: int
    at: int
    seq: int
    value: int
    raw_source: str
    raw_offset: int


class Told(NamedTuple):
    """Any other canonical event as it came."""

    label: int
    arrival: int
    event: Any


@dataclass(slots=True)
class OfEquipment:
    """All that concerns one equipment, in the order of its arrival."""

    readings: dict[str, list[Read]] = field(default_factory=lambda: defaultdict(list))
    """By counter."""
    events: list[Told] = field(default_factory=list)


@dataclass(slots=True)
class Reread:
    """What the raw records say. Figures count as intake does; `refused`: (raw source, offset, code)."""

    equipment: dict[str, OfEquipment] = field(default_factory=lambda: defaultdict(OfEquipment))
    orders: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    """Events and declarations that name their order and no equipment."""
    materials: list[Told] = field(default_factory=list)
    people: list[Told] = field(default_factory=list)
    """Log-ins and what voids them, at whichever equipment: they decide about the times at all of them."""
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    refused: list[tuple[str, int, str]] = field(default_factory=list)
    complete: bool = True
    """Nothing that was ever there is missing. Otherwise what does not add up may only have expired."""

    def count(self, what: str) -> None:
        self.counts[what] += 1


def reread(
    records: Iterable[RawRecord],
    configuration: Configuration,
    private_key: bytes,
    *,
    live: bool = False,
    only: Container[str] | None = None,
) -> Reread:
    """Map `records` (in the order in which intake had them) again. `only`: equipment that matters; None: all.

    `live`: each partition of a raw topic has labels of its own, a second apart; recorded input has one line of them.
    """
    plant = configuration.plant
    step_us = LIVE_STEP_US if live else plant.clock.step_us
    calendar = calendar_of(plant)
    mappers = {name: compile_source(name, source, plant, private_key) for name, source in plant.sources.items()}
    future_us, horizon_us = plant.clock.future_us, plant.attribution.late_horizon_us
    found, labels, marks = Reread(), defaultdict[str, int](int), dict[str, int]()
    for arrival, raw in enumerate(records):
        # A label closes the interval that the record falls into, and never goes back within its partition.
        partition = raw.raw_source if live else ""
        if raw.received_at > labels[partition]:
            grid = -(-raw.received_at // step_us) * step_us
            labels[partition] = min(grid, calendar.next_cut(raw.received_at - 1))
        label = labels[partition]
        found.count("raw")
        mapper = mappers.get(raw.source)
        if isinstance(mapper, Operators):
            raw, mapper = mapper.unwrapped(raw)  # a replay is the original record
        items: Sequence[Any] = [Refused("UNKNOWN_SOURCE", raw.source)]
        if mapper is not None:
            items = connections.with_gaps(mapper.map(raw), raw, mapper.read, marks)
        if not items:
            found.count("ignored")
        for item in items:
            wrong = None if type(item) is Refused else wrong_clock(item, raw, future_us, horizon_us)
            _sort(found, item if wrong is None else wrong, label, arrival, raw, only)
    return found


def _sort(found: Reread, item: Any, label: int, arrival: int, raw: RawRecord, only: Container[str] | None) -> None:
    kind = type(item)
    if kind is Reading:
        found.count("readings")
        if only is None or item.equipment in only:
            read = Read(label, arrival, item.occurred_at, item.seq, item.value, raw.raw_source, raw.raw_offset)
            found.equipment[item.equipment].readings[item.counter].append(read)
    elif kind is Refused:
        found.count("refused")
        found.refused.append((raw.raw_source, raw.raw_offset, item.code))
    elif kind is ProcessValue:
        found.count("process_values")
    else:
        item.label = label
        if of_equipment(item):
            if isinstance(item, LabourRecorded | EntryVoided):
                found.people.append(Told(label, arrival, item))
            if only is None or item.equipment in only:
                found.equipment[item.equipment].events.append(Told(label, arrival, item))
        elif kind in ORDER_EVENTS or (kind in DECLARATIONS and item.order):
            found.orders[item.order].append(Told(label, arrival, item))
        elif kind is MaterialChanged:
            found.materials.append(Told(label, arrival, item))
        elif kind in DECLARATIONS:
            found.count("refused")
            found.refused.append((raw.raw_source, raw.raw_offset, "NO_EQUIPMENT"))
            return
        found.count("declarations" if kind in DECLARATIONS else "other")
