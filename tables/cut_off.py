"""What an account leaves behind when its period closes (domain rule 16)."""

from collections.abc import Iterator
from dataclasses import dataclass

from schemas.records import AccountRow
from tables.account import unposted


@dataclass(slots=True, frozen=True)
class LeftBehind:
    """Steps that the ERP does not have, and why."""

    code: str
    steps: int


def left_behind(row: AccountRow) -> Iterator[LeftBehind]:
    """Everything of the account that the ERP does not have: parked, not due, on its way."""
    if row.covered:
        return
    if row.parked:
        yield LeftBehind(row.code, row.parked)
    if unposted(row):
        yield LeftBehind(code="NOT_DUE", steps=unposted(row))
    issued = sum(posting.amount for posting in row.issued if posting.status != "accepted")
    if issued:
        yield LeftBehind(code="IN_FLIGHT", steps=issued)
