"""What people decided about something parked: kept with who, when and why; the newest decision on a code holds."""

from schemas.records import AccountRow, Decision, OperatorDecision

POST, DROP, RETRY = "post", "drop", "retry"
BAD_UNIT = "BAD_UNIT"
"""Of quantities that stand apart in an account. Nothing can be posted in a unit that nobody converts: drop or retry."""
MAX_DECISIONS = 50
"""Of one account; beyond it the oldest is forgotten here (the log has it)."""


def decide(row: AccountRow, decision: OperatorDecision) -> bool:
    """Take a decision in. False: the account is not parked under that code, so there is nothing to decide."""
    stands_apart = bool(row.apart) and decision.code == BAD_UNIT
    if row.code != decision.code and not stands_apart and verdict(row, decision.code) == "":
        return False
    made = Decision(decision.code, decision.decision, decision.who, decision.why, decision.occurred_at, decision.event_id)
    if made.event_id not in {known.event_id for known in row.decisions}:
        row.decisions = [*row.decisions, made][-MAX_DECISIONS:]
    return True


def verdict(row: AccountRow, code: str) -> str:
    """post: it may go although of `code`; drop: it is never posted; empty: nobody decided, or `retry` took it back."""
    newest = next((known for known in reversed(row.decisions) if known.code == code), None)
    if newest is not None:
        return "" if newest.decision == RETRY else newest.decision
    return POST if row.override == code else ""
