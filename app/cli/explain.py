"""`lineledger trace | parked | variance | exceptions | reconcile | shadow`: questions to the ledger of a run or an installation.

Exit codes: 0 fine, 1 something differs, is unknown or has expired, 2 wrong use or no ledger.
"""

import json
import os
import time
from typing import Annotated, Any

import typer

from app.cli.exits import DIFFERS, OK
from app.cli.failures import fail
from app.cli.moments import moment
from app.cli.where import Where, asked, asks_where
from app.ledger.books import erp_book, snapshot
from app.ledger.books.erp_book import ErpBook
from app.ledger.books.inputs import SourceExpired
from app.ledger.proof import erp_check
from app.ledger.questions import carries, order_books
from app.ledger.questions.genealogy import Genealogy
from app.ledger.questions.listing import parked_lines
from app.ledger.questions.lot_trace import DOWN, UP, tree
from app.ledger.questions.operators import now_of
from app.ledger.questions.reconcile import Reconciliation
from app.ledger.questions.reconcile import reconcile as reconciled
from app.ledger.questions.report import balance_lines
from app.ledger.questions.trace_things import trace as traced
from app.ledger.questions.variance import as_json as as_dicts
from app.ledger.questions.variance import lines_of, variances
from tables.refusal import Refusal, RefusedValue

AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
LOOKS, PAUSE_SECONDS = 6, 3.0
"""Of a live installation: a difference counts only when it stands through all looks; else it was on its way."""


@asks_where
def trace(
    where: Where,
    what: Annotated[str, typer.Argument(help="Posting id, order, lot (LOT or MATERIAL|LOT), or equipment.")],
    at: Annotated[str, typer.Option(help="Of an equipment: the moment, ISO 8601 with an offset; without: its newest.")] = "",
    up: Annotated[bool, typer.Option("--up", help="Of a lot: all that it was made from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Of a lot: all that it went into.")] = False,
    depth: Annotated[int | None, typer.Option(min=0, help="With --up or --down: at most so many lots away.")] = None,
    as_json: AsJson = False,
) -> None:
    """Why a posting is what it is: its raw records are read and added again. Exit 1: unknown, does not add up, or expired.
    With --up or --down: the genealogy of a lot, with quantities, postings, holds and deliveries."""
    if (up and down) or (at and (up or down)) or (depth is not None and not (up or down)):
        fail("WRONG_USE", "give --up or --down, not both; --depth belongs to one of them, --at to an equipment")
    when = moment("--at", at) if at else None
    if up or down:
        rows = where.read()
        name = Genealogy(rows).named(what)
        if isinstance(name, Refusal):
            printed({"ok": False, "code": name.code}, [name.detail], as_json)
            raise typer.Exit(DIFFERS)
        found, lines = tree(rows, name, DOWN if down else UP, depth)
        printed(found, lines, as_json)
        raise typer.Exit(OK if found["ok"] else DIFFERS)
    with where.opened() as known:
        found, lines = traced(known, what, when, where.sources(known))
    printed(found, lines, as_json)
    raise typer.Exit(OK if found.get("ok") else DIFFERS)


