"""`lineledger run`: all stages over recorded input until drained."""

import json
import os
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.connecting import ClientConfig, InstallationPath, installed
from app.cli.exits import DIFFERS, OK
from app.cli.failures import fail
from app.cli.progress import ProgressLine
from app.cli.stopping import stoppable
from app.ledger.books.folder import DEFAULT_OUT, EXPORTED, not_posted
from schemas.configuration.adapters import NO_ADAPTER, STARTED

if TYPE_CHECKING:
    from app.run.resume import Asked

REFUSED_AT_MOST = "50 %"


def run(
    config: Annotated[Path | None, typer.Option(help="Folder with plant.yaml, rules.yaml and erp.yaml.")] = None,
    inputs: Annotated[
        list[str] | None, typer.Option("--input", help="[SOURCE=]FILE, folder or pattern; .gz and .zst, too; repeatable.")
    ] = None,
    export_postings: Annotated[Path | None, typer.Option(help="CSV of all postings; what is not posted goes beside it.")] = None,
    bootstrap: Annotated[str, typer.Option(help="Kafka bootstrap servers; without: all stages in this process, no broker.")] = "",
    client_config: ClientConfig = None,
    installation: InstallationPath = None,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Processes per stage.")] = 1,
    erp: Annotated[str, typer.Option(help=f"{', '.join(STARTED)} or {NO_ADAPTER}; without: as erp.yaml says.")] = "",
    out: Annotated[Path | None, typer.Option(help=f"Folder for ledger, report and logs; without: `{DEFAULT_OUT}`.")] = None,
    home: Annotated[Path, typer.Option(help="Where Tryton is installed.")] = Path(".cache/tryton"),
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Worker processes on a broker that lives as long as the run.")
    ] = False,
    keep_topics: Annotated[bool, typer.Option("--keep-topics", help="Leave the run's topics on the broker.")] = False,
    refused_at_most: Annotated[
        str, typer.Option(help="Share of an input's records that may be refused; more ends the run. 100 %: any. Without: 50 %.")
    ] = "",
    checkpoint: Annotated[
        Path | None, typer.Option(help="Folder in which to keep what a run that is stopped or dies goes on from; without: --out.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run of this folder; what is not given is as it was.")
    ] = False,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Begin again where a run is unfinished, and replace a finished one.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable report.")] = False,
) -> None:
    """Run recorded input through all stages. Exit 0: everything is exact; 1: not; 2: wrong use or no infrastructure."""
    from app.configuration import load
    from app.inputs.first_look import look, share_of
    from app.inputs.input_files import inputs as resolve
    from app.run.resume import FOLDER, Asked, discard, held, not_replaced
    from app.secret import private_key

    check_machine(workers, bootstrap, embedded)
    if erp not in ("", *STARTED, NO_ADAPTER):
        fail("WRONG_USE", f"--erp {erp}: it is {', '.join(STARTED)} or {NO_ADAPTER}")
    if export_postings is not None and export_postings.is_dir():
        fail("WRONG_USE", f"--export-postings {export_postings} is a folder; name a file in it")
    in_memory = not (bootstrap or embedded)
    if resume and not in_memory:
        fail("WRONG_USE", "--resume is of runs without a broker: leave --bootstrap and --embedded out")
    folder = (checkpoint or out or DEFAULT_OUT) / FOLDER
    wanted = Asked(
        config="" if config is None else str(config.absolute()),
        inputs=inputs or (),
        erp=erp,
        export_postings="" if export_postings is None else str(export_postings.absolute()),
        refused_at_most=refused_at_most,
        folder=str(Path.cwd()),
        out="" if out is None and resume else str((out or DEFAULT_OUT).resolve()),
    )
    asked = what_is_asked(wanted, folder, resume, afresh, in_memory)
    out = out or (DEFAULT_OUT if checkpoint is None else Path(asked.out))
    if not (resume or afresh):
        not_replaced(out)
    exported = export_postings or Path(asked.export_postings or out / EXPORTED)
    config = config or Path(asked.config)
    configuration = load(config)
    own = [out, folder, exported, not_posted(exported)]
    files = resolve(asked.inputs, configuration.plant, Path() if inputs else Path(asked.folder), own)
    share = share_of(asked.refused_at_most)
    if not resume:
        look(files, configuration.plant, private_key(configuration.plant, os.environ), share)
    from app.run.request import RunRequest
    from streams.mapping.private_paths import maps_private

    if maps_private(configuration.plant) and not private_key(configuration.plant, os.environ):
        typer.echo("PRIVATE_KEY_MISSING: private values are hashed with the plant's id, which anyone can guess", err=True)
    told = installed(installation if bootstrap else None, bootstrap, client_config=client_config, with_registry=False)
    progress = ProgressLine(quiet=as_json)
    request = RunRequest(
        configuration=configuration,
        config_dir=config,
        files=files,
        out=out,
        home=home,
        connection=told.connection if bootstrap else None,
        client_config=client_config or told.document.client_config,
        installation=installation if bootstrap else None,  # without Kafka there are no topics to have counts
        catalog=told.document.content.catalog(),
        embedded=embedded,
        workers=workers,
        erp=asked.erp,
        keep_topics=keep_topics,
        refused_at_most=share,
        checkpoint=folder if in_memory else None,
        asked=asked,
        resume=resume,
        progress=progress,
        reading=progress.reading,
        started=progress.pids,
    )
    with held(folder if in_memory or afresh else None):
        if afresh:
            discard(folder)
        code = carry_out(request, exported, as_json, progress)
    raise typer.Exit(code)


