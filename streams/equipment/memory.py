"""What one partition of equipment keeps in memory, beside its rows."""

from collections import defaultdict

from streams.equipment.floor_silence import FloorSilence
from streams.step import Step
from tables.equipment.equipment import EquipmentFold
from tables.equipment.people import People
from tables.row_kinds import EQUIPMENT_ROWS, JOURNAL_ROWS


class EquipmentMemory:
    """What one partition keeps in memory; all of it is derived from rows."""

    def __init__(self, step: Step) -> None:
        self.equipment: dict[str, EquipmentFold] = {}
        self.known: dict[str, set[str]] = defaultdict(set)
        """Plant -> equipment of this partition."""
        self.unpublished: dict[str, set[str]] = defaultdict(set)
        self.changed: dict[str, EquipmentFold] = {}
        """What `before_commit` has to put into the rows."""
        self._people: dict[str, People] = {}
        self._rows, self.silence = step.rows, FloorSilence()
        for _, row in step.rows.scan(EQUIPMENT_ROWS.prefix):
            self.silence.remember(row)
            self.known[row.plant].add(row.equipment)
            journal = step.rows.get(JOURNAL_ROWS.key(row.plant, row.equipment))
            if journal is not None or row.activity_dirty or any(total.dirty for total in row.totals.values()):
                self.unpublished[row.plant].add(row.equipment)

    def people(self, plant: str) -> People:
        """Where the people of the plant are, over all equipment."""
        if plant not in self._people:
            self._people[plant] = People(self._rows, plant)
        return self._people[plant]
