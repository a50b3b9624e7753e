"""The tables of the books, as the migrations make them (Alembic), and the views."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from app.books import views
from app.books.layout.tables import METADATA

_VERSION = """create table alembic_version (version_num varchar(32) not null,
constraint alembic_version_pkc primary key (version_num))"""
"""As Alembic makes it."""
HERE = Path(__file__).parent / "migrations"


class BooksUnreadable(RuntimeError):
    """The database is no books, or of another version of the program."""

    code = "BOOKS_UNREADABLE"


def migrate(engine: Engine) -> None:
    """Bring tables and views to what this program reads. Raises BooksUnreadable for books of a newer program."""
    with engine.begin() as connection:
        known, found = revisions(), revision_in(connection)
        if found and found not in known:
            raise BooksUnreadable(f"the books are of a newer version of the program ({found}); update it, or rebuild them")
        if found != known[0]:
            command.upgrade(_config(connection), "head")
        views.make(connection)


def make(engine: Engine) -> None:
    """The same for a new database, in one go."""
    with engine.begin() as connection:
        METADATA.create_all(connection)
        connection.execute(text(_VERSION))
        connection.execute(text("insert into alembic_version values (:head)"), {"head": HEAD})
        views.make(connection)


def clear(engine: Engine) -> None:
    """Empty all tables, positions too: what follows is read from the beginning."""
    migrate(engine)
    with engine.begin() as connection:
        for table in reversed(METADATA.sorted_tables):
            connection.execute(table.delete())


def revision_in(connection: Connection) -> str:
    """Empty: there are no books yet."""
    if not inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(text("select version_num from alembic_version")).scalar() or "")


def revisions() -> list[str]:
    """All that there are, the newest first."""
    return [found.revision for found in ScriptDirectory.from_config(_config()).walk_revisions()]


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


HEAD = "r0004"
"""Newest revision; a test compares it with the files."""
