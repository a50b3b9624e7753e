"""The command `lineledger`. Only the command that is called is imported."""

import logging
import os
import sys
from importlib import import_module
from typing import Annotated

import typer

from app.cli.exits import USAGE
from app.observability import logs
from app.observability.secrets import Secrets

app = typer.Typer(
    help="Shop-floor telemetry and transactions in; exact, explainable ERP postings out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    add_completion=False,
)


COMMANDS = {
    "run": "run:run",
    "worker": "worker:worker",
    "up": "up:up",
    "ingest": "ingest:ingest",
    "books": "books:books",
    "demo": "demo:demo",
    "erp": "erp:app",
    "erp-sim": "erp_sim:erp_sim",
    "config": "config:app",
    "rules": "rules:app",
    "topics": "topics:app",
    "acls": "acls:app",
    "clock": "clock:app",
    "upstream": "upstream:app",
    "schemas": "schemas:app",
    "status": "status:status",
    "trace": "explain:trace",
    "recall": "recall:recall",
    "reconcile": "explain:reconcile",
    "console": "console:console",
    "shadow": "explain:shadow",
    "parked": "explain:parked",
    "variance": "explain:variance",
    "exceptions": "exceptions:app",
    "decide": "operators:decide",
    "hold": "hold:app",
    "explain-code": "codes:explain_code",
}
"""Command -> module of app.cli, and what in it is the command or a group of commands."""


LASTING = frozenset({"run", "demo", "worker", "up", "ingest", "books", "erp-sim"})
"""Commands that go on for a while: they log."""
OF_STAGES = frozenset({"worker", "up"})
"""Those that a supervisor starts again when they end."""


def _wire(named: str = "") -> None:
    """Import and add the command that is named; every one when that is none (help, a wrong name), which takes a second."""
    for name in [named] if named in COMMANDS else COMMANDS:
        module, _, attribute = COMMANDS[name].partition(":")
        command = getattr(import_module(f"app.cli.{module}"), attribute)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)


@app.callback(invoke_without_command=True)
def version(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(installed("lineledger"))
        raise typer.Exit


def main() -> None:
    from app.cli.failures import ended, is_text

    logs.start(Secrets.of(os.environ))
    if not all(map(is_text, sys.argv)):
        print("WRONG_USE: an argument is no UTF-8 text; set terminal and locale (LANG) to UTF-8", file=sys.stderr)
        sys.exit(USAGE)
    named = sys.argv[1] if len(sys.argv) > 1 else ""
    if named not in LASTING:
        logging.getLogger().setLevel(logging.CRITICAL)  # what a question says is its answer, or one sentence
    _wire(named)
    ended(lambda: app(standalone_mode=False, prog_name="lineledger"), of_stages=named in OF_STAGES, words=sys.argv[1:])


if __name__ == "__main__":
    main()
