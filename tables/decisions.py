"""What people decided about something parked: kept with who, when, why and how much. A decision holds for what was parked when it
was taken (docs/domain.md, Parking and decisions); `retry` takes back what was decided on a code before."""

from collections.abc import Iterator

from schemas.records import AccountRow, Decision, OperatorDecision

POST, DROP, RETRY = "post", "drop", "retry"
BAD_UNIT = "BAD_UNIT"
"""Of quantities that stand apart in an account. Nothing can be posted in a unit that nobody converts: drop or retry."""
EVERYTHING = 2**62
"""Steps of a decision of before quantities were noted."""
MAX_DECISIONS = 50
"""Of one account; beyond it the oldest is forgotten here (the log has it)."""


def decide(row: AccountRow, decision: OperatorDecision) -> bool:
    """Take a decision in. False: the account is not parked under that code, so there is nothing to decide."""
    stands_apart = bool(row.apart) and decision.code == BAD_UNIT
    if row.code != decision.code and not stands_apart and verdict(row, decision.code) == "":
        return False
    made = Decision(decision.code, decision.decision, decision.who, decision.why, decision.occurred_at, decision.event_id)
    if row.code == decision.code or not stands_apart:
        dropped = deducted(row)
        waits = row.parked - dropped if row.code == decision.code else 0
        made.steps = waits if decision.decision == DROP else row.target - dropped
    if made.event_id not in {known.event_id for known in row.decisions}:
        row.decisions = [*row.decisions, made][-MAX_DECISIONS:]
    return True


def standing(row: AccountRow, code: str = "") -> Iterator[Decision]:
    """Decisions on the code (on any) that no `retry` took back, oldest first."""
    last = {known.code: place for place, known in enumerate(row.decisions) if known.decision == RETRY}
    for place, known in enumerate(row.decisions):
        if place > last.get(known.code, -1) and code in ("", known.code):
            yield known


def let_through(row: AccountRow, code: str) -> int | None:
    """Up to how many steps of the account may go although of `code`; None: nobody said so."""
    posts = [known for known in standing(row, code) if known.decision == POST]
    if row.override == code or any(known.steps is None for known in posts):
        return EVERYTHING
    return max((known.steps for known in posts if known.steps is not None), default=None)


def deducted(row: AccountRow) -> int:
    """Steps that somebody dropped: they are never posted, whatever becomes of the code."""
    return sum(known.steps or 0 for known in standing(row) if known.decision == DROP)


def verdict(row: AccountRow, code: str) -> str:
    """post: it may go although of `code`; drop: it is never posted; empty: nobody decided, or `retry` took it back."""
    newest = next((known for known in reversed(row.decisions) if known.code == code), None)
    if newest is not None:
        return "" if newest.decision == RETRY else newest.decision
    return POST if row.override == code else ""
