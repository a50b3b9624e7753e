"""docs/books.md: tables, picture and views are those of the program; what it tells people to ask can be asked."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text

from app.books import database, migrating, reference
from app.books.layout.tables import TABLES

TEXT = reference.DOCUMENT.read_text(encoding="utf-8")


def test_tables_picture_and_views_are_those_of_the_program() -> None:
    assert reference.document(TEXT) == TEXT, "python -m app.books.reference"
    assert set(reference._ROW_IS) == set(TABLES)


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.*?)```", TEXT, re.S))
def test_the_queries_can_be_asked(query: str, tmp_path: Path) -> None:
    engine = database.fresh(tmp_path / "books.sqlite")
    migrating.make(engine)
    with engine.connect() as connection:
        connection.execute(text(query)).all()
    engine.dispose()
