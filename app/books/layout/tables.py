"""All tables, by name and by family."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import Table

from app.books.layout import floor, ledger, log, lots, orders
from app.books.layout.columns import metadata

MODULES = (ledger, orders, lots, floor, log)
METADATA = metadata
TABLES: Mapping[str, Table] = metadata.tables


def _families() -> dict[str, Sequence[Table]]:
    found: defaultdict[str, list[Table]] = defaultdict(list)
    for table in metadata.sorted_tables:
        found[table.info["family"]].append(table)
    return {family: sorted(tables, key=lambda table: table.name != family) for family, tables in found.items()}


FAMILIES: Mapping[str, Sequence[Table]] = _families()
"""Family -> its tables, the root first."""
