"""`lineledger clock repair`: until when a plant's clock was right, as a record in its raw topics.

Exit codes: 0 written, 2 wrong use or no installation.
"""

import json
import os
import time
from typing import Annotated

import typer

from app.cli.explain import AsJson
from app.cli.failures import fail
from app.cli.moments import moment
from app.cli.where import Where, asks_where
from app.kafka.metadata import partitions_of
from app.kafka.writing import write
from app.secret import live_private_key
from streams.intake.raw_headers import CONTROL_HEADER
from streams.mapping.private import keyed_hash
from streams.repairs import CONTROL, repair_line

app = typer.Typer(help="The clock of a plant.", no_args_is_help=True)


@app.callback()
def clock() -> None:
    """The clock of a plant."""


@app.command()
@asks_where
def repair(
    where: Where,
    to: Annotated[str, typer.Option(help="The last moment at which the clock was right, ISO 8601 with its zone.")],
    who: Annotated[str, typer.Option(help="Who orders it; leaves this machine as a keyed hash only.")],
    why: Annotated[str, typer.Option(help="Why: it stays in the log.")],
    as_json: AsJson = False,
) -> None:
    """Take the clock of a live plant back to TO: labels, equipment and every stage. Records are taken in again; what is forgotten
    or posted stays so. Correct the host's or the broker's clock first."""
    if not where.live:
        fail("WRONG_USE", "a run has no clock to repair; give --bootstrap HOST:PORT of a live installation")
    at, now = moment("--to", to), time.time_ns() // 1000
    if at > now:
        fail("BAD_TIME", f"--to {to} has not come yet")
    plant = where.read().configuration.plant
    name = plant.plant.id
    value = repair_line(name, at, now, keyed_hash(live_private_key(plant, os.environ) or name.encode())(who), why)
    written = 0
    for topic in sorted({source.read.topic for source in plant.sources.values() if source.read.topic}):
        for partition in partitions_of(where.broker.admin(), where.prefix + topic):
            write(where.broker, where.prefix + topic, [(None, value)], partition, [(CONTROL_HEADER, CONTROL)])
            written += 1
    said = {"plant": name, "to": at, "partitions": written}
    typer.echo(json.dumps(said) if as_json else f"{name}: back to {to}, written to {written} raw partitions")
