"""`lineledger decide` and `lineledger exceptions replay`: what people decide goes into the log, and passes through intake.

Exit codes: 0 written, 1 there is nothing to decide or replay like that, 2 wrong use or no ledger.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from app.cli.explain import OK, WRONG, AsJson
from app.cli.failures import USAGE
from app.cli.where import Where, asked, asks_where
from app.ledger.operators import Wanted, decision_line, now_of, replays, source_of
from app.ledger.snapshot import Snapshot
from app.secret import live_private_key, private_key
from streams.mapping.private import keyed_hash
from tables.rejected import Rejected

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
    """Decide about something parked or rejected. The decision is a record of the plant's operators' source (format: replay)."""
    if decision not in DECISIONS:
        _end(USAGE, f"`{decision}` is no decision; write one of {', '.join(DECISIONS)}", as_json)
    rows = where.read()
    plant = rows.configuration.plant
    key = (live_private_key if where.live else private_key)(plant, os.environ)
    hashed = keyed_hash(key or plant.plant.id.encode())(who)
    at = now_of(rows, time.time_ns() // 1000)
    line = decision_line(rows, Wanted(target, decision, code, document, hashed, why, at))
    if isinstance(line, Rejected):
        _end(WRONG, f"{line.code}: {line.detail}", as_json)
    written = _write(rows, [line], append, where, as_json)
    _end(OK, f"{decision} {target}: written to {written}", as_json, written=1)


@asks_where
def replay(
    where: Where,
    code: Annotated[str, typer.Option(help="The code of the dead letters.")],
    append: Append = None,
    as_json: AsJson = False,
) -> None:
    """Let dead letters enter intake once more under their original positions, after their cause was corrected."""
    rows = where.read()
    found = replays(rows.letters, code, now_of(rows, time.time_ns() // 1000))
    for sentence in found.left:
        typer.echo(sentence, err=True)
    if not found.lines:
        _end(WRONG, f"no dead letter {code} can be replayed", as_json)
    written = _write(rows, found.lines, append, where, as_json)
    _end(OK, f"{len(found.lines)} records {code}: written to {written}", as_json, written=len(found.lines))


def _write(rows: Snapshot, lines: Sequence[str], append: Path | None, where: Where, as_json: bool) -> str:
    source = source_of(rows)
    if source is None:
        _end(USAGE, "plant.yaml has no source for this; add `operators: {read: {topic: TOPIC, format: replay}}`", as_json)
    name, topic = source
    if not where.live:
        if append is None:
            _end(USAGE, f"a run is over: give --append FILE, and run again with --input {name}=FILE", as_json)
        with append.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        return f"{append}; run again with --input {name}={append}"
    from app.kafka.writing import write

    asked(lambda: write(where.broker, where.prefix + topic, [(None, line.encode()) for line in lines], 0))
    return f"topic {where.prefix}{topic}"


def _end(exit_code: int, sentence: str, as_json: bool, written: int = 0) -> NoReturn:
    if as_json:
        typer.echo(json.dumps({"written": written, "detail": sentence}))
    else:
        typer.echo(sentence, err=exit_code != OK)
    raise typer.Exit(exit_code)
