"""What one partition of orders keeps in memory: indices over its rows, all of them derived from the rows alone."""

from collections import defaultdict
from dataclasses import dataclass, field

from schemas.configuration import Configuration
from schemas.configuration.rules import RuleAt
from schemas.records import AccountRow, MaterialRow, OrderRow
from streams.equipment import calendar_of
from streams.step import Step
from streams.waiting import Waiting
from tables import order as orders
from tables.due import Timetable
from tables.due_index import DueIndex
from tables.order_state import unanswered
from tables.periods import Periods
from tables.units import UnitTable

MAX_ANSWERS = 50_000
"""Winning rules kept; then they are looked up again."""


@dataclass(slots=True)
class Plant:
    """A plant's configuration, ready for use."""

    configuration: Configuration
    times: Timetable
    _rules: dict[tuple[str, ...], RuleAt | None] = field(default_factory=dict)

    @property
    def units(self) -> UnitTable:
        return self.times.units

    def rule_for(self, row: AccountRow, order: OrderRow | None) -> RuleAt | None:
        """The posting rule that wins for the account; asked for each change of it, so answers are kept."""
        key = (row.kind, row.order, row.operation, row.material, order.order_type if order is not None else "")
        if key not in self._rules:
            if len(self._rules) >= MAX_ANSWERS:
                self._rules.clear()
            self._rules[key] = self.configuration.rules.rule_for(*key)
        return self._rules[key]


class Memory:
    """Rebuilt by whoever takes the partition over."""

    def __init__(self, step: Step) -> None:
        self.waiting = Waiting(step.rows)
        self.accounts: dict[str, set[str]] = defaultdict(set)
        """Order row key -> row keys of its accounts."""
        self.of_material: dict[tuple[str, str], set[str]] = defaultdict(set)
        """(plant, material) -> row keys of accounts."""
        self.due = DueIndex()
        self.plants: dict[str, Plant] = {}
        """Of this partition: another one may not have heard of a material yet."""
        self.unanswered: dict[str, set[str]] = defaultdict(set)
        """Plant -> row keys of the orders that the MES has neither taken nor refused."""
        self.figures_due: dict[str, set[str]] = defaultdict(set)
        """Plant -> row keys of the orders whose key figures have to be told again."""
        for key, order in step.rows.scan("o|"):
            self.note(key, order)
        for key, row in step.rows.scan("a|"):
            self.know(key, row)
            self.due.put(row.plant, key, row.due_at)

    def know(self, key: str, row: AccountRow) -> None:
        self.accounts[orders.row_key(row.plant, row.order)].add(key)
        self.of_material[row.plant, row.material].add(key)

    def note(self, key: str, order: OrderRow) -> None:
        """Keep in mind what is waited for: an answer of the MES, the next full hour."""
        if unanswered(order) and not order.overdue:
            self.unanswered[order.plant].add(key)
        else:
            self.unanswered[order.plant].discard(key)
        if order.figures_due:
            self.figures_due[order.plant].add(key)
        else:
            self.figures_due[order.plant].discard(key)

    def of_account(self, row: AccountRow) -> set[str]:
        """Row keys of all accounts of the same order."""
        return self.accounts[orders.row_key(row.plant, row.order)]


def plant_of(configuration: Configuration, units: UnitTable) -> Plant:
    plant, periods = configuration.plant, configuration.erp.periods
    return Plant(
        configuration,
        Timetable(
            calendar_of(plant),
            units,
            configuration.rules.sweep_every,
            Periods(periods.close, plant.plant.zone, plant.calendar.days_off) if periods.close else None,
            periods.sweep_before_us,
        ),
    )


def with_conversions(units: UnitTable, row: MaterialRow) -> UnitTable:
    return units.with_material(row.material, row.conversions) if row.conversions else units
