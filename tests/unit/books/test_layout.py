"""Tables of the books: what records tell fits in, and the migrations make just these."""

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from app.books import database, migrating, views, writing
from app.books.layout.tables import FAMILIES, METADATA, TABLES
from schemas.records import PartitionPosition
from tables.books.log import clock_entries
from tables.books.records import TOLD, entries_of
from tests.unit.books.filled import filled

MADE_BY_THE_WRITER = {"positions", "about"}


def ddl(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        found = connection.execute(text("select name, coalesce(sql, '') from sqlite_master")).all()
    return sorted((name, "".join(sql.split()).lower()) for name, sql in found)


def test_migrations_make_what_the_layout_says(tmp_path: Path) -> None:
    engine = database.followed(tmp_path / "migrated.sqlite")
    migrating.migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert migrating.revision_in(connection) == migrating.HEAD == migrating.revisions()[0]
    new = database.fresh(tmp_path / "new.sqlite")
    migrating.make(new)
    assert ddl(new) == ddl(engine)
    migrating.migrate(engine)
    assert ddl(new) == ddl(engine), "nothing to do changes nothing"
    for one in (engine, new):
        one.dispose()


def test_books_of_a_newer_program_are_left_alone(tmp_path: Path) -> None:
    engine = database.followed(tmp_path / "books.sqlite")
    migrating.migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = 'r9999'"))
    before = ddl(engine)
    with pytest.raises(migrating.BooksUnreadable, match="newer"):
        migrating.migrate(engine)
    assert ddl(engine) == before
    engine.dispose()


def test_what_records_tell_fits_the_tables() -> None:
    """Every table is filled, every column of it is told, and no other."""
    records: list[Any] = [filled(kind) for kind in TOLD]
    entries = [entry for record in records for entry in entries_of(record)]
    entries += clock_entries("orders", 2, filled(PartitionPosition))
    told: set[str] = set()
    for entry in entries:
        assert FAMILIES[entry.family][0].name == entry.family
        assert set(entry.rows) == {table.name for table in FAMILIES[entry.family]}
        for name, rows in entry.rows.items():
            assert rows, name
            told.add(name)
            for row in rows:
                assert {*entry.key, *row} == {column.name for column in TABLES[name].columns}, name
                assert not {*entry.key} & {*row}, name
    assert told == set(TABLES) - MADE_BY_THE_WRITER


def test_views_can_be_asked(tmp_path: Path) -> None:
    engine = database.followed(tmp_path / "books.sqlite")
    migrating.migrate(engine)
    with engine.begin() as connection:
        writing.write(connection, [entry for kind in TOLD for entry in entries_of(filled(kind))], {})
        for name in views.NAMES:
            connection.execute(text(f"select * from {name}")).all()
    engine.dispose()
