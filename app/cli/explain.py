"""`lineledger trace | parked | variance | exceptions | reconcile`: questions to the ledger of a run or a live installation."""

import json
import os
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from app.ledger import balance, erp_check, snapshot
from app.ledger.listing import exception_lines, parked_lines
from app.ledger.sources import FileSources
from app.ledger.trace_things import trace as traced
from app.ledger.variance import as_json as as_dicts
from app.ledger.variance import lines_of, variances
from app.settings import private_key

OK, WRONG, USAGE = 0, 1, 2
Out = Annotated[Path, typer.Option("--out", help="Output folder of `lineledger run`.")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
DEFAULT_OUT = Path("out")


def trace(
    what: Annotated[str, typer.Argument(help="Posting id, order, lot (LOT or MATERIAL|LOT), or equipment.")],
    at: Annotated[str, typer.Option(help="Of an equipment: the moment, ISO 8601; without: its newest.")] = "",
    out: Out = DEFAULT_OUT,
    as_json: AsJson = False,
) -> None:
    """Why a posting is what it is: its raw records are read and added again. Exit 1: unknown, does not add up, or expired."""
    found, lines = traced(_read(out), what, at, FileSources(out, private_key()))
    _print(found, lines, as_json)
    raise typer.Exit(OK if found.get("ok") else WRONG)


def parked(
    account: Annotated[str, typer.Option(help="One account.")] = "", out: Out = DEFAULT_OUT, as_json: AsJson = False
) -> None:
    """What is parked, why, and who must act."""
    found, lines = parked_lines(_read(out), account)
    _print(found, lines, as_json)


def exceptions(
    code: Annotated[str, typer.Option(help="One code.")] = "", out: Out = DEFAULT_OUT, as_json: AsJson = False
) -> None:
    """Records that could not be processed, with code, position and original."""
    found, lines = exception_lines(_read(out), code)
    _print(found, lines, as_json)


def reconcile(out: Out = DEFAULT_OUT, as_json: AsJson = False) -> None:
    """Prove again from the ledger's rows that nothing is lost (I1), and that the ERP has booked exactly this, once (I3: what
    it answered at the end of the run). Exit 1: something differs."""
    ledger = _read(out)
    proof, erp = balance.prove(ledger), erp_check.again(ledger, out)
    differences = [*proof.differences, *erp.get("differences", [])]
    lines = [f"{kind} {unit}: recorded {entry.recorded}" for (kind, unit), entry in sorted(proof.balances.items())]
    lines += [f"differs: {difference}" for difference in proof.differences]
    lines += erp_check.lines_of(erp)
    lines.append(f"NOT EXACT: {len(differences)} differences" if differences else "EXACT")
    _print({"exact": not differences, "differences": differences, "erp": erp}, lines, as_json)
    raise typer.Exit(WRONG if differences else OK)


def variance(out: Out = DEFAULT_OUT, as_json: AsJson = False) -> None:
    """What counters and declarations say about the same quantity, those that differ first. Only the authority's is booked."""
    found = variances(_read(out))
    _print(as_dicts(found), lines_of(found), as_json)


def shadow(
    out: Out = DEFAULT_OUT,
    ask: Annotated[bool, typer.Option("--ask", help="Ask the ERP now, not what it answered at the end of the run.")] = False,
    as_json: AsJson = False,
) -> None:
    """Explain each difference between what the ledger would have posted and what another interface booked (plants with
    `shadow: true`). Exit 1: there are differences."""
    from app.erp.tryton import ErpUnavailable
    from app.ledger import erp_book
    from app.ledger import shadow as comparison
    from tables.rejected import Refusal

    ledger = _read(out)
    erp = ledger.configuration.erp
    try:
        book = erp_book.ask(erp, erp_check.orders_of(ledger, erp), os.environ) if ask else erp_book.read(out)
    except (ErpUnavailable, Refusal) as error:
        _fail(str(error))
    if book is None:
        _fail(f"{out}: no ERP was asked; give --ask, with an adapter in the run's erp.yaml")
    found = comparison.compare_shadow(ledger, book)
    _print(comparison.as_json(found), comparison.lines_of(found), as_json)
    raise typer.Exit(WRONG if found.differences else OK)


def _read(out: Path) -> snapshot.Snapshot:
    try:
        return snapshot.read(out)
    except FileNotFoundError as error:
        _fail(str(error))


def _print(found: Any, lines: list[str], as_json: bool) -> None:
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False) if as_json else "\n".join(lines))


def _fail(message: str) -> NoReturn:
    typer.echo(message, err=True)
    raise typer.Exit(USAGE)
