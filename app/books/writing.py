"""Entries into tables, with the positions up to which the topics were read: one transaction, all or nothing."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Delete, Table, and_, bindparam

from app.books.layout.log import POSITIONS
from app.books.layout.tables import FAMILIES
from tables.books.entry import BookEntry, Values

Place = tuple[str, int]
"""Topic without prefix, partition."""


class ReadUpTo(NamedTuple):
    """`topic_id`: Kafka's, which changes when a topic is made anew; empty where a broker gives none."""

    next_offset: int
    topic_id: str = ""


def write(connection: Connection, entries: Iterable[BookEntry], positions: Mapping[Place, ReadUpTo], empty: bool = False) -> int:
    """Replace each thing by its newest entry. `empty`: nothing of it can be there. Returns the number of rows written."""
    newest = {entry.identity: entry for entry in entries}
    keys: defaultdict[str, list[Values]] = defaultdict(list)
    rows: defaultdict[str, list[Values]] = defaultdict(list)
    for entry in newest.values():
        keys[entry.family].append(entry.key)
        for table, values in entry.rows.items():
            rows[table] += [_storable({**entry.key, **row}) for row in values]
    for family, tables in FAMILIES.items():
        if found := keys.get(family):
            _replace(connection, tables, found, rows, empty)
    _move(connection, positions)
    return sum(map(len, rows.values()))


def positions_in(connection: Connection) -> dict[Place, ReadUpTo]:
    return {(row.topic, row.partition): ReadUpTo(row.next_offset, row.topic_id) for row in connection.execute(POSITIONS.select())}


def _replace(
    connection: Connection, tables: Sequence[Table], keys: list[Values], rows: Mapping[str, list[Values]], empty: bool
) -> None:
    if not empty:
        which = [{f"k_{name}": value for name, value in _storable(key).items()} for key in keys]
        for table in reversed(tables):
            connection.execute(_one(table, keys[0]), which)
    for table in tables:
        if found := rows.get(table.name):
            connection.execute(table.insert(), found)


def _one(table: Table, key: Values) -> Delete:
    return table.delete().where(and_(*(table.c[name] == bindparam(f"k_{name}") for name in key)))


def _move(connection: Connection, positions: Mapping[Place, ReadUpTo]) -> None:
    if not positions:
        return
    which = [{"k_topic": topic, "k_partition": partition} for topic, partition in positions]
    connection.execute(_one(POSITIONS, {"topic": "", "partition": 0}), which)
    connection.execute(
        POSITIONS.insert(),
        [{"topic": topic, "partition": partition, **one._asdict()} for (topic, partition), one in positions.items()],
    )


def _storable(values: Values) -> Values:
    """Without NUL signs, which PostgreSQL has no place for and which a raw record may hold."""
    for name, value in values.items():
        if isinstance(value, str) and "\0" in value:
            values = {**values, name: value.replace("\0", "\N{REPLACEMENT CHARACTER}")}
    return values


def about(connection: Connection, told: Mapping[str, Any]) -> None:
    """What is known of the books as a whole. Replaces what has the same name."""
    write(connection, [BookEntry("about", {"name": name}, {"about": [{"value": value}]}) for name, value in told.items()], {})
