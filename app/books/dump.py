"""Everything in the books as text, in one order whatever the database: two books are equal when their dumps are."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection

from app.books.layout.tables import TABLES


def dump(connection: Connection) -> Iterator[str]:
    """A line per row: its table and values, sorted by key."""
    for name, table in sorted(TABLES.items()):
        keys = [column.name for column in table.primary_key.columns]
        found = [row._mapping for row in connection.execute(table.select())]
        for row in sorted(found, key=lambda row: [_comparable(row[key]) for key in keys]):
            yield f"{name} {[_plain(row[column.name]) for column in table.columns]!r}"


def _comparable(value: Any) -> tuple[int, str]:
    return (value, "") if isinstance(value, int) else (0, value)


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value
