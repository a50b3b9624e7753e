"""The equipment stage, driven: frames and events in, ticks, totals to orders out."""

from collections.abc import Sequence
from typing import Any

from app.engine.rows import RowCache
from schemas.configuration import Configuration
from schemas.records import ConfigActivated, CounterFrame, Tick, Total
from streams.equipment.stage import EquipmentStage
from streams.memory_step import MemoryStep, MemoryTopology
from tables.equipment.equipment import EquipmentFold
from tables.plant.calendar import calendar_of
from tables.row_kinds import EQUIPMENT_ROWS
from tests.unit.streams.memory_store import MemoryStore
from tests.unit.tables.floor_bench import MACHINE, PLANT, configuration, frame


def framed(
    readings: Sequence[tuple[int, int, int | None]],
    label: int,
    first_raw: int = 0,
    counter: str = "shots",
    raw_source: str = "raw.p/0",
    equipment: str = MACHINE,
) -> CounterFrame:
    """Readings (seq, at, value) in order of arrival as one frame."""
    packed = frame(*readings, first_raw=first_raw).tobytes()
    return CounterFrame(PLANT, equipment, counter, "s", raw_source, label, label, packed)


class Floor:
    def __init__(self, *configurations: Configuration) -> None:
        self.configurations = configurations or (configuration(),)
        self.topology = MemoryTopology({one.hash: one for one in self.configurations})
        self.step, self.store = MemoryStep("equipment.inbox"), MemoryStore()
        self.restart()
        self.known: dict[tuple[str, ...], Total] = {}
        self.fold(ConfigActivated(PLANT, self.configurations[0].hash, 0, "intake"))

    def fold(self, *records: Any) -> None:
        """One batch."""
        self.step.deliver(*records)
        self.stage.fold(self.step)
        self.stage.before_commit(self.step)
        self.store.write(self.rows.take_dirty())
        self.rows.written()

    def upstream_tick(self, now: int, final: bool = False) -> Tick:
        (sender,) = self.topology.upstreams("equipment", self.configurations[0])
        return Tick(PLANT, now, sender, final)

    def tick(self, now: int) -> list[Total]:
        """Advance the clock; returns the totals that went out."""
        self.fold(self.upstream_tick(now))
        return self.published()

    def published(self) -> list[Total]:
        """Totals since the last call; `known` keeps the newest of each destination, as orders does."""
        totals = [record for record in self.step.take("orders.inbox") if isinstance(record, Total)]
        for total in totals:
            key = (total.source_key, total.order, total.operation, total.material, total.lot, total.kind, total.business_date)
            assert key not in self.known or self.known[key].inbox_offset < total.inbox_offset, "versions only grow"
            self.known[key] = total
        return totals

    def restart(self) -> None:
        """A successor, which has only what was committed."""
        self.rows = RowCache(self.store, self.step.codec)
        self.step.rows = self.rows  # type: ignore[assignment]
        self.stage = EquipmentStage(self.topology)
        self.stage.taken_over(self.step)

    def row(self) -> Any:
        """The head row as a successor would have it: with what is in the journal only."""
        rows = RowCache(self.store, self.step.codec)
        if rows.get(EQUIPMENT_ROWS.key(PLANT, MACHINE)) is None:
            return None
        config = self.configurations[0].plant
        return EquipmentFold(rows, PLANT, MACHINE, config, calendar_of(config), 1).row

    def ledger(self, *fields: str) -> dict[tuple[str, ...], int]:
        """What orders would hold, other than zero, by these fields of the totals; `basis` left out."""
        found: dict[tuple[str, ...], int] = {}
        for total in self.known.values():
            if total.kind != "basis":
                key = tuple(getattr(total, name) for name in fields)
                found[key] = found.get(key, 0) + total.numerator
        return {key: amount for key, amount in found.items() if amount}