@asks_where
def parked(
    where: Where,
    account: Annotated[str, typer.Option(help="One account.")] = "",
    as_json: AsJson = False,
) -> None:
    """What is parked, why and for how long, who must act, and what to type. Of a run ages are counted to its last record."""
    with where.opened() as rows:
        found, lines = parked_lines(rows, account, now_of(rows, time.time_ns() // 1000))
    printed(found, lines or [f"nothing of {account} is parked" if account else "nothing is parked"], as_json)


@asks_where
def variance(
    where: Where,
    as_json: AsJson = False,
) -> None:
    """What counters and declarations say about the same quantity, those that differ first. Only the authority's is booked."""
    found = variances(where.read())
    printed(as_dicts(found), lines_of(found), as_json)


@asks_where
def shadow(
    where: Where,
    ask: Annotated[bool, typer.Option("--ask", help="Ask the ERP now, not what it answered at the end of the run.")] = False,
    as_json: AsJson = False,
) -> None:
    """Explain each difference between what the ledger would have posted and what another interface booked (plants with
    `shadow: true`). Exit 1: there are differences."""
    from app.ledger.questions import shadow as comparison

    rows = where.read()
    book = asked(lambda: _asked_now(rows) if ask else _book(where, rows))
    if book is None:
        fail("WRONG_USE", "no ERP was asked; give --ask, with an adapter in erp.yaml and its address in the environment")
    found = comparison.compare_shadow(rows, book)
    printed(comparison.as_json(found), comparison.lines_of(found), as_json)
    raise typer.Exit(DIFFERS if found.differences else OK)


@asks_where
def reconcile(
    where: Where,
    sources: Annotated[
        bool, typer.Option("--sources", help="Read all source records again, too, and add up every posting.")
    ] = False,
    wait: Annotated[
        float,
        typer.Option(
            min=0, help="Of a live installation: seconds to wait, at each look, until all partitions are at one moment."
        ),
    ] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Prove again that nothing is lost (I1), each record counts once (I2), and that the ERP has booked exactly this, once (I3:
    of a run, what it answered at the end; of a live installation, what it answers now if its address is in the environment).
    Exit 1: something differs. Beside it, without an effect on the exit code: what rounding leaves, and what a controller asks."""
    try:
        found = asked(lambda: _reconciled(where, sources, wait))
    except SourceExpired as gone:
        printed({"exact": False, "code": gone.code, "detail": str(gone)}, [f"{gone.code}: {gone}"], as_json)
        raise typer.Exit(DIFFERS) from None
    lines = list(balance_lines((kind, unit, entry) for (kind, unit), entry in found.proof.balances.items()))
    lines += [f"differs: {difference}" for difference in found.differences]
    lines += erp_check.lines_of(found.erp)
    if found.re_added is not None:
        lines.append(f"{found.re_added} postings: source records re-read and re-added")
    lines += carries.lines_of(found.carries)
    lines += order_books.lines_of(found.books)
    lines.append("EXACT" if found.exact else f"NOT EXACT: {len(found.differences)} differences")
    answer = {
        "exact": found.exact,
        "differences": found.differences,
        "erp": found.erp,
        "re_added": found.re_added,
        "carries": carries.as_json(found.carries),
        "books": order_books.as_json(found.books),
    }
    printed(answer, lines, as_json)
    raise typer.Exit(OK if found.exact else DIFFERS)


def _reconciled(where: Where, with_sources: bool, wait_s: float) -> Reconciliation:
    """A run is looked at once. Of a live installation what is on its way between stages differs for a moment: what does not
    stand in every look is no difference."""
    found = _look(where, with_sources, wait_s)
    for _ in range(LOOKS - 1 if where.live else 0):
        if found.exact:
            break
        time.sleep(PAUSE_SECONDS)
        again = _look(where, with_sources, wait_s)
        again.differences = [sentence for sentence in again.differences if sentence in found.differences]
        found = again
    return found


def _look(where: Where, with_sources: bool, wait_s: float) -> Reconciliation:
    rows = where.read(wait_s)
    return reconciled(rows, _book(where, rows), where.sources(rows) if with_sources else None)


def _book(where: Where, rows: snapshot.Snapshot) -> ErpBook | None:
    """Of a run what the ERP answered at its end; of a live installation what it answers now."""
    return _asked_now(rows) if where.live else erp_book.read(where.out)


def _asked_now(rows: snapshot.Snapshot) -> ErpBook | None:
    try:
        return erp_book.ask(rows.configuration.erp, erp_check.orders_of(rows, rows.configuration.erp), os.environ)
    except RefusedValue as unset:
        typer.echo(f"the ERP is not asked: {unset.refusal.detail}", err=True)
        return None


def printed(found: Any, lines: list[str], as_json: bool) -> None:
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False) if as_json else "\n".join(lines))
