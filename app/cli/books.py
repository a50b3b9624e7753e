"""`lineledger books`: keep the SQL tables of an installation up to date."""

import asyncio
import signal
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from app.cli.connecting import Bootstrap, ClientConfig, InstallationPath, Prefix, RegistryUrl, installed, on_broker, on_registry
from app.cli.failures import fail


def books(
    installation: InstallationPath = None,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    registry: RegistryUrl = "",
    client_config: ClientConfig = None,
    database: Annotated[
        str,
        typer.Option(help="File of SQLite, or postgresql://USER@HOST/NAME (password: PGPASSWORD).", envvar="LINELEDGER_BOOKS"),
    ] = "books.sqlite",
    until_end: Annotated[bool, typer.Option("--until-end", help="End when everything that is there was read.")] = False,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Empty the tables, read from the beginning.")] = False,
    embedded: Annotated[bool, typer.Option("--embedded", hidden=True)] = False,
) -> None:
    """Follow the topics into SQL tables (docs/books.md). One process for a database; SIGTERM ends it after the batch in work."""
    from sqlalchemy.exc import ArgumentError, OperationalError

    from app.books.database import followed
    from app.books.following import Bookkeeper, Followed, OtherTopics, topics
    from app.books.migrating import BooksUnreadable, clear
    from app.kafka.waiting import await_codec, await_topics

    told = on_broker(installed(installation, bootstrap, prefix, registry, client_config, embedded=embedded))
    connected = told.connection if embedded else on_registry(told).connection
    stop = Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: stop.set())
    connected.broker.reach()
    codec = asyncio.run(await_codec(connected))
    _, ids = asyncio.run(await_topics(connected.broker, [told.prefix + name for name in topics()]))
    try:
        engine = followed(database if "://" in database else Path(database))
        if rebuild:
            clear(engine)
        kept = Bookkeeper(engine, Followed(connected.broker, codec, told.prefix, ids))
        try:
            kept.follow(stop.is_set, until_end)
        finally:
            kept.close()
            engine.dispose()
    except (BooksUnreadable, OtherTopics) as wrong:
        fail(wrong.code, str(wrong))
    except (ValueError, ArgumentError) as wrong:
        fail("WRONG_USE", f"--database: {wrong}")
    except OperationalError as wrong:
        fail("BOOKS_UNREACHABLE", f"the database does not answer: {str(wrong.orig).strip().splitlines()[0]}")
