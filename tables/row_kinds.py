"""The register of row kinds: every row that a stage keeps, its prefix and record. Retention: schemas/catalog.yaml."""

from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

from schemas.catalog import catalog
from schemas.records import (
    AccountClosedRow,
    AccountRow,
    DeclarationRow,
    EndpointRow,
    EquipmentRow,
    JournalRow,
    LabourRow,
    LotRow,
    LotStateRow,
    MaterialRow,
    OrderRow,
    PartitionPosition,
    PendingRow,
    PlantRow,
    PostingRow,
    QuotaRow,
    ScopeLotRow,
    ScopeRow,
    TimelineRow,
)
from tables.rows import RowStore

Row = TypeVar("Row")


class RowKind(Generic[Row]):
    """Rows of one prefix in the tables of these stages. The parts of a key stand as they are given; `account_key` escapes."""

    __slots__ = ("prefix", "record", "stages")

    def __init__(self, stages: str, prefix: str, record: type[Row]) -> None:
        self.stages, self.prefix, self.record = tuple(stages.split()), prefix, record

    def key(self, *parts: str) -> str:
        """Key of one row."""
        return self.prefix + "|".join(parts)

    def under(self, *parts: str) -> str:
        """Prefix of the keys whose first parts are these."""
        return self.prefix + "".join(f"{part}|" for part in parts)

    def has(self, key: str) -> bool:
        """Is it a key of this kind?"""
        return key.startswith(self.prefix)

    def bare(self, key: str) -> str:
        """A key of this kind without its prefix."""
        return key[len(self.prefix) :]

    def find(self, rows: RowStore, *parts: str) -> Row | None:
        found: Row | None = rows.get(self.key(*parts))
        return found

    def scan(self, rows: RowStore, *parts: str) -> Iterator[tuple[str, Row]]:
        """Rows whose keys begin with these parts, by key order."""
        return rows.scan(self.under(*parts))

    def among(self, rows: Mapping[str, Any], *parts: str) -> list[Row]:
        """The same, of a stage's rows in memory."""
        prefix = self.under(*parts)
        return [row for key, row in sorted(rows.items()) if key.startswith(prefix)]

    @property
    def keep_us(self) -> int:
        """How long a row is kept after its end, microseconds of log time. Raises ValueError where that is not by time."""
        return catalog().rows[self.stages[0]][self.prefix].keep_us


POSITION_ROWS = RowKind("intake equipment lots orders delivery", "__position", PartitionPosition)

EQUIPMENT_ROWS = RowKind("equipment", "e|", EquipmentRow)
JOURNAL_ROWS = RowKind("equipment", "j|", JournalRow)
TIMELINE_ROWS = RowKind("equipment", "t|", TimelineRow)
DECLARATION_ROWS = RowKind("equipment", "d|", DeclarationRow)
LABOUR_ROWS = RowKind("equipment", "w|", LabourRow)

WAITING_ROWS = RowKind("lots orders", "b|", PendingRow)

LOT_ROWS = RowKind("lots", "l|", LotRow)
LOT_MARK_ROWS = RowKind("lots", "x|", PlantRow)
"""Marks of lots that may be forgotten: time, plant, material, lot."""
SCOPE_ROWS = RowKind("lots", "g|", ScopeRow)
SCOPE_LOT_ROWS = RowKind("lots", "i|", ScopeLotRow)
SCOPE_MARK_ROWS = RowKind("lots", "y|", PlantRow)
"""Marks of lots of a scope that may be forgotten: time, plant, scope, name, material, lot."""

ORDER_ROWS = RowKind("orders", "o|", OrderRow)
ACCOUNT_ROWS = RowKind("orders", "a|", AccountRow)
AT_REST_ROWS = RowKind("orders", "r|", PlantRow)
"""Marks of orders that only wait to be forgotten."""
OLD_MARK_ROWS = RowKind("orders", "f|", PlantRow)
"""The same of an earlier version."""
LEFT_ROWS = RowKind("orders", "u|", PlantRow)
"""Marks of accounts of such orders of which the ERP does not have everything."""
WAKING_ROWS = RowKind("orders", "k|", PlantRow)
"""Master data that changed, and how far the orders at rest have been looked at for it."""
MATERIAL_ROWS = RowKind("orders", "m|", MaterialRow)

POSTING_ROWS = RowKind("delivery", "p|", PostingRow)
CLOSED_ACCOUNT_ROWS = RowKind("delivery", "c|", AccountClosedRow)
ACCEPTED_ROWS = RowKind("delivery", "s|", PlantRow)
"""Marks of postings that the ERP accepted: time, posting id, endpoint, plant."""
CLOSED_MARK_ROWS = RowKind("delivery", "h|", PlantRow)
"""Marks of the rows of closed sequences: time of the last acceptance, account."""
LOT_STATE_ROWS = RowKind("delivery", "q|", LotStateRow)
ENDPOINT_ROWS = RowKind("delivery", "n|", EndpointRow)
QUOTA_ROWS = RowKind("delivery", "z|", QuotaRow)

ROW_KINDS: tuple[RowKind[Any], ...] = (
    POSITION_ROWS,
    EQUIPMENT_ROWS,
    JOURNAL_ROWS,
    TIMELINE_ROWS,
    DECLARATION_ROWS,
    LABOUR_ROWS,
    WAITING_ROWS,
    LOT_ROWS,
    LOT_MARK_ROWS,
    SCOPE_ROWS,
    SCOPE_LOT_ROWS,
    SCOPE_MARK_ROWS,
    ORDER_ROWS,
    ACCOUNT_ROWS,
    AT_REST_ROWS,
    OLD_MARK_ROWS,
    LEFT_ROWS,
    WAKING_ROWS,
    MATERIAL_ROWS,
    POSTING_ROWS,
    CLOSED_ACCOUNT_ROWS,
    ACCEPTED_ROWS,
    CLOSED_MARK_ROWS,
    LOT_STATE_ROWS,
    ENDPOINT_ROWS,
    QUOTA_ROWS,
)
