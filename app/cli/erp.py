"""`lineledger erp pause|drain|resume`: what may be sent to the ERP, as a record of a plant's operators' source.

Exit codes: 0 written, 2 wrong use or no installation.
"""

import hashlib
import json
import time
from typing import Annotated, NoReturn

import typer

from app.cli.exits import OK
from app.cli.explain import AsJson
from app.cli.failures import fail
from app.cli.operators import end, hashed, written
from app.cli.where import Where, asks_where
from tables.delivery.endpoint_orders import DRAIN, PAUSE, RESUME

app = typer.Typer(help="What may be sent to the ERP of a live installation.", no_args_is_help=True)

Who = Annotated[str, typer.Option(help="Who orders it; leaves this machine as a keyed hash only.")]
Why = Annotated[str, typer.Option(help="Why: it stays in the log.")]


@app.command()
@asks_where
def pause(where: Where, who: Who, why: Why, as_json: AsJson = False) -> None:
    """Let no call leave: no posting, no read-back, no pull of master data. What is on its way ends; what is due waits."""
    _order(where, PAUSE, who, why, as_json)


@app.command()
@asks_where
def drain(where: Where, who: Who, why: Why, as_json: AsJson = False) -> None:
    """Send nothing new. What is on its way, or may be, is ended: unknown postings are read back or sent again."""
    _order(where, DRAIN, who, why, as_json)


@app.command()
@asks_where
def resume(where: Where, who: Who, why: Why, as_json: AsJson = False) -> None:
    """Let everything go again, at the limit."""
    _order(where, RESUME, who, why, as_json)


def _order(where: Where, mode: str, who: str, why: str, as_json: bool) -> NoReturn:
    if not where.live:
        fail("WRONG_USE", "a run ends by itself; give --bootstrap HOST:PORT of a live installation")
    rows = where.read()
    at = time.time_ns() // 1000
    told = {"mode": mode, "who": hashed(rows, who), "why": why}
    told["event_id"] = f"erp-{hashlib.sha256(json.dumps([at, told], sort_keys=True).encode()).hexdigest()[:24]}"
    place = written(rows, [json.dumps({"at": at, "endpoint": told}, ensure_ascii=False)], None, where, as_json)
    end(OK, f"{mode} of the ERP: written to {place}", as_json, written=1)
