"""The states of a posting and the ways between them (I5). One table; nothing else moves a posting."""

from collections.abc import Mapping

from schemas.records import PostingRow
from tables.invariant import InvariantBroken

WAITING_CLOCK = "waiting_clock"
"""The plant's clock has not reached the posting's cut."""
QUEUED = "queued"
DISPATCHED = "dispatched"
"""With the executor: one attempt that may be sent."""
RETRY = "retry"
"""Definitely not booked; waits for its timer."""
UNKNOWN = "unknown"
"""An attempt may or may not be booked."""
HELD = "held"
PARKED = "parked"
"""Needs somebody, or (LOT_BLOCKED) the release of its lot, or (ENDPOINT_UNKNOWN) an endpoint."""
ACCEPTED = "accepted"
REJECTED = "rejected"
CANCELLED = "cancelled"
"""A person decided that it is not posted; the quantity stays listed."""

TRANSITIONS: Mapping[str, frozenset[str]] = {
    WAITING_CLOCK: frozenset({QUEUED, HELD, PARKED, ACCEPTED}),
    QUEUED: frozenset({DISPATCHED, HELD, PARKED, ACCEPTED}),
    DISPATCHED: frozenset({ACCEPTED, REJECTED, RETRY, UNKNOWN, QUEUED, HELD, PARKED}),
    RETRY: frozenset({QUEUED, HELD, PARKED, ACCEPTED}),
    UNKNOWN: frozenset({DISPATCHED, ACCEPTED, REJECTED, RETRY, QUEUED, HELD, PARKED}),
    HELD: frozenset({QUEUED, PARKED, ACCEPTED}),
    PARKED: frozenset({QUEUED, HELD, ACCEPTED, CANCELLED}),
    REJECTED: frozenset({ACCEPTED, QUEUED, HELD, PARKED, CANCELLED}),
    CANCELLED: frozenset({ACCEPTED, QUEUED, HELD, PARKED}),
    ACCEPTED: frozenset(),
}
"""Accepted is reached from everywhere (evidence may come late) and never left. Rejected and cancelled are left by a person's
decision only (streams/delivery/decisions.py)."""

IN_FLIGHT = frozenset({DISPATCHED, UNKNOWN})
REPORTED = frozenset({ACCEPTED, REJECTED, CANCELLED, HELD, PARKED})
"""Orders is told of these."""

LOT_HELD = "LOT_HELD"
LOT_BLOCKED = "LOT_BLOCKED"
PREDECESSOR_OPEN = "PREDECESSOR_OPEN"
POSTING_MISMATCH = "POSTING_MISMATCH"
STOCK_SHORT = "STOCK_SHORT"
MATERIAL_LOCKED = "MATERIAL_LOCKED"
"""Of a refusal: somebody else moves the material."""
RETRY_EXHAUSTED = "RETRY_EXHAUSTED"
DOUBLE = "DOUBLE"
CLOSED = "CLOSED"
HORIZON_PASSED = "HORIZON_PASSED"
"""Of a read-back: what is not found now will never be booked by the attempts so far."""
RECALLED = "HELD"
"""Of an attempt: the executor saw the answer of the hold policy change and did not send."""
DOCUMENT_SPLIT = "DOCUMENT_SPLIT"
"""Of an attempt: a document of several lines was refused, nothing of it is booked; each goes by itself now."""
ERP_AWAY = "ERP_AWAY"
"""Of no posting: the ERP answers nobody, or lets nobody in."""
ERP_QUOTA = "ERP_QUOTA"
"""Of no posting: the quota of the ERP is used up, and everything waits until some of it comes back."""
FOREIGN = "ERP_FOREIGN"
"""Of an attempt: the plant's ERP is not the one that this worker calls, so nothing was sent."""
PERIOD_CLOSED = "PERIOD_CLOSED"
"""Of a refusal: the posting date lies in a closed period."""
NOT_IDEMPOTENT = "NOT_IDEMPOTENT"
"""Of an attempt: the adapter cannot tell a repetition, so the executor did not resend."""

ENDPOINT_UNKNOWN = "ENDPOINT_UNKNOWN"
"""The installation does not have the endpoint that the plant names."""

REFUSED_AFTER_UNKNOWN = "REFUSED_AFTER_UNKNOWN"
"""A resend was refused while an earlier attempt may be booked."""
READ_BACK_FIRST = frozenset({NOT_IDEMPOTENT, REFUSED_AFTER_UNKNOWN})


def move(row: PostingRow, state: str) -> None:
    """Put the posting into `state`. Raises InvariantBroken for a way that is not in the table."""
    if state not in TRANSITIONS[row.state]:
        raise InvariantBroken("I5", f"{row.posting.posting_id}: {row.state} -> {state} is no transition")
    row.state = state


def ended(row: PostingRow) -> bool:
    """Nobody waits for anything of it: in the ERP, cancelled, or gone again under another id."""
    return row.state in (ACCEPTED, CANCELLED) or (row.state == REJECTED and bool(row.replaced_by))


def waits_for_decision(row: PostingRow) -> bool:
    """Nothing of it is on the way, and lot, configuration, installation or predecessor may send it somewhere else."""
    return row.state in (QUEUED, HELD) or (row.state == PARKED and row.code in (LOT_BLOCKED, ENDPOINT_UNKNOWN))


def stuck(row: PostingRow) -> bool:
    """It does not go on by itself: what must not overtake it is held as well."""
    return row.state in (HELD, PARKED, REJECTED, CANCELLED)
