"""Topics into tables: the books of an installation, kept up to date by one process.

One turn: read a batch, turn records into entries, write entries and positions in one transaction. What a crash cuts off comes
again, and changes nothing.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from sqlalchemy import Engine

from app.books import migrating, writing
from app.books.writing import Place, ReadUpTo
from app.kafka.broker import Broker
from app.kafka.metadata import partitions_of
from schemas.codec import Codec
from schemas.topics import (
    CONFIG,
    EXCEPTIONS,
    LEDGER_ACCOUNTS,
    LEDGER_CUT_OFF,
    LEDGER_POSTINGS,
    PLANT_UPSTREAMS,
    PRODUCTION_KPIS,
    changelog_of,
)
from tables.books.entry import BookEntry
from tables.books.log import clock_entries
from tables.books.records import entries_of
from tables.row_kinds import EQUIPMENT_ROWS, LOT_ROWS, MATERIAL_ROWS, ORDER_ROWS, POSITION_ROWS, RowKind

TELLING = (LEDGER_POSTINGS, LEDGER_ACCOUNTS, LEDGER_CUT_OFF, PRODUCTION_KPIS, PLANT_UPSTREAMS, EXCEPTIONS, CONFIG)
"""Topics of which every record is told."""
ROWS: Mapping[str, Sequence[RowKind[Any]]] = {
    "equipment": (EQUIPMENT_ROWS,),
    "orders": (ORDER_ROWS, MATERIAL_ROWS),
    "lots": (LOT_ROWS,),
    "delivery": (),
}
"""Stage -> rows of its changelog that no public topic tells; of each stage also where it stands."""
GROUP = "books"
"""Consumer group, without prefix: its committed offsets are for `status`; the positions in the tables decide."""
BATCH = 5_000
WAIT_SECONDS = 0.5
TOLD_SECONDS = 5.0
"""Between two reports of the offsets to the group."""
_CHANGELOGS = {changelog_of(stage): stage for stage in ROWS}
_POSITION = POSITION_ROWS.prefix.encode()


class OtherTopics(RuntimeError):
    """The topics are not those that the books were made from."""

    code = "BOOKS_OF_OTHER_TOPICS"


@dataclass(slots=True, frozen=True)
class Followed:
    """The topics of an installation. `ids`: Kafka's id of each topic, empty where the broker gives none."""

    broker: Broker
    codec: Codec
    prefix: str
    ids: Mapping[str, str]


def topics() -> list[str]:
    """What the books follow, without prefix."""
    return [*TELLING, *_CHANGELOGS]


class Bookkeeper:
    """Use it in one thread, one for a database: two would write the same things in turns. Raises BooksUnreadable, OtherTopics."""

    def __init__(self, engine: Engine, followed: Followed) -> None:
        self._engine, self._followed = engine, followed
        migrating.migrate(engine)
        prefix = followed.prefix
        self._consumer = Consumer(
            followed.broker.client(
                group_id=f"{prefix}{GROUP}",
                isolation_level="read_committed",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                enable_partition_eof=True,
                fetch_wait_max_ms=100,
                queued_max_messages_kbytes=32768,
            )
        )
        with engine.connect() as connection:
            known = writing.positions_in(connection)
        found = [(name, partition) for name in topics() for partition in partitions_of(self._consumer, prefix + name)]
        self._begin = {place: known.get(place, ReadUpTo(OFFSET_BEGINNING, self._id(place))) for place in found}
        for place, one in self._begin.items():
            self._check(place, one)
        self._consumer.assign([TopicPartition(prefix + name, p, one.next_offset) for (name, p), one in self._begin.items()])
        self._ended: set[Place] = set()
        self._told_at, self._untold = 0.0, dict[Place, ReadUpTo]()
        self._log = structlog.get_logger(__name__)

    def follow(self, stopped: Callable[[], bool], until_end: bool = False) -> int:
        """Until stopped; `until_end`: until everything was read that is there. Returns the rows written."""
        written, began = 0, time.monotonic()
        while not stopped() and not (until_end and len(self._ended) == len(self._begin)):
            written += self.turn()
        self._tell(at_once=True)
        self._log.info("books are written", detail=f"{written} rows in {time.monotonic() - began:.1f} s")
        return written

    def turn(self) -> int:
        """One batch, one transaction. Returns the rows written."""
        entries, positions = list[BookEntry](), dict[Place, ReadUpTo]()
        for message in self._consumer.consume(BATCH, WAIT_SECONDS):
            place = (message.topic().removeprefix(self._followed.prefix), message.partition())
            if self._is_end(message):
                self._ended.add(place)
                offset = message.offset()  # behind commit markers, too
            else:
                self._ended.discard(place)
                offset = message.offset() + 1
                entries += self._entries(place, message)
            positions[place] = ReadUpTo(offset, self._id(place))
        written = 0
        if positions:
            with self._engine.begin() as connection:
                written = writing.write(connection, entries, positions)
            self._untold |= positions
        self._tell()
        return written

    def close(self) -> None:
        self._consumer.close()

    def _entries(self, place: Place, message: Any) -> Iterator[BookEntry]:
        key, value, stage = message.key() or b"", message.value(), _CHANGELOGS.get(place[0])
        if value is None:
            return  # the pipeline forgets it; the books do not
        if stage is None:
            yield from entries_of(self._followed.codec.decode(value))
        elif key.startswith(_POSITION):
            yield from clock_entries(stage, place[1], self._followed.codec.decode(value))
        elif any(key.startswith(kind.prefix.encode()) for kind in ROWS[stage]):
            yield from entries_of(self._followed.codec.decode(value))

    @staticmethod
    def _is_end(message: Any) -> bool:
        """Is it the end of a partition, and no record? Raises KafkaException."""
        error = message.error()
        if error is None:
            return False
        if error.code() != KafkaError._PARTITION_EOF:
            raise KafkaException(error)
        return True

    def _id(self, place: Place) -> str:
        return self._followed.ids.get(self._followed.prefix + place[0], "")

    def _check(self, place: Place, known: ReadUpTo) -> None:
        """The topic was made anew, or lost its end, when it is another one or ends before what was read."""
        name, partition = place
        again = "name another database, or `--rebuild`"
        if known.topic_id != self._id(place):
            raise OtherTopics(f"{name} was made anew since it was read: {again}")
        if known.next_offset > 0:
            _, end = self._consumer.get_watermark_offsets(TopicPartition(self._followed.prefix + name, partition), timeout=10)
            if end < known.next_offset:
                raise OtherTopics(f"{name}/{partition} ends at {end}, the books have read up to {known.next_offset}: {again}")

    def _tell(self, at_once: bool = False) -> None:
        """Tell the group how far the tables are. `status` looks there: it does not have the database."""
        if not self._untold or not (at_once or time.monotonic() - self._told_at > TOLD_SECONDS):
            return
        offsets = [TopicPartition(self._followed.prefix + name, p, one.next_offset) for (name, p), one in self._untold.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=not at_once)
        except KafkaException as error:  # nothing depends on it
            self._log.warning("offsets were not told", detail=str(error.args[0]))
        self._told_at, self._untold = time.monotonic(), {}
