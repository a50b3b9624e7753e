"""The same books on a real PostgreSQL: migrations, writing, views, and a dump that is SQLite's."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text
from sqlalchemy.exc import StatementError

from app.books import database, migrating, views, writing
from app.books.dump import dump
from app.books.layout.tables import METADATA
from app.books.writing import ReadUpTo
from tables.books.entry import BookEntry
from tables.books.records import TOLD, entries_of
from tests.unit.books.filled import filled

PLACES = (Path("/usr/lib/postgresql"), Path("/usr/local/pgsql"))


def program(name: str) -> str | None:
    """A program of the newest PostgreSQL that is installed."""
    found = sorted((path for place in PLACES for path in place.glob(f"**/bin/{name}")), reverse=True)
    return str(found[0]) if found else shutil.which(name)


def as_server(command: list[str]) -> None:
    """PostgreSQL refuses to run as root."""
    user = {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}
    subprocess.run(command, check=True, capture_output=True, timeout=60, cwd="/", **user)  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """URL of a server of these tests, on a socket in its own folder."""
    initdb, pg_ctl = program("initdb"), program("pg_ctl")
    if initdb is None or pg_ctl is None:
        if "LINELEDGER_REQUIRE_POSTGRESQL" in os.environ:
            pytest.fail("PostgreSQL is not installed")
        pytest.skip("PostgreSQL is not installed")
    home = Path(tempfile.mkdtemp(prefix="books-"))  # a socket's path is short, and the server's user has to get there
    if os.getuid() == 0:
        shutil.chown(home, "postgres", "postgres")
    data, options = str(home / "data"), f"-c listen_addresses='' -c unix_socket_directories='{home}' -c fsync=off"
    as_server([initdb, "-D", data, "-U", "books", "-A", "trust", "-E", "UTF8", "--no-locale"])
    as_server([pg_ctl, "-D", data, "-l", str(home / "log"), "-o", options, "-w", "start"])
    yield f"postgresql://books@/postgres?host={home}"
    as_server([pg_ctl, "-D", data, "-m", "fast", "-w", "stop"])
    shutil.rmtree(home)


@pytest.fixture
def engine(postgresql: str) -> Iterator[Engine]:
    engine = database.followed(postgresql)
    migrating.migrate(engine)
    yield engine
    migrating.clear(engine)
    engine.dispose()


def everything() -> list[BookEntry]:
    return [entry for kind in TOLD for entry in entries_of(filled(kind))]


def test_migrations_make_what_the_layout_says(engine: Engine) -> None:
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert migrating.revision_in(connection) == migrating.HEAD


def test_the_same_things_are_the_same_rows_as_in_sqlite(engine: Engine, tmp_path: Path) -> None:
    small = database.followed(tmp_path / "books.sqlite")
    migrating.migrate(small)
    dumps = []
    for one in (engine, small):
        for _ in range(2):  # a repeat changes nothing
            with one.begin() as connection:
                writing.write(connection, everything(), {("ledger.postings", 0): ReadUpTo(7, "id")})
        with one.connect() as connection:
            dumps.append(list(dump(connection)))
    small.dispose()
    assert dumps[0] == dumps[1]


def test_views_can_be_asked_and_have_times(engine: Engine) -> None:
    with engine.begin() as connection:
        writing.write(connection, everything(), {})
    with engine.connect() as connection:
        for name in views.NAMES:
            connection.execute(text(f"select * from {name}")).all()
        cut = connection.execute(text("select cut from v_postings")).scalar()
    assert cut.year == 1970 and cut.microsecond == 7


def test_rows_and_positions_go_together_or_not_at_all(engine: Engine) -> None:
    broken = BookEntry("lots", {"plant": "P", "material": "M", "lot": None}, {"lots": [{"held": None}]})
    with pytest.raises(StatementError), engine.begin() as connection:
        writing.write(connection, [*everything(), broken], {("ledger.postings", 0): ReadUpTo(7)})
    with engine.connect() as connection:
        assert writing.positions_in(connection) == {}
        assert connection.execute(text("select count(*) from postings")).scalar() == 0
