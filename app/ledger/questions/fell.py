"""Falls of counters that counted as a new start, with the quantity that each added; jumps and values that never were a count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.export import quantity_text
from schemas.configuration import PlantConfig
from schemas.records import CountFall
from tables.row_kinds import EQUIPMENT_ROWS, TIMELINE_ROWS

WORDS = {
    "reset": "began anew",
    "rollover": "rolled over",
    "baseline": "was filled up",
    "spike": "showed a false count and went on",
    "below_zero": "showed less than zero, which is no count",
}
MAX_LINES = 20
"""In the printed report; its JSON has all."""


@dataclass(slots=True, frozen=True)
class Fell:
    equipment: str
    counter: str
    at: int
    """Of the first one."""
    was: str
    """A key of WORDS."""
    quantity: Fraction
    """What it added."""
    unit: str
    times: int


def falls(snapshot: Snapshot) -> list[Fell]:
    """By equipment, counter and time: all within the late horizon, and of what is forgotten the last ones."""
    plant, found = snapshot.configuration.plant, list[Fell]()
    for row in snapshot.of(EQUIPMENT_ROWS):
        for name, state in row.counters.items():
            found += [_fell(plant, row.equipment, name, fall) for fall in state.falls if fall.was in WORDS]
    for key, bucket in snapshot.rows.get("equipment", {}).items():
        if TIMELINE_ROWS.has(key) and bucket.falls:
            _, _, equipment, name, _ = key.split("|")
            found += [_fell(plant, equipment, name, fall) for fall in bucket.falls if fall.was in WORDS]
    return sorted(found, key=lambda one: (one.equipment, one.counter, one.at))


def _fell(plant: PlantConfig, equipment: str, name: str, fall: CountFall) -> Fell:
    counter = plant.counter_for(equipment, name)
    scale, unit = (counter.decimals, counter.unit) if counter is not None else (0, "")
    return Fell(equipment, name, fall.at, fall.was, Fraction(fall.pieces, 10**scale), unit, fall.times)


def lines(found: Sequence[Fell], zone: str) -> Iterator[str]:
    for one in found[:MAX_LINES]:
        at = datetime.fromtimestamp(one.at // 1_000_000, ZoneInfo(zone)).strftime("%d %b %H:%M:%S")
        again = f" {one.times} times" if one.times > 1 else ""
        yield f"  {one.equipment} {one.counter} {WORDS[one.was]}{again} {at}: {quantity_text(one.quantity)} {one.unit} added"
    if len(found) > MAX_LINES:
        yield f"  and {len(found) - MAX_LINES} more: `falls` in the report's JSON"


def as_json(found: Sequence[Fell]) -> list[dict[str, Any]]:
    return [
        {
            "equipment": one.equipment,
            "counter": one.counter,
            "at": one.at,
            "was": one.was,
            "quantity": str(one.quantity),
            "unit": one.unit,
            "times": one.times,
        }
        for one in found
    ]
