"""`lineledger demo`: one shift of a simulated plant and two real recordings, through everything."""

import time
from pathlib import Path
from typing import Annotated

import typer

from app.cli.connecting import ClientConfig, connection_of
from app.cli.failures import fail
from app.cli.progress import ProgressLine
from app.cli.run import carry_out, check_machine
from app.ledger.books.folder import EXPORTED
from schemas.configuration.adapters import STARTED


def demo(
    erp: Annotated[str, typer.Option(help=f"{' or '.join(STARTED)}.")] = "sim",
    bootstrap: Annotated[str, typer.Option(help="Kafka bootstrap servers; without: all stages in this process, no broker.")] = "",
    client_config: ClientConfig = None,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Worker processes on a broker that lives as long as the run.")
    ] = False,
    workers: Annotated[int, typer.Option(min=1, max=16)] = 1,
    seed: Annotated[int, typer.Option(help="Of the simulated plant.")] = 1,
    scale: Annotated[float, typer.Option(min=0.01, max=1.0, help="Share of the full shift.")] = 1.0,
    out: Annotated[Path, typer.Option(help="Output folder.")] = Path("out/demo"),
    home: Annotated[Path, typer.Option(help="Where Tryton is installed.")] = Path(".cache/tryton"),
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Generate a shift, run it with the recordings, and print the report. Exit 0 only if everything is exact."""
    from app.demo.master import CONFIGURATION, ORDERS_SOURCE, configuration_for, from_erp
    from app.demo.plant_simulator import generate
    from app.demo.recordings import recordings
    from app.inputs.input_files import inputs
    from app.run.request import RunRequest

    check_machine(workers, bootstrap, embedded)
    if erp not in STARTED:
        fail("WRONG_USE", f"--erp {erp}: it is {' or '.join(STARTED)}")
    progress = ProgressLine(quiet=as_json)
    progress("generate", 0, 0)
    raw = out / f"input-{int(time.time())}"
    generate(raw, seed, scale)
    configuration = configuration_for(erp)
    files = inputs([str(path) for path in sorted(raw.iterdir())] + [str(path) for path in recordings()], configuration.plant)
    request = RunRequest(
        configuration=configuration,
        config_dir=CONFIGURATION,
        files=[file for file in files if not (file.source == ORDERS_SOURCE and from_erp(configuration))],
        provision=[file for file in files if file.source == ORDERS_SOURCE],
        out=out,
        home=home,
        connection=connection_of(bootstrap, client_config=client_config) if bootstrap else None,
        client_config=client_config,
        embedded=embedded,
        workers=workers,
        erp=erp,
        progress=progress,
        reading=progress.reading,
        started=progress.pids,
    )
    raise typer.Exit(carry_out(request, out / EXPORTED, as_json, progress))
