"""`lineledger status`: how a live installation is, in one look. Exit codes: 0 everything moves, 1 something stands still or
waits for people, 2 the broker or the registry does not answer in time, or there is no installation."""

import json
from typing import Annotated

import typer

from app.cli.exits import DIFFERS, OK
from app.cli.explain import AsJson
from app.cli.failures import fail
from app.cli.where import Where, asks_where


@asks_where
def status(
    where: Where,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds that it may take.")] = 30.0,
    as_json: AsJson = False,
) -> None:
    """Of a live installation: per plant the clock and who holds it back, configuration, ERP and queue, what waits for people;
    per stage lag and workers. Read from topics and consumer groups: no worker has to answer."""
    from app.ledger.books.live import plant_named
    from app.ledger.questions.installation import look
    from app.ledger.questions.status import lines_of, status_of

    if not where.live:
        fail(
            "WRONG_USE", "status is of a live installation: give --bootstrap HOST:PORT; a run is asked by `lineledger reconcile`"
        )
    connected = where.connection
    connected.broker.reach(timeout)
    found = status_of(look(connected.broker, connected.codec(retries=1), where.prefix, timeout, where.endpoints))
    if where.plant:
        plant_named([plant.plant for plant in found.plants], where.plant)
        found.plants = [plant for plant in found.plants if plant.plant == where.plant]
    typer.echo(json.dumps(found.as_json(), indent=1) if as_json else "\n".join(lines_of(found)))
    raise typer.Exit(DIFFERS if found.needs_attention else OK)
