"""What the ERP has booked on the orders of a run, as it answered: kept beside the ledger, so that it can be compared again."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from app.erp.adapters import adapter_for
from app.erp.port import BookedConfirmation, BookedMovement
from app.erp.traffic import Sink
from schemas.configuration import ErpConfig

FILE = "erp_book.json"


class ErpBook(msgspec.Struct, frozen=True):
    """Every movement and confirmation of some orders, those of others included."""

    movements: Sequence[BookedMovement]
    confirmations: Sequence[BookedConfirmation]
    derives: bool
    """The ERP makes receipts, issues and confirmations of its own, as the order's flags say."""


def ask(erp: ErpConfig, orders: Sequence[str], environ: Mapping[str, str], *sinks: Sink) -> ErpBook | None:
    """What the ERP of `erp` has on these orders (its spelling); None: there is no ERP to ask. `sinks`: are told each request.

    Raises Refusal (the adapter cannot be made) and ErpUnavailable.
    """
    adapter = adapter_for(erp, environ, *sinks)
    if adapter is None:
        return None

    async def answered() -> ErpBook:
        try:
            movements = await adapter.movements(orders)
            return ErpBook(movements, await adapter.confirmations(orders), adapter.capabilities.derives)
        finally:
            await adapter.close()

    return asyncio.run(answered())


def write(directory: Path, book: ErpBook | None) -> None:
    """Keep (replace) the ERP's answer beside the ledger; None: no ERP was asked, an older answer goes."""
    path = directory / FILE
    if book is None:
        path.unlink(missing_ok=True)
    else:
        path.write_bytes(msgspec.json.encode(book))


def read(directory: Path) -> ErpBook | None:
    """The book in the output folder of a run; None: that run asked no ERP."""
    path = directory / FILE
    return msgspec.json.decode(path.read_bytes(), type=ErpBook) if path.is_file() else None
