"""`lineledger upstream exclude|include`: whom a live plant waits for, as a record of its operators' source.

Exit codes: 0 written, 2 wrong use or no installation.
"""

import hashlib
import json
import os
import time
from typing import Annotated, NoReturn

import typer

from app.cli.explain import AsJson
from app.cli.failures import fail
from app.cli.where import Where, asks_where
from app.kafka.writing import write
from app.ledger.questions.operators import NO_SOURCE, source_of
from app.secret import live_private_key
from streams.mapping.private import keyed_hash

app = typer.Typer(help="Sources that a live plant waits for.", no_args_is_help=True)

Source = Annotated[str, typer.Argument(help="Name of the source in plant.yaml.")]
Who = Annotated[str, typer.Option(help="Who orders it; leaves this machine as a keyed hash only.")]
Why = Annotated[str, typer.Option(help="Why: it stays in the log.")]


@app.command()
@asks_where
def exclude(where: Where, source: Source, who: Who, why: Why, as_json: AsJson = False) -> None:
    """Let the plant go on without SOURCE, whose intake is silent. Postings issued meanwhile name it; what it has to say is
    taken in when it comes, and posted then."""
    _order(where, source, who, why, True, as_json)


@app.command()
@asks_where
def include(where: Where, source: Source, who: Who, why: Why, as_json: AsJson = False) -> None:
    """Let the plant wait for SOURCE again, from when it has come up to the plant's clock."""
    _order(where, source, who, why, False, as_json)


def _order(where: Where, source: str, who: str, why: str, excluded: bool, as_json: bool) -> NoReturn:
    if not where.live:
        fail("WRONG_USE", "a run waits for nobody; give --bootstrap HOST:PORT of a live installation")
    rows = where.read()
    plant = rows.configuration.plant
    if source not in plant.sources:
        fail("WRONG_USE", f"`{source}` is no source of plant.yaml; it has {', '.join(sorted(plant.sources))}")
    operators = source_of(rows)
    if operators is None:
        fail("NO_OPERATORS_SOURCE", NO_SOURCE)
    if operators[0] == source:
        fail("WRONG_USE", f"`{source}` is the source that this order would come through; start its intake")
    hashed = keyed_hash(live_private_key(plant, os.environ) or plant.plant.id.encode())(who)
    told = {"source": source, "excluded": excluded, "who": hashed, "why": why}
    at = time.time_ns() // 1000
    told["event_id"] = f"upstream-{hashlib.sha256(json.dumps([at, told], sort_keys=True).encode()).hexdigest()[:24]}"
    line = json.dumps({"at": at, "upstream": told}, ensure_ascii=False).encode()
    write(where.broker, where.prefix + operators[1], [(None, line)], 0)
    said = f"{source} {'excluded' if excluded else 'included'}: written to topic {where.prefix}{operators[1]}"
    typer.echo(json.dumps({"source": source, "excluded": excluded}) if as_json else said)
    raise typer.Exit
