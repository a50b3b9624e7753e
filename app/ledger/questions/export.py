"""The exports of a run: every posting, and beside it everything recorded that is not posted, with a code."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from app.ledger.books import folder
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import Proof, counts_of, order_of
from app.ledger.questions.undecided import utc
from schemas.records import AccountRow, IssuedPosting, Posting, PostingRow, RawRange
from tables.decisions import BAD_UNIT
from tables.orders.account import BASIS, account_key, lineage, stated_in, unposted
from tables.orders.components import components_for, phantom_of, pinned
from tables.quantity import decimal_text
from tables.row_kinds import ACCOUNT_ROWS, POSTING_ROWS

COLUMNS = (
    "plant",
    "order",
    "operation",
    "material",
    "lot",
    "kind",
    "reason",
    "business_date",
    "quantity",
    "uom",
    "posting_id",
    "sequence",
    "rule_version",
    "status",
    "erp_document",
    "records",
    "sources",
)


def write(path: Path, snapshot: Snapshot, proof: Proof) -> tuple[Path, Path]:
    """Write both files; returns their paths. Sorted by plant, order, account and sequence: the same log, the same bytes."""
    open_path = folder.not_posted(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, COLUMNS, postings(snapshot))
    _write(open_path, (*COLUMNS, "code"), not_posted(snapshot, proof))
    return path, open_path


def _write(path: Path, columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer: csv.DictWriter[str] = csv.DictWriter(file, columns, lineterminator="\n", restval="")
        writer.writeheader()
        writer.writerows(rows)


def accounts(snapshot: Snapshot) -> list[AccountRow]:
    found = [row for row in snapshot.of(ACCOUNT_ROWS) if row.kind != BASIS]
    return sorted(found, key=lambda row: (row.plant, row.order, account_key(row)))


def postings(snapshot: Snapshot) -> Iterator[dict[str, Any]]:
    """A line per posting. A column of COLUMNS that is not made here has the name of a field: of what orders keeps of the posting,
    else of the posting itself (as long as delivery keeps it)."""
    delivered: dict[str, PostingRow] = {row.posting.posting_id: row for row in snapshot.of(POSTING_ROWS)}
    for row in accounts(snapshot):
        for issued in row.issued:
            found = delivered.get(issued.posting_id)
            posting = None if found is None else found.posting
            made = {
                **_business(row),
                "quantity": decimal_text(issued.amount, row.scale),
                "status": found.state if found is not None else issued.status,
                "erp_document": found.erp_document if found is not None else issued.erp_document,
                "sources": sources_text(issued.ranges),
            }
            yield {**{name: _field(name, issued, posting) for name in COLUMNS if name not in made}, **made}


def _field(name: str, issued: IssuedPosting, posting: Posting | None) -> Any:
    if hasattr(issued, name):
        return getattr(issued, name)
    return "" if posting is None else getattr(posting, name)


def not_posted(snapshot: Snapshot, proof: Proof) -> Iterator[dict[str, Any]]:
    """Parked, not due, covered by a milestone, unattributed, undecided. (Held postings stand in the other file.)"""
    for row in accounts(snapshot):
        counts = counts_of(snapshot.configuration, order_of(snapshot, row), row)
        records, ranges = lineage(row, counts)
        base = {**_business(row), "records": records, "sources": sources_text(ranges)}
        if row.parked:
            yield {**base, "quantity": decimal_text(row.parked, row.scale), "status": "parked", "code": row.code}
        for one in row.apart:
            behind = lineage(row, stated_in(row, counts, one.unit))
            yield {
                **base,
                "quantity": quantity_text(Fraction(one.numerator, one.denominator)),
                "uom": one.unit,
                "status": "parked",
                "records": behind[0],
                "sources": sources_text(behind[1]),
                "code": BAD_UNIT,
            }
        if unposted(row):
            yield {**base, "quantity": decimal_text(unposted(row), row.scale), "status": "pending", "code": "NOT_DUE"}
        if row.covered and row.target - row.posted:
            code = covered_by(snapshot, row)
            yield {**base, "quantity": decimal_text(row.target - row.posted, row.scale), "status": "covered", "code": code}
    for entry in proof.unattributed:
        destination = entry.destination
        yield {
            "plant": snapshot.configuration.plant.plant.id,
            "order": destination.order,
            "operation": destination.operation,
            "material": destination.material or entry.equipment,
            "lot": destination.lot,
            "kind": destination.kind,
            "reason": f"since {utc(int(destination.reason))}" if entry.is_undecided else destination.reason,
            "business_date": destination.business_date,
            "quantity": decimal_text(entry.total.amount, destination.scale),
            "uom": destination.unit,
            "status": "undecided" if entry.is_undecided else "unattributed",
            "records": entry.total.records,
            "sources": sources_text(entry.total.ranges),
            "code": entry.code,
        }


def covered_by(snapshot: Snapshot, row: AccountRow) -> str:
    """Why what is recorded there is not sent."""
    code = "CONFIRMED_BY_MILESTONE"
    if row.kind == "consumption":
        components = components_for(snapshot.configuration, order_of(snapshot, row), pinned(row), row)
        code = "PHANTOM_EXPLODED" if phantom_of(components, row) is not None else "ERP_BACKFLUSH"
    return code


def _business(row: AccountRow) -> dict[str, Any]:
    return {
        "plant": row.plant,
        "order": row.order,
        "operation": row.operation,
        "material": row.material,
        "lot": row.lot,
        "kind": row.kind,
        "reason": row.reason,
        "business_date": row.business_date,
        "uom": row.unit,
    }


def sources_text(ranges: Iterable[RawRange]) -> str:
    """`presses.jsonl:12..884 (344); people.jsonl:7..7 (1)`"""
    return "; ".join(f"{entry.raw_source}:{entry.first}..{entry.last} ({entry.records})" for entry in ranges)


def quantity_text(value: Fraction, decimals: int = 6) -> str:
    """Plain decimal text without trailing zeros; exact up to `decimals`."""
    scaled = value * 10**decimals
    text = decimal_text(round(scaled), decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text
