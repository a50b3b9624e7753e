"""The ERP of a run: the plant's own, a simulator or a real Tryton that the run starts, or none."""

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.process import SimulatorProcess
from app.erp.tryton_install import install
from app.erp.tryton_provision import OpeningStock, provision
from app.erp.tryton_server import TrytonServer
from app.secret import variable_of
from schemas.configuration import Configuration

URL_VARIABLE, TOKEN_SECRET = "LINELEDGER_ERP_URL", "lineledger-erp-token"


@dataclass(slots=True, frozen=True)
class RunErp:
    """`environ`: what delivery must have in its environment. `name`: for the report."""

    name: str
    configuration: Configuration
    environ: Mapping[str, str] = field(default_factory=dict)
    requests_of: Any = None
    """The simulator's process, whose recorded requests can be searched; None: no recording."""
    store: str = ""
    """Name of the folder below the run's output that keeps the simulator's books; empty: another ERP."""


def with_adapter(configuration: Configuration, adapter: str) -> Configuration:
    """The same plant and rules, posting to `adapter` under the addresses that the run sets."""
    endpoint = configuration.erp.erp.model_copy(
        update={"adapter": adapter, "url": "${" + URL_VARIABLE + "}", "secret": TOKEN_SECRET}
        if adapter != "none"
        else {"adapter": "none"}
    )
    erp = configuration.erp.model_copy(update={"erp": endpoint})
    return Configuration.of(configuration.plant, configuration.rules, erp)


@dataclass(slots=True, frozen=True)
class ErpMasterData:
    """What an ERP must know before the first posting."""

    orders: Sequence[Any]
    materials: Sequence[Any]
    stock: Sequence[OpeningStock]


@contextlib.contextmanager
def started(
    choice: str, configuration: Configuration, directory: Path, home: Path, master: Callable[[], ErpMasterData]
) -> Iterator[RunErp]:
    """`choice`: sim | tryton | none | "" (as erp.yaml says). A server that is started here ends with the context."""
    wanted, url = choice or configuration.erp.erp.adapter, configuration.erp.erp.url
    if wanted == "sim" and (choice or not url or URL_VARIABLE in url):
        store = f"erp-sim-{secrets.token_hex(4)}"
        with SimulatorProcess(directory / store) as simulator:
            asyncio.run(_provision(simulator, configuration, master()))
            environ = {URL_VARIABLE: simulator.url, variable_of(TOKEN_SECRET): simulator.token}
            yield RunErp("simulated ERP", with_adapter(configuration, "sim"), environ, simulator, store)
    elif wanted == "tryton" and choice:
        with _tryton(home, master()) as server:
            environ = {URL_VARIABLE: server.posting_address, variable_of(TOKEN_SECRET): server.posting_password}
            yield RunErp("Tryton", with_adapter(configuration, "tryton"), environ)
    elif wanted == "none":
        yield RunErp("no ERP", with_adapter(configuration, "none"))
    else:
        yield RunErp(wanted, configuration)


async def _provision(simulator: SimulatorProcess, configuration: Configuration, master: ErpMasterData) -> None:
    """Orders, materials, lots and places, so that the simulator derives what their flags say and refuses strangers."""
    if not master.orders or not master.materials:
        return  # it then takes every name: orders alone do not say which materials there are
    places = {part.issue_location for order in master.orders for part in order.components}
    places |= {item.receipt_location for order in master.orders for item in order.items}
    places |= {entry.receipt_location for entry in configuration.plant.equipment.values()}
    places |= {place for rule in configuration.rules.post for place in (rule.issue_location, rule.receipt_location)}
    control = SimulatorControl(simulator.url, simulator.token)
    try:
        lots = [(stock.material, stock.lot) for stock in master.stock]
        await control.provision(master.orders, master.materials, lots, sorted(places - {""}))
    finally:
        await control.close()


@contextlib.contextmanager
def _tryton(home: Path, master: ErpMasterData) -> Iterator[TrytonServer]:
    with asyncio.Runner() as loop:
        server = TrytonServer(install(home))
        loop.run(server.__aenter__())
        try:
            loop.run(provision(server, master.orders, master.materials, master.stock))
            yield server
        finally:
            loop.run(server.__aexit__(None, None, None))
