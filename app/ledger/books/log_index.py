"""What the log says of raw records: which of them an inbox has, with which label, behind which records, before which tick.

Values are of no interest here: they are read from the raw records again (app/ledger/books/rereading.py).
"""

import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from schemas.codec import Codec, Malformed
from schemas.records import ClockRepaired, ConfigActivated, PartitionPosition, Tick, UpstreamOrdered
from streams.announcements import still_read
from streams.clock import activation, observe, schedule
from streams.mapping import UNAVAILABLE
from streams.repairs import repair
from streams.silence import Watch, behind, ordered
from streams.step import sender

_READING = struct.Struct("<4q")
NEVER = 2**62
"""Of a record that no tick has closed yet."""
Place = tuple[str, int]
"""Raw source and offset."""


@dataclass(slots=True)
class LogRecord:
    """One record of an inbox, or one reading of a frame, in the order of folding."""

    arrival: int
    label: int
    """As intake gave it, microseconds."""
    configuration: str
    """Hash of what intake mapped it with; empty: the log that was read does not say."""
    source: str
    record: str
    """Record name; readings: CounterReading."""
    event_id: str = ""
    equipment: str = ""
    counter: str = ""
    order: str = ""
    gap: bool = False
    """A reading without a value: of the source itself, or because a connection began there (streams/intake/connections.py)."""
    copy: bool | None = None
    """Of a log: does it only tell the partitions of other equipment where a person is? None: of a run, which has no copies."""
    behind: int | None = None
    """How far the plant's slowest intake was then, if it was behind the others (microseconds)."""
    in_force: str = ""
    """Hash of the configuration that held in the stage when this came there; empty: the log that was read does not say."""
    known_at: int = NEVER
    """The stage's clock when it first told what this record says: a posting knows it if its cut is not before (microseconds)."""


class Held(NamedTuple):
    """A configuration that held in a partition of equipment: for what occurred since `since`, told with the ticks behind `after`
    (microseconds). `arrival`: what came before was folded by its predecessor."""

    hash: str
    since: int = 0
    after: int = 0
    arrival: int = 0


READING = "CounterReading"


@dataclass(slots=True)
class LogIndex:
    """Entries by raw place, each place's in the order of folding."""

    at: dict[Place, list[LogRecord]] = field(default_factory=lambda: defaultdict(list))
    advances: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Equipment -> the moments that its stage's clock went to, ascending."""
    held: dict[str, list[Held]] = field(default_factory=dict)
    """Equipment -> the configurations that held there, in their order."""
    complete: bool = True
    """Each inbox was read from its very beginning."""

    def add(self, place: Place, entry: LogRecord) -> None:
        self.at[place].append(entry)

    def forget(self, place: Place, entry: LogRecord) -> None:
        entries = self.at[place]
        entries.remove(entry)
        if not entries:
            del self.at[place]


@dataclass(slots=True, frozen=True)
class LogSelection:
    """What of an equipment inbox matters. `equipment` None: all of the plant; then `until` and `readings_since` are no bounds."""

    plant: str
    equipment: frozenset[str] | None
    until: int
    """Stop where the stage's clock has gone beyond (microseconds)."""
    readings_since: int
    """Of the readings labelled before, only the last one of each counter matters: it is what the next one is counted from."""


class Intakes:
    """Which configuration each intake maps with: it says so in every inbox before the records that it has mapped so."""

    def __init__(self, topic_of: Callable[[str], str]) -> None:
        """`topic_of`: the raw topic of a source."""
        self._topic_of = topic_of
        self._hashes: dict[str, str] = {}
        self.changed = False
        """One of them went from one configuration to another."""

    def take(self, record: ConfigActivated) -> None:
        self.changed |= self._hashes.get(record.sender, record.hash) != record.hash
        self._hashes[record.sender] = record.hash

    def hash_of(self, source: str, raw_source: str) -> str:
        """Records of dropped files name the file and not the partition: all partitions of a topic are mapped alike."""
        topic, _, partition = raw_source.rpartition("/")
        if partition.isdigit():
            known = self._hashes.get(sender("intake", topic, int(partition)))
            if known is not None:
                return known
        topic = self._topic_of(source)
        return next((hash_ for name, hash_ in sorted(self._hashes.items()) if name.split("/")[1:2] == [topic]), "")


