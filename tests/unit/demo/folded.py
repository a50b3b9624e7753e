"""A shift from its raw files through mapping and equipment fold to accounts, with the plainest possible rows and clock."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from app.configuration import load, mappers
from app.demo.master import CONFIGURATION, orders
from app.demo.shift import BUSINESS_DATE, END_MS
from app.demo.truth import Account
from schemas.configuration import PlantConfig
from schemas.records import Component
from streams.mapping import RawRecord, Reading, RefusedRecord
from tables.equipment.destination import UNATTRIBUTED, Destination
from tables.equipment.equipment import EquipmentFold
from tables.plant.calendar import calendar_of
from tables.rows import MemoryRows
from tests.unit.demo.raw_files import raw_lines

_DECLARATIONS = ("ScrapDeclared", "ReworkDeclared", "ReworkReturned", "MaterialConsumed")
_AT_EQUIPMENT = ("RunStarted", "RunChanged", "RunEnded", "LotLoaded", "LotUnloaded")


@dataclass(slots=True)
class Folded:
    accounts: dict[Account, Fraction]
    unattributed: dict[str, int]
    tally: Counter[str] = field(default_factory=Counter)
    repeated_labels: int = 0
    """Repeated declarations that name no equipment."""


def fold(files: Mapping[str, Path]) -> Folded:
    """Fold every record in the order of its arrival; add the totals up as the orders stage would."""
    config = load(CONFIGURATION).plant
    machines: dict[str, EquipmentFold] = {}
    labels = []
    repeated, seen = 0, set[str]()
    for item in _arriving(files):
        name = getattr(item, "equipment", "")
        kind = type(item).__name__
        if kind in _DECLARATIONS and not name:
            # Orders keeps these by event id; the equipment sees to its own.
            repeated += item.event_id in seen
            if item.event_id not in seen:
                labels.append(item)
            seen.add(item.event_id)
            continue
        if name and (isinstance(item, Reading) or kind in (*_DECLARATIONS, *_AT_EQUIPMENT, "EquipmentStateChanged")):
            _apply(machines.setdefault(name, _machine(name, config)), item, kind)
    folded = _accounts(machines, labels, _components(files))
    folded.repeated_labels = repeated
    for machine in machines.values():
        folded.tally.update(machine.row.tally)
    return folded


def _machine(name: str, config: PlantConfig) -> EquipmentFold:
    return EquipmentFold(MemoryRows(), config.plant.id, name, config, calendar_of(config), 1)


def _arriving(files: Mapping[str, Path]) -> Iterator[Any]:
    found = mappers(load(CONFIGURATION))

    def of(source: str, number: int) -> Iterator[tuple[int, int, int, list[Any]]]:
        mapper, path, latest = found[source], files[source], 0
        for offset, line in enumerate(raw_lines(path), 1):
            raw = RawRecord(line, source, path.name, offset)
            latest = mapper.arrival(raw) or latest
            yield latest, number, offset, mapper.map(raw)

    for *_, items in heapq.merge(*(of(source, number) for number, source in enumerate(files))):
        yield from (item for item in items if not isinstance(item, RefusedRecord))


def _apply(machine: EquipmentFold, item: Any, kind: str) -> None:
    if isinstance(item, Reading):
        readings = np.array([[item.seq, item.occurred_at, item.value, item.seq]], "<i8")
        assert {refused.why.code for refused in machine.readings(item.counter, readings, "raw")} <= {"SEQ_CONFLICT"}
    elif kind in _AT_EQUIPMENT:
        assert machine.run_event(item) is None
    elif kind == "EquipmentStateChanged":
        assert machine.state_changed(item) is None
    else:
        assert machine.declared(item) is None


def _components(files: Mapping[str, Path]) -> dict[tuple[str, str, str], Component]:
    """(order, operation, position) -> the component that the ledger backflushes."""
    return {
        (order.order, part.operation, part.position): part
        for order in orders(files["erp_orders"].parent)
        for part in order.components
        if part.mode == "ledger_backflush"
    }


def _accounts(
    machines: Mapping[str, EquipmentFold], labels: list[Any], components: Mapping[tuple[str, str, str], Component]
) -> Folded:
    amounts: dict[Account, Fraction] = defaultdict(Fraction)
    unattributed: dict[str, int] = {}
    good: set[tuple[str, str]] = set()
    pieces: list[tuple[Account, str, Fraction]] = []
    for name, machine in machines.items():
        machine.measure_activities(END_MS * 1000, True)
        for key, total in machine.row.totals.items():
            to, amount = Destination.parse(key), Fraction(total.amount)
            amount /= 10**to.scale
            if to.kind == UNATTRIBUTED:
                unattributed[name] = unattributed.get(name, 0) + total.amount
            elif to.kind == "basis":
                part = components.get((to.order, to.operation, to.position))
                if part is not None:
                    need = amount * part.quantity.amount / 10**part.quantity.scale / part.base
                    of = (to.order, to.operation, to.component_material, to.component_lot)
                    amounts[Account(*of, "consumption", "", to.business_date)] += need
            else:
                kind = "yield" if to.kind in ("gross", "good") else to.kind
                if to.kind == "good":
                    good.add((to.order, to.operation))
                account = Account(to.order, to.operation, to.material, to.lot, kind, to.reason, to.business_date)
                amounts[account] += amount
                if kind in ("scrap", "rework"):
                    pieces.append((account, kind, amount))
    for label in labels:
        kind = {"ScrapDeclared": "scrap", "ReworkDeclared": "rework"}[type(label).__name__]
        amount = Fraction(label.quantity.amount, 10**label.quantity.scale)
        account = Account(label.order, label.operation, label.material, label.lot, kind, label.reason, BUSINESS_DATE)
        amounts[account] += amount
        pieces.append((account, kind, amount))
    for account, _, amount in pieces:
        if (account.order, account.operation) not in good:
            amounts[account._replace(kind="yield", reason="")] -= amount
    unclaimed = {name: amount for name, amount in unattributed.items() if amount}
    return Folded({account: amount for account, amount in amounts.items() if amount}, unclaimed)
