"""What people decide about postings that do not go on by themselves: retry, cancel, or accept as found in the ERP."""

from schemas.records import Decision, OperatorDecision, PostingRow
from streams.delivery.desk import Desk
from tables.delivery.posting_state import ACCEPTED, CANCELLED, LOT_BLOCKED, PARKED, POSTING_MISMATCH, REJECTED
from tables.refusal import Refusal

RETRY, CANCEL, ACCEPT = "retry", "cancel", "accept"
OPEN_TO_DECISION = (PARKED, REJECTED, CANCELLED)


def decided(desk: Desk, decision: OperatorDecision) -> Refusal | None:
    """Take a decision in, once; who, when and why stay with the posting. A refusal: there is nothing to decide like that.

    Nothing of such a posting is on the way: what may be booked is unknown, and that only reading back decides.
    """
    row = desk.row(decision.posting_id)
    if row is None:
        return Refusal("NOTHING_PARKED", f"delivery has no posting {decision.posting_id}, or it was accepted long ago")
    if decision.event_id in {known.event_id for known in row.decisions}:
        return None
    wrong = _refused(row, decision)
    if wrong is not None:
        return wrong
    made = Decision(decision.code, decision.decision, decision.who, decision.why, decision.occurred_at, decision.event_id)
    row.decisions = [*row.decisions, made]
    match decision.decision:
        case "accept":
            row.mismatch, row.erp_document = False, decision.erp_document
            desk.move(row, ACCEPTED, "", f"found by a person: {decision.why}")
        case "cancel":
            desk.move(row, CANCELLED, row.code, decision.why)
        case _:
            row.failures, row.waited_us = 0, 0
            desk.settle(row)
    desk.keep(row)
    return None


def _refused(row: PostingRow, decision: OperatorDecision) -> Refusal | None:
    about = f"posting {decision.posting_id} is {row.state} {row.code}".rstrip()
    if row.state not in OPEN_TO_DECISION or (row.state == PARKED and row.code == LOT_BLOCKED):
        return Refusal("NOTHING_PARKED", f"{about}: it waits for nobody's decision")
    if decision.code and decision.code != row.code:
        return Refusal("NOTHING_PARKED", f"{about}, the decision is about {decision.code}")
    if decision.decision == ACCEPT and not decision.erp_document:
        return Refusal("DECISION_INVALID", f"{about}: to accept it, name the document that the ERP has")
    if decision.decision == RETRY and row.mismatch:
        return Refusal(
            "DECISION_INVALID", f"{about} ({POSTING_MISMATCH}): another content came under its id; accept or cancel it"
        )
    if decision.decision not in (RETRY, CANCEL, ACCEPT):
        return Refusal("DECISION_INVALID", f"`{decision.decision}` is for accounts; a posting takes retry, cancel or accept")
    return None
