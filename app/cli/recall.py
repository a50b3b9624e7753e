"""`lineledger recall LOT`: everything that left and contains a lot, as CSV or JSON.

Exit codes: 0 listed (an empty list, too), 1 there is no such lot, 2 wrong use or no ledger.
"""

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from app.cli.exits import DIFFERS, OK
from app.cli.explain import AsJson
from app.cli.operators import end
from app.cli.where import Where, asks_where
from app.ledger.questions.genealogy import Genealogy
from app.ledger.questions.lot_trace import RECALL_COLUMNS, Recall
from app.ledger.questions.lot_trace import recall as recalled
from tables.refusal import Refusal


@asks_where
def recall(
    where: Where,
    lot: Annotated[str, typer.Argument(help="MATERIAL|LOT, or LOT where one material has it.")],
    to: Annotated[Path | None, typer.Option(help="File to write; without: the terminal.")] = None,
    as_json: AsJson = False,
) -> None:
    """Deliveries with the lot or with anything that it went into: a line per shipment, CSV unless --json."""
    rows = where.read()
    name = Genealogy(rows).named(lot)
    if isinstance(name, Refusal):
        end(DIFFERS, f"{name.code}: {name.detail}", as_json)
    found = recalled(rows, name)
    if found is None:
        end(DIFFERS, f"NOT_FOUND: {name} is no lot of this ledger", as_json)
    text = json.dumps({"lot": str(name), **asdict(found)}, indent=1, ensure_ascii=False) if as_json else _csv(found)
    if to is None:
        typer.echo(text)
    else:
        to.write_text(text + "\n", encoding="utf-8")
    counted = f"{len(found.shipped)} shipments contain {name}; {len(found.here)} lots that contain it have not left"
    typer.echo(counted, err=True)
    raise typer.Exit(OK)


def _csv(found: Recall) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, RECALL_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(found.shipped)
    return text.getvalue().rstrip("\n")
