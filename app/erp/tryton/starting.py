"""A Tryton that a run starts: a fresh database that knows the run's orders, materials and stock, gone with the run."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from app.erp.connector import StartedErp, Starting


@contextmanager
def start(run: Starting) -> Iterator[StartedErp]:
    from app.erp.tryton.install import install  # a worker starts no server
    from app.erp.tryton.provision import provision
    from app.erp.tryton.server import TrytonServer

    opening = run.opening()
    with asyncio.Runner() as loop:
        server = TrytonServer(install(run.home))
        loop.run(server.__aenter__())
        try:
            loop.run(provision(server, opening.orders, opening.materials, opening.stock))
            yield StartedErp(server.posting_address, server.posting_password)
        finally:
            loop.run(server.__aexit__(None, None, None))
