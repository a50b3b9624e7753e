"""The plant of these tests, and an installation for it on real servers."""

import uuid
from pathlib import Path

from app.kafka.connection import Connection, connection
from tests.e2e.command import lineledger

CONFIG = Path(__file__).parent / "plant"
RAW = ("raw.wires.presses", "raw.wires.offices")


def where(installation: Connection) -> list[str]:
    """The options of a command that name it."""
    bootstrap, registry = installation.broker.bootstrap, installation.registry.url
    return ["--bootstrap", bootstrap, "--prefix", installation.prefix, "--registry", registry]


def installed(bootstrap: str, registry: str) -> Connection:
    """Topics and schemas under a prefix of its own."""
    prefix = f"w{uuid.uuid4().hex[:8]}."
    raw = [text for topic in RAW for text in ("--raw", topic)]
    applied = lineledger("topics", "apply", "--bootstrap", bootstrap, "--prefix", prefix, *raw, "--replication", "1")
    assert applied.code == 0, applied.said
    registered = lineledger("schemas", "apply", "--registry", registry, "--prefix", prefix)
    assert registered.code == 0, registered.said
    return connection(bootstrap, prefix, registry)
