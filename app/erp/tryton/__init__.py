"""The adapter of Tryton with the module of deploy/tryton."""

from urllib.parse import unquote, urlsplit

from app.erp.connector import Connector, ErpConnection
from app.erp.port import ErpAdapter
from app.erp.tryton.adapter import TrytonAdapter
from app.erp.tryton.rpc import TrytonRpc
from app.erp.tryton.starting import start
from tables.refusal import RefusedValue


def _connect(to: ErpConnection) -> ErpAdapter:
    rpc = TrytonRpc(
        *(*_address(to.url), to.secret),
        call_timeout_ms=to.timeout_ms,
        connections=to.endpoint.concurrency,
        verify=to.verify,
        traffic=to.traffic,
    )
    return TrytonAdapter(rpc, call_timeout_ms=to.timeout_ms)


def _address(url: str) -> tuple[str, str, str]:
    """`https://user@host:port/database` as (base, database, user)."""
    parts = urlsplit(url)
    database = parts.path.strip("/")
    if not parts.hostname or not parts.username or not database or "/" in database:
        raise RefusedValue("ERP_URL_INVALID", "a Tryton address is https://user@host:port/database")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", database, unquote(parts.username)


CONNECTOR = Connector(_connect, start)
