"""What tables of the books are made of: columns that are never empty, times that may be, and families of tables.

A family is one thing that a record tells whole: its root table, and those that begin with the same key. A newer record replaces
all of its rows.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, Index, LargeBinary, MetaData, Table, Text

metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s", "fk": "fk_%(table_name)s"}
)

Columns = Sequence[Column[Any]]


def texts(*names: str) -> list[Column[Any]]:
    """Empty text says that there is none."""
    return [Column(name, Text, nullable=False) for name in names]


def numbers(*names: str) -> list[Column[Any]]:
    return [Column(name, BigInteger, nullable=False) for name in names]


def flags(*names: str) -> list[Column[Any]]:
    return [Column(name, Boolean, nullable=False) for name in names]


def times(*names: str) -> list[Column[Any]]:
    """Microseconds since 1970-01-01 UTC; null: not yet, or not known."""
    return [Column(name, BigInteger, nullable=True) for name in names]


def blob(name: str) -> Column[Any]:
    return Column(name, LargeBinary, nullable=False)


def root(name: str, key: Columns, *columns: Columns, indexes: Sequence[Sequence[str]] = ()) -> Table:
    """The first table of a family."""
    return _table(name, name, key, columns, indexes)


def child(name: str, of: Table, key: Columns, *columns: Columns, indexes: Sequence[Sequence[str]] = ()) -> Table:
    """A further table of a family: its key begins with the root's."""
    begins = [Column(column.name, column.type, nullable=False) for column in of.primary_key.columns]
    table = _table(name, of.info["family"], [*begins, *key], columns, indexes)
    names = [column.name for column in begins]
    table.append_constraint(ForeignKeyConstraint(names, [of.c[one] for one in names], ondelete="CASCADE"))
    return table


def _table(name: str, family: str, key: Columns, columns: Sequence[Columns], indexes: Sequence[Sequence[str]]) -> Table:
    for column in key:
        column.primary_key = True
    table = Table(
        name,
        metadata,
        *key,
        *(column for group in columns for column in group),
        info={"family": family},
        sqlite_with_rowid=name == family,  # what belongs to a row lies together
    )
    for names in indexes:
        Index(None, *(table.c[one] for one in names))
    return table
