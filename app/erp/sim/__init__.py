"""The adapter of the ERP simulator (app/erp/simulator)."""

from app.erp.connector import Connector, ErpConnection
from app.erp.port import ErpAdapter
from app.erp.sim.adapter import SimAdapter
from app.erp.sim.starting import start


def _connect(to: ErpConnection) -> ErpAdapter:
    endpoint = to.endpoint
    return SimAdapter(
        to.url,
        to.secret,
        to.timeout_ms,
        idempotent=endpoint.idempotent is not False,
        commit_horizon_ms=endpoint.commit_horizon_us // 1_000,
        concurrency=endpoint.concurrency,
        verify=to.verify,
        traffic=to.traffic,
    )


CONNECTOR = Connector(_connect, start)
