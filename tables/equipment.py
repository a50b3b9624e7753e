"""One equipment: its row, its timelines and its declarations, folded event by event (design section 5, equipment)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from schemas.configuration import PlantConfig
from schemas.records import (
    EquipmentRow,
    EquipmentStateChanged,
    LotLoaded,
    LotUnloaded,
    RunChanged,
    RunCorrected,
    RunEnded,
    RunStarted,
    RunVoided,
)
from tables import activities, declarations, runs
from tables.attribution import Ownership
from tables.calendar import Calendar
from tables.rejected import Rejected
from tables.rows import RowStore
from tables.runs import Changed
from tables.timeline import BUCKET_US, Readings, Timeline
from tables.totals import give, take_back

RUN_EVENTS: dict[type, Callable[[EquipmentRow, Any], Changed | None]] = {
    RunStarted: runs.started,
    RunChanged: runs.changed,
    RunEnded: runs.ended,
    RunCorrected: runs.corrected,
    RunVoided: runs.voided,
    LotLoaded: runs.loaded,
    LotUnloaded: runs.loaded,
}


def row_key(plant: str, equipment: str) -> str:
    return f"e|{plant}|{equipment}"


class Refused(NamedTuple):
    """Readings that were not folded, by their index in what was given."""

    why: Rejected
    indexes: list[int]


class Equipment:
    """The fold of one equipment over `rows`. Whoever changes it calls `save` at the end of the step."""

    def __init__(
        self, rows: RowStore, plant: str, equipment: str, config: PlantConfig, calendar: Calendar, born_epoch: int
    ) -> None:
        self._rows, self._config, self._calendar = rows, config, calendar
        self.key = row_key(plant, equipment)
        row: EquipmentRow | None = rows.get(self.key)
        self.row = row if row is not None else EquipmentRow(plant, equipment, born_epoch)
        self._declared_prefix = f"d|{plant}|{equipment}|"
        self._ownership: Ownership | None = None
        self._timelines: dict[str, Timeline] = {}

    @property
    def ownership(self) -> Ownership:
        if self._ownership is None:
            self._ownership = Ownership(self.row, self._calendar, self._config.attribution.run_grace_us)
        return self._ownership

    def save(self) -> None:
        self._rows.put(self.key, self.row)

    def _expired_before(self) -> int:
        return self.row.clock - self._config.attribution.late_horizon_us

    # -- events

    def seen_at(self, label: int) -> None:
        """Late is measured against the equipment's own clock: the newest label that came."""
        self.row.clock = max(self.row.clock, label)

    def readings(self, counter: str, readings: Readings, raw_source: str) -> list[Refused]:
        """Fold readings in the order of their arrival. Returns those that were refused; the others are folded."""
        timeline = self._timeline(counter)
        if timeline is None:
            unknown = Rejected("UNKNOWN_COUNTER", f"{self.row.equipment} has no counter `{counter}` in plant.yaml")
            return [Refused(unknown, list(range(len(readings))))]
        refused = []
        fresh = readings[:, 1] >= self._expired_before()
        indexes = np.flatnonzero(fresh)
        if len(indexes) < len(readings):
            late = np.flatnonzero(~fresh).tolist()
            readings = readings[indexes]
            self.row.tally["too_late"] = self.row.tally.get("too_late", 0) + len(late)
            refused.append(Refused(Rejected("TOO_LATE", f"readings of `{counter}` are older than the late horizon"), late))
        conflicts = timeline.read(readings, raw_source) if len(readings) else []
        if conflicts:
            detail = f"`{counter}` had another value under the same sequence number before; that one stays"
            refused.append(Refused(Rejected("SEQ_CONFLICT", detail), indexes[conflicts].tolist()))
        return refused

    def run_event(self, event: Any) -> Rejected | None:
        """RunStarted .. RunVoided, LotLoaded, LotUnloaded."""
        if self._too_late(event.occurred_at) and not isinstance(event, LotLoaded | LotUnloaded | RunCorrected | RunVoided):
            return Rejected("TOO_LATE", f"{type(event).__name__} occurred before the late horizon")
        revision = self.row.revision
        changed = RUN_EVENTS[type(event)](self.row, event)
        if self.row.revision == revision:
            self._count("duplicates")
            return None
        self._ownership = None
        for timeline in self._timelines.values():
            timeline.attribute_by(self.ownership)
        self.row.activity_dirty = True
        if changed is not None:
            self._attribute_again(changed)
        return None

    def state_changed(self, event: EquipmentStateChanged) -> Rejected | None:
        if self._too_late(event.occurred_at):
            return Rejected("TOO_LATE", "the state change occurred before the late horizon")
        if runs.state_changed(self.row, event):
            self.row.activity_dirty = True
        else:
            self._count("duplicates")
        return None

    def declared(self, event: Any) -> Rejected | None:
        """A declaration. A repeated event id is a duplicate, counted."""
        key = self._declared_prefix + event.event_id
        if self._rows.get(key) is not None:
            self._count("duplicates")
            return None
        if self._too_late(event.occurred_at):
            return Rejected("TOO_LATE", f"{type(event).__name__} occurred before the late horizon")
        declared = declarations.kept(event)
        declared.shares = declarations.shares_of(declared, self.row, self.ownership, self._calendar)
        give(self.row, declared.shares)
        self._rows.put(key, declared)
        return None

    # -- time

    def measure_activities(self, now: int, at_cut: bool) -> None:
        """Activities up to `now`: when something about them changed, and at cuts while a state is open."""
        if self.row.activity_dirty or (at_cut and self.row.states and self.row.states[-1].state in activities.KIND_OF_STATE):
            activities.apply(self.row, self.ownership, now)

    def expire(self) -> None:
        """Forget what is older than the late horizon. Quantities stay in the totals."""
        before = self._expired_before()
        for name in self.row.counters:
            timeline = self._timeline(name)
            if timeline is not None:
                timeline.expire(before)
        named = set()
        for key, declared in list(self._rows.scan(self._declared_prefix)):
            if declared.occurred_at < before:
                self._rows.delete(key)
            else:
                named.add(declared.run)
        # The bucket that the horizon lies in may be counted anew: whoever owns a moment of it has to be known.
        before = before // BUCKET_US * BUCKET_US
        runs.prune(self.row, before - self._config.attribution.run_grace_us, named)
        kept = {run.run for run in self.row.runs}
        self.row.totals = {
            key: total
            for key, total in self.row.totals.items()
            if total.dirty or total.last_at >= before or not (run := key.split("\x1f", 2)[1]) or run in kept
        }

    # -- attribution

    def _timeline(self, name: str) -> Timeline | None:
        timeline = self._timelines.get(name)
        if timeline is None:
            counter = self._config.counter_for(self.row.equipment, name)
            if counter is None:
                return None
            timeline = self._timelines[name] = Timeline(self._rows, self.row, name, counter, self.ownership)
        return timeline

    def _attribute_again(self, changed: Changed) -> None:
        for name in list(self.row.counters):
            timeline = self._timeline(name)
            if timeline is not None:
                timeline.recount(changed.from_us, changed.to_us)
        for key, declared in list(self._rows.scan(self._declared_prefix)):
            if declared.run or changed.from_us <= declared.occurred_at <= changed.to_us:
                shares = declarations.shares_of(declared, self.row, self.ownership, self._calendar)
                if shares != declared.shares:
                    take_back(self.row, declared.shares)
                    give(self.row, shares)
                    declared.shares = shares
                    self._rows.put(key, declared)

    def _too_late(self, at: int) -> bool:
        return at < self._expired_before()

    def _count(self, what: str) -> None:
        self.row.tally[what] = self.row.tally.get(what, 0) + 1
