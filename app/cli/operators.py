"""`lineledger decide`: what people decide goes into the log, and passes through intake.

Exit codes: 0 written, 1 there is nothing to decide or replay like that, 2 wrong use or no ledger.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from app.cli.exits import DIFFERS, OK
from app.cli.explain import AsJson
from app.cli.failures import fail
from app.cli.where import Where, asked, asks_where
from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.operators import NO_SOURCE, DecisionTarget, could_double, decision_line, now_of, source_of
from app.secret import live_private_key, private_key
from streams.mapping.private import keyed_hash
from tables.refusal import Refusal

DECISIONS = ("post", "drop", "retry", "cancel", "accept", "discard")
Append = Annotated[
    Path | None, typer.Option(help="Of a run: file to append to; give it to `lineledger run --input SOURCE=FILE`.")
]


@asks_where
def decide(
    where: Where,
    target: Annotated[
        str, typer.Argument(help="Posting id, account key, order (all its accounts with --code), or EQUIPMENT|COUNTER|TIME.")
    ],
    decision: Annotated[
        str,
        typer.Argument(help="Account: post, drop or retry. Posting: retry, cancel or accept. Count: accept, discard or retry."),
    ],
    who: Annotated[str, typer.Option(help="Who decides; leaves this machine as a keyed hash only.")],
    why: Annotated[str, typer.Option(help="Why: it stays with the account or posting.")],
    code: Annotated[str, typer.Option(help="The code that it is parked with; without: the one that it has.")] = "",
    document: Annotated[str, typer.Option(help="Of accept: the document that the ERP has.")] = "",
    append: Append = None,
    as_json: AsJson = False,
) -> None:
    """Decide about something parked, rejected or unknown. A decision is a record of the operators' source (format: replay)."""
    if decision not in DECISIONS:
        fail("WRONG_USE", f"`{decision}` is no decision; write one of {', '.join(DECISIONS)}", as_json)
    rows = where.read()
    at = now_of(rows, time.time_ns() // 1000)
    wanted = DecisionTarget(target, decision, code, document, hashed(rows, who), why, at)
    line = decision_line(rows, wanted)
    if isinstance(line, Refusal):
        end(DIFFERS, f"{line.code}: {line.detail}", as_json)
    if warning := could_double(rows, wanted):
        typer.echo(f"warning: {warning}", err=True)
    place = written(rows, [line], append, where, as_json)
    end(OK, f"{decision} {target}: written to {place}", as_json, written=1)


def hashed(rows: Snapshot, who: str) -> str:
    """A person, as the log may name one."""
    plant = rows.configuration.plant
    key = (private_key if rows.finished else live_private_key)(plant, os.environ)
    return str(keyed_hash(key or plant.plant.id.encode())(who))


def written(rows: Snapshot, lines: Sequence[str], append: Path | None, where: Where, as_json: bool) -> str:
    """Give lines to the plant's operators' source; returns where they are now."""
    source = source_of(rows)
    if source is None:
        fail("NO_OPERATORS_SOURCE", NO_SOURCE, as_json)
    name, topic = source
    if not where.live:
        if append is None:
            fail("WRONG_USE", f"a run is over: give --append FILE, and run again with --input {name}=FILE", as_json)
        with append.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        return f"{append}; run again with --input {name}={append}"
    from app.kafka.writing import write

    asked(lambda: write(where.broker, where.prefix + topic, [(None, line.encode()) for line in lines], 0))
    return f"topic {where.prefix}{topic}"


def end(exit_code: int, sentence: str, as_json: bool, written: int = 0) -> NoReturn:
    """Say how it ended, and end."""
    if as_json:
        typer.echo(json.dumps({"written": written, "detail": sentence}))
    else:
        typer.echo(sentence, err=exit_code != OK)
    raise typer.Exit(exit_code)
