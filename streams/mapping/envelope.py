"""What every event of a source has: its id, its times, its equipment."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.configuration.mapping import Read, Source
from schemas.configuration.plant import PlantConfig
from streams.mapping.items import Problems, RawRecord, RefusedInMapping
from streams.mapping.paths import Getter, compile_path, scalar_text
from streams.mapping.scalars import FieldGetter, Scope, identifier
from streams.mapping.texts import TextGetter, compile_text, outcomes
from streams.mapping.times import TimeGetter, compile_time
from tables.quantity import scaled
from tables.refusal import Refusal

ARRIVAL_UNKNOWN = "`ambiguous: arrival` needs a `received_at` that the record states, not running_max"
ARRIVAL_GUESSED = (
    "`ambiguous: arrival` needs a `received_at` that is certain in the repeated hour itself; leave its `ambiguous` out, "
    "so that such records are refused, or give it in UTC"
)
EventId = Callable[[Any, RawRecord, int], str]


@dataclass(slots=True)
class LatestTime:
    """The running maximum of `occurred_at` of one source. Held by its Mapper; a caller that restarts sets it again."""

    latest: int = 0

    def seen(self, occurred_at: int) -> int:
        if occurred_at > self.latest:
            self.latest = occurred_at
        return self.latest


@dataclass(slots=True, frozen=True)
class Envelope:
    """The compiled common fields of a source."""

    event_id: EventId
    occurred_at: TimeGetter
    received_field: TimeGetter | None
    """None: running_max."""
    equipment: TextGetter
    """Canonical name, or None. Raises Refusal UNKNOWN_EQUIPMENT."""
    sequence: Getter
    correlation_id: FieldGetter

    def received_at(self, node: Any, raw: RawRecord, occurred_at: int, clock: LatestTime) -> int:
        """The field that the source states; with running_max the broker's or file's time, else the running maximum."""
        if self.received_field is None:
            return raw.received_at or clock.seen(occurred_at)
        stated = self.received_field(node, node, raw.received_at)
        if stated is None:
            raise RefusedInMapping("MISSING_FIELD", "the record has no `received_at`")
        return stated

    def number_of(self, node: Any) -> int:
        """The sequence number of an event, which only decides among events of one moment; -1: the record has none."""
        try:
            number: int = self.sequence(node, node)
        except RefusedInMapping:
            return -1
        return number


def compile_envelope(name: str, source: Source, scope: Scope, problems: Problems) -> Envelope:
    read, plant = source.read, scope.plant
    here = problems.at("read")
    zone = plant.plant.zone
    received = None
    occurred = compile_time(read.occurred_at, plant.tables, zone, here.at("occurred_at"))
    by_arrival = getattr(read.occurred_at, "ambiguous", "") == "arrival"
    if read.received_at != "running_max":
        received = compile_time(read.received_at, plant.tables, zone, here.at("received_at"))
        occurred = _decided_by(received, occurred) if by_arrival else occurred
        if by_arrival and is_guessed(read):
            here.at("received_at").add(ARRIVAL_GUESSED)
    elif by_arrival:
        here.at("occurred_at").add(ARRIVAL_UNKNOWN)
    correlation = read.correlation_id
    return Envelope(
        event_id=_event_id(name, read.event_id, here.at("event_id")),
        occurred_at=occurred,
        received_field=received,
        equipment=compile_equipment(read.equipment, plant, here.at("equipment")),
        sequence=_sequence(read.sequence, here.at("sequence")),
        correlation_id=_correlation(correlation, scope, here.at("correlation_id")),
    )


def is_guessed(read: Read) -> bool:
    """Is the stated arrival a wall time of which one pass of the repeated hour is taken as it comes?"""
    return getattr(read.received_at, "ambiguous", "reject") != "reject"


def _decided_by(received: TimeGetter, occurred: TimeGetter) -> TimeGetter:
    """`occurred`, with the stated received_at as the arrival that decides in the repeated hour."""
    return lambda node, root, arrived_at: occurred(node, root, received(node, root, arrived_at) or arrived_at)


def is_of_element(event_id: str) -> bool:
    """Does each record of a list state its own id? Then its place in the list is no part of the id."""
    return event_id not in ("content", "position") and not any(part.strip().startswith("$.") for part in event_id.split("||"))


def _event_id(source: str, rule: str, problems: Problems) -> EventId:
    """Ids of records and contents are scoped by the source: two machines may well send the same line."""
    if rule == "position":
        return lambda node, raw, pair: _paired(f"{raw.raw_source}:{raw.raw_offset}", pair)
    if rule == "content":

        def by_content(node: Any, raw: RawRecord, pair: int) -> str:
            return _paired(f"{source}:{hashlib.sha256(raw.value).hexdigest()[:32]}", pair)

        return by_content
    text = compile_text(rule, {}, problems)

    def by_field(node: Any, raw: RawRecord, pair: int) -> str:
        value = text(node, node)
        if not value:
            raise RefusedInMapping("MISSING_FIELD", "the record has no event id")
        return _paired(f"{source}:{identifier(value, 'event_id')}", pair // raw.parts)

    return by_field


def _paired(event_id: str, pair: int) -> str:
    return f"{event_id}.{pair}" if pair else event_id


def compile_equipment(expression: Any, plant: PlantConfig, problems: Problems) -> TextGetter:
    """A getter of the equipment's own name: aliases resolved, unknown names refused unless `"*"` is configured."""
    if expression == "":
        return lambda node, root: None
    names = {name: name for name in plant.equipment if name != "*"}
    names.update({alias: name for name, entry in plant.equipment.items() for alias in entry.alias})
    anything = "*" in plant.equipment
    for constant in outcomes(expression, plant.tables) or ():
        if constant not in names and not anything:
            problems.add(f"equipment `{constant}` is not configured; add it to `equipment`, as a name or an alias")
    text = compile_text(expression, plant.tables, problems)

    def get(node: Any, root: Any) -> str | None:
        value = text(node, root)
        if not value:
            return None
        known = names.get(value)
        if known is not None:
            return known
        if anything:
            return identifier(value, "equipment")
        raise RefusedInMapping("UNKNOWN_EQUIPMENT", f"equipment `{value[:64]}` is not configured")

    return get


def _sequence(path: str | None, problems: Problems) -> Getter:
    if path is None:
        return lambda node, root: -1
    getter = compile_path(path, problems)

    def get(node: Any, root: Any) -> int:
        value = getter(node, root)
        if type(value) is not int:
            number = scaled(scalar_text(value) or "", 0)
            value = None if isinstance(number, Refusal) else number
        if type(value) is not int or not 0 <= value < 2**63:
            raise RefusedInMapping("BAD_SEQUENCE", "the record has no sequence number from 0 to 2^63 - 1")
        return value

    return get


def _correlation(path: str | None, scope: Scope, problems: Problems) -> FieldGetter:
    if path is None:
        return lambda node, root, arrived_at: None
    text = compile_text(path, scope.plant.tables, problems)

    def get(node: Any, root: Any, arrived_at: int) -> str | None:
        value = text(node, root)
        return None if value is None else identifier(value, "correlation_id")

    return get
