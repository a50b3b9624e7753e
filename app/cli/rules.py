"""`lineledger rules`: which posting rule decides about an account, and what other rules would have posted."""

import json
import os
import time
from pathlib import Path
from typing import Annotated

import typer

from app.cli.connecting import Bootstrap, ClientConfig, InstallationPath, Prefix, installed
from app.cli.exits import DIFFERS, OK
from app.cli.failures import fail
from app.cli.moments import moment
from app.configuration import load

app = typer.Typer(help="Explain and try posting rules.", no_args_is_help=True)
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


@app.command()
def explain(
    account: Annotated[str, typer.Argument(help="Order, or account key as reports and `lineledger parked` show it.")],
    out: Annotated[Path | None, typer.Option("--out", help="Output folder of `lineledger run`: the account as it is.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Folder with the three files: the rules alone.")] = None,
    at: Annotated[str, typer.Option(help="Moment, ISO 8601 with an offset; default: the ledger's clock, or now.")] = "",
    as_json: AsJson = False,
) -> None:
    """Which rule won and why, which lost, and when the account is due next. Exit 1: no rule posts it, or it is not there."""
    from app.ledger.books import snapshot as ledger
    from app.ledger.questions.rules import explained, explained_from_ledger

    if (out is None) == (config is None):
        fail("WRONG_USE", "state one of --out OUT (the account as a run left it) and --config DIR (the rules alone)")
    when = moment("--at", at) if at else None
    if config is not None:
        found, lines = explained(load(config), account, int(time.time() * 1_000_000) if when is None else when)
    else:
        assert out is not None
        found, lines = explained_from_ledger(ledger.read(out), account, when)
    typer.echo(json.dumps(found, indent=1, ensure_ascii=False) if as_json else "\n".join(lines))
    raise typer.Exit(OK if found.get("rule") else DIFFERS)


@app.command()
def simulate(
    config: Annotated[Path, typer.Option("--config", help="Folder with the new rules.")],
    inputs: Annotated[
        list[str] | None, typer.Option("--input", help="[SOURCE=]FILE, folder or pattern; .gz and .zst, too.")
    ] = None,
    against: Annotated[Path | None, typer.Option("--against", help="Folder with the rules to compare with.")] = None,
    from_topic: Annotated[bool, typer.Option("--from-topic", help="Read the raw topics of plant.yaml instead of files.")] = False,
    since: Annotated[str, typer.Option(help="With --from-topic: from when, ISO 8601 with an offset.")] = "",
    installation: InstallationPath = None,
    bootstrap: Bootstrap = "",
    prefix: Prefix = "",
    client_config: ClientConfig = None,
    as_json: AsJson = False,
) -> None:
    """Replay history under other rules and show postings, calls and latency. Nothing is posted and nothing is written."""
    from app.inputs.input_files import inputs as resolve
    from app.inputs.recorded_input import merged
    from app.secret import private_key
    from app.simulation.compare import differences, figures, unbalanced
    from app.simulation.replay import Floor, Ledger, replay
    from app.simulation.show import as_json as shown
    from app.simulation.show import lines

    new = load(config)
    old = load(against) if against is not None else None
    if old is not None and old.plant != new.plant:
        fail("WRONG_USE", "the two plant.yaml differ: only rules.yaml and erp.yaml may, or the raw records would mean two things")
    told = installed(installation, bootstrap, prefix, client_config=client_config, with_registry=False)
    broker = told.connection.broker
    if from_topic == bool(inputs) or (from_topic and not (broker.bootstrap and since)):
        fail("WRONG_USE", "state --input FILE, or --from-topic with --bootstrap and --since")
    key, began = private_key(new.plant, os.environ), time.monotonic()
    if from_topic:
        from app.simulation.topics import recorded

        broker.reach()
        records = recorded(broker, told.prefix, new.plant, key, moment("--since", since))
    else:
        records = merged(resolve(inputs or [], new.plant), new.plant, key)
    floor = Floor(new, key)
    ledgers = [Ledger(one, floor.codec) for one in (old, new) if one is not None]
    replay(records, floor, ledgers)
    names = ["old", "new"] if old is not None else ["new"]
    sides = list(zip(names, map(figures, ledgers), strict=True))
    found = differences(*ledgers) if len(ledgers) == 2 else []
    seconds = time.monotonic() - began
    if as_json:
        typer.echo(json.dumps(shown(sides, found, floor.seen, seconds), indent=1, ensure_ascii=False))
    else:
        typer.echo("\n".join(lines(sides, found, floor.seen)))
        typer.echo(f"\nran {seconds:.1f} s, {floor.seen.get('raw', 0) / seconds:,.0f} raw/s")
    wrong = [key_ for ledger in ledgers for key_ in unbalanced(ledger)]
    if wrong:
        typer.echo(f"not exact: {', '.join(wrong[:5])}", err=True)
        raise typer.Exit(DIFFERS)
