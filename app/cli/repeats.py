"""What in a sample repeats an earlier record of it, by the rules of the stages that fold it."""

from typing import Any, NamedTuple

from schemas.configuration import PlantConfig
from streams.mapping import Reading
from tables.canonical import DECLARATIONS


class Repeat(NamedTuple):
    """`of`: position of the record that came first. `conflict`: it says another value, and stays (SEQ_CONFLICT)."""

    of: str
    conflict: bool


class Repeats:
    """Asks of each item in turn whether it is known. Only within the sample: a run knows everything of the late horizon."""

    def __init__(self, plant: PlantConfig) -> None:
        self._plant = plant
        self._seen: dict[tuple[Any, ...], tuple[int, str]] = {}

    def note(self, item: Any, position: str) -> Repeat | None:
        """None: it is the first of its kind."""
        key, value = self._identity(item)
        if key is None:
            return None
        if key not in self._seen:
            self._seen[key] = value, position
            return None
        known, first = self._seen[key]
        return Repeat(first, known != value)

    def _identity(self, item: Any) -> tuple[tuple[Any, ...] | None, int]:
        """What makes the item known, and what it must then say again. None: a repetition is none (known_readings.py)."""
        if isinstance(item, Reading):
            if item.seq >= 0:
                return (item.equipment, item.counter, item.seq), item.value
            counter = self._plant.counter_for(item.equipment, item.counter)
            if counter is None or counter.shows == "increment":
                return None, 0
            return (item.equipment, item.counter, item.occurred_at, item.value), item.value
        if type(item) in DECLARATIONS:
            return (item.equipment or item.order, item.event_id), 0
        return None, 0
