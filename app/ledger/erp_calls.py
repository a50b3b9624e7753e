"""How often a run called the ERP, and for how many documents and postings."""

from app.ledger.balance import ACCEPTED
from app.ledger.snapshot import Snapshot


def figures(snapshot: Snapshot) -> dict[str, int]:
    """attempts: calls that sent a document; retries: those that gave none. Of what delivery has forgotten only its document
    is known, so it counts as one call."""
    rows = list(snapshot.of("delivery", "p|"))
    kept = {row.posting.posting_id for row in rows}
    issued = [posting for row in snapshot.of("orders", "a|") for posting in row.issued]
    forgotten = [posting for posting in issued if posting.status == ACCEPTED and posting.posting_id not in kept]
    known = {row.erp_document for row in rows if row.state == ACCEPTED}
    old = {posting.erp_document for posting in forgotten} - known
    attempts = sum(row.calls for row in rows) + len(old)
    documents = len(known | old)
    return {
        "postings": len(rows) + len(forgotten),
        "accepted": sum(row.state == ACCEPTED for row in rows) + len(forgotten),
        "documents": documents,
        "attempts": attempts,
        "retries": max(0, attempts - documents),
        "read_backs": sum(row.finds for row in rows),
    }
