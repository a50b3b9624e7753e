"""The gate: what the hold policy says to one posting, and in which form it may be sent (I6)."""

from typing import NamedTuple

from schemas.configuration.rules import OnHold
from schemas.records import HoldChange, LotState, LotStateRow, Posting
from tables.delivery.posting_state import HELD, LOT_BLOCKED, LOT_HELD, PARKED, QUEUED


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


MAX_CHANGES = 64
"""Of one lot; beyond it the oldest goes."""


def changes_with(state: LotState, known: LotStateRow | None) -> list[HoldChange]:
    """What is known of when the lot went on hold and came free, with this newer state."""
    changes = list(known.changes) if known is not None else []
    if state.held != (changes[-1].held if changes else False):
        changes.append(HoldChange(state.label, state.held))
    return changes[-MAX_CHANGES:]


def gate_at(on_hold: OnHold, kind: str, state: LotStateRow | None, cut: int | None) -> Gate:
    """What the policy says of a lot in this state.

    `cut`: over recorded input, the cut of the posting. A posting that may go out as its lot was then goes out so, however
    late it is sent; one that had to wait then waits for what comes after. So what is sent depends on the log and not on speed
    (ADR 0031). None: live, the newest state decides.
    """
    held = state is not None and state.held
    if state is not None and cut is not None:
        then = [change.held for change in state.changes if change.at <= cut]
        answer = gate(on_hold, kind, bool(then and then[-1]))
        if answer.open:
            return answer
    return gate(on_hold, kind, held)


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
