"""Which sequences of an account are in the ERP: kept for good, so that an id that nobody remembers is not posted again."""

from schemas.records import AccountClosedRow


def is_closed(row: AccountClosedRow | None, sequence: int) -> bool:
    return row is not None and (sequence <= row.closed or sequence in row.beyond)


def close(row: AccountClosedRow, sequence: int) -> AccountClosedRow:
    """The row with `sequence` (from 1) accepted as well."""
    if is_closed(row, sequence):
        return row
    beyond, closed = {*row.beyond, sequence}, row.closed
    while closed + 1 in beyond:
        closed += 1
        beyond.discard(closed)
    return AccountClosedRow(row.account, closed, sorted(beyond))
