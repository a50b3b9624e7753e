"""How often a run called the ERP, by the requests that left, and for how many documents and postings."""

from collections.abc import Sequence

from app.erp.documents import SAME
from app.erp.traffic import Request
from app.erp.traffic import figures as counted
from app.ledger.books.snapshot import Snapshot
from tables.delivery.posting_tally import told
from tables.row_kinds import ACCOUNT_ROWS, ORDER_ROWS, POSTING_ROWS


def figures(snapshot: Snapshot, requests: Sequence[Request]) -> dict[str, int]:
    """postings, accepted, documents: as delivery has counted them, also those that it has forgotten since. The rest is counted
    at the transport (app.erp.traffic.figures)."""
    return {**told(position.marks for position in snapshot.positions("delivery")), **counted(requests)}


def own_words(snapshot: Snapshot) -> str:
    """What the ledger itself may say to an ERP: identifiers of postings and orders."""
    words: set[str] = set()
    for row in snapshot.of(POSTING_ROWS):
        one = row.posting
        words |= {one.order, one.operation, one.material, one.reason, one.unit, one.business_date, one.posting_date}
        words |= {text for name in SAME if isinstance(text := getattr(one, name), str)}
        words |= {word for part in one.movements for word in (part.type, part.material, part.lot, part.location, part.unit)}
    for account in snapshot.of(ACCOUNT_ROWS):  # what delivery has forgotten stands here still
        words |= {account.order, account.operation, account.material, account.lot, account.reason, account.unit, account.location}
        words |= {account.business_date, *(entry.posting_id for entry in account.issued)}
        moved = [part for entry in account.issued for part in entry.movements]
        words |= {word for part in moved for word in (part.material, part.lot, part.location, part.unit)}
    words |= {row.order for row in snapshot.of(ORDER_ROWS)}
    names = snapshot.configuration.erp.identifiers
    words |= {*names.scrap_reason.values(), *names.unit.values()}
    return " ".join(sorted(words))
