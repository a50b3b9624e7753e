"""The journal of one equipment: the readings that came since its rows were put.

Live, a machine gives a reading per second, and a checkpoint each second would write its head row and its open bucket for each
of them. Instead a small row keeps the readings themselves, and the rows follow when there are enough of them. To load an
equipment is to fold its journal again: readings give the same in any grouping. Kept beside them is only how far totals were
told. Everything else (a run, a declaration, a state, a first count for a destination, a cut, another configuration) has the
rows put.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from schemas.records import EquipmentRow, JournalEntry, JournalRow
from tables.equipment.counter import Readings
from tables.equipment.packed_readings import pack, unpack

MAX_ENTRIES = 16
"""Changes of counter and raw source between two times that rows are put."""
_COLUMNS = [1, 0, 2, 3]
"""Between the layout of readings and that of points; its own inverse."""


@dataclass(slots=True)
class JournalPart:
    counter: str
    raw_source: str
    readings: Readings
    told: int = 0


@dataclass(slots=True)
class Journal:
    entries: list[JournalPart] = field(default_factory=list)
    told: bool = False
    size: int = 0
    """Readings in it."""

    def take(self, counter: str, raw_source: str, readings: Readings, at_most: int) -> bool:
        """Readings of one counter in the order of their arrival. False: it is full."""
        self.size += len(readings)
        if self.size > at_most:
            return False
        last = next((entry for entry in reversed(self.entries) if entry.counter == counter), None)
        if last is not None and last.raw_source == raw_source:
            last.readings = np.concatenate([last.readings, readings])
        elif len(self.entries) < MAX_ENTRIES:
            self.entries.append(JournalPart(counter, raw_source, readings))
        else:
            return False
        return True

    def tell(self) -> None:
        """Totals were told."""
        self.told = True
        for entry in self.entries:
            entry.told = len(entry.readings)

    def row(self, head: EquipmentRow) -> JournalRow:
        """`head`: what changes in it with readings alone is kept here, too."""
        entries = [
            JournalEntry(entry.counter, entry.raw_source, entry.told, pack(entry.readings[:, _COLUMNS])) for entry in self.entries
        ]
        sources = {name: replace(known) for name, known in head.sources.items()}
        return JournalRow(head.clock, self.told, entries, sources, head.standing)

    @staticmethod
    def of(row: JournalRow) -> "Journal":
        entries = [
            JournalPart(entry.counter, entry.raw_source, unpack(entry.packed)[:, _COLUMNS], entry.told) for entry in row.entries
        ]
        return Journal(entries, row.told, sum(len(entry.readings) for entry in entries))
