"""The register of ERP adapters: which there are, and what each can do.

How one is called is the `CONNECTOR` of its own folder, app/erp/NAME. docs/extending.md adds one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

NO_ADAPTER = "none"
"""`erp.adapter` of a plant that calls no ERP."""


@dataclass(slots=True, frozen=True, kw_only=True)
class AdapterEntry:
    """What erp.yaml may ask of an adapter, and what delivery may rely on."""

    title: str
    """For people, in reports."""
    idempotent: bool
    """The same posting id sent twice is booked once, while erp.yaml does not say otherwise."""
    commit_horizon_us: int
    """How long after its last byte a call may still commit, at least; erp.yaml may state a longer time. Before it has passed, a
    read-back that finds nothing proves nothing."""
    lock: Literal["order", "erp"] = "order"
    """What one call keeps others from. order: calls for different orders may run at once; erp: no two calls may."""
    most_lines: int = 1000
    """Lines of one document; 1: a document is one posting."""
    stock_types: frozenset[str] = frozenset({"unrestricted"})
    """Where receipts can go: unrestricted, inspection, blocked."""
    units: frozenset[str] | None = None
    """Units that it takes (as erp.yaml writes them for the ERP); None: those of the ERP's own tables."""
    derives: bool = False
    """The ERP makes movements and confirmations of its own, as the order's flags say (docs/domain.md, Expected movements)."""
    master_data: bool = False
    """Orders, materials and lots can be pulled from it."""
    secret: bool = True
    """It logs in: where erp.yaml has `url`, it needs `secret`."""
    user_in_url: bool = False
    """Its address names a user (never a password)."""
    where_from: str = "where is the ERP?"
    """What to do where the address is missing."""
    started: Literal["never", "asked", "alone"] = "never"
    """When a run starts an ERP of this kind: with `--erp NAME`; alone: also where erp.yaml has no address."""


_EVERY_STOCK = frozenset({"unrestricted", "inspection", "blocked"})
ADAPTERS: Mapping[str, AdapterEntry] = MappingProxyType(
    {
        "sim": AdapterEntry(
            title="simulated ERP",
            idempotent=True,
            commit_horizon_us=0,
            stock_types=_EVERY_STOCK,
            derives=True,
            master_data=True,
            where_from="only `lineledger run` starts one by itself; start `lineledger erp-sim` and state its address",
            started="alone",
        ),
        "tryton": AdapterEntry(
            title="Tryton",
            idempotent=True,
            commit_horizon_us=60_000_000,  # up to 30 s for a lock of SQLite, then the transaction itself
            stock_types=_EVERY_STOCK,
            master_data=True,
            user_in_url=True,
            started="asked",
        ),
    }
)
"""By the name that `erp.adapter` has."""
STARTED = tuple(name for name, entry in ADAPTERS.items() if entry.started != "never")
"""Names that `--erp` takes, beside NO_ADAPTER."""
