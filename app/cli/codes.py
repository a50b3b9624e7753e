"""`lineledger explain-code`: what a code means, who must act, and what to type."""

from difflib import get_close_matches
from typing import Annotated

import typer

from app.cli.failures import fail
from schemas.codes import SECTIONS, entries_of, register


def explain_code(code: Annotated[str, typer.Argument(help="A code of a report, a dead letter, a log or an exit.")]) -> None:
    """Say what CODE means, who must act, and what to type; a code that is met in several places has an entry for each."""
    known(code)
    for entry in entries_of(code.upper()):
        number = f" (exit code {entry.exit})" if entry.exit else ""
        typer.echo(f"{entry.name}, {SECTIONS[entry.section]}{number}\n  cause  {entry.cause}")
        typer.echo(f"  owner  {entry.owner}\n  do     {entry.do.replace('`', '')}")


def known(code: str, as_json: bool = False) -> None:
    """Ends the command where this version has no such code."""
    if entries_of(code.upper()):
        return
    near = get_close_matches(code.upper(), sorted({entry.name for entry in register()}), n=3)
    there = f"near it: {', '.join(near)}" if near else "docs/exceptions.md has all"
    fail("WRONG_USE", f"`{code}` is no code of this version; {there}", as_json)
