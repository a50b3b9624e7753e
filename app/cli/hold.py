"""`lineledger hold place | release | exempt | show | list`: what a quality engineer stops and frees, as records of the plant's
operators' source (docs/adr/0091).

Exit codes: 0 written or shown, 1 nothing is changed by it or there is no such hold, 2 wrong use or no ledger.
"""

import sys
import time
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from app.cli.exits import DIFFERS, OK
from app.cli.explain import AsJson, printed
from app.cli.failures import fail
from app.cli.moments import moment
from app.cli.operators import Append, end, hashed, written
from app.cli.where import Where, asks_where
from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.genealogy import Genealogy, LotName, ScopeName, Target
from app.ledger.questions.hold_lines import change_lines, list_lines, show_lines
from app.ledger.questions.holds import HoldOrder, effects, held_below, origins, planned, unheard_of
from app.ledger.questions.operators import now_of
from app.ledger.questions.races import race_lines
from app.ledger.questions.verdicts import verdict_lines
from streams.mapping.hold_orders import EXEMPT, PLACE, RELEASE, REVOKE
from tables import lots
from tables.refusal import Refusal
from tables.scopes import EQUIPMENT, ORDER, RUN, SUPPLIER_LOT

app = typer.Typer(no_args_is_help=True, help="Stop lots and what they went into; free them; see what is stopped.")

Stopped = Annotated[
    list[str] | None, typer.Argument(help="MATERIAL|LOT, or LOT where one material has it; or one of the options that follow.")
]
Equipment = Annotated[str, typer.Option(help="The lots that this machine made between --from and --to.")]
From = Annotated[str, typer.Option("--from", help="Of --equipment, ISO 8601 with an offset; included.")]
To = Annotated[str, typer.Option("--to", help="Of --equipment, ISO 8601 with an offset; included.")]
MadeBy = Annotated[str, typer.Option("--order", help="The lots that this order made.")]
SupplierLot = Annotated[str, typer.Option(help="The lots that came from this lot of a supplier.")]
Run = Annotated[str, typer.Option("--run", help="The lots that this run made.")]
Hold = Annotated[str, typer.Argument(help="Name of the hold: a complaint, an 8D, a deviation.")]
Lots = Annotated[list[str], typer.Argument(help="MATERIAL|LOT, or LOT where one material has it.")]
Origins = Annotated[list[str] | None, typer.Argument(help="Lots that it was placed on; without: all of them.")]
Who = Annotated[str, typer.Option(help="Who orders it; leaves this machine as a keyed hash only.")]
Why = Annotated[str, typer.Option(help="Why: it stays with the lot.")]
Severity = Annotated[str, typer.Option(help="block or notify.")]
Case = Annotated[str, typer.Option("--correlation-id", help="Number of the case in the quality system.")]
At = Annotated[
    str, typer.Option(help="When it takes effect, ISO 8601 with an offset; without: now, of a run at its last record.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what it would change.")]


