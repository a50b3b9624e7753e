"""A simulator that a run starts: it knows the run's orders and materials, and keeps its books in the run's output."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from app.erp.connector import ErpMasterData, StartedErp, Starting
from app.erp.sim.spelling import spelled_material, spelled_order
from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.process import SimulatorProcess
from schemas.configuration import Configuration

PROVISIONED = "provisioned"
"""File of the store: it knows the run's orders and materials."""


@contextmanager
def start(run: Starting) -> Iterator[StartedErp]:
    store = f"erp-sim-{run.run}"
    complete = run.directory / store / PROVISIONED
    if not complete.exists():
        shutil.rmtree(run.directory / store, ignore_errors=True)
    with SimulatorProcess(run.directory / store) as simulator:
        if not complete.exists():
            asyncio.run(_provision(simulator, run.configuration, run.opening()))
            complete.touch()
        yield StartedErp(simulator.url, simulator.token, store)


async def _provision(simulator: SimulatorProcess, configuration: Configuration, opening: ErpMasterData) -> None:
    """Orders, materials, lots and places as its documents name them, so that the simulator derives what their flags say and
    refuses strangers."""
    if not opening.orders or not opening.materials:
        return  # it then takes every name: orders alone do not say which materials there are
    places = {part.issue_location for order in opening.orders for part in order.components}
    places |= {item.receipt_location for order in opening.orders for item in order.items}
    places |= {entry.receipt_location for entry in configuration.plant.equipment.values()}
    places |= {place for rule in configuration.rules.post for place in (rule.issue_location, rule.receipt_location)}
    control = SimulatorControl(simulator.url, simulator.token)
    try:
        names = configuration.erp.identifiers
        orders = [spelled_order(one, names) for one in opening.orders]
        materials = [spelled_material(one, names) for one in opening.materials]
        lots = [(names.material.erp(stock.material), stock.lot) for stock in opening.stock]
        await control.provision(orders, materials, lots, sorted(places - {""}))
    finally:
        await control.close()
