"""Which sequences of an account are in the ERP, so that an id that nobody remembers is not posted again.

Kept for a while after the last acceptance (schemas/catalog.yaml). What comes later is told by its cut: see `is_repeat`.
"""

from dataclasses import replace

from schemas.records import AccountClosedRow, Posting


def is_closed(row: AccountClosedRow | None, sequence: int, born_epoch: int) -> bool:
    """`born_epoch`: of the account that asks. One that was born anew counts its sequences anew. 0, here or
    in the row: written before births were named, and taken at its word."""
    if row is None or _older(row, born_epoch):
        return False
    return 0 < born_epoch < row.born_epoch or sequence <= row.closed or sequence in row.beyond


def close(row: AccountClosedRow | None, account: str, sequence: int, born_epoch: int, at: int) -> AccountClosedRow:
    """The row with `sequence` (from 1) accepted as well, at the log time `at`."""
    if row is None or _older(row, born_epoch):
        row = AccountClosedRow(account, 0)
    elif is_closed(row, sequence, born_epoch):
        return replace(row, at=max(row.at, at))
    beyond, closed = {*row.beyond, sequence}, row.closed
    while closed + 1 in beyond:
        closed += 1
        beyond.discard(closed)
    return AccountClosedRow(account, closed, sorted(beyond), max(row.born_epoch, born_epoch), max(row.at, at))


def together(one: AccountClosedRow, other: AccountClosedRow) -> AccountClosedRow:
    """What two partitions of delivery know of one account: its plant posted through one ERP endpoint, then through another."""
    if _older(one, other.born_epoch):
        return other
    if _older(other, one.born_epoch):
        return one
    found = replace(one, at=max(one.at, other.at))
    for sequence in (*range(found.closed + 1, other.closed + 1), *other.beyond):
        found = close(found, one.account, sequence, other.born_epoch, other.at)
    return found


def is_repeat(posting: Posting, clock: int, keep_us: int) -> bool:
    """A posting that delivery does not know, with a cut that its own clock passed longer ago than it keeps postings: orders
    sends each one before the tick of its cut, so this one was here before."""
    return posting.cut <= clock - keep_us


def _older(row: AccountClosedRow, born_epoch: int) -> bool:
    return 0 < row.born_epoch < born_epoch
