"""Which adapter a configuration asks for. Addresses and secrets come from the environment; answers that repeat them are cut."""

import re
import ssl
from collections.abc import Mapping
from urllib.parse import urlsplit

from app.erp.connector import ErpConnection, connector_of
from app.erp.discreet import DiscreetAdapter
from app.erp.doorway import Doorway
from app.erp.port import ErpAdapter
from app.erp.traffic import Sink, Traffic
from app.observability.secrets import Secrets
from app.secret import SecretInUse, read_secret, revealed, variable_of
from schemas.configuration import ErpConfig
from schemas.configuration.erp import LOCAL_HOSTS, Endpoint
from tables.refusal import RefusedValue

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def adapter_for(erp: ErpConfig, environ: Mapping[str, str], *sinks: Sink, doorway: Doorway | None = None) -> ErpAdapter | None:
    """The adapter of `erp.adapter`; None for `none`. `sinks`: are told every request that it sends. `doorway`: where each of
    them waits for its turn (app/erp/endpoint.py); None: this process has no other calls to this ERP.

    Raises Refusal: ENVIRONMENT_MISSING, SECRET_MISSING (no name, one that the environment does not have, or an empty one),
    ERP_URL_INVALID, ERP_URL_INSECURE, ERP_TLS_INVALID.
    """
    endpoint = erp.erp
    if endpoint.entry is None:
        return None
    url = resolved(endpoint.url, environ)
    if not url:
        detail = f"`adapter: {endpoint.adapter}` has no `erp.url`: {endpoint.entry.where_from}"
        raise RefusedValue("ERP_URL_INVALID", detail)
    _refuse_open_secrets(url, endpoint)
    known = revealed(environ, [endpoint.secret, endpoint.key_secret])
    if not secret_of(endpoint.secret, environ) and endpoint.entry.secret:
        raise RefusedValue("SECRET_MISSING", f"`adapter: {endpoint.adapter}` logs in: {_how_told(endpoint.secret)}")
    in_use = SecretInUse(endpoint.secret, environ)
    secrets = Secrets.of({**environ, **known}, named=known, in_use=[in_use])
    traffic, verify = Traffic(secrets, *sinks, doorway=doorway), _trust(endpoint, environ)
    connect = connector_of(endpoint.adapter).connect
    return DiscreetAdapter(lambda secret: connect(ErpConnection(endpoint, url, secret, verify, traffic)), in_use, secrets)


def _how_told(secret: str) -> str:
    if not secret:
        return "name its secret in `erp.secret` (`secret: erp-sim` is ERP_SIM of the environment, or the file of ERP_SIM_FILE)"
    variable = variable_of(secret)
    return f"secret `{secret}` ({variable}, or the file that {variable}_FILE names) is empty"


def _refuse_open_secrets(url: str, endpoint: Endpoint) -> None:
    """The address is never shown: it may hold what it must not."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RefusedValue("ERP_URL_INVALID", "the ERP's address is no http(s) URL")
    if parts.password is not None:
        raise RefusedValue("ERP_URL_INVALID", "the ERP's address has a password in it; name it in `erp.secret`")
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS and not endpoint.insecure:
        raise RefusedValue("ERP_URL_INSECURE", f"http:// to {parts.hostname}: use https://, or state `insecure: true`")


def _trust(endpoint: Endpoint, environ: Mapping[str, str]) -> ssl.SSLContext | bool:
    """Whom the client trusts and what it shows; True: the system's authorities, and nothing."""
    authority, certificate, key = (resolved(name, environ) for name in (endpoint.ca, endpoint.certificate, endpoint.key))
    if not (authority or certificate or key):
        return True
    if key and not certificate:
        raise RefusedValue("ERP_TLS_INVALID", "`erp.key` needs `erp.certificate`")
    password = secret_of(endpoint.key_secret, environ)  # empty and not None: OpenSSL would ask the terminal
    try:
        context = ssl.create_default_context(cafile=authority or None)
        if certificate:
            context.load_cert_chain(certificate, key or None, password)
    except (OSError, ValueError) as wrong:  # SSLError is an OSError
        raise RefusedValue("ERP_TLS_INVALID", f"`ca`, `certificate` or `key` of the ERP cannot be used: {wrong}") from wrong
    return context


def resolved(text: str, environ: Mapping[str, str]) -> str:
    """An address or file name with each ${NAME} replaced."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in environ:
            raise RefusedValue("ENVIRONMENT_MISSING", f"erp.yaml needs the environment variable {match[1]}")
        return environ[match[1]]

    return _REFERENCE.sub(value, text)


def secret_of(name: str, environ: Mapping[str, str]) -> str:
    """The secret that erp.yaml names: erp-brn1 is ERP_BRN1 in the environment, or in the file ERP_BRN1_FILE. No name: none."""
    if not name:
        return ""
    secret = read_secret(name, environ)
    if secret is None:
        raise RefusedValue(
            "SECRET_MISSING",
            f"secret `{name}` needs the environment variable {variable_of(name)}, or a file that {variable_of(name)}_FILE names",
        )
    return secret
