"""Whether the ERP has what an account issued, and how long that took: a posting that is held, refused or on its way is no
booking."""

from collections import defaultdict
from datetime import timedelta
from itertools import pairwise

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.moments import iso
from schemas.records import AccountRow, IssuedPosting, PostingRow
from tables.delivery.posting_state import ACCEPTED, IN_FLIGHT
from tables.quantity import decimal_text
from tables.row_kinds import POSTING_ROWS

SECOND_US = 1_000_000


def state_of(snapshot: Snapshot, posting: IssuedPosting) -> str:
    """The state by delivery, which hears first; what the account was told last when delivery has forgotten it."""
    delivered = newest_of(snapshot, posting)
    return delivered.state if delivered is not None else posting.status


def newest_of(snapshot: Snapshot, posting: IssuedPosting) -> PostingRow | None:
    """The posting under the id that it went out under last; None: delivery does not know it."""
    delivered = delivery_of(snapshot, posting.posting_id)
    while delivered is not None and delivered.replaced_by:
        following = delivery_of(snapshot, delivered.replaced_by)
        if following is None:
            break
        delivered = following
    return delivered


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


def waited(posting: IssuedPosting, delivered: PostingRow | None) -> str:
    """How long from the cut to the booking, by log time, and in which states; of one that is not booked, since when it is where
    it is. Back-off is what attempts that failed were given."""
    if delivered is None:
        return "-"
    tries = f"Attempts {delivered.attempts}, read-backs {delivered.finds}, failures {delivered.failures}"
    backoff = f"{delivered.waited_us / 1e6:.1f} s of back-off" if delivered.waited_us else "no back-off"
    return f"{_until_now(posting, delivered)}; {backoff}   {tries}"


def _until_now(posting: IssuedPosting, delivered: PostingRow) -> str:
    steps = delivered.steps
    spent: dict[str, int] = defaultdict(int)
    for step, following in pairwise(steps):
        spent[f"{step.state} {step.code}".rstrip()] += following.at - step.at
    inside = ", ".join(f"{_span(amount)} {state}" for state, amount in spent.items() if amount >= SECOND_US)
    of_it = f" ({inside})" if inside else ""
    reached = steps[-1].at if steps else delivered.closed_at
    if delivered.state == ACCEPTED:
        return f"{_span(reached - posting.cut)} from its cut to the booking{of_it}" if reached else "booked"
    return f"{delivered.state}{f' since {iso(reached)}' if reached else ''}, cut {iso(posting.cut)}{of_it}"


def _span(microseconds: int) -> str:
    return str(timedelta(seconds=max(0, microseconds) // SECOND_US))
