"""A plant's configuration, ready for use by orders: calendar, units, periods, and the posting rule of each account."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from schemas.configuration import Configuration, PlantConfig
from schemas.configuration.rules import RuleAt
from schemas.records import AccountRow, MaterialRow, OrderRow
from tables.orders.conversions import with_conversions
from tables.orders.due import Timetable
from tables.plant.calendar import calendar_of
from tables.plant.periods import PostingPeriods
from tables.plant.units import UnitTable

MAX_ANSWERS = 50_000
"""Winning rules kept; then they are looked up again."""


@dataclass(slots=True)
class PlantRules:
    configuration: Configuration
    times: Timetable
    counter_units: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What the plant's counters count (`counts`) -> their units."""
    _rules: dict[tuple[str, ...], RuleAt | None] = field(default_factory=dict)

    @property
    def units(self) -> UnitTable:
        return self.times.units

    def know(self, row: MaterialRow) -> None:
        """Master data of a material came. Raises Refusal for conversions that contradict each other."""
        self.times = replace(self.times, units=with_conversions(self.units, row))

    def rule_for(self, row: AccountRow, order: OrderRow | None) -> RuleAt | None:
        """The posting rule that wins for the account; asked for each change of it, so answers are kept."""
        key = (row.kind, row.order, row.operation, row.material, order.order_type if order is not None else "")
        if key not in self._rules:
            if len(self._rules) >= MAX_ANSWERS:
                self._rules.clear()
            self._rules[key] = self.configuration.rule_for(*key)
        return self._rules[key]


def plant_rules(configuration: Configuration, units: UnitTable) -> PlantRules:
    """`units`: of the plant and of the materials that are known."""
    plant, periods = configuration.plant, configuration.erp.periods
    return PlantRules(
        configuration,
        Timetable(
            calendar_of(plant),
            units,
            configuration.rules.sweep_every,
            PostingPeriods(periods.close, plant.plant.zone, plant.calendar.days_off) if periods.close else None,
            periods.sweep_before_us,
        ),
        _counter_units(plant),
    )


def _counter_units(plant: PlantConfig) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for entry in plant.equipment.values():
        for counter in entry.counters.values():
            found.setdefault(counter.counts, set()).add(counter.unit)
    return {counts: frozenset(units) for counts, units in found.items()}
