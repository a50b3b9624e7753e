"""Each posting id is in the ERP at most once (I3), and nothing there bears an id that the ledger does not know."""

from collections import defaultdict
from collections.abc import Iterator

from app.ledger.books.erp_book import ErpBook
from app.ledger.books.snapshot import Snapshot
from tables.row_kinds import ACCOUNT_ROWS, POSTING_ROWS


def differences(snapshot: Snapshot, book: ErpBook) -> Iterator[str]:
    documents: dict[str, set[str]] = defaultdict(set)
    for movement in book.movements:
        if movement.posting_id:
            documents[movement.posting_id].add(movement.erp_document)
    for confirmation in book.confirmations:
        if confirmation.posting_id:
            documents[confirmation.posting_id].add(confirmation.erp_document)
    known = {
        name
        for row in snapshot.of(ACCOUNT_ROWS)
        for posting in row.issued
        for name in (posting.posting_id, *posting.replaced_ids)
    }
    noted = {row.posting.posting_id: row.erp_document for row in snapshot.of(POSTING_ROWS) if row.erp_document}
    for name, found in sorted(documents.items()):
        if len(found) > 1:
            yield f"posting {name} is in the ERP under {len(found)} documents: {', '.join(sorted(found))}"
        if name not in known:
            yield f"the ERP has posting {name} (document {', '.join(sorted(found))}), the ledger never issued it"
        elif name in noted and noted[name] not in found:
            yield f"posting {name}: the ledger has document {noted[name]}, the ERP {', '.join(sorted(found))}"
