"""Which adapter a configuration asks for. Addresses and secrets come from the environment; answers that repeat them are cut."""

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from app.erp.discreet import DiscreetAdapter
from app.erp.port import ErpAdapter
from app.erp.sim_adapter import SimAdapter
from app.erp.tryton import TrytonAdapter
from app.erp.tryton_rpc import TrytonRpc
from app.observability.secrets import Secrets
from app.secret import read_secret, revealed, variable_of
from schemas.configuration import ErpConfig
from schemas.configuration.erp import Endpoint
from tables.rejected import Refusal

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def adapter_for(erp: ErpConfig, environ: Mapping[str, str]) -> ErpAdapter | None:
    """The adapter of `erp.adapter`; None for `none`.

    Raises Refusal: ENVIRONMENT_MISSING, SECRET_MISSING (a name that the environment does not have), ERP_URL_INVALID.
    """
    endpoint = erp.erp
    if endpoint.adapter == "none":
        return None
    url = resolved(endpoint.url, environ)
    if not url:
        detail = f"`adapter: {endpoint.adapter}` has no `erp.url`; only `lineledger run` starts a simulator"
        raise Refusal("ERP_URL_INVALID", detail)
    secret = secret_of(endpoint.secret, environ)
    known = revealed(environ, [endpoint.secret])
    return DiscreetAdapter(_adapter(endpoint, url, secret), Secrets.of({**environ, **known}, named=known))


def _adapter(endpoint: Endpoint, url: str, secret: str) -> ErpAdapter:
    timeout_ms = endpoint.timeout_us // 1_000
    if endpoint.adapter == "tryton":
        base, database, user = _tryton_address(url)
        rpc = TrytonRpc(base, database, user, secret, call_timeout_ms=timeout_ms, connections=endpoint.concurrency)
        return TrytonAdapter(rpc, call_timeout_ms=timeout_ms)
    return SimAdapter(
        url,
        secret,
        timeout_ms,
        idempotent=endpoint.idempotent is not False,
        commit_horizon_ms=endpoint.commit_horizon_us // 1_000,
        concurrency=endpoint.concurrency,
    )


def resolved(url: str, environ: Mapping[str, str]) -> str:
    """The URL with each ${NAME} replaced."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in environ:
            raise Refusal("ENVIRONMENT_MISSING", f"erp.url needs the environment variable {match[1]}")
        return environ[match[1]]

    return _REFERENCE.sub(value, url)


def secret_of(name: str, environ: Mapping[str, str]) -> str:
    """The secret that erp.yaml names: erp-brn1 is ERP_BRN1 in the environment, or in the file ERP_BRN1_FILE. No name: none."""
    if not name:
        return ""
    secret = read_secret(name, environ)
    if secret is None:
        raise Refusal("SECRET_MISSING", f"secret `{name}` needs the environment variable {variable_of(name)}")
    return secret


def _tryton_address(url: str) -> tuple[str, str, str]:
    """`https://user@host:port/database` as (base, database, user)."""
    parts = urlsplit(url)
    database = parts.path.strip("/")
    if not parts.hostname or not parts.username or not database or "/" in database:
        raise Refusal("ERP_URL_INVALID", "a Tryton address is https://user@host:port/database")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", database, unquote(parts.username)
