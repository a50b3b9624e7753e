"""`lineledger explain-code`: what a code means, who must act, and what to type."""

from difflib import get_close_matches
from typing import Annotated

import typer

from app.cli.failures import fail
from schemas.codes import SECTIONS, entries_of, register


def explain_code(code: Annotated[str, typer.Argument(help="A code of a report, a dead letter, a log or an exit.")]) -> None:
    """Say what CODE means, who must act, and what to type; a code that is met in several places has an entry for each."""
    entries = entries_of(code.upper())
    if not entries:
        near = get_close_matches(code.upper(), sorted({entry.name for entry in register()}), n=3)
        known = f"near it: {', '.join(near)}" if near else "docs/exceptions.md has all"
        fail("WRONG_USE", f"`{code}` is no code of this version; {known}")
    for entry in entries:
        number = f" (exit code {entry.exit})" if entry.exit else ""
        typer.echo(f"{entry.name}, {SECTIONS[entry.section]}{number}\n  cause  {entry.cause}")
        typer.echo(f"  owner  {entry.owner}\n  do     {entry.do.replace('`', '')}")
