"""What people decide about postings that do not go on by themselves: retry, cancel, or accept as found in the ERP.

Of an unknown one two things can be said: it is in the ERP under a document (accept), or it is not (retry)."""

from schemas.records import Decision, OperatorDecision, PostingRow
from streams.delivery.desk import Desk
from tables.delivery.posting_state import (
    ACCEPTED,
    CANCELLED,
    LOT_BLOCKED,
    PARKED,
    POSTING_MISMATCH,
    REJECTED,
    UNKNOWN,
)
from tables.refusal import Refusal

RETRY, CANCEL, ACCEPT = "retry", "cancel", "accept"
OPEN_TO_DECISION = (PARKED, REJECTED, CANCELLED, UNKNOWN)


def decided(desk: Desk, decision: OperatorDecision) -> Refusal | None:
    """Take a decision in, once; who, when and why stay with the posting. A refusal: there is nothing to decide like that.

    Nothing of such a posting is on the way, or (unknown) nobody knows, and a person has looked. While it is sent again or read
    back that goes on by itself.
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
            for line in (row, *_unknown_with(desk, row)):
                line.failures, line.waited_us, line.unresolved = 0, 0, 0
                line.decisions = row.decisions
                desk.keep(line)
                desk.settle(line)
    desk.keep(row)
    return None


def _unknown_with(desk: Desk, row: PostingRow) -> list[PostingRow]:
    """The other lines of an unknown document: what is not there is not there whole."""
    if row.state != UNKNOWN:
        return []
    beside = [desk.known(name) for name in desk.backlog.beside(row)]
    return [one for one in beside if one.state == UNKNOWN and one.document == row.document]


def _refused(row: PostingRow, decision: OperatorDecision) -> Refusal | None:
    about = f"posting {decision.posting_id} is {row.state} {row.code}".rstrip()
    if row.state not in OPEN_TO_DECISION or (row.state == PARKED and row.code == LOT_BLOCKED):
        return Refusal("NOTHING_PARKED", f"{about}: it waits for nobody's decision")
    if decision.code and decision.code != row.code:
        return Refusal("NOTHING_PARKED", f"{about}, the decision is about {decision.code}")
    if decision.decision == ACCEPT and not decision.erp_document:
        return Refusal("DECISION_INVALID", f"{about}: to accept it, name the document that the ERP has")
    if decision.decision == CANCEL and row.state == UNKNOWN:
        return Refusal("DECISION_INVALID", f"{about}: say first whether it is in the ERP (accept) or not (retry)")
    if decision.decision == RETRY and row.mismatch:
        return Refusal(
            "DECISION_INVALID", f"{about} ({POSTING_MISMATCH}): another content came under its id; accept or cancel it"
        )
    if decision.decision not in (RETRY, CANCEL, ACCEPT):
        return Refusal("DECISION_INVALID", f"`{decision.decision}` is for accounts; a posting takes retry, cancel or accept")
    return None
