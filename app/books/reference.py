"""The tables and views in docs/books.md, from the layout itself.

As a program (`python -m app.books.reference`) it writes its parts of the document anew; tests/docs compares the two.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Table, create_engine

from app.books import migrating, views
from app.books.layout.tables import FAMILIES, MODULES, TABLES

DOCUMENT = Path(__file__).parents[2] / "docs" / "books.md"
_PART = re.compile(r"<!-- (\w+) -->\n.*?<!-- end of \1 -->", re.S)

_ROW_IS: Mapping[str, str] = {
    "postings": "a posting, with its newest state",
    "posting_steps": "a state that a posting came into, oldest first; `dispatched` is an attempt",
    "posting_ranges": "raw records behind a posting",
    "posting_movements": "a stock movement that the ERP makes of a posting",
    "posting_correlations": "a correlation id of the raw records behind a posting",
    "posting_decisions": "what a person decided about a posting",
    "accounts": "an account: one business key, and what is recorded, posted, parked and pending of it",
    "account_sources": "what one source says of an account: a counter of a run, a declaration",
    "account_ranges": "raw records behind a source of an account",
    "account_apart": "a quantity in a unit that nothing converts into the account's",
    "account_decisions": "what a person decided about an account",
    "orders": "an order",
    "order_items": "what an order makes",
    "order_operations": "an operation of an order, by its place",
    "order_components": "a component of an order: need = basis x quantity / base",
    "order_lots": "what quality says of a lot that an order makes",
    "materials": "a material",
    "material_conversions": "a conversion of units of a material",
    "lots": "a lot",
    "holds": "a hold on a lot by the lot that it was placed on, active or released",
    "exemptions": "a hold that does not stop a lot",
    "inspections": "an inspection of a lot: requested, pass or fail",
    "genealogy": "`material`/`lot` went into `child_material`/`child_lot`",
    "lot_orders": "an order that made or used a lot",
    "lot_deliveries": "a delivery with which a lot was shipped",
    "equipment": "a machine",
    "equipment_tallies": "what a machine counted beside pieces: duplicates, resets, late readings",
    "equipment_counters": "a counter of a machine, and its last reading",
    "count_decisions": "what a person decided about an undecided count",
    "equipment_states": "a state of a machine, from `from_at` on",
    "equipment_loads": "a lot at a position of a machine, from `from_at` on; empty lot: unloaded",
    "runs": "a run: one order operation on one machine",
    "run_outputs": "what one count of a run makes, from `from_at` on; `corrected`: as people stated it for the whole run",
    "exceptions": "a dead letter with its original",
    "exception_events": "what was said of a dead letter; the newest holds",
    "cut_offs": "what an account left behind when a period closed",
    "figures": "a key figure of one subject",
    "upstreams": "a source, silent or heard",
    "configurations": "a configuration: canonical JSON of its three files",
    "clocks": "how far a partition of a stage is, by plant, and by which configuration it decides",
    "positions": "how far a partition of a topic was read into the books",
    "about": "what a run was given and how it went; JSON where it is no text",
}


def tables() -> str:
    """Each table with its columns, by the modules of the layout."""
    lines = []
    for module in MODULES:
        title = module.__name__.rpartition(".")[2]
        lines += [f"### {title}", "", (module.__doc__ or "").split("\n\n")[0].replace("\n", " "), ""]
        lines += ["| table | a row is | key | columns |", "| --- | --- | --- | --- |"]
        lines += [_line(table) for table in _of(module.__name__)]
        lines.append("")
    return "\n".join(lines).rstrip()


def _of(module: str) -> list[Table]:
    """Tables of a module, a family together."""
    names = {table.name for table in vars(__import__(module, fromlist=["x"])).values() if isinstance(table, Table)}
    return [table for family in FAMILIES.values() for table in family if table.name in names]


def _line(table: Table) -> str:
    keys = [column.name for column in table.primary_key.columns]
    others = [column.name for column in table.columns if column.name not in keys]
    cells = [f"`{table.name}`", _ROW_IS[table.name], ", ".join(keys), ", ".join(others) or "-"]
    return f"| {' | '.join(cells)} |"


def picture() -> str:
    """Tables and what belongs to them; dotted: the same key by name, no foreign key (either may come first)."""
    lines = ["```mermaid", "erDiagram"]
    keys = [(table, key) for table in TABLES.values() for key in table.foreign_key_constraints]
    lines += [f'    {key.referred_table.name} ||--o{{ {table.name} : ""' for table, key in keys]
    lines += [f'    {one} |o..o{{ {other} : "{by}"' for one, other, by in _BY_NAME]
    return "\n".join([*lines, "```"])


_BY_NAME = (
    ("accounts", "postings", "account"),
    ("orders", "accounts", "order_no"),
    ("orders", "postings", "order_no"),
    ("orders", "runs", "order_no"),
    ("runs", "account_sources", "equipment, run"),
    ("lots", "accounts", "material, lot"),
    ("lots", "genealogy", "child_material, child_lot"),
    ("lots", "account_sources", "component_material, component_lot"),
    ("equipment", "runs", "equipment"),
    ("equipment", "equipment_states", "equipment"),
    ("equipment", "equipment_loads", "equipment"),
    ("materials", "lots", "material"),
    ("exceptions", "exception_events", "letter"),
    ("accounts", "cut_offs", "account"),
    ("configurations", "postings", "configuration"),
)


def view_lines() -> str:
    """Each view with its columns."""
    engine = create_engine("sqlite://")
    migrating.make(engine)
    lines = ["| view | columns |", "| --- | --- |"]
    with engine.connect() as connection:
        for name in views.NAMES:
            found = connection.exec_driver_sql(f"select * from {name}")  # noqa: S608 (a name of ours)
            lines.append(f"| `{name}` | {', '.join(found.keys())} |")
    engine.dispose()
    return "\n".join(lines)


def document(text: str) -> str:
    """docs/books.md with what is made here between its marks."""
    made = {"tables": tables, "picture": picture, "views": view_lines}
    return _PART.sub(lambda part: f"<!-- {part[1]} -->\n{made[part[1]]()}\n<!-- end of {part[1]} -->", text)


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
