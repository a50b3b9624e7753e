"""What travels between the simulator and its clients, as JSON. Quantities are integers: `amount` x 10^-`scale`.

Unknown fields are refused: an ERP has no field for telemetry, so nothing can be smuggled in beside the posting (I7).
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

MAX_LINES = 1000
"""Lines of a document, and entries of any list in a control message."""
MAX_BODY_BYTES = 4 * 1024 * 1024

Text = Annotated[str, Meta(max_length=120)]
Amount = Annotated[int, Meta(ge=-(2**63) + 1, le=2**63 - 1)]
Scale = Annotated[int, Meta(ge=0, le=18)]
Date = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")]
MovementType = Literal["receipt", "issue", "scrap", "transfer"]
StockType = Literal["unrestricted", "inspection", "blocked"]


class SentMovement(Struct, frozen=True, forbid_unknown_fields=True):
    type: MovementType
    material: Text
    amount: Amount
    scale: Scale
    unit: Text
    lot: Text = ""
    location: Text = ""


class SentLine(Struct, frozen=True, forbid_unknown_fields=True):
    posting_id: Annotated[str, Meta(min_length=1, max_length=16)]
    content_hash: Annotated[str, Meta(min_length=1, max_length=128)]
    kind: Text
    order: Text
    operation: Text
    material: Text
    lot: Text
    reason: Text
    location: Text
    reservation_item: Text
    amount: Amount
    scale: Scale
    unit: Text
    document_date: Date
    posting_date: Date
    movements: Annotated[list[SentMovement], Meta(max_length=MAX_LINES)] = []
    final: bool = False


class SentDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of POST /documents: all lines are booked, or none."""

    lines: Annotated[list[SentLine], Meta(min_length=1, max_length=MAX_LINES)]
    stock_type: StockType = "unrestricted"


class Booked(Struct, frozen=True):
    """Answer of POST /documents (201 new, 200 duplicate)."""

    document: str
    duplicate: bool


class RefusedCall(Struct, frozen=True):
    """Body of every answer of 400 and above."""

    code: str
    detail: str = ""


class FoundPosting(Struct, frozen=True):
    """Answer of GET /postings/{id}. More than one document: booked twice (only without idempotency)."""

    posting_id: str
    content_hash: str
    documents: list[str]


class ShownMovement(Struct, frozen=True):
    """A movement as GET /movements lists it: net sign as seen from the order."""

    id: int
    document: str
    posting_id: str
    type: str
    order: str
    material: str
    lot: str
    location: str
    stock_type: str
    amount: int
    scale: int
    unit: str
    origin: str
    """sent | derived | foreign"""


class MovementPage(Struct, frozen=True):
    """`next`: give it as `after` for what follows; 0 at the end."""

    movements: list[ShownMovement]
    next: int = 0


class ShownConfirmation(Struct, frozen=True):
    """A confirmed quantity of an operation as GET /confirmations lists it."""

    id: int
    document: str
    posting_id: str
    order: str
    operation: str
    kind: str
    amount: int
    scale: int
    unit: str
    origin: str
    """sent | derived"""


class ConfirmationPage(Struct, frozen=True):
    """`next`: as of MovementPage."""

    confirmations: list[ShownConfirmation]
    next: int = 0


class RecordedRequest(Struct, frozen=True):
    """A call as it arrived: `target` and `headers` hold one character per byte, `body` travels as base64. The values of
    headers that are secret are replaced."""

    id: int
    received_at: int
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def raw(self) -> bytes:
        """The call as one block of bytes, for searching."""
        lines = [f"{self.method} {self.target}", *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


class RequestPage(Struct, frozen=True):
    requests: list[RecordedRequest]
    next: int = 0


class SimItem(Struct, frozen=True, forbid_unknown_fields=True):
    material: Text
    role: Text = "main"
    receipt_location: Text = ""


class SimComponent(Struct, frozen=True, forbid_unknown_fields=True):
    """A component: need = made x amount x 10^-scale / base."""

    material: Text
    amount: Amount
    scale: Scale
    unit: Text
    mode: Text
    operation: Text = ""
    base: Annotated[int, Meta(ge=1)] = 1
    issue_location: Text = ""


class SimOrder(Struct, frozen=True, forbid_unknown_fields=True):
    order: Text
    status: Text = "released"
    automatic_receipt: bool = False
    backflush: bool = False
    items: Annotated[list[SimItem], Meta(max_length=MAX_LINES)] = []
    operations: Annotated[list[Text], Meta(max_length=MAX_LINES)] = []
    """In their sequence."""
    milestones: Annotated[list[Text], Meta(max_length=MAX_LINES)] = []
    unconfirmed: Annotated[list[Text], Meta(max_length=MAX_LINES)] = []
    """Operations without any confirmation."""
    receiving_operations: Annotated[list[Text], Meta(max_length=MAX_LINES)] = []
    components: Annotated[list[SimComponent], Meta(max_length=MAX_LINES)] = []


class SimMaterial(Struct, frozen=True, forbid_unknown_fields=True):
    material: Text
    unit: Text
    decimals: Scale
    conversions: Annotated[list[Text], Meta(max_length=100)] = []


class Master(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of POST /control/master: added to what is there. The first order makes the ERP strict about names."""

    orders: Annotated[list[SimOrder], Meta(max_length=MAX_LINES)] = []
    materials: Annotated[list[SimMaterial], Meta(max_length=MAX_LINES)] = []
    locations: Annotated[list[Text], Meta(max_length=MAX_LINES)] = []
    lots: Annotated[list[tuple[Text, Text]], Meta(max_length=MAX_LINES)] = []


class Foreign(Struct, frozen=True, forbid_unknown_fields=True):
    """Body of POST /control/foreign: movements that somebody else booked on an order."""

    order: Text
    movements: Annotated[list[SentMovement], Meta(min_length=1, max_length=MAX_LINES)]


class Statistics(Struct, frozen=True):
    """Answer of GET /control/statistics."""

    documents: int
    lines: int
    postings: int
    """Different posting ids. Fewer than `lines`: something was booked twice."""
    movements: int
    requests: int
    waiting: int
    """Late commits that are still to come."""
