"""The database of the books: SQLite in a file, or PostgreSQL by its URL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url

FILE = "books.sqlite"
"""Of a run, in its output folder."""
BUSY_MS = 30_000
"""How long a reader of SQLite waits for the writer, and a writer for another one."""

_FOLLOWING = ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_MS}")
"""Readers do not stop the writer. A power cut may lose the last transactions: rows and positions alike, so they come again."""
_FRESH = ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE")
"""A file that nobody knows before it is whole."""


def followed(where: str | Path) -> Engine:
    """Books that a process keeps up to date. `where`: an SQLAlchemy URL (`postgresql://...`) or the path of a file."""
    url = url_of(where)
    engine = create_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite")
    if url.get_backend_name() == "sqlite":
        _pragmas(engine, _FOLLOWING)
    return engine


def fresh(path: Path) -> Engine:
    """A new file, written once by one process."""
    engine = create_engine(url_of(path))
    _pragmas(engine, _FRESH)
    return engine


def read_only(where: str | Path) -> Engine:
    """Books to ask. A file that is not there is not made."""
    url = url_of(where)
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, execution_options={"postgresql_readonly": True})
    path = Path(url.database or "").absolute()
    engine = create_engine(URL.create("sqlite", database=f"file:{path}", query={"mode": "ro", "uri": "true"}))
    _pragmas(engine, (f"busy_timeout={BUSY_MS}", "query_only=ON"))
    return engine


def url_of(where: str | Path) -> URL:
    """Raises ValueError for what is neither a path nor a URL of SQLite or PostgreSQL."""
    if isinstance(where, Path) or "://" not in where:
        return URL.create("sqlite", database=str(where))
    url = make_url(where)
    backend = url.get_backend_name()
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ValueError(f"{backend}: books are kept in sqlite or postgresql")
    return url


def _pragmas(engine: Engine, pragmas: tuple[str, ...]) -> None:
    def set_pragmas(connection: Any, record: Any) -> None:
        for pragma in pragmas:
            connection.execute(f"pragma {pragma}").close()

    connected: Callable[..., Any] = event.listens_for(engine, "connect")
    connected(set_pragmas)
