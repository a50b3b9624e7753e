"""The books of a run: one SQLite file in its output folder, written at its end from the rows of its stages."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.books import database, migrating, writing
from schemas.configuration import Configuration
from schemas.records import ExceptionRecord, LetterSettled
from tables.books.entry import BookEntry
from tables.books.log import clock_entries
from tables.books.records import entries_of
from tables.delivery.public_posting import issued_posting, public_posting
from tables.orders.account import BASIS, account_key
from tables.orders.public_account import public_account
from tables.row_kinds import (
    ACCOUNT_ROWS,
    EQUIPMENT_ROWS,
    LOT_ROWS,
    MATERIAL_ROWS,
    ORDER_ROWS,
    POSITION_ROWS,
    POSTING_ROWS,
)

Rows = Mapping[str, Mapping[str, Any]]
"""Stage -> key -> row."""
PART = ".part"


def write(
    directory: Path,
    rows: Rows,
    letters: Sequence[ExceptionRecord | LetterSettled],
    configuration: Configuration,
    about: Mapping[str, str],
) -> Path:
    """Write (replace) the books in an output folder. The file appears when it is whole."""
    path = directory / database.FILE
    part = path.with_name(path.name + PART)
    part.unlink(missing_ok=True)
    engine = database.fresh(part)
    try:
        migrating.make(engine)
        with engine.begin() as connection:
            writing.write(connection, entries(rows, letters, configuration), {}, empty=True)
            writing.about(connection, about)
    finally:
        engine.dispose()
    os.replace(part, path)
    return path


def forget(directory: Path) -> None:
    """Before the ledger of the folder is written: the books of another ledger would send questions to the wrong rows."""
    (directory / database.FILE).unlink(missing_ok=True)


def entries(rows: Rows, letters: Iterable[ExceptionRecord | LetterSettled], configuration: Configuration) -> Iterator[BookEntry]:
    """What the topics would have told by now: the newest state of each thing."""
    for record in (configuration.document(), *letters, *_records(rows)):
        yield from entries_of(record)
    for stage, found in rows.items():
        for key, row in found.items():
            if POSITION_ROWS.has(key):
                yield from clock_entries(stage, int(key.rpartition("/")[2]), row)


def _records(rows: Rows) -> Iterator[Any]:
    orders, delivered = rows.get("orders", {}), set[str]()
    for row in POSTING_ROWS.among(rows.get("delivery", {})):
        delivered.add(row.posting.posting_id)
        yield public_posting(row)
    for account in ACCOUNT_ROWS.among(orders):
        if account.kind != BASIS:
            yield public_account(account)
            key = account_key(account)
            for issued in account.issued:
                if issued.posting_id not in delivered:
                    yield issued_posting(account, key, issued)
    yield from ORDER_ROWS.among(orders)
    yield from MATERIAL_ROWS.among(orders)
    yield from LOT_ROWS.among(rows.get("lots", {}))
    yield from EQUIPMENT_ROWS.among(rows.get("equipment", {}))
