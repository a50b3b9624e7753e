"""Faust's credentials, from the same settings that librdkafka's clients get."""

import ssl
from pathlib import Path
from typing import Any

import faust

from app.kafka.broker import Broker
from app.kafka.connection import ConnectionInvalid


def credentials_of(broker: Broker) -> Any:
    """For `broker_credentials` of a Faust app; None: the broker wants none. Raises ConnectionInvalid for a file that cannot be
    used (the settings themselves were checked when they were read)."""
    security = broker.security
    protocol = security.get("security.protocol", "PLAINTEXT").upper()
    context = _context(broker) if protocol.endswith("SSL") else None
    if protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=security["sasl.username"],
            password=security["sasl.password"],
            ssl_context=context,
            mechanism=security.get("sasl.mechanism", security.get("sasl.mechanisms")),
        )
    return None if context is None else faust.SSLCredentials(context)


def _context(broker: Broker) -> ssl.SSLContext:
    security = broker.security
    authority = security.get("ssl.ca.location", "")
    try:
        context = ssl.create_default_context(
            cafile=authority if authority and not Path(authority).is_dir() else None,
            capath=authority if authority and Path(authority).is_dir() else None,
            cadata=security.get("ssl.ca.pem"),
        )
        if "ssl.certificate.location" in security:
            password = security.get("ssl.key.password", "")  # not None: OpenSSL would ask the terminal
            context.load_cert_chain(security["ssl.certificate.location"], security.get("ssl.key.location"), password)
    except (OSError, ValueError) as exc:  # SSLError is an OSError
        raise ConnectionInvalid(f"certificate, key or authority of --client-config: {exc}") from exc
    if security.get("ssl.endpoint.identification.algorithm", "https") == "none":
        context.check_hostname = False
    if security.get("enable.ssl.certificate.verification", "true").lower() == "false":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
