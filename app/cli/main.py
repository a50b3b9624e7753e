"""The command `lineledger`. Each sub-command imports what it needs when it is called: `--help` answers at once."""

import os
import sys
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


def _wire() -> None:
    from app.cli import clock, config, exceptions, explain, operators, rules, schemas, topics, upstream
    from app.cli.codes import explain_code
    from app.cli.demo import demo
    from app.cli.erp_sim import erp_sim
    from app.cli.ingest import ingest
    from app.cli.run import run
    from app.cli.status import status
    from app.cli.up import up
    from app.cli.worker import worker

    app.command()(run)
    app.command()(worker)
    app.command()(up)
    app.command()(ingest)
    app.command()(demo)
    app.command("erp-sim")(erp_sim)
    app.add_typer(config.app, name="config")
    app.add_typer(rules.app, name="rules")
    app.add_typer(topics.app, name="topics")
    app.add_typer(clock.app, name="clock")
    app.add_typer(upstream.app, name="upstream")
    app.add_typer(schemas.app, name="schemas")
    app.command()(status)
    app.command()(explain.trace)
    app.command()(explain.reconcile)
    app.command()(explain.shadow)
    app.command()(explain.parked)
    app.command()(explain.variance)
    app.add_typer(exceptions.app, name="exceptions")
    app.command()(operators.decide)
    app.command("explain-code")(explain_code)


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
        print("an argument is no UTF-8 text; set terminal and locale (LANG) to UTF-8", file=sys.stderr)
        sys.exit(USAGE)
    _wire()
    ended(app)


if __name__ == "__main__":
    main()