def what_is_asked(wanted: "Asked", folder: Path, resume: bool, afresh: bool, in_memory: bool) -> "Asked":
    """What the command line says, and with `resume` what it said when the run began.

    Raises RunUnfinished, NothingToResume, RunDiffers.
    """
    from app.run.resume import Asked, NothingToResume, RunDiffers, RunUnfinished, asked_in

    before = asked_in(folder)
    if resume and afresh:
        fail("WRONG_USE", "--resume goes on, --afresh begins again: give one of them")
    if resume and before is None:
        raise NothingToResume(f"{folder} has no run that could go on; leave `--resume` out")
    if before is not None and not (resume or afresh):
        how = "" if in_memory else ", without a broker"
        raise RunUnfinished(f"{folder} has a run that is not at its end: `--resume` goes on with it{how}, `--afresh` gives it up")
    if before is not None and resume:
        if wanted.out and wanted.out != before.out and folder.parent.resolve() != Path(wanted.out):
            raise RunDiffers(f"--out {wanted.out}, the run began with {before.out}: leave it out, or begin again with `--afresh`")
        folder_of_inputs = wanted.folder if wanted.inputs else before.folder
        merged = {name: value or getattr(before, name) for name, value in asdict(wanted).items()}
        return Asked(**{**merged, "folder": folder_of_inputs})
    if not (wanted.config and wanted.inputs):
        fail(
            "WRONG_USE",
            f"{'--input' if wanted.config else '--config'} is missing: `lineledger run --config DIR --input [SOURCE=]FILE`",
        )
    return replace(wanted, refused_at_most=wanted.refused_at_most or REFUSED_AT_MOST)


def check_machine(workers: int, bootstrap: str, embedded: bool) -> None:
    """Several processes per stage need a broker that fences."""
    if embedded and bootstrap:
        fail("WRONG_USE", "--embedded is a broker of its own: give one of --embedded and --bootstrap")
    if workers > 1 and not bootstrap:
        fail("WRONG_USE", "--workers needs a real Kafka (--bootstrap HOST:PORT): without it a partition never has a second owner")


def going_on(out: Path, folder: Path) -> str:
    """The command that goes on with a run."""
    elsewhere = [] if folder.parent == out else ["--checkpoint", str(folder.parent)]
    return shlex.join(["lineledger", "run", "--resume", "--out", str(out), *elsewhere])


def carry_out(request: "object", exported: Path, as_json: bool, progress: ProgressLine) -> int:
    """Run, export, report; the exit code."""
    from app.erp.traffic import JOURNAL, journalled
    from app.ledger.proof import balance, erp_check
    from app.ledger.questions import export, report
    from app.run.request import RunRequest
    from app.run.resume import asked_in, discard
    from app.run.run import execute

    assert isinstance(request, RunRequest)
    with stoppable() as stop:
        try:
            looking = replace(request, progress=stop.between(request.progress), between_turns=stop.waiting)
            result = execute(looking, erp_check.check)
        except SystemExit:
            progress.done()
            if request.checkpoint is not None and asked_in(request.checkpoint) is not None:
                how = going_on(request.out, request.checkpoint)
                typer.echo(f"stopped after {progress.records:,} raw records; it goes on with: {how}", err=True)
            raise
        finally:
            progress.done()
    proof = balance.prove(result.snapshot)
    requests = list(journalled(request.out / JOURNAL))
    found = report.build(result.snapshot, proof, result.seconds, result.rate, result.calls, requests, result.telemetry)
    posted, open_ = export.write(exported, result.snapshot, proof)
    found.out = str(request.out)
    found.files = [str(posted), str(open_)]
    content = json.dumps(report.as_json(found), indent=1, ensure_ascii=False)
    (request.out / "report.json").write_text(content, encoding="utf-8")
    (request.out / "report.txt").write_text(report.text(found), encoding="utf-8")
    sys.stdout.write(content + "\n" if as_json else report.text(found))
    if request.checkpoint is not None:
        discard(request.checkpoint)
    return OK if found.exact else DIFFERS
