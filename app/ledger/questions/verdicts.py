"""Lots that one inspection passed and another one failed: who says what, and whether a person has decided."""

from collections.abc import Iterator
from typing import Any

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.floor_needs import Found
from app.ledger.questions.moments import iso
from schemas.records import LotRow
from tables import lots
from tables.refusal import Refusal
from tables.row_kinds import LOT_ROWS


def conflicts(snapshot: Snapshot) -> Iterator[LotRow]:
    """By material and lot."""
    return (row for row in snapshot.of(LOT_ROWS) if lots.in_conflict(row))


def verdicts_that_differ(snapshot: Snapshot) -> Iterator[Found]:
    """Those that wait for a person."""
    for row in filter(lots.undecided, conflicts(snapshot)):
        failed = [hold.occurred_at for hold in row.holds if hold.origin == lots.origin_of(row) and hold.active]
        detail = f"{row.material} lot {row.lot}: {_verdicts(row)}; the worst holds until a DispositionDecided"
        yield Found(Refusal("VERDICTS_DIFFER", detail), min(failed, default=0), f"'{row.material}|{row.lot}'")


def verdict_lines(snapshot: Snapshot, every: bool) -> tuple[list[dict[str, Any]], list[str]]:
    """`every`: those that a person has decided about, too."""
    found = [_entry(row) for row in conflicts(snapshot) if every or lots.undecided(row)]
    return found, [_line(entry) for entry in found] or ["no verdicts in conflict"]


def _entry(row: LotRow) -> dict[str, Any]:
    open_ = lots.undecided(row)
    return {
        "lot": f"{row.material}|{row.lot}",
        "verdicts": dict(sorted(row.inspections.items())),
        "state": "open" if open_ else "decided",
        "disposition": row.disposition,
        "decided_at": iso(row.disposition_at) if row.disposition else "",
        "held": lots.quality(row).held,
    }


def _line(entry: dict[str, Any]) -> str:
    told = ", ".join(f"{name} {verdict}" for name, verdict in entry["verdicts"].items())
    decided = f"   {entry['disposition']} at {entry['decided_at']}" if entry["state"] == "decided" else ""
    return f"{entry['lot']:<24} {entry['state']:<8} {'held' if entry['held'] else 'free':<5} {told}{decided}"


def _verdicts(row: LotRow) -> str:
    return ", ".join(f"{name} says {verdict}" for name, verdict in sorted(row.inspections.items()))
