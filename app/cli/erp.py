"""`lineledger erp pause|drain|resume`: what may be sent to an ERP, as a record of a plant's operators' source.

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

app = typer.Typer(help="What may be sent to an ERP of a live installation.", no_args_is_help=True)

Endpoint = Annotated[str, typer.Argument(help="Which ERP: a name of `endpoints`; without: the only one.")]
Who = Annotated[str, typer.Option(help="Who orders it; leaves this machine as a keyed hash only.")]
Why = Annotated[str, typer.Option(help="Why: it stays in the log.")]


@app.command()
@asks_where
def pause(where: Where, who: Who, why: Why, endpoint: Endpoint = "", as_json: AsJson = False) -> None:
    """Let no call leave: no posting, no read-back, no pull of master data. What is on its way ends; what is due waits."""
    _order(where, PAUSE, endpoint, who, why, as_json)


@app.command()
@asks_where
def drain(where: Where, who: Who, why: Why, endpoint: Endpoint = "", as_json: AsJson = False) -> None:
    """Send nothing new. What is on its way, or may be, is ended: unknown postings are read back or sent again."""
    _order(where, DRAIN, endpoint, who, why, as_json)


@app.command()
@asks_where
def resume(where: Where, who: Who, why: Why, endpoint: Endpoint = "", as_json: AsJson = False) -> None:
    """Let everything go again, at the limit."""
    _order(where, RESUME, endpoint, who, why, as_json)


def _order(where: Where, mode: str, endpoint: str, who: str, why: str, as_json: bool) -> NoReturn:
    if not where.live:
        fail("WRONG_USE", "a run ends by itself; give --bootstrap HOST:PORT of a live installation", as_json)
    name = _named(where, endpoint, as_json)
    rows = where.read()
    at = time.time_ns() // 1000
    told = {"mode": mode, "who": hashed(rows, who), "why": why, **({"name": name} if name else {})}
    told["event_id"] = f"erp-{hashlib.sha256(json.dumps([at, told], sort_keys=True).encode()).hexdigest()[:24]}"
    place = written(rows, [json.dumps({"at": at, "endpoint": told}, ensure_ascii=False)], None, where, as_json)
    end(OK, f"{mode} of {f'the ERP `{name}`' if name else 'the ERP'}: written to {place}", as_json, written=1)


def _named(where: Where, endpoint: str, as_json: bool) -> str:
    """As the document says it. Without a document the workers know: they refuse (ENDPOINT_UNKNOWN) what none of theirs is."""
    there = where.endpoints
    if not there:
        return endpoint
    name = endpoint or (min(there) if len(there) == 1 else "")
    if name not in there:
        fail("WRONG_USE", f"name the ERP: endpoints of the installation are {', '.join(sorted(there))}", as_json)
    return name
