"""What one partition of orders keeps in memory: indices over its rows, all of them derived from the rows alone."""

from collections import defaultdict
from dataclasses import dataclass

from schemas.configuration import Configuration
from schemas.records import AccountRow, MaterialRow
from streams.equipment import calendar_of
from streams.step import Step
from streams.waiting import Waiting
from tables import order as orders
from tables.due import Timetable
from tables.due_index import DueIndex
from tables.periods import Periods
from tables.units import UnitTable


@dataclass(slots=True)
class Plant:
    """A plant's configuration, ready for use."""

    configuration: Configuration
    times: Timetable

    @property
    def units(self) -> UnitTable:
        return self.times.units


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
        for key, row in step.rows.scan("a|"):
            self.know(key, row)
            self.due.put(row.plant, key, row.due_at)

    def know(self, key: str, row: AccountRow) -> None:
        self.accounts[orders.row_key(row.plant, row.order)].add(key)
        self.of_material[row.plant, row.material].add(key)

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
