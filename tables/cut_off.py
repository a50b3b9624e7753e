"""What an account leaves behind when its period closes (domain rule 16)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from schemas.records import AccountRow
from tables.account import unposted


@dataclass(slots=True, frozen=True)
class LeftBehind:
    """Steps that the ERP does not have, and why."""

    code: str
    steps: int


def left_behind(row: AccountRow, accepted: Collection[str] = ()) -> Iterator[LeftBehind]:
    """Everything of the account that the ERP does not have: parked, not due, on its way. `accepted`: ids of postings that are
    known to be in the ERP, although the account has not heard of it yet."""
    if row.covered:
        return
    if row.parked:
        yield LeftBehind(row.code, row.parked)
    if unposted(row):
        yield LeftBehind(code="NOT_DUE", steps=unposted(row))
    open_ = [posting for posting in row.issued if posting.status != "accepted" and posting.posting_id not in accepted]
    if issued := sum(posting.amount for posting in open_):
        yield LeftBehind(code="IN_FLIGHT", steps=issued)
