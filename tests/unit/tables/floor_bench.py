"""One plant, its events and its machines for tests of folds: UTC, three shifts, the 20th of November 2026."""

import itertools
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from schemas.configuration import Configuration
from schemas.records import Output, Quantity
from tables.equipment.counter import UNAVAILABLE
from tables.equipment.destination import Destination
from tables.equipment.equipment import EquipmentFold
from tables.plant.calendar import calendar_of
from tables.rows import MemoryRows

PLANT, MACHINE = "P", "M1"
S = 1_000_000
MIN, HOUR = 60 * S, 3600 * S
MIDNIGHT = 1_795_132_800 * S
"""2026-11-20T00:00:00Z."""
SHIFTS = {"early": "06:00", "late": "14:00", "night": "22:00"}
_numbers = itertools.count(1)


def at(clock: str, day: int = 20) -> int:
    """Microseconds of `08:15` or `08:15:30` UTC on a day of November 2026."""
    hours, minutes, *seconds = map(int, clock.split(":"))
    return MIDNIGHT + (day - 20) * 24 * HOUR + hours * HOUR + minutes * MIN + sum(seconds) * S


def configuration(
    plant: dict[str, Any] | None = None, rules: dict[str, Any] | None = None, erp: dict[str, Any] | None = None
) -> Configuration:
    """`plant` is merged into the default plant.yaml section by section."""
    source = {"read": {"topic": "raw.p"}, "events": [{"when": {}, "ignore": True}]}
    base: dict[str, Any] = {
        "plant": {"id": PLANT, "zone": "UTC"},
        "calendar": {"shifts": SHIFTS},
        "sources": {"s": source},
        "equipment": {"*": {"counters": {"shots": {}}}},
    }
    for name, section in (plant or {}).items():
        base[name] = {**base.get(name, {}), **section}
    return Configuration.from_mappings(base, rules or {}, erp or {"erp": {"adapter": "sim"}})


def event(cls: Any, occurred_at: int, label: int = 0, **fields: Any) -> Any:
    """A canonical event with its own id and raw position."""
    n = next(_numbers)
    values = {
        "event_id": f"e{n}",
        "plant": PLANT,
        "occurred_at": occurred_at,
        "received_at": occurred_at,
        "source": "s",
        "raw_source": "raw.p/0",
        "raw_offset": n,
        "label": label,
    }
    return cls(**{**values, **fields})


def on_machine(cls: Any, occurred_at: int, **fields: Any) -> Any:
    return event(cls, occurred_at, **{"equipment": MACHINE, **fields})


def out(material: str, **fields: Any) -> Output:
    return Output(material=material, **fields)


def pieces(amount: int, unit: str = "PC", scale: int = 0) -> Quantity:
    return Quantity(amount, scale, unit)


def counter(**fields: Any) -> dict[str, Any]:
    """Section `equipment` of a plant whose machines have the one counter `shots`."""
    return {"equipment": {"*": {"counters": {"shots": fields}}}}


def machine(plant: dict[str, Any] | None = None, rows: MemoryRows | None = None) -> EquipmentFold:
    """`rows`: what its predecessor left."""
    config = configuration(plant).plant
    return EquipmentFold(rows or MemoryRows(), PLANT, MACHINE, config, calendar_of(config), 1)


def frame(*readings: Sequence[int | None], first_raw: int = 0) -> Any:
    """Readings (seq, at, value) in order of arrival, value None: unavailable; their raw positions count from `first_raw`."""
    rows = [
        (seq, moment, UNAVAILABLE if value is None else value, first_raw + n)
        for n, (seq, moment, value) in enumerate(readings)  # type: ignore[misc]
    ]
    return np.array(rows, "<i8").reshape(-1, 4)


def count(equipment: EquipmentFold, *readings: tuple[str, int | None], name: str = "shots") -> None:
    """Readings (clock, value) without sequence numbers, each arriving by itself."""
    for clock, value in readings:
        moment = at(clock)
        refused = equipment.readings(name, frame((-1, moment, value), first_raw=next(_numbers)), "raw.p/0")
        assert not refused


def amounts(equipment: EquipmentFold, *fields: str) -> dict[tuple[str, ...], int]:
    """Totals other than zero, added up by these fields of their destination; accounts of basis are left out."""
    found: dict[tuple[str, ...], int] = defaultdict(int)
    for key, total in equipment.row.totals.items():
        to = Destination.parse(key)
        if to.kind != "basis":
            found[tuple(str(getattr(to, name)) for name in fields)] += total.amount
    return {key: amount for key, amount in found.items() if amount}


def by_run(equipment: EquipmentFold) -> dict[str, int]:
    """Pieces of each run; nobody's under the empty name."""
    return {key[0]: amount for key, amount in amounts(equipment, "run").items()}