@asks_where
def place(
    where: Where, hold: Hold, who: Who, why: Why, lot: Stopped = None, equipment: Equipment = "", from_: From = "", to: To = "",
    order: MadeBy = "", supplier_lot: SupplierLot = "", run: Run = "", severity: Severity = lots.BLOCK,
    correlation_id: Case = "", at: At = "", dry_run: DryRun = False, append: Append = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Stop lots and all that they went or will go into: by name, or all that a machine, an order or a run made or that came from
    a supplier's lot, those that appear later, too. What is posted then follows `on_hold` of rules.yaml."""
    if severity not in lots.SEVERITIES:
        fail("WRONG_USE", f"--severity {severity} is none; write one of {', '.join(lots.SEVERITIES)}")
    rows = where.read()
    graph = Genealogy(rows)
    scope = _scope({EQUIPMENT: equipment, ORDER: order, SUPPLIER_LOT: supplier_lot, RUN: run}, from_, to)
    if bool(lot) == (scope is not None):
        fail("WRONG_USE", "name lots, or one of --equipment, --order, --supplier-lot and --run")
    targets: Sequence[Target] = [scope] if scope is not None else _named(graph, lot or [], as_json)
    ordered = _order(rows, PLACE, hold, who, why, at, severity, correlation_id)
    _carry_out(where, rows, graph, ordered, targets, dry_run, append, as_json)


@asks_where
def release(
    where: Where, hold: Hold, who: Who, why: Why, lot: Origins = None, correlation_id: Case = "", at: At = "",
    dry_run: DryRun = False, append: Append = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """End a hold on what it was placed on (lots, machines and times, orders, runs, suppliers' lots), and so on all that they went
    into. What other holds stop stays stopped."""
    rows = where.read()
    graph = Genealogy(rows)
    targets: Sequence[Target] = _named(graph, lot, as_json) if lot else origins(graph, hold)
    order = _order(rows, RELEASE, hold, who, why, at, lots.BLOCK, correlation_id)
    _carry_out(where, rows, graph, order, targets, dry_run, append, as_json)


@asks_where
def exempt(
    where: Where, hold: Hold, lot: Lots, who: Who, why: Why, correlation_id: Case = "", at: At = "",
    descendants: Annotated[bool, typer.Option("--descendants", help="With all that they went into and that it holds.")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="End the exemption: the hold stops them again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="The list is confirmed; without: the command asks.")] = False,
    dry_run: DryRun = False, append: Append = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Free these lots alone of a hold; what they went into stays stopped. With --descendants the list of lots is shown, somebody
    confirms it, and each of them is exempted by itself: what they go into later is not."""
    rows = where.read()
    graph = Genealogy(rows)
    order = _order(rows, REVOKE if revoke else EXEMPT, hold, who, why, at, lots.BLOCK, correlation_id)
    targets = _named(graph, lot, as_json)
    if descendants:
        below = [reached.name for reached in graph.below(targets)]
        targets = below if revoke else held_below(graph, hold, targets)
        if not dry_run and not yes:
            _confirm(order, targets, as_json)
    _carry_out(where, rows, graph, order, targets, dry_run, append, as_json)


@asks_where
def show(where: Where, hold: Hold, as_json: AsJson = False) -> None:
    """One hold: who placed it and why, every lot that it came to, when delivery closed its gate, and what waits for it."""
    found, lines = show_lines(where.read(), hold)
    printed(found, lines, as_json)
    raise typer.Exit(OK if found["ok"] else DIFFERS)


@asks_where
def listed(
    where: Where,
    lot: Annotated[str, typer.Option(help="Only what holds this lot: MATERIAL|LOT, or LOT where one material has it.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Released ones, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Holds that are active: where they were placed, since when, by whom and why, and how many lots they stop."""
    rows = where.read()
    name = _named(Genealogy(rows), [lot], as_json)[0] if lot else None
    printed(*list_lines(rows, every, name), as_json)


@asks_where
def verdicts(
    where: Where,
    every: Annotated[bool, typer.Option("--all", help="Those that a person has decided about, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Lots that one inspection passed and another one failed. The worst verdict holds a lot until a DispositionDecided."""
    printed(*verdict_lines(where.read(), every), as_json)


@asks_where
def raced(where: Where, as_json: AsJson = False) -> None:
    """What was on its way when a hold took effect: postings of lots still held that went out in a form that the policy
    forbids now, with all times and offsets."""
    printed(*race_lines(where.read()), as_json)


COMMANDS: dict[str, Callable[..., None]] = {
    "place": place, "release": release, "exempt": exempt, "show": show, "list": listed, "verdicts": verdicts, "races": raced,
}  # fmt: skip
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def _order(rows: Snapshot, change: str, hold: str, who: str, why: str, at: str, severity: str, case: str) -> HoldOrder:
    if not hold or len(hold) > lots.MAX_HOLD_CHARACTERS:
        fail("WRONG_USE", f"the name of a hold has 1 to {lots.MAX_HOLD_CHARACTERS} characters")
    if not who.strip() or not why.strip():
        fail("WRONG_USE", "say who orders it and why: --who NAME --why TEXT")
    now = now_of(rows, time.time_ns() // 1000)
    effective = moment("--at", at) if at else now
    if rows.finished:  # over recorded input it arrives when it takes effect
        now = effective
    elif effective > now:
        fail("BAD_TIME", f"--at {at} is to come: a hold takes effect when it is ordered, or took effect before")
    return HoldOrder(change, hold, hashed(rows, who), why, now, effective, severity, case)


def _scope(named: dict[str, str], from_: str, to: str) -> ScopeName | None:
    """What a hold is placed on instead of lots; None: nothing but lots."""
    scopes = [(scope, name) for scope, name in named.items() if name]
    if len(scopes) > 1:
        fail("WRONG_USE", "name one of --equipment, --order, --supplier-lot and --run: each is a hold of its own")
    timed = bool(scopes) and scopes[0][0] == EQUIPMENT
    if bool(from_) != timed or bool(to) != timed:
        fail("WRONG_USE", "--equipment takes --from and --to, the others take neither")
    if not scopes:
        return None
    if len(scopes[0][1]) > lots.MAX_NAME_CHARACTERS:
        fail("WRONG_USE", f"a name has at most {lots.MAX_NAME_CHARACTERS} characters")
    if not timed:
        return ScopeName(*scopes[0])
    start, end = moment("--from", from_), moment("--to", to)
    if not 0 < start <= end:
        fail("BAD_TIME", f"--to {to} is before --from {from_}")
    return ScopeName(*scopes[0], start, end)


def _named(graph: Genealogy, texts: Sequence[str], as_json: bool) -> list[LotName]:
    found = []
    for text in texts:
        name = graph.named(text)
        if isinstance(name, Refusal):
            end(DIFFERS, f"{name.code}: {name.detail}", as_json)
        if max(map(len, name)) > lots.MAX_NAME_CHARACTERS:
            fail("WRONG_USE", f"a lot or material has at most {lots.MAX_NAME_CHARACTERS} characters")
        found.append(name)
    return list(dict.fromkeys(found))


def _confirm(order: HoldOrder, targets: Sequence[LotName], as_json: bool) -> None:
    """The whole list, and a person's yes."""
    if as_json or not sys.stdin.isatty():
        fail("WRONG_USE", "nobody is here to confirm the list: read it with --dry-run --json, then give --yes")
    for name in targets:
        typer.echo(f"  {name}")
    typer.confirm(f"{order.change} these {len(targets)} lots of {order.hold}?", abort=True)


def _carry_out(
    where: Where, rows: Snapshot, graph: Genealogy, order: HoldOrder, targets: Sequence[Target], dry_run: bool,
    append: Append, as_json: bool,
) -> None:  # fmt: skip
    plan = planned(graph, order, targets)
    if isinstance(plan, Refusal):
        end(DIFFERS, f"{plan.code}: {plan.detail}", as_json)
    for sentence in plan.left:
        typer.echo(sentence, err=True)
    if not plan.lines:
        end(DIFFERS, f"DECISION_INVALID: nothing is changed by it: {plan.left[0] if plan.left else 'no lot has it'}", as_json)
    for name in unheard_of(rows, graph, plan.targets):
        typer.echo(f"nothing is known of {name} yet: the hold waits for it", err=True)
    found, lines = change_lines(rows, graph, order, effects(graph, order, plan.targets))
    if dry_run:
        printed({**found, "written": 0}, [*lines, "nothing was written (--dry-run)"], as_json)
        raise typer.Exit(OK)
    place = written(rows, plan.lines, append, where, as_json)
    printed({**found, "written": len(plan.lines)}, [*lines, f"{len(plan.lines)} records written to {place}"], as_json)
    raise typer.Exit(OK)
