"""The raw records of a live installation, read again: what an inbox has of them says which, in which order and by when.

Labels and ticks stand in the inboxes; what a record says is mapped anew from the raw topic, at the offset that the inbox names.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from app.kafka.broker import Broker
from app.kafka.configurations import Configurations
from app.kafka.partitioner import partition_of
from app.ledger.books.inputs import SourceExpired
from app.ledger.books.log_index import Intakes, LogIndex, LogSelection, Place, index_equipment, index_orders
from app.ledger.books.rereading import Remapping, Reread, reread_by_log
from app.ledger.books.snapshot import Snapshot
from app.ledger.books.sources import Around
from app.ledger.books.topic_log import TopicLog
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import IssuedPosting, RawRange
from schemas.topics import EQUIPMENT_INBOX, ORDERS_INBOX
from streams.intake.raw_headers import CONTROL_HEADER, stated_place
from streams.mapping import RawRecord
from streams.silence import Watch, watch
from tables.canonical import DECLARATIONS
from tables.row_kinds import MATERIAL_ROWS, ORDER_ROWS

MARGIN_US = 60_000_000
"""Clocks of hosts and broker differ, and a stage's clock is known when each upstream has ticked once."""
APART = 5_000
"""Offsets between two wanted records from which on what lies between is jumped over."""
_DECLARED = frozenset(kind.__name__ for kind in DECLARATIONS)
Counted = tuple[RawRecord, bool]
"""A record, and whether intake has counted it."""
Upstreams = Callable[[Configuration], Sequence[str]]


