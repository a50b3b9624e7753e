"""Silence as the floor sees it: sources that an equipment expects to hear of, and intakes that are behind the others."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from schemas.records import EquipmentRow, PartitionPosition, UpstreamState
from schemas.topics import PLANT_UPSTREAMS
from streams.figures import SILENT, Figure
from streams.silence import Watch, behind
from streams.step import Step
from tables.equipment.equipment import EquipmentFold
from tables.equipment.own_clock import NOBODY_BEHIND, Silence

LOOK_US = 60_000_000
"""Silence is looked for when the plant's clock passes a multiple of this."""
FLOOR = "floor"


class FloorSilence:
    """Of one partition; all of it is derived from rows and position."""

    def __init__(self) -> None:
        self.listening: dict[str, set[str]] = defaultdict(set)
        """Plant -> equipment that expects to hear of a source."""
        self._behind: dict[str, int] = {}
        self.silent: dict[str, set[tuple[str, str]]] = defaultdict(set)
        """Plant -> (source, equipment)."""

    def remember(self, row: EquipmentRow) -> None:
        if row.sources:
            self.listening[row.plant].add(row.equipment)
        self.silent[row.plant] |= {(name, row.equipment) for name, heard in row.sources.items() if heard.silent}

    def behind(self, plant: str) -> int:
        """How far the slowest intake is, if it is behind the others (microseconds)."""
        return self._behind.get(plant, NOBODY_BEHIND)

    def ticked(self, state: PartitionPosition, plant: str, watch: Watch) -> None:
        slowest = behind(state, plant, watch)
        self._behind[plant] = NOBODY_BEHIND if slowest is None else slowest

    def listen(self, step: Step, equipment: EquipmentFold, label: int, source: str = "", at: int = 0) -> None:
        """A record of `source` came (without: time passed): tell whose silence began or ended."""
        row, silent = equipment.row, self.silent[equipment.row.plant]
        if not equipment.expected and not row.sources:
            return
        for change in equipment.listen(label, source, at):
            (silent.add if change.silent else silent.discard)((change.source, row.equipment))
            _tell(step, row, change, label)
        if row.sources:
            self.listening[row.plant].add(row.equipment)
        else:  # a new configuration expects nothing
            self.listening[row.plant].discard(row.equipment)
        forgotten = [entry for entry in silent if entry[1] == row.equipment and entry[0] not in row.sources] if silent else ()
        silent.difference_update(forgotten)


def _tell(step: Step, row: EquipmentRow, change: Silence, label: int) -> None:
    upstream = f"{FLOOR}/{change.source}/{row.equipment}"
    state = UpstreamState(
        plant=row.plant,
        upstream=upstream,
        source=change.source,
        silent=change.silent,
        on_silence="go_on",
        last_tick=row.sources[change.source].label,
        label=label,
        code="UPSTREAM_SILENT" if change.silent else "",
    )
    step.emit(PLANT_UPSTREAMS, f"{row.plant}|{upstream}", state)


def figures(partitions: Iterable[FloorSilence]) -> Iterator[Figure]:
    """Machines that miss a source, by source."""
    found = Counter(
        (plant, source) for one in partitions for plant, entries in one.silent.copy().items() for source, _ in entries.copy()
    )
    return (Figure(SILENT, named, count) for named, count in found.items())
