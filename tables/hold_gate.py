"""The gate: what the hold policy says to one posting, and in which form it may be sent (I6)."""

from typing import NamedTuple

from schemas.configuration.rules import OnHold
from schemas.records import Posting
from tables.posting_state import HELD, LOT_BLOCKED, LOT_HELD, PARKED, QUEUED


class Gate(NamedTuple):
    """`answer` as rules.yaml names it; `stock_type` of a receipt; `state` and `code` of the posting behind the gate."""

    answer: str
    stock_type: str
    state: str
    code: str

    @property
    def open(self) -> bool:
        return self.state == QUEUED


_ANSWERS = {
    "post": Gate("post", "unrestricted", QUEUED, ""),
    "into_blocked_stock": Gate("into_blocked_stock", "blocked", QUEUED, ""),
    "into_inspection_stock": Gate("into_inspection_stock", "inspection", QUEUED, ""),
    "wait": Gate("wait", "", HELD, LOT_HELD),
    "block": Gate("block", "", PARKED, LOT_BLOCKED),
}


def gate(on_hold: OnHold, kind: str, held: bool) -> Gate:
    """The form in which a posting of `kind` may go out while its lot is `held` or free."""
    return _ANSWERS[on_hold.answer(kind) if held else "post"]


def lot_of(posting: Posting) -> tuple[str, str]:
    """Material and lot whose holds gate the posting; for a receipt without lot the lot that the ERP will receive.
    An empty lot: nothing gates it."""
    if posting.lot or posting.kind != "yield":
        return posting.material, posting.lot
    received = [(movement.material, movement.lot) for movement in posting.movements if movement.type == "receipt"]
    return received[0] if received else (posting.material, "")