class TopicSources:
    """The raw topics of a plant, by offset (read_committed)."""

    def __init__(
        self, broker: Broker, codec: Codec, prefix: str, configuration: Configuration, private_key: bytes, upstreams: Upstreams
    ) -> None:
        """`configuration`: the one that holds now. `upstreams`: whom the equipment's clock waits for."""
        self._broker, self._codec, self._prefix, self._private_key = broker, codec, prefix, private_key
        self._now, self._upstreams = configuration, upstreams
        self._configurations = Configurations(broker, codec, prefix)
        self._remappings: dict[str, Remapping] = {}

    # -- which configuration

    def configuration(self, snapshot: Snapshot, posting: IssuedPosting) -> Configuration:
        if posting.configuration:
            return self._configurations.get(posting.configuration)
        if posting.rule_version == self._now.rule_version:
            return self._now
        plant = self._now.plant.plant.id
        found = [
            one for one in self._configurations.all() if (one.plant.plant.id, one.rule_version) == (plant, posting.rule_version)
        ]
        if len(found) != 1:
            raise SourceExpired(f"rules version {posting.rule_version} belongs to {len(found)} configurations of the plant")
        return found[0]

    def _by_hash(self, hash_: str) -> Configuration:
        return self._configurations.get(hash_) if hash_ and hash_ != self._now.hash else self._now

    def _remapping(self, hash_: str) -> Remapping:
        configuration = self._by_hash(hash_)
        if configuration.hash not in self._remappings:
            self._remappings[configuration.hash] = Remapping(configuration, self._private_key)
        return self._remappings[configuration.hash]

    @cached_property
    def _topics(self) -> dict[str, str]:
        """Raw topic -> source, of all configurations that the plant has had: a source that was removed has told of its time."""
        plant = self._now.plant.plant.id
        known = [*(one for one in self._configurations.all() if one.plant.plant.id == plant), self._now]
        sources = [named for one in known for named in one.plant.sources.items()]
        return {source.read.topic: name for name, source in sources if source.read.topic}

    # -- reading

    def check(self, ranges: list[RawRange]) -> None:
        with TopicLog(self._broker, self._prefix) as log:
            for entry in ranges:
                place = _topic_of(log, entry.raw_source)
                if place is None:
                    continue  # a file that was dropped: its records are looked for by name
                low, high = log.bounds(*place)
                if entry.first < low:
                    raise SourceExpired(f"{entry.raw_source} begins at {low}, the posting's first record was {entry.first}")
                if entry.last >= high:
                    raise SourceExpired(
                        f"{entry.raw_source} ends at {high}, the posting's last record was {entry.last}: it was recreated"
                    )

    def around(self, snapshot: Snapshot, wanted: Around) -> Iterator[Reread]:
        with TopicLog(self._broker, self._prefix) as log:
            readings_since = self._first_came(log, wanted)
            since = min(wanted.since, readings_since) - MARGIN_US
            for whole in (False, True):
                index, covered = self._index(log, snapshot, wanted, since, readings_since, whole)
                index.complete = covered
                missing: set[Place] = set(index.at)
                records = self._wanted_records(log, index, 0 if whole else since, missing)

                def mapped_by(hash_: str) -> Remapping:
                    return self._remapping(hash_ or wanted.posting.configuration)

                found = reread_by_log(records, index, mapped_by, self._by_hash)
                found.whole, found.counted = whole, False
                found.complete = covered and not self._expired(log, missing)
                found.order_rows = {row.order: row for row in snapshot.of(ORDER_ROWS) if row.order == wanted.order}
                found.material_rows = list(snapshot.of(MATERIAL_ROWS))
                yield found

    def everything(self, snapshot: Snapshot) -> Reread:
        plant = self._now.plant.plant.id
        with TopicLog(self._broker, self._prefix) as log:
            index, intakes = LogIndex(complete=not _recreated(snapshot)), Intakes(self._topic_of)
            wanted = LogSelection(plant, None, 2**62, 0)
            for topic in (EQUIPMENT_INBOX, ORDERS_INBOX):
                for partition in range(log.partitions(topic)):
                    low, high = log.bounds(topic, partition)
                    index.complete &= low == 0
                    messages = log.span(topic, partition, low, high)
                    if topic == EQUIPMENT_INBOX:
                        first = self._now.hash if low else ""
                        index_equipment(index, messages, self._codec, wanted, intakes, self._waits_for, first)
                    else:
                        index_orders(index, messages, self._codec, plant, None, 2**62, intakes, _DECLARED)
            ends = self._taken_in(snapshot)
            places = [(topic, partition) for topic in self._topics for partition in range(log.partitions(topic))]
            found = reread_by_log(self._all_records(log, places, ends, index), index, self._remapping, self._by_hash)
            found.complete = index.complete and not any(log.bounds(*place)[0] for place in places)
            found.counted = found.complete and not intakes.changed
            found.order_rows = {row.order: row for row in snapshot.of(ORDER_ROWS)} if not found.complete else {}
            found.material_rows = list(snapshot.of(MATERIAL_ROWS)) if not found.complete else ()
            return found

    def _first_came(self, log: TopicLog, wanted: Around) -> int:
        """When the first raw record that the posting names was appended; where it names files, what the rows say."""
        found = [wanted.since] if not wanted.posting.ranges else []
        for entry in wanted.posting.ranges:
            place = _topic_of(log, entry.raw_source)
            first = None if place is None else next(log.span(*place, entry.first, entry.first + 1), None)
            found.append(wanted.since if first is None else first.timestamp()[1] * 1000)
        return min(found)

    def _index(
        self, log: TopicLog, snapshot: Snapshot, wanted: Around, since: int, readings_since: int, whole: bool
    ) -> tuple[LogIndex, bool]:
        """What the inboxes have for the posting, and whether they keep all that they had since then."""
        found, intakes, covered = LogIndex(), Intakes(self._topic_of), True
        recreated = _recreated(snapshot)

        def messages(topic: str, partition: int) -> tuple[Iterable[Any], bool]:
            nonlocal covered
            low, high = log.bounds(topic, partition)
            start = log.at_time(topic, partition, since)
            covered &= start > low or (low == 0 and not recreated)
            start = low if whole else start
            return log.span(topic, partition, start, high), start > 0

        keys: dict[int, set[str]] = defaultdict(set)
        for name in wanted.equipment:
            keys[partition_of(f"{wanted.plant}|{name}".encode(), log.partitions(EQUIPMENT_INBOX))].add(name)
        for partition, names in sorted(keys.items()):
            bounds = LogSelection(wanted.plant, frozenset(names), wanted.posting.cut, 0 if whole else readings_since)
            records, inside = messages(EQUIPMENT_INBOX, partition)
            first = (wanted.posting.configuration or self._now.hash) if inside else ""
            index_equipment(found, records, self._codec, bounds, intakes, self._waits_for, first)
        partition = partition_of(f"{wanted.plant}|{wanted.order}".encode(), log.partitions(ORDERS_INBOX))
        records, _ = messages(ORDERS_INBOX, partition)
        index_orders(found, records, self._codec, wanted.plant, wanted.order, wanted.posting.cut, intakes, _DECLARED)
        return found, covered

    def _waits_for(self, hash_: str) -> Watch:
        configuration = self._by_hash(hash_)
        return watch(self._upstreams(configuration), configuration, tells=False)

    def _topic_of(self, source: str) -> str:
        known = self._now.plant.sources.get(source)
        if known is not None:
            return known.read.topic
        return next((topic for topic, name in self._topics.items() if name == source), "")

    def _wanted_records(self, log: TopicLog, index: LogIndex, since: int, missing: set[Place]) -> Iterator[Counted]:
        """The raw records at the places of the index; those that are found leave `missing`."""
        offsets: dict[tuple[str, int], list[int]] = defaultdict(list)
        files: dict[str, set[Place]] = defaultdict(set)
        sources = {place: entries[0].source for place, entries in index.at.items()}
        for place, source in sources.items():
            partition = _topic_of(log, place[0])
            if partition is not None:
                offsets[partition].append(place[1])
            else:
                files[source].add(place)
        for (topic, partition_), wanted in sorted(offsets.items()):
            for first, last in _runs(sorted(wanted)):
                for message in log.span(topic, partition_, max(first, log.bounds(topic, partition_)[0]), last + 1):
                    place = (f"{topic}/{partition_}", message.offset())
                    if place in missing:
                        missing.discard(place)
                        yield _raw(message, sources[place], place), False
        for source, places in sorted(files.items()):
            yield from self._of_files(log, source, places, since, missing)

    def _of_files(self, log: TopicLog, source: str, places: set[Place], since: int, missing: set[Place]) -> Iterator[Counted]:
        topic = self._topic_of(source)
        for partition in range(log.partitions(topic) if topic else 0):
            for message in log.span(topic, partition, log.at_time(topic, partition, since), log.bounds(topic, partition)[1]):
                stated = stated_place(message.headers() or ())
                place = (stated[0].decode(errors="replace"), stated[1]) if stated is not None else None
                if place in places and place in missing:
                    missing.discard(place)
                    yield _raw(message, source, place), False
                if not places & missing:
                    return

    def _all_records(
        self, log: TopicLog, places: Sequence[tuple[str, int]], ends: dict[tuple[str, int], int], index: LogIndex
    ) -> Iterator[Counted]:
        for topic, partition in places:
            low, high = log.bounds(topic, partition)
            for message in log.span(topic, partition, low, high):
                if CONTROL_HEADER in dict(message.headers() or ()):
                    continue  # no record of a source
                stated = stated_place(message.headers() or ())
                place = (f"{topic}/{partition}", message.offset())
                if stated is not None:
                    place = (stated[0].decode(errors="replace"), stated[1])
                told = index.at.get(place, ())  # the source may have had another name
                source = told[0].source if told else self._topics[topic]
                yield _raw(message, source, place), message.offset() < ends.get((topic, partition), 0)

    @staticmethod
    def _taken_in(snapshot: Snapshot) -> dict[tuple[str, int], int]:
        """How far each intake had read when the rows were read."""
        found = {}
        for key, row in snapshot.rows.get("intake", {}).items():
            _, name, partition = key.split("/", 2)
            found[name.removeprefix("intake."), int(partition)] = row.next_offset
        return found

    @staticmethod
    def _expired(log: TopicLog, missing: set[Place]) -> bool:
        """Is one of these gone with retention? (What is missing while its topic keeps it was never there.)"""
        for raw_source, offset in missing:
            place = _topic_of(log, raw_source)
            if place is None or offset < log.bounds(*place)[0]:
                return True
        return False


def _topic_of(log: TopicLog, raw_source: str) -> tuple[str, int] | None:
    """Topic and partition that a raw source names; None: it is a file."""
    topic, _, partition = raw_source.rpartition("/")
    return (topic, int(partition)) if topic and partition.isdigit() and int(partition) < log.partitions(topic) else None


def _raw(message: Any, source: str, place: Place) -> RawRecord:
    return RawRecord(message.value() or b"", source, place[0], place[1], message.timestamp()[1] * 1000)


def _runs(offsets: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of those that lie close to each other."""
    first = last = offsets[0]
    for offset in offsets[1:]:
        if offset > last + APART:
            yield first, last
            first = offset
        last = offset
    yield first, last


def _recreated(snapshot: Snapshot) -> bool:
    """Were topics recreated or cut on purpose? Then an inbox that begins at 0 is not the one that began."""
    return any(row.log_epoch > 1 for row in snapshot.positions("equipment"))
