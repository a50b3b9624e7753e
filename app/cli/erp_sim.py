"""`lineledger erp-sim`: an ERP to try things on."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from app.cli.failures import fail
from app.erp.simulator.booking import Mode
from app.erp.simulator.faults import Faults
from app.erp.simulator.records import Ways
from app.erp.simulator.serve import STORE_FILE, serve, token_of
from app.erp.simulator.server import SimSettings, Simulator


def erp_sim(
    directory: Annotated[Path, typer.Option(help="Where the store and the token are kept.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any free port.")] = 0,
    mode: Annotated[
        str, typer.Option(help="What the ERP derives: by_order, explicit, auto_receipt, backflush or milestone.")
    ] = "by_order",
    idempotency: Annotated[bool, typer.Option(help="Without it the same posting id posted twice is booked twice.")] = True,
    faults: Annotated[Path | None, typer.Option(help="JSON file: latency, budget, outages, probabilities, rules.")] = None,
    attached: Annotated[bool, typer.Option("--attached", hidden=True, help="End when standard input does.")] = False,
) -> None:
    """Run a simulated ERP. It prints its address as one line of JSON: `erp.url` of erp.yaml. Callers need the token in
    DIRECTORY/token: `secret: erp-sim` in erp.yaml, and ERP_SIM_FILE=DIRECTORY/token in the environment of `up` or the worker."""
    try:
        settings = SimSettings(
            store=directory / STORE_FILE,
            token=token_of(directory),
            ways=Ways(idempotency, msgspec.convert(mode, Mode)),
            faults=Faults() if faults is None else msgspec.json.decode(faults.read_bytes(), type=Faults),
        )
    except ValueError as wrong:
        fail("WRONG_USE", f"--mode or --faults: {wrong}")
    asyncio.run(_until_signalled(settings, host, port, attached))


async def _until_signalled(settings: SimSettings, host: str, port: int, attached: bool) -> None:
    serving = asyncio.create_task(serve(Simulator(settings), host, port))
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(signum, serving.cancel)
    if attached:
        loop.add_reader(sys.stdin.fileno(), serving.cancel)  # nobody writes to it: what is to be read is its end
    try:
        await serving
    except asyncio.CancelledError:
        # A second signal must not cut the shutdown short: there is nothing left to shut down.
        return
