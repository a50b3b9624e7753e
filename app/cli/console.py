"""`lineledger console`: pages over the books, on this machine."""

import ipaddress
import socket
from pathlib import Path
from typing import Annotated

import typer

from app.books import database
from app.cli.failures import fail
from app.ledger.books.folder import DEFAULT_OUT

GRACE_SECONDS = 3
"""Open pages are told nothing more after that when the console ends."""


def console(
    books: Annotated[
        str, typer.Option(help="Books to show: a file of SQLite, or a URL of PostgreSQL.", envvar="LINELEDGER_BOOKS")
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder of a run, whose books are shown.")] = DEFAULT_OUT,
    host: Annotated[str, typer.Option(help="Address to listen on; one of this machine's own.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8080,
) -> None:
    """Show the books as pages in a browser on this machine. Prints a link and a token; nothing is shown without it."""
    import uvicorn

    from app.console.books import Books
    from app.console.login import Doors
    from app.console.server import console as made

    if not _is_loopback(host):
        fail("WRONG_USE", f"{host} is reached from other machines, and this console has no accounts yet: listen on 127.0.0.1")
    where: str | Path = books or out / database.FILE
    if isinstance(where, Path) and not where.is_file():
        fail("NO_LEDGER", f"no books in {out}: a run writes them at its end")
    try:
        engine = database.read_only(where)
    except ValueError as error:
        fail("WRONG_USE", str(error))
    # Bound here and not by the server: a port that is taken ends with its code.
    with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listening:
        address = f"[{host}]" if ":" in host else host
        doors = Doors()
        typer.echo(f"http://{address}:{listening.getsockname()[1]}/   token: {doors.token}")
        site = made(Books(engine), doors, hosts=[host, "localhost"])
        settings = uvicorn.Config(
            site, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=GRACE_SECONDS
        )
        uvicorn.Server(settings).run(sockets=[listening])
    engine.dispose()


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
