"""Who owns which field: an update from anybody else is refused (docs/system-of-record.md is this table, for people)."""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

from schemas.records import RECORDS
from tables.canonical import ENVELOPE
from tables.refusal import Refusal

ERP, MES, QUALITY, WAREHOUSE, OPERATOR = "erp", "mes", "quality", "warehouse", "operator"
EVERY = "*"
"""All fields of a record that have no line of their own."""
_PLANNING = {EVERY: (ERP,)}
_FLOOR = {EVERY: (MES,)}
_PEOPLE = {EVERY: (MES, OPERATOR)}
_JUDGED = {EVERY: (QUALITY,)}
_HELD = {EVERY: (QUALITY, OPERATOR)}
OWNERS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "OrderReleased": _PLANNING,
    "OrderChanged": _PLANNING,
    "OrderClosed": _PLANNING,
    "MaterialChanged": _PLANNING,
    "OrderAcknowledged": _FLOOR,
    "OrderRejected": _FLOOR,
    "OrderCompleted": _PEOPLE,
    "OrderHandedOver": {EVERY: (WAREHOUSE, MES)},
    "RunStarted": _FLOOR,
    "RunChanged": _FLOOR,
    "RunEnded": _FLOOR,
    "RunCorrected": _PEOPLE,
    "RunVoided": _PEOPLE,
    "CounterReading": _FLOOR,
    "ProductionDeclared": _PEOPLE,
    "ScrapDeclared": _PEOPLE,
    "ReworkDeclared": _PEOPLE,
    "ReworkReturned": _PEOPLE,
    "MaterialConsumed": _PEOPLE,
    "LotLoaded": _PEOPLE,
    "LotUnloaded": _PEOPLE,
    "EquipmentStateChanged": _FLOOR,
    "LabourRecorded": _PEOPLE,
    "EntryVoided": _PEOPLE,
    "ProcessValue": _FLOOR,
    "LotCreated": {EVERY: (ERP, MES, QUALITY, WAREHOUSE), "quantity": (ERP, WAREHOUSE)},
    "LotSplit": {EVERY: (MES, WAREHOUSE)},
    "LotMerged": {EVERY: (MES, WAREHOUSE)},
    "LotStaged": {EVERY: (WAREHOUSE,)},
    "LotShipped": {EVERY: (WAREHOUSE, ERP)},
    "InspectionRequested": {EVERY: (QUALITY, ERP, MES)},
    "InspectionRecorded": _JUDGED,
    "HoldPlaced": _HELD,
    "HoldReleased": _HELD,
    "HoldExempted": _HELD,
    "DispositionDecided": _JUDGED,
    "OperatorDecision": {EVERY: (OPERATOR,)},
}


def may_state(system: str, record: str) -> bool:
    """May a source of this system give records of this type at all?"""
    return system in OWNERS[record][EVERY]


def violation(system: str, record: Any) -> Refusal | None:
    """Why a record of a source of `system` is refused, or None. NOT_SYSTEM_OF_RECORD."""
    name = type(record).__name__
    if not may_state(system, name):
        stated = ", ".join(_stated(record)) or "it"
        return Refusal("NOT_SYSTEM_OF_RECORD", f"{name} ({stated}) is {' or '.join(OWNERS[name][EVERY])}'s, not {system}'s")
    for field, owners in OWNERS[name].items():
        if field != EVERY and system not in owners and field in _stated(record):
            return Refusal("NOT_SYSTEM_OF_RECORD", f"{name}.{field} is {' or '.join(owners)}'s, not {system}'s")
    return None


def _stated(record: Any) -> list[str]:
    """Fields that say something else than their default."""
    return [name for name, default in _defaults(type(record).__name__) if getattr(record, name) != default]


@cache
def _defaults(record: str) -> list[tuple[str, Any]]:
    found = []
    for field in fields(RECORDS[record]):
        if field.name not in ENVELOPE:
            default = field.default_factory() if field.default_factory is not MISSING else field.default
            found.append((field.name, default))
    return found
