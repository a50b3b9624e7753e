"""I3: the NET of all movements in the ERP per order, material, lot and type, and of its confirmations per operation, equals
the ledger; what differs is listed with its cause."""

import os
from pathlib import Path
from typing import Any

from app.erp.of_run import RunErp
from app.erp.traffic import JOURNAL, TrafficJournal
from app.ledger.books import erp_book
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.net_movements import compare, summary
from schemas.configuration import ErpConfig
from tables.row_kinds import ACCOUNT_ROWS, ORDER_ROWS

MOST_LISTED = 20
"""Sentences of one kind on a screen; JSON has all of them."""


def check(snapshot: Snapshot, erp: RunErp, keep: Path) -> dict[str, Any]:
    """Compare with the ERP's own tables. `keep`: the folder in which its answer stays. {} when there is none to ask, or when
    the plant only shadows another interface."""
    orders, environ = orders_of(snapshot, erp.configuration.erp), {**os.environ, **erp.environ}
    book = erp_book.ask(erp.configuration.erp, orders, environ, TrafficJournal(keep / JOURNAL))
    erp_book.write(keep, book)
    if snapshot.configuration.plant.shadow:
        return {}  # what is there is somebody else's: `lineledger shadow` explains it
    return {} if book is None else summary(compare(snapshot, book))


def again(snapshot: Snapshot, kept: Path) -> dict[str, Any]:
    """The same from what the ERP answered when the run asked it. {} when it asked none."""
    book = None if snapshot.configuration.plant.shadow else erp_book.read(kept)
    return {} if book is None else summary(compare(snapshot, book))


def lines_of(found: dict[str, Any]) -> list[str]:
    """The comparison in sentences, for people; nothing when no ERP was asked."""
    if not found:
        return []
    counts = ", ".join(f"{count} {origin}" for origin, count in found["origins"].items())
    verdict = "EXACT" if not found["differences"] else "NOT EXACT"
    orders = f"{found['agreeing']} of {found['orders']} orders; {counts}"
    listed = [f"  foreign: {sentence}" for sentence in found["foreign"]]
    return [
        f"ERP net movements per order, material, lot = ledger ({orders})    {verdict}",
        *listed[:MOST_LISTED],
        *(f"  differs: {difference}" for difference in found["differences"][:MOST_LISTED]),
    ]


def orders_of(snapshot: Snapshot, erp: ErpConfig) -> list[str]:
    """Every order that the ledger knows or has accounts for, as the ERP writes it: others may have booked on it."""
    names = {row.order for row in snapshot.of(ORDER_ROWS)} | {row.order for row in snapshot.of(ACCOUNT_ROWS)}
    return sorted({erp.identifiers.order.erp(name) for name in names if name})
