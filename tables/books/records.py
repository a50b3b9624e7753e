"""Which record tells which thing of the books."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from schemas.records import (
    ConfigDocument,
    CutOff,
    EquipmentRow,
    ExceptionRecord,
    Kpi,
    LedgerAccount,
    LedgerPosting,
    LetterSettled,
    LotRow,
    MaterialRow,
    OrderRow,
    UpstreamState,
)
from tables.books.accounts import account_entry
from tables.books.entry import BookEntry
from tables.books.floor import equipment_entries
from tables.books.log import (
    configuration_entry,
    cut_off_entry,
    figure_entry,
    letter_entry,
    settled_entry,
    upstream_entry,
)
from tables.books.lots import lot_entry
from tables.books.orders import material_entry, order_entry
from tables.books.postings import posting_entry

TOLD: Mapping[type, Callable[[Any], Iterable[BookEntry] | BookEntry]] = {
    LedgerPosting: posting_entry,
    LedgerAccount: account_entry,
    OrderRow: order_entry,
    MaterialRow: material_entry,
    LotRow: lot_entry,
    EquipmentRow: equipment_entries,
    ExceptionRecord: letter_entry,
    LetterSettled: settled_entry,
    Kpi: figure_entry,
    CutOff: cut_off_entry,
    UpstreamState: upstream_entry,
    ConfigDocument: configuration_entry,
}


def entries_of(record: Any) -> Iterable[BookEntry]:
    """What the record says; nothing, for a record that the books do not keep."""
    tell = TOLD.get(type(record))
    if tell is None:
        return ()
    told = tell(record)
    return (told,) if isinstance(told, BookEntry) else told
