"""Counts that nobody believes yet: how a person names one, and the decision about it."""

from datetime import UTC, datetime
from typing import Any

from app.ledger.books.snapshot import Snapshot
from tables.equipment.count_decisions import CODE, DECISIONS
from tables.equipment.destination import UNDECIDED, Destination
from tables.refusal import Refusal
from tables.row_kinds import EQUIPMENT_ROWS


def utc(micros: int) -> str:
    """`2026-03-02T06:16:00Z`; with microseconds where there are some."""
    whole, rest = divmod(micros, 1_000_000)
    text = datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:06d}Z" if rest else f"{text}Z"


def target(equipment: str, counter: str, began_at: int) -> str:
    """How a person names what a counter shows since then."""
    return f"{equipment}|{counter}|{utc(began_at)}"


def is_target(text: str) -> bool:
    return text.count("|") == 2


def fields_of(snapshot: Snapshot, text: str, decision: str) -> dict[str, Any] | Refusal:
    """What an OperatorDecision about it states; or why there is nothing to decide like that."""
    equipment, counter, at = text.split("|")
    row = snapshot.rows.get("equipment", {}).get(EQUIPMENT_ROWS.key(snapshot.configuration.plant.plant.id, equipment))
    known = [] if row is None else [Destination.parse(key) for key in row.totals]
    began = {int(to.reason) for to in known if to.kind == UNDECIDED and to.origin == counter}
    wanted = [one for one in began if utc(one) == at]
    if not wanted:
        since = ", ".join(map(utc, sorted(began))) or "nothing"
        return Refusal("NOTHING_PARKED", f"{equipment} {counter} has nothing undecided since {at}; it has: {since}")
    if decision not in DECISIONS:
        return Refusal("DECISION_INVALID", f"an undecided count takes {', '.join(DECISIONS)}, not `{decision}`")
    return {"equipment": equipment, "counter": counter, "began_at": wanted[0], "order": "", "code": CODE}
