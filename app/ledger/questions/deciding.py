"""The line to type about what waits for a person: the same in `parked` and in the console."""

from tables.decisions import BAD_UNIT
from tables.delivery.posting_state import LOT_BLOCKED, POSTING_MISMATCH, UNKNOWN


def decide_line(account: str, posting: str, state: str, code: str) -> str:
    """`posting`: its id; empty: the account itself is meant. Empty: nothing is to be decided. What is posted already is corrected
    at its source."""
    if state == UNKNOWN:
        known = f"lineledger decide {posting}"
        return f"{known} accept --document NUMBER --who NAME --why TEXT, or {known} retry: it is not in the ERP"
    if posting:
        answers = "cancel" if code == POSTING_MISMATCH else "retry|cancel"
        return "" if code == LOT_BLOCKED else f"lineledger decide {posting} {answers} --who NAME --why TEXT"
    if state == "dropped":
        return f"dropped; lineledger decide '{account}' retry --code {code} --who NAME --why TEXT takes that back"
    if state != "parked":
        return ""
    answers = "drop" if code == BAD_UNIT else "post|drop"
    return f"lineledger decide '{account}' {answers} --code {code} --who NAME --why TEXT"
