"""Whose ERP an endpoint calls: the identity of its adapter, and for which plants nothing may go there.

The configuration in the log decides where a plant posts. Two plants may mean different ERPs by one endpoint, and an address may
have changed since an attempt: what the log says about it must be what would be called now (docs/adr/0115).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from app.erp.adapters import resolved
from app.erp.master import MasterChanges
from app.erp.port import Answer, BookedConfirmation, BookedMovement, Capabilities, Document
from schemas.configuration import Configuration, ErpConfig
from schemas.records import PostingRow
from tables.refusal import RefusedValue

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(slots=True, frozen=True)
class ErpIdentity:
    """Two configurations mean the same ERP when adapter and address are the same. A user is no part of it: two logins of one
    ERP book into the same documents."""

    adapter: str
    address: str
    """Scheme, host, port and path, without credentials."""

    @classmethod
    def of(cls, erp: ErpConfig, environ: Mapping[str, str]) -> Self:
        """Raises Refusal: ENVIRONMENT_MISSING, ERP_URL_INVALID."""
        try:
            parts = urlsplit(resolved(erp.erp.url, environ))
            port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
        except ValueError as wrong:
            raise RefusedValue("ERP_URL_INVALID", "`erp.url` is no address") from wrong
        return cls(erp.erp.adapter, f"{parts.scheme}://{parts.hostname or ''}:{port}{parts.path.rstrip('/')}")

    def __str__(self) -> str:
        return f"{self.adapter} {self.address}"


class OwnErp:
    def __init__(
        self,
        own: ErpIdentity | None,
        environ: Mapping[str, str],
        configuration: Callable[[str], Configuration],
        active: Callable[[str], str],
    ) -> None:
        """`own`: of the endpoint's adapter; None: it has no ERP. `configuration`: by hash. `active`: the hash of the
        configuration that the log has a plant post under at this endpoint; empty: none."""
        self._own, self._environ = own, environ
        self._configuration, self._active = configuration, active
        self._known: dict[str, str] = {}
        """Hash of a configuration -> why it is not for this ERP. One entry per configuration that the log named."""

    @property
    def identity(self) -> ErpIdentity | None:
        """Whose adapter it is."""
        return self._own

    def refuses_post(self, row: PostingRow) -> str:
        """Why the attempt must not be sent from here; empty: it may. Asked are the configuration that the attempt was
        dispatched under and the one that is active now."""
        return self.refuses_find(row) or self.foreign(row.posting.plant)

    def refuses_find(self, row: PostingRow) -> str:
        """Why this ERP knows nothing about the posting's attempts: it would say `not found` of what another one has booked."""
        return self._differs(row.configuration)

    def foreign(self, plant: str) -> str:
        """Why the plant's active configuration is not for this ERP; empty: it is, or the plant has none."""
        hash_ = self._active(plant)
        return self._differs(hash_) if hash_ else ""

    def _differs(self, hash_: str) -> str:
        if hash_ not in self._known:
            self._known[hash_] = self._compare(self._configuration(hash_).erp)
        return self._known[hash_]

    def _compare(self, erp: ErpConfig) -> str:
        try:
            wanted = ErpIdentity.of(erp, self._environ)
        except RefusedValue as wrong:
            return f"this worker cannot tell the plant's ERP: {wrong.refusal.detail}"
        if wanted == self._own:
            return ""
        return f"the plant posts to {wanted}, its endpoint `{erp.erp.endpoint}` to {self._own or 'no ERP'}"


class NoErp:
    """The adapter of a worker whose own configuration has `adapter: none`: nothing may ever reach it."""

    def __init__(self) -> None:
        self.capabilities = Capabilities(idempotent=False, commit_horizon_ms=0, call_timeout_ms=0)

    async def post(self, document: Document) -> Answer:
        raise RuntimeError("a worker without an ERP sends nothing")

    async def find(self, posting_id: str, content_hash: str) -> Answer:
        raise RuntimeError("a worker without an ERP asks nothing")

    async def movements(self, orders: Sequence[str]) -> list[BookedMovement]:
        return []

    async def confirmations(self, orders: Sequence[str]) -> list[BookedConfirmation]:
        return []

    async def master_data(self, since: str) -> MasterChanges:
        raise RuntimeError("a worker without an ERP pulls nothing")

    async def close(self) -> None:
        """There is nothing to close."""
