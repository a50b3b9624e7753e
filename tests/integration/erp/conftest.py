"""The real ERP for the tests of this directory: one Tryton server per session."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.erp.connector import OpeningStock
from app.erp.tryton.adapter import TrytonAdapter
from app.erp.tryton.provision import provision
from app.erp.tryton.server import TrytonServer, TrytonUnavailable, install
from tests.integration.erp.contract import CASES, OPENING_STOCK, STOCK_CASES, master_data, order_of

HOME = Path(os.environ.get("LINELEDGER_TRYTON_HOME", Path(__file__).parents[3] / ".cache" / "tryton"))
OWN_ORDERS = [f"K-OWN{number}" for number in range(40)]
"""Orders for the tests that are not contract cases."""


async def start() -> TrytonServer:
    server = TrytonServer(await asyncio.to_thread(install, HOME))
    await server.__aenter__()
    orders, materials = master_data([order_of(case) for case in (*CASES, *STOCK_CASES)] + OWN_ORDERS)
    stock = [OpeningStock(material, lot, place, quantity) for material, lot, place, quantity, _ in OPENING_STOCK]
    try:
        await provision(server, orders, materials, stock)
    except BaseException:
        await server.stop()
        raise
    return server


@pytest.fixture(scope="session")
def tryton() -> Iterator[TrytonServer]:
    """A provisioned server. Skips with the reason where Tryton cannot be installed; fails if it is required."""
    try:
        server = asyncio.run(start())
    except TrytonUnavailable as error:
        if os.environ.get("LINELEDGER_REQUIRE_TRYTON") == "1":
            raise
        pytest.skip(str(error))
    yield server
    asyncio.run(server.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def unused_orders() -> Iterator[str]:
    """Open orders that no test has used yet."""
    return iter(OWN_ORDERS)


@pytest.fixture
def order(unused_orders: Iterator[str]) -> str:
    return next(unused_orders)


@pytest.fixture
async def adapter(tryton: TrytonServer) -> AsyncIterator[TrytonAdapter]:
    adapter = tryton.adapter(call_timeout_ms=60_000)
    yield adapter
    await adapter.close()
