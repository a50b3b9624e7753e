"""The port to an ERP: what delivery asks of any adapter. Real ones and the simulator pass the same contract tests."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from app.erp.master import MasterChanges
from schemas.configuration.adapters import AdapterEntry
from schemas.records import Movement


@dataclass(slots=True, frozen=True)
class DocumentLine:
    """One posting as a line of an ERP document. `amount` x 10^-`scale` in `unit`; negative: a correction, which the
    adapter books in the ERP's own way (usually a reversed movement, negative quantities are refused by most)."""

    posting_id: str
    content_hash: str
    kind: str
    order: str
    operation: str
    material: str
    lot: str
    reason: str
    location: str
    reservation_item: str
    amount: int
    scale: int
    unit: str
    document_date: str
    """YYYY-MM-DD: the business date."""
    posting_date: str
    """YYYY-MM-DD: the business date, or the first day of the open period."""
    movements: Sequence[Movement] = ()
    """0 to n stock movements. Those marked `derived` are made by the ERP itself and must not be sent."""
    final: bool = False
    """The last yield of its operation, which is completed: nothing of it follows (docs/domain.md, Final flag)."""


@dataclass(slots=True, frozen=True)
class Document:
    """One call: all lines are booked in one ERP transaction, or none is."""

    lines: Sequence[DocumentLine]
    stock_type: str = "unrestricted"
    """unrestricted | inspection | blocked: where receipts go (the answer of the hold policy)."""


@dataclass(slots=True, frozen=True)
class Answer:
    """Outcome of one call.

    result: accepted  the ERP has the document (now, or since an earlier attempt: `duplicate`); with code DOUBLE: it has two
            rejected  the ERP refused it for good; `code` is one of docs/exceptions.md
            retry     definitely not booked, may be tried again after `retry_after_ms` (429, 503, lock, shortage)
            unknown   no answer: it may or may not be booked (timeout, connection lost, 5xx after sending)
            not_found only from `find`: the ERP does not show it NOW; right after a timeout this proves nothing

    scope: how far a `retry` or an `unknown` reaches (tables/delivery/scopes.py); empty: as its code says, else a `retry` is of
    the whole ERP and an `unknown` of its lane
    """

    result: str
    erp_document: str = ""
    duplicate: bool = False
    code: str = ""
    detail: str = ""
    retry_after_ms: int = 0
    scope: str = ""


@dataclass(slots=True, frozen=True)
class BookedMovement:
    """A movement as the ERP's own tables have it. Quantity `amount` x 10^-`scale`, always the net sign seen from the
    order: receipts and scrap positive, issues positive as consumption, reversals negative."""

    erp_document: str
    posting_id: str
    """Empty: derived by the ERP or foreign."""
    type: str
    """receipt | issue | scrap | transfer"""
    order: str
    material: str
    lot: str
    location: str
    amount: int
    scale: int
    unit: str
    origin: str = "sent"
    """sent | derived (the ERP made it of a confirmation) | foreign (another interface, or a person)"""


@dataclass(slots=True, frozen=True)
class BookedConfirmation:
    """A confirmed quantity (or time) of one operation, as the ERP has it; corrections are negative."""

    erp_document: str
    posting_id: str
    """Empty: derived from a later milestone, or foreign."""
    order: str
    operation: str
    kind: str
    amount: int
    scale: int
    unit: str
    origin: str = "sent"


NOT_SENT = "REQUEST_NOT_SENT"
"""Code of a `retry`: HTTP takes no such request, so not a byte of it left."""
NOT_SENT_RETRY_MS = 30_000
"""Somebody must correct what the request is made of; a secret in a file is taken anew without a restart."""
NOT_SENT_DETAIL = "HTTP takes no such request (a secret that is empty, or has a line break in it?); nothing was sent"
"""Without the library's own words: they repeat the header."""


class ErpUnavailable(Exception):
    """A question got no list: it has no other way to say so. `code` is stable."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


@dataclass(slots=True, frozen=True)
class Capabilities:
    """What one adapter can do, as it was set up. What its kind can do stands in schemas/configuration/adapters.py."""

    idempotent: bool
    """The same posting_id sent twice is booked once and answered as a duplicate."""
    commit_horizon_ms: int
    """How long after its last byte a call may still commit in the ERP."""
    call_timeout_ms: int
    stock_types: frozenset[str] = field(default_factory=lambda: frozenset({"unrestricted"}))
    derives: bool = False
    """It makes movements and confirmations of its own, as the order's flags say (docs/domain.md, Expected movements)."""

    @classmethod
    def of(cls, entry: AdapterEntry, call_timeout_ms: int, *, idempotent: bool = True, commit_horizon_ms: int = 0) -> Self:
        """Those of its kind. `idempotent`: False: this installation cannot. `commit_horizon_ms`: longer than its kind's."""
        horizon_ms = max(entry.commit_horizon_us // 1_000, commit_horizon_ms)
        return cls(entry.idempotent and idempotent, horizon_ms, call_timeout_ms, entry.stock_types, entry.derives)


class ErpAdapter(Protocol):
    """Adapters never raise for what an ERP or a network does: that is an `Answer`. They raise only for defects."""

    @property
    def capabilities(self) -> Capabilities: ...

    async def post(self, document: Document) -> Answer: ...

    async def find(self, posting_id: str, content_hash: str) -> Answer:
        """accepted | not_found | unknown | rejected (POSTING_MISMATCH: same id, other content)."""
        ...

    async def movements(self, orders: Sequence[str]) -> list[BookedMovement]:
        """Every effective movement of these orders, derived and foreign ones included (for reconciliation, I3)."""
        ...

    async def confirmations(self, orders: Sequence[str]) -> list[BookedConfirmation]:
        """Every confirmed quantity of these orders, those that the ERP derived from milestones included."""
        ...

    async def master_data(self, since: str) -> MasterChanges:
        """Materials, lots and released orders that changed since `since` (`until` of an earlier answer; empty: all). May
        repeat what was near that moment. Raises ErpUnavailable when the ERP gives no answer."""
        ...

    async def close(self) -> None: ...
