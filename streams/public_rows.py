"""Rows that everybody may read: what the public topics of the ledger say of those that changed, in the transaction of the row.

The engine tells them at each checkpoint, so no fold can forget to; of a row that changed twice between two checkpoints only the
newest state is told. A run in memory has no public topics: its books are made from its rows at the end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from schemas.records import AccountRow, PostingRow
from schemas.topics import LEDGER_ACCOUNTS, LEDGER_POSTINGS
from streams.step import Step
from tables.delivery.public_posting import public_posting
from tables.orders.account import BASIS
from tables.orders.public_account import public_account
from tables.row_kinds import ACCOUNT_ROWS, POSTING_ROWS, RowKind


class PublicRows(NamedTuple):
    """Rows of one kind and the topic that tells of them. `record`: of a row; None: nobody else is told of it."""

    kind: RowKind[Any]
    topic: str
    record: Callable[[Any], Any]
    key: Callable[[Any], str]
    """Of the record."""


def _account(row: AccountRow) -> Any:
    return None if row.kind == BASIS else public_account(row)


def _posting(row: PostingRow) -> Any:
    return public_posting(row)


_TOLD: Mapping[str, Sequence[PublicRows]] = {
    "orders": (PublicRows(ACCOUNT_ROWS, LEDGER_ACCOUNTS, _account, lambda record: str(record.account)),),
    "delivery": (
        PublicRows(
            POSTING_ROWS,
            LEDGER_POSTINGS,
            _posting,
            lambda record: f"{record.posting.plant}|{record.posting.posting_id}",
        ),
    ),
}


def of(stage: str) -> Sequence[PublicRows]:
    """What is told of the rows of a stage."""
    return _TOLD.get(stage, ())


def tell(step: Step, told: PublicRows, changed: Iterable[tuple[str, Any]]) -> None:
    """`changed`: rows of the kind that the transaction takes. What is deleted stays told: the ledger forgets nothing."""
    for _, row in changed:
        record = told.record(row)
        if record is not None:
            step.emit(told.topic, told.key(record), record)
