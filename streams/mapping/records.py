"""What a mapping must know about the canonical records beyond their fields: which exist, and which words they take."""

from dataclasses import MISSING, fields
from functools import cache
from typing import Any, NamedTuple, get_type_hints

from schemas.records import RECORDS
from tables.scopes import SCOPES

READING = "CounterReading"
"""Not a record: readings leave intake in frames."""
CANONICAL = (
    "OrderReleased", "OrderChanged", "OrderAcknowledged", "OrderRejected", "OrderCompleted", "OrderClosed",
    "OrderHandedOver", "RunStarted", "RunChanged", "RunEnded", "RunCorrected", "RunVoided", "ProductionDeclared",
    "ScrapDeclared", "ReworkDeclared", "ReworkReturned", "MaterialConsumed", "LotLoaded", "LotUnloaded",
    "EquipmentStateChanged", "LabourRecorded", "EntryVoided", "ProcessValue", "LotCreated", "LotSplit", "LotMerged", "LotStaged",
    "LotShipped", "InspectionRequested", "InspectionRecorded", "HoldPlaced", "HoldReleased", "HoldExempted", "DispositionDecided",
    "MaterialChanged", "OperatorDecision",
)  # fmt: skip
ALIASES = {("RunCorrected", "from"): "started_at", ("RunCorrected", "to"): "ended_at"}
NEWEST_WINS = frozenset({"RunCorrected", "RunVoided", "EntryVoided", "HoldPlaced", "HoldReleased", "HoldExempted"})
"""Their `version` is `occurred_at` unless a rule maps it."""
TIMES = frozenset({"started_at", "ended_at", "planned_start", "planned_end", "from_at", "to_at"})
LOTS = frozenset({"lot", "parents", "children", "supplier_lot"})
PERSONS = frozenset({"person", "who"})
"""Always hashed: ids of people never leave the plant."""
FREE_TEXT = frozenset({"value", "why", "name", "conversions"})
"""No part of any key: any characters, up to MAX_TEXT."""
MAY_BE_EMPTY = frozenset({("ProcessValue", "value"), ("OperatorDecision", "account")})
BOUNDS = {"factor": (0, 100_000), "decimals": (0, 9), "base": (1, 10**12), "share_denominator": (1, 10**6)}
SCALES = frozenset({"factor", "base", "share_numerator", "share_denominator"})
"""Quantities are multiplied or divided by them: one that is mapped and empty is not silently 1."""
_STATUS = ("released", "locked", "delivered", "technically_complete", "closed")
WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("EquipmentStateChanged", "state"): ("running", "setup", "down", "idle"),
    ("DispositionDecided", "disposition"): ("accept", "reject", "rework", "scrap"),
    ("InspectionRecorded", "verdict"): ("pass", "fail"),
    ("LabourRecorded", "action"): ("on", "off"),
    ("ScrapDeclared", "of"): ("output", "component", "stock"),
    ("ReworkReturned", "as_kind"): ("yield", "scrap"),
    ("OrderReleased", "status"): _STATUS,
    ("OrderChanged", "status"): _STATUS,
    ("OrderClosed", "status"): ("technically_complete", "closed"),
    ("HoldPlaced", "scope"): SCOPES,
    ("HoldReleased", "scope"): SCOPES,
    ("OperatorDecision", "decision"): ("post", "drop", "retry", "cancel", "accept", "discard"),
    ("Output", "role"): ("main", "co", "by"),
    ("OrderItem", "role"): ("main", "co", "by"),
    ("Component", "mode"): ("declared", "metered", "ledger_backflush", "erp_backflush"),
    ("Component", "basis"): ("gross", "yield"),
    ("Operation", "confirm"): ("each", "milestone", "none"),
    ("Operation", "quantity_from"): ("counters", "declarations", "plant"),
}


class Field(NamedTuple):
    """A field of a record. `hint` is its Python type; `required`: it has no default."""

    name: str
    hint: Any
    required: bool


@cache
def fields_of(record: str) -> dict[str, Field]:
    """The fields of a record type, envelope included, by name."""
    cls = RECORDS[record]
    hints = get_type_hints(cls)
    return {
        field.name: Field(field.name, hints[field.name], field.default is MISSING and field.default_factory is MISSING)
        for field in fields(cls)
    }
