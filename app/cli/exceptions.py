"""`lineledger exceptions list | show | replay | resolve | discard`: records that could not be processed, and what became of them.

What people say of a dead letter is a record of the plant's operators' source, as decisions are (docs/adr/0026).
Exit codes: 0 fine, 1 there is no such letter, 2 wrong use or no ledger.
"""

import getpass
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import typer

from app.cli.codes import known
from app.cli.exits import DIFFERS, OK
from app.cli.explain import AsJson, printed
from app.cli.failures import fail
from app.cli.moments import moment
from app.cli.operators import Append, end, hashed, written
from app.cli.where import Where, asks_where
from app.ledger.books.letters import STATES, Choice, Life
from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.listing import exception_lines, letter_lines
from app.ledger.questions.operators import Settling, now_of, replays, settlings
from streams.mapping.operators import DISCARDED, OPEN, RESOLVED

app = typer.Typer(invoke_without_command=True, help="Records that could not be processed: list, show, replay, resolve, discard.")

Ids = Annotated[list[str] | None, typer.Argument(help="Ids as `exceptions list` shows them; their beginning is enough.")]
Code = Annotated[str, typer.Option(help="One code.")]
Source = Annotated[str, typer.Option(help="One source of plant.yaml.")]
State = Annotated[str, typer.Option(help="open, replayed, resolved or discarded.")]
Since = Annotated[str, typer.Option(help="Arrived at or after, ISO 8601 with an offset.")]
Until = Annotated[str, typer.Option(help="Arrived before, ISO 8601 with an offset.")]
Who = Annotated[str, typer.Option(help="Who decides; leaves this machine as a keyed hash only.")]
Why = Annotated[str, typer.Option(help="Why: it stays with the dead letter.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say which ones.")]


@app.callback()
@asks_where
def overview(
    where: Where, asked_for: typer.Context, code: Code = "", source: Source = "", state: State = "",
    since: Since = "", until: Until = "", as_json: AsJson = False,
) -> None:  # fmt: skip
    """Records that could not be processed, with code, state, position and original."""
    if asked_for.invoked_subcommand is None:
        _list(where, _choice(None, code, source, state, since, until), as_json)


@asks_where
def listed(
    where: Where, code: Code = "", source: Source = "", state: State = "", since: Since = "", until: Until = "",
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Records that could not be processed, with code, state, position and original."""
    _list(where, _choice(None, code, source, state, since, until), as_json)


@asks_where
def show(where: Where, letter: Annotated[str, typer.Argument(help="Its id.")], as_json: AsJson = False) -> None:
    """One dead letter: what it was refused for, its original, and what people said of it."""
    with where.opened() as rows:
        found = Choice(ids=[letter]).of(rows.lives)
        codec = rows.codec
    if not found:
        end(DIFFERS, f"NOT_FOUND: no dead letter begins with {letter}", as_json)
    printed(*letter_lines(found[0], codec), as_json)


@asks_where
def replay(
    where: Where, ids: Ids = None, code: Code = "", source: Source = "", since: Since = "", until: Until = "",
    who: Who = "", why: Why = "its cause was corrected", dry_run: DryRun = False, append: Append = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Let open dead letters enter intake once more under their original positions, after their cause was corrected. Those that
    intake takes are resolved by that."""
    choice = _choice(ids, code, source, "" if ids else OPEN, since, until)
    rows, found = _chosen(where, choice, as_json)
    answer = replays(found, Settling(hashed(rows, who or me()), why, now_of(rows, time.time_ns() // 1000)))
    for sentence in answer.left:
        typer.echo(sentence, err=True)
    _tell(where, rows, answer.lines, answer.taken, "can be replayed", dry_run, append, as_json)


@asks_where
def resolve(
    where: Where, who: Who, why: Why, ids: Ids = None, code: Code = "", source: Source = "", since: Since = "", until: Until = "",
    dry_run: DryRun = False, append: Append = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say that dead letters are settled by other means: what they would have said came in another way."""
    _settle(where, RESOLVED, who, why, _choice(ids, code, source, "", since, until), dry_run, append, as_json)


@asks_where
def discard(
    where: Where, who: Who, why: Why, ids: Ids = None, code: Code = "", source: Source = "", since: Since = "", until: Until = "",
    dry_run: DryRun = False, append: Append = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say that dead letters are of no use. They stay listed; a discarded one can be replayed by its id."""
    _settle(where, DISCARDED, who, why, _choice(ids, code, source, "", since, until), dry_run, append, as_json)


COMMANDS: dict[str, Callable[..., None]] = {
    "list": listed, "show": show, "replay": replay, "resolve": resolve, "discard": discard,
}  # fmt: skip
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)


def me() -> str:
    """The user of this process. In a container it may have none: then somebody has to say who."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        fail("WRONG_USE", "say who replays them: --who NAME (this process runs as a user without a name)")


def _list(where: Where, choice: Choice, as_json: bool) -> None:
    with where.opened() as rows:
        lives = choice.of(rows.lives)
        found, lines = exception_lines(lives, rows.codec)
    _has_code(choice, lives, as_json)
    printed(found, lines or ["no dead letter"], as_json)


def _settle(where: Where, state: str, who: str, why: str, choice: Choice, dry_run: bool, append: Any, as_json: bool) -> None:
    rows, found = _chosen(where, choice, as_json)
    waiting = found if choice.ids else [life for life in found if life.state not in (RESOLVED, DISCARDED)]
    lines = settlings(waiting, state, Settling(hashed(rows, who), why, now_of(rows, time.time_ns() // 1000)))
    taken = [life for life in waiting if life.state != state]
    _tell(where, rows, lines, taken, f"can be {state}", dry_run, append, as_json)


def _chosen(where: Where, choice: Choice, as_json: bool) -> tuple[Snapshot, list[Life]]:
    if not choice.chooses:
        fail("WRONG_USE", "say which: give ids, or --code, --source, --since, --until", as_json)
    rows = where.read()
    found = choice.of(rows.lives)
    _has_code(choice, found, as_json)
    return rows, found


def _has_code(choice: Choice, found: Sequence[Life], as_json: bool) -> None:
    """What is found has a code, be it of another version; what nobody knows was mistyped."""
    if choice.code and not found:
        known(choice.code, as_json)


def _tell(
    where: Where, rows: Snapshot, lines: list[str], taken: list[Life], what: str, dry_run: bool, append: Any, as_json: bool
) -> None:
    if not lines:
        end(DIFFERS, f"no dead letter of these {what}", as_json)
    names = ", ".join(dict.fromkeys(f"{life.id} {life.letter.code}" for life in taken))
    if dry_run:
        end(OK, f"would write {len(lines)} records for {names}", as_json)
    place = written(rows, lines, append, where, as_json)
    end(OK, f"{len(lines)} records for {names}: written to {place}", as_json, written=len(lines))


def _choice(ids: list[str] | None, code: str, source: str, state: str, since: str, until: str) -> Choice:
    if state and state not in STATES:
        fail("WRONG_USE", f"--state {state} is no state; write one of {', '.join(STATES)}")
    return Choice(tuple(ids or ()), code.upper(), source, state, _moment("--since", since), _moment("--until", until))


def _moment(option: str, text: str) -> int:
    """Microseconds; 0: not asked for."""
    return moment(option, text) if text else 0