def index_equipment(
    found: LogIndex,
    messages: Iterable[Any],
    codec: Codec,
    wanted: LogSelection,
    intakes: Intakes,
    watch: Callable[[str], Watch],
    first: str,
) -> None:
    """Add one partition of equipment.inbox to `found`. The clock is the fold's own rule over the ticks that stand there.

    `watch`: whom the clock waits for under a configuration (hash); `first`: the one to begin with where the partition is
    not read from its beginning.
    """

    def read_under(hash_: str) -> Sequence[str]:
        return watch(hash_).upstreams

    state, held = PartitionPosition(0, 1, 1, ""), list[Held]()
    if first:
        state.configurations[wanted.plant] = first
        held.append(Held(first))
    waiting: list[LogRecord] = []
    seen: set[str] = set()
    last: dict[tuple[str, str], tuple[Place, LogRecord]] = {}
    advances: list[int] = []
    arrival, slowest = 0, None
    for message in messages:
        try:
            name, values = codec.fields(message.value())
        except Malformed:
            continue
        if values.get("plant") != wanted.plant:
            continue
        if name == "Tick":
            hash_ = state.configurations.get(wanted.plant)
            tick, watched = Tick.from_avro(values), Watch(()) if hash_ is None else watch(hash_)
            if hash_ is not None:
                watched = watched._replace(upstreams=still_read(state, wanted.plant, watched.upstreams, read_under))
            advance = observe(state, tick, watched)
            slowest = behind(state, wanted.plant, watched)
            if advance is None:
                continue
            if advance.now > wanted.until:
                break
            for entry in waiting:
                entry.known_at = advance.now
            waiting.clear()
            advances.append(advance.now)
            activated = activation(state, wanted.plant, advance.now, read_under)
            if activated is not None:
                held.append(Held(activated.hash, activated.since, advance.now, arrival))
        elif name == "ClockRepaired":
            repair(state, ClockRepaired.from_avro(values))
        elif name == "UpstreamOrdered":
            ordered(state, UpstreamOrdered.from_avro(values))
        elif name == "ConfigActivated":
            record = ConfigActivated.from_avro(values)
            schedule(state, record)
            intakes.take(record)
            held = held or [Held(record.hash)]
        elif "label" in values and (
            values.get("copy") or wanted.equipment is None or values.get("equipment") in wanted.equipment
        ):
            if not values.get("copy"):
                seen.add(values["equipment"])
            for place, entry in _entries(name, values, intakes, arrival):
                if entry.copy and any(known.copy for known in found.at.get(place, ())):
                    continue  # another partition has told it
                arrival += 1
                entry.behind, entry.in_force = slowest, state.configurations.get(wanted.plant, "")
                found.add(place, entry)
                waiting.append(entry)
                if entry.record == READING and entry.label < wanted.readings_since:
                    counter = (entry.equipment, entry.counter)
                    if counter in last:
                        found.forget(*last[counter])
                    last[counter] = (place, entry)
    for equipment in seen:
        found.advances[equipment], found.held[equipment] = advances, held


def _entries(name: str, values: dict[str, Any], intakes: Intakes, arrival: int) -> Iterable[tuple[Place, LogRecord]]:
    raw_source = values["raw_source"]
    hash_ = intakes.hash_of(values["source"], raw_source)
    label, equipment = values["label"], values["equipment"]
    if name != "CounterFrame":
        entry = LogRecord(arrival, label, hash_, values["source"], name, values["event_id"], equipment)
        entry.copy = bool(values.get("copy"))
        return [((raw_source, values["raw_offset"]), entry)]
    counter = values["counter"]
    return [
        (
            (raw_source, offset),
            LogRecord(
                arrival + index,
                label,
                hash_,
                values["source"],
                READING,
                "",
                equipment,
                counter,
                gap=value == UNAVAILABLE,
                copy=False,
            ),
        )
        for index, (_, _, value, offset) in enumerate(_READING.iter_unpack(values["readings"]))
    ]


ORDER_RECORDS = frozenset({"OrderReleased", "OrderChanged", "OperatorDecision", "MaterialChanged"})
"""Of what comes to orders from intake, with declarations, what an account's sum depends on."""


def index_orders(
    found: LogIndex,
    messages: Iterable[Any],
    codec: Codec,
    plant: str,
    order: str | None,
    until: int,
    intakes: Intakes,
    declarations: frozenset[str],
) -> None:
    """Add one partition of orders.inbox: orders folds each record when its clock reaches its label. `order` None: all."""
    for arrival, message in enumerate(messages):
        name = codec.name_of(message.value())
        if name == "ConfigActivated":
            record = codec.decode(message.value())
            if record.plant == plant:
                intakes.take(record)
            continue
        if name not in ORDER_RECORDS and name not in declarations:
            continue
        try:
            name, values = codec.fields(message.value())
        except Malformed:
            continue
        if values["plant"] != plant or values["label"] > until:
            continue
        if name == "MaterialChanged" or order is None or values["order"] == order:
            hash_ = intakes.hash_of(values["source"], values["raw_source"])
            entry = LogRecord(
                arrival, values["label"], hash_, values["source"], name, values["event_id"], order=values.get("order", "")
            )
            entry.known_at = entry.label
            found.add((values["raw_source"], values["raw_offset"]), entry)
