"""What people decided about undecided counts: kept with who, when and why; of each count the newest decision holds."""

from collections.abc import Mapping

from schemas.records import CountDecision, CounterState, EquipmentRow, OperatorDecision
from tables.equipment.counter import ACCEPT, DISCARD
from tables.equipment.reading_buckets import BUCKET_US, Buckets
from tables.order_of_telling import Natural, natural
from tables.refusal import Refusal

RETRY = "retry"
"""Takes a decision back."""
DECISIONS = (ACCEPT, DISCARD, RETRY)
CODE = "COUNT_UNDECIDED"


def decided(row: EquipmentRow, event: OperatorDecision) -> bool | Refusal:
    """Take a decision about a counter of the row in, at any state of the count: what it says holds as soon as something
    undecided began then. False: it is known, or a newer one is."""
    if event.decision not in DECISIONS:
        return Refusal("DECISION_INVALID", f"an undecided count takes {', '.join(DECISIONS)}, not `{event.decision}`")
    state = row.counters[event.counter]
    made = CountDecision(
        event.began_at,
        event.decision,
        event.who,
        event.why,
        event.occurred_at,
        event.event_id,
        event.raw_source,
        event.raw_offset,
    )
    known = next((one for one in state.decisions if one.began_at == made.began_at), None)
    if known is not None and _rank(known) >= _rank(made):
        return False
    others = [one for one in state.decisions if one is not known]
    state.decisions = sorted([*others, made], key=lambda one: one.began_at)
    return True


def is_settled(row: EquipmentRow, state: CounterState, buckets: Buckets, at: int) -> bool:
    """Can the time not be counted anew? A total that its bucket gave to is forgotten: for longer than the late horizon the
    counter has shown nothing, and its newest bucket is kept however old it is."""
    bucket = buckets.get(min(max(at // BUCKET_US, state.oldest_bucket), state.newest_bucket))
    return bucket is not None and any(share.destination not in row.totals for share in bucket.row.shares)


def _rank(decision: CountDecision) -> tuple[int, Natural, int]:
    return decision.decided_at, natural(decision.raw_source), decision.raw_offset


def verdicts(state: CounterState) -> Mapping[int, str]:
    """Start of something undecided -> accept | discard."""
    return {one.began_at: one.decision for one in state.decisions if one.decision != RETRY}


def forget(state: CounterState, before: int) -> None:
    """Decisions about what lies before, unless the counter still shows it."""
    open_since = state.base.excursion.began_at if state.base.excursion is not None else None
    if state.decisions:
        state.decisions = [one for one in state.decisions if one.began_at >= before or one.began_at == open_since]
