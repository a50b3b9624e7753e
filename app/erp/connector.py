"""The door to ERPs: how an adapter is made for a configuration, and how a run starts an ERP of its own.

Each folder app/erp/NAME of the register (schemas/configuration/adapters.py) has a CONNECTOR.
"""

import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

from app.erp.port import ErpAdapter
from app.erp.traffic import Traffic
from schemas.configuration import Configuration
from schemas.configuration.erp import Endpoint


@dataclass(slots=True, frozen=True)
class ErpConnection:
    """What an adapter is made of: erp.yaml with its names filled in."""

    endpoint: Endpoint
    url: str
    secret: str
    verify: ssl.SSLContext | bool
    """Whom to trust, and the client certificate; True: the system's authorities."""
    traffic: Traffic
    """Every request passes through a transport that tells it."""

    @property
    def timeout_ms(self) -> int:
        """Of one call, from first to last byte."""
        return self.endpoint.timeout_us // 1_000


@dataclass(slots=True, frozen=True)
class OpeningStock:
    """What lies in stock before the first posting. `location` empty: the storage zone."""

    material: str
    lot: str
    location: str
    quantity: Decimal


@dataclass(slots=True, frozen=True)
class ErpMasterData:
    """What an ERP that a run starts must know before the first posting."""

    orders: Sequence[Any]
    materials: Sequence[Any]
    stock: Sequence[OpeningStock]


@dataclass(slots=True, frozen=True)
class Starting:
    """`directory`: the run's output. `home`: where programs of ERPs are installed. `run`: its name; books of that name that are
    complete are of an earlier process of it, and are gone on with."""

    configuration: Configuration
    directory: Path
    home: Path
    opening: Callable[[], ErpMasterData]
    run: str


@dataclass(slots=True, frozen=True)
class StartedErp:
    """An ERP that a run started. `secret`: what its adapter logs in with."""

    url: str
    secret: str
    store: str = ""
    """Name of the folder below the run's output that keeps its books; empty: they go with it."""


@dataclass(slots=True, frozen=True)
class Connector:
    connect: Callable[[ErpConnection], ErpAdapter]
    """Makes an adapter, without calling the ERP. Raises Refusal ERP_URL_INVALID for an address of another form."""
    start: Callable[[Starting], AbstractContextManager[StartedErp]] | None = None
    """Starts an ERP that ends with the context; None: a run cannot."""


def connector_of(adapter: str) -> Connector:
    """Of a name in the register. The register and the folders belong to one version: a folder or its CONNECTOR that is missing
    is a defect, and raised as such."""
    found: Connector = import_module(f"app.erp.{adapter}").CONNECTOR
    return found
