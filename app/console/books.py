"""Questions to the books, as plain SQL over the tables and views of docs/books.md. Nothing is written here."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

Row = Mapping[str, Any]


class BooksAway(Exception):
    """The books do not answer: the file or server is not there, or it is not the books."""


class Books:
    """Each question is one short transaction. Safe to use in several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def rows(self, sql: str, **values: Any) -> Sequence[Row]:
        """Raises BooksAway."""
        try:
            with self._engine.connect() as connection:
                return [dict(row) for row in connection.execute(text(sql), values).mappings()]
        except DBAPIError as error:
            raise BooksAway(str(error.orig)) from None

    def all_of(self, table: str, order: str, **equal: Any) -> Sequence[Row]:
        """The rows of a table or view with these values, in an order of columns. `table` and `order` are the code's own words.
        Raises BooksAway."""
        where = " and ".join(f"{column} = :{column}" for column in equal)
        return self.rows(f"select * from {table} where {where} order by {order}", **equal)  # noqa: S608

    def one_of(self, table: str, **equal: Any) -> Row | None:
        """The row of a table or view with these values; None: there is none. Raises BooksAway."""
        found = self.all_of(table, "1", **equal)
        return found[0] if found else None

    def first(self, sql: str, **values: Any) -> Row | None:
        """The only row, or the first one; None: there is none. Raises BooksAway."""
        found = self.rows(sql, **values)
        return found[0] if found else None

    def mark(self) -> str:
        """Changes whenever something new is in the books. Raises BooksAway."""
        row = self.first(
            "select (select coalesce(sum(next_offset), 0) from positions) as read,"
            " (select count(*) from postings) as postings, (select count(*) from exceptions) as letters"
        )
        assert row is not None
        return f"{row['read']}.{row['postings']}.{row['letters']}"
