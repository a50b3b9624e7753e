"""`lineledger run`: all stages over recorded input until drained."""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from app.cli.connecting import ClientConfig, connection_of
from app.cli.exits import DIFFERS, OK
from app.cli.failures import fail
from app.cli.progress import ProgressLine
from app.cli.stopping import stoppable
from schemas.configuration.adapters import NO_ADAPTER, STARTED


def run(
    config: Annotated[Path, typer.Option(help="Folder with plant.yaml, rules.yaml and erp.yaml.")],
    inputs: Annotated[list[str], typer.Option("--input", help="[SOURCE=]FILE, folder or pattern; .gz and .zst, too.")],
    export_postings: Annotated[Path | None, typer.Option(help="CSV of all postings; what is not posted goes beside it.")] = None,
    bootstrap: Annotated[str, typer.Option(help="Kafka bootstrap servers; without: all stages in this process, no broker.")] = "",
    client_config: ClientConfig = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processes per stage.")] = 1,
    erp: Annotated[str, typer.Option(help=f"{', '.join(STARTED)} or {NO_ADAPTER}; without: as erp.yaml says.")] = "",
    out: Annotated[Path, typer.Option(help="Folder for ledger, report and logs.")] = Path("out"),
    home: Annotated[Path, typer.Option(help="Where Tryton is installed.")] = Path(".cache/tryton"),
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Worker processes on a broker that lives as long as the run.")
    ] = False,
    keep_topics: Annotated[bool, typer.Option("--keep-topics", help="Leave the run's topics on the broker.")] = False,
    refused_at_most: Annotated[
        str, typer.Option(help="Share of an input's records that may be refused; more ends the run. 100 %: any.")
    ] = "50 %",
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable report.")] = False,
) -> None:
    """Run recorded input through all stages. Exit 0: everything is exact; 1: not; 2: wrong use or no infrastructure."""
    from app.configuration import load
    from app.inputs.first_look import look, share_of
    from app.inputs.input_files import inputs as resolve
    from app.secret import private_key

    check_machine(workers, bootstrap, embedded)
    if erp not in ("", *STARTED, NO_ADAPTER):
        fail("WRONG_USE", f"--erp {erp}: it is {', '.join(STARTED)} or {NO_ADAPTER}")
    if export_postings is not None and export_postings.is_dir():
        fail("WRONG_USE", f"--export-postings {export_postings} is a folder; name a file in it")
    configuration = load(config)
    files = resolve(inputs, configuration.plant)
    share = share_of(refused_at_most)
    look(files, configuration.plant, private_key(configuration.plant, os.environ), share)
    from app.run.request import RunRequest
    from streams.mapping.private_paths import maps_private

    if maps_private(configuration.plant) and not private_key(configuration.plant, os.environ):
        typer.echo("PRIVATE_KEY_MISSING: private values are hashed with the plant's id, which anyone can guess", err=True)
    progress = ProgressLine(quiet=as_json)
    request = RunRequest(
        configuration=configuration,
        config_dir=config,
        files=files,
        out=out,
        home=home,
        connection=connection_of(bootstrap, client_config=client_config) if bootstrap else None,
        client_config=client_config,
        embedded=embedded,
        workers=workers,
        erp=erp,
        keep_topics=keep_topics,
        refused_at_most=share,
        progress=progress,
        reading=progress.reading,
        started=progress.pids,
    )
    raise typer.Exit(carry_out(request, export_postings, as_json, progress))


def check_machine(workers: int, bootstrap: str, embedded: bool) -> None:
    """Several processes per stage need a broker that fences."""
    if embedded and bootstrap:
        fail("WRONG_USE", "--embedded is a broker of its own: give one of --embedded and --bootstrap")
    if workers > 1 and not bootstrap:
        fail("WRONG_USE", "--workers needs a real Kafka (--bootstrap HOST:PORT): without it a partition never has a second owner")


def carry_out(request: "object", export_postings: Path | None, as_json: bool, progress: ProgressLine) -> int:
    """Run, export, report; the exit code."""
    from app.erp.traffic import JOURNAL, journalled
    from app.ledger.proof import balance, erp_check
    from app.ledger.questions import export, report
    from app.run.request import RunRequest
    from app.run.run import execute

    assert isinstance(request, RunRequest)
    with stoppable() as stop:
        try:
            result = execute(replace(request, progress=stop.between(request.progress)), erp_check.check)
        finally:
            progress.done()
    proof = balance.prove(result.snapshot)
    requests = list(journalled(request.out / JOURNAL))
    found = report.build(result.snapshot, proof, result.seconds, result.rate, result.calls, requests, result.telemetry)
    posted, open_ = export.write(export_postings or request.out / "postings.csv", result.snapshot, proof)
    found.out = str(request.out)
    found.files = [str(posted), str(open_)]
    content = json.dumps(report.as_json(found), indent=1, ensure_ascii=False)
    (request.out / "report.json").write_text(content, encoding="utf-8")
    (request.out / "report.txt").write_text(report.text(found), encoding="utf-8")
    sys.stdout.write(content + "\n" if as_json else report.text(found))
    return OK if found.exact else DIFFERS
