"""All checks in one call: from the ledger's rows alone, with the ERP's book where there is one, with the source records on
demand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from app.ledger.books.erp_book import ErpBook
from app.ledger.books.rereading import Reread
from app.ledger.books.snapshot import Snapshot
from app.ledger.books.sources import Sources
from app.ledger.proof import balance
from app.ledger.proof.balance import Proof
from app.ledger.proof.net_movements import compare, summary
from app.ledger.proof.readdition import ReAdditions
from app.ledger.proof.reconciliation import accounts, documents, equipment, postings, records
from app.ledger.questions.carries import LeftByRounding, carries_of
from app.ledger.questions.order_books import BooksQuestion, questions_of
from app.ledger.questions.trace import OK, check
from tables.row_kinds import ACCOUNT_ROWS

CHECKS: tuple[Callable[[Snapshot], Iterator[str]], ...] = (
    accounts.differences,
    postings.differences,
    equipment.differences,
    records.differences,
)


@dataclass(slots=True)
class Reconciliation:
    """`differences`: one sentence each; none: everything agrees."""

    proof: Proof
    differences: list[str]
    erp: dict[str, Any] = field(default_factory=dict)
    """The comparison with the ERP; empty: none was asked."""
    books: list[BooksQuestion] = field(default_factory=list)
    """What a controller asks; it makes nothing inexact."""
    carries: list[LeftByRounding] = field(default_factory=list)
    re_added: int | None = None
    """Postings whose source records were read and added again; None: not asked for."""

    @property
    def exact(self) -> bool:
        return not self.differences


def reconcile(snapshot: Snapshot, book: ErpBook | None = None, sources: Sources | None = None) -> Reconciliation:
    """Raises SourceExpired when `sources` are asked for and gone."""
    proof = balance.prove(snapshot)
    found = [*proof.differences, *(sentence for differences in CHECKS for sentence in differences(snapshot))]
    erp: dict[str, Any] = {}
    if book is not None:
        erp = summary(compare(snapshot, book))
        found += [*erp["differences"], *documents.differences(snapshot, book)]
    re_added = None
    if sources is not None:
        reread = sources.everything(snapshot)
        found += records.against(snapshot, reread)
        wrong = list(_postings(snapshot, sources, reread))
        found += wrong
        re_added = sum(len(row.issued) for row in snapshot.of(ACCOUNT_ROWS))
    return Reconciliation(proof, list(dict.fromkeys(found)), erp, questions_of(snapshot), carries_of(snapshot), re_added)


def _postings(snapshot: Snapshot, sources: Sources, reread: Reread) -> Iterator[str]:
    """Each posting against its own records, in the order of the cuts (what is counted for one cut serves all of it)."""
    again = ReAdditions(reread)
    every = [(posting.cut, index, row, posting) for index, row in enumerate(snapshot.of(ACCOUNT_ROWS)) for posting in row.issued]
    for _, _, row, posting in sorted(every, key=lambda entry: entry[:2]):
        checked = check(snapshot, row, posting, sources, again)
        if checked.verdict != OK:
            yield f"posting {posting.posting_id}: {checked.detail}"
