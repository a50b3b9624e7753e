"""Whether the ERP has what an account issued: a posting that is held, refused or on its way is no booking."""

from collections import defaultdict

from app.ledger.books.snapshot import Snapshot
from schemas.records import AccountRow, IssuedPosting, PostingRow
from tables.delivery.posting_state import ACCEPTED, IN_FLIGHT
from tables.quantity import decimal_text
from tables.row_kinds import POSTING_ROWS


def state_of(snapshot: Snapshot, posting: IssuedPosting) -> str:
    """The state by delivery, which hears first; what the account was told last when delivery has forgotten it."""
    delivered = delivery_of(snapshot, posting.posting_id)
    while delivered is not None and delivered.replaced_by:
        following = delivery_of(snapshot, delivered.replaced_by)
        if following is None:
            break
        delivered = following
    return delivered.state if delivered is not None else posting.status


def delivery_of(snapshot: Snapshot, posting_id: str) -> PostingRow | None:
    found: PostingRow | None = snapshot.rows.get("delivery", {}).get(POSTING_ROWS.key(posting_id))
    return found


def missing(snapshot: Snapshot, row: AccountRow) -> str:
    """What of the account's postings the ERP does not have, by state; empty: it has them all."""
    amounts: dict[str, int] = defaultdict(int)
    for posting in row.issued:
        amounts[state_of(snapshot, posting)] += posting.amount
    amounts.pop(ACCEPTED, None)
    parts = [f"{decimal_text(amount, row.scale)} {row.unit} {described(state)}" for state, amount in sorted(amounts.items())]
    return ", ".join(parts)


def described(state: str) -> str:
    """A state other than accepted, with what is not known of it."""
    return f"{state} (perhaps it has)" if state in IN_FLIGHT else state
