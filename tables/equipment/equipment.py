"""One equipment: its row, its timelines and its declarations, folded event by event (docs/architecture.md, The stages)."""

from collections.abc import Sized
from functools import partial
from math import isqrt
from typing import Any

import numpy as np

from schemas.configuration import PlantConfig
from schemas.records import (
    EntryVoided,
    EquipmentRow,
    EquipmentStateChanged,
    JournalRow,
    LabourRecorded,
    LotLoaded,
    LotUnloaded,
    OperatorDecision,
    RunCorrected,
    RunVoided,
    TotalState,
)
from tables import correlations
from tables.equipment import activities, count_decisions, declarations, definitions, own_clock, presence, runs
from tables.equipment.attribution import Ownership
from tables.equipment.counter import Readings
from tables.equipment.destination import UNDECIDED, Destination
from tables.equipment.entries import standing
from tables.equipment.journal import Journal
from tables.equipment.own_clock import NOBODY_BEHIND, Silence, late_clock
from tables.equipment.people import People
from tables.equipment.reading_buckets import BUCKET_US
from tables.equipment.run_events import RUN_EVENTS
from tables.equipment.runs import Changed
from tables.equipment.timeline import Timeline
from tables.equipment.totals import give, replace
from tables.plant.calendar import Calendar
from tables.refusal import Refusal, RefusedReadings
from tables.row_kinds import DECLARATION_ROWS, EQUIPMENT_ROWS, JOURNAL_ROWS
from tables.rows import RowStore

JOURNALED = 60
"""Readings that wait in the journal before the rows are put; more when the head row is large."""
MAX_KEPT = 4096
"""Runs, loads, states and log-ins that are kept per equipment, of each kind; more are refused (EQUIPMENT_LIMIT)."""


class EquipmentFold:
    """The fold of one equipment over `rows`. After a change call `save` at the end of the step."""

    def __init__(
        self, rows: RowStore, plant: str, equipment: str, config: PlantConfig, calendar: Calendar, born_epoch: int
    ) -> None:
        self._rows, self._config, self._calendar, self.expected = rows, config, calendar, config.expected
        self.key = EQUIPMENT_ROWS.key(plant, equipment)
        row: EquipmentRow | None = rows.get(self.key)
        self.row = row if row is not None else EquipmentRow(plant, equipment, born_epoch)
        self._declared_prefix = DECLARATION_ROWS.under(plant, equipment)
        self._ownership: Ownership | None = None
        self._timelines: dict[str, Timeline] = {}
        self._removed: set[str] = set()
        """Counters that the configuration has no longer: what they counted is kept, and nothing is added."""
        self._journal_key = JOURNAL_ROWS.key(plant, equipment)
        self._journal: Journal | None = None
        """None: the rows have to be put; what came since cannot be folded again from a journal."""
        journal: JournalRow | None = rows.get(self._journal_key)
        if journal is not None:
            self._fold_again(Journal.of(journal))
            own_clock.restored(self.row, journal)

    def _fold_again(self, journal: Journal) -> None:
        for entry in journal.entries:
            self._read(entry.counter, entry.readings[: entry.told], entry.raw_source)
        if journal.told:
            for total in self.row.totals.values():
                total.dirty = False
        for entry in journal.entries:
            self._read(entry.counter, entry.readings[entry.told :], entry.raw_source)

    def _read(self, counter: str, readings: Readings, raw_source: str) -> None:
        timeline = self._timeline(counter)
        assert timeline is not None, "the rows are put before a configuration changes"
        if len(readings):
            timeline.read(readings, raw_source)

    @property
    def ownership(self) -> Ownership:
        if self._ownership is None:
            self._ownership = Ownership(self.row, self._calendar, self._config.attribution)
        return self._ownership

    def save(self, keep: int = 0) -> None:
        """Put what changed, for the checkpoint that follows at once: the journal, or the rows and begin a new journal."""
        if self._journal is None:
            self.put(keep)
            self._journal = Journal()
        elif self._journal.entries or self._journal.told:
            self._rows.put(self._journal_key, self._journal.row(self.row))

    def put(self, keep: int = 0) -> None:
        """Put the rows. Until they are committed they go on changing in place: only `save` begins a journal.

        `keep`: buckets of each counter that stay unpacked beside the newest.
        """
        self._journal = None
        for timeline in self._timelines.values():
            timeline.save(keep)
        self._rows.put(self.key, self.row)
        if self._rows.get(self._journal_key) is not None:
            self._rows.delete(self._journal_key)

    def told(self, of_something_new: bool) -> None:
        """Totals that had changed were told; `of_something_new`: a destination or a genealogy edge for the first time."""
        if of_something_new:
            self._journal = None
        elif self._journal is not None:
            self._journal.tell()

    def _may_wait(self) -> int:
        """Readings in the journal that cost about as much as putting the rows once in so many."""
        row = self.row
        return max(JOURNALED, isqrt(100 * (len(row.totals) + len(row.runs) + len(row.loads) + len(row.states))))

    @property
    def opened(self) -> int:
        """Buckets in memory."""
        return sum(timeline.buckets.opened for timeline in self._timelines.values())

    def _expired_before(self) -> int:
        return max(late_clock(self.row) - self._config.attribution.late_horizon_us, self.row.forgotten_before)

    # -- events

    def seen_at(self, label: int, behind: int = NOBODY_BEHIND) -> None:
        """Late is measured against the equipment's own clock (tables/equipment/own_clock.py)."""
        own_clock.seen(self.row, label, behind)

    def listen(self, label: int, source: str = "", at: int = 0) -> list[Silence]:
        """Whose silence begins to be an alarm at this label, or ends with a record of `source` that tells of the moment `at`."""
        known = set(self.row.sources)
        changes = own_clock.listen(self.row, self._config, label, source, at)
        if changes or known != self.row.sources.keys():
            self._journal = None
        return changes

    def repair(self, at: int) -> None:
        """The clock was right until `at`: it goes back. What was forgotten meanwhile stays forgotten: of that time nothing is
        taken in that is not newer than all that is known, because its quantity may be in the totals."""
        if self.row.clock <= at:
            return
        self._journal = None
        row, forgotten = self.row, self._expired_before()
        newest = [counter.last_at for counter in row.counters.values()] + [total.last_at for total in row.totals.values()]
        own_clock.lowered(row, at)
        if forgotten > self._expired_before():
            row.forgotten_before = max(row.forgotten_before, min(forgotten, max([at, *(moment + 1 for moment in newest)])))

    def readings(self, counter: str, readings: Readings, raw_source: str) -> list[RefusedReadings]:
        """Fold readings in the order of their arrival. Returns those that were refused; the others are folded."""
        timeline = self._timeline(counter)
        if timeline is None or counter in self._removed:
            return [RefusedReadings(self._unknown(counter), list(range(len(readings))))]
        refused, kept, expired = [], None, self._expired_before()
        if len(readings) and int(readings[:, 1].min()) < expired:
            self._journal = None
            fresh = readings[:, 1] >= expired
            kept, late = np.flatnonzero(fresh), np.flatnonzero(~fresh).tolist()
            readings = readings[kept]
            self.row.tally["too_late"] = self.row.tally.get("too_late", 0) + len(late)
            refused.append(RefusedReadings(Refusal("TOO_LATE", f"readings of `{counter}` are older than the late horizon"), late))
        if self._journal is not None and not self._journal.take(counter, raw_source, readings, self._may_wait()):
            self._journal = None
        conflicts = timeline.read(readings, raw_source) if len(readings) else []
        if conflicts:
            detail = f"`{counter}` had another value under the same sequence number before; that one stays"
            which = conflicts if kept is None else kept[conflicts].tolist()
            refused.append(RefusedReadings(Refusal("SEQ_CONFLICT", detail), which))
        return refused

    def run_event(self, event: Any) -> Refusal | None:
        """RunStarted .. RunVoided, LotLoaded, LotUnloaded, EntryVoided."""
        self._journal = None
        if self._tells_of_forgotten_time(event):
            return Refusal("TOO_LATE", f"{type(event).__name__} tells of time before the late horizon")
        if self._is_full(self._grows(event)):
            return self._full()
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

    def state_changed(self, event: EquipmentStateChanged) -> Refusal | None:
        self._journal = None
        if self._too_late(event.occurred_at):
            return Refusal("TOO_LATE", "the state change occurred before the late horizon")
        if self._is_full(self.row.states):
            return self._full()
        if presence.state_changed(self.row, event):
            self.row.activity_dirty = True
        else:
            self._count("duplicates")
        return None

    def labour(self, event: LabourRecorded) -> Refusal | None:
        self._journal = None
        wrong = presence.labour_problem(event)
        if wrong is not None:
            return wrong
        if self._too_late(event.occurred_at):
            return Refusal("TOO_LATE", "the log-in occurred before the late horizon")
        if self._is_full(self.row.labour):
            return self._full()
        if presence.labour(self.row, event):
            self.row.activity_dirty = True
        else:
            self._count("duplicates")
        return None

    def declared(self, event: Any) -> Refusal | None:
        """A declaration. A repeated event id is a duplicate, counted; with another content it is refused."""
        self._journal = None
        key = self._declared_prefix + event.event_id
        before = self._rows.get(key)
        if before is not None:
            if not declarations.says_the_same(before, declarations.kept(event)):
                return Refusal("ID_CONFLICT", f"`{event.event_id}` said something else before; that stays")
            self._count("duplicates")
            return None
        if self._too_late(event.occurred_at):
            return Refusal("TOO_LATE", f"{type(event).__name__} occurred before the late horizon")
        declared = declarations.kept(event)
        declared.shares = declarations.shares_of(declared, self.row, self.ownership, self._calendar)
        give(self.row, declared.shares)
        correlations.declared(self.row, declared)
        self._rows.put(key, declared)
        return None

    def decided(self, decision: OperatorDecision) -> Refusal | None:
        """A person decided about an undecided count."""
        self._journal = None
        timeline = self._timeline(decision.counter)
        if timeline is None:
            return self._unknown(decision.counter)
        if count_decisions.is_settled(self.row, timeline.state, timeline.buckets, decision.began_at):
            return Refusal("TOO_LATE", "whose pieces these are is forgotten: decide when the counter has shown something again")
        changed = count_decisions.decided(self.row, decision)
        if isinstance(changed, Refusal):
            return changed
        if not changed:
            self._count("duplicates")
            return None
        timeline.attribute_by(self.ownership)
        timeline.decided(decision.began_at)
        return None

    def redefined(self, before: PlantConfig, at: int) -> None:
        """A configuration that follows `before` holds since `at`: what occurred since then counts by its counters."""
        self._journal = None
        for name, since, turned in definitions.redefined(self.row, before, self._config, at):
            self._timelines.pop(name, None)
            if (timeline := self._timeline(name)) is not None:
                timeline.redefined(since, turned)

    # -- time

    def people_moved(self) -> None:
        """Somebody who is, or was, logged on here did something elsewhere."""
        self._journal = None
        self.row.activity_dirty = True

    def measure_activities(self, now: int, at_cut: bool, people: People | None = None) -> None:
        """Activities up to `now`: when something about them changed, and at cuts while a state is open."""
        if self.row.activity_dirty or (at_cut and self.row.activity_open):
            self._journal = None
            elsewhere = activities.nobody_elsewhere if people is None else people.elsewhere(self.row.equipment)
            activities.apply(self.row, self.ownership, now, elsewhere)

    def expire(self, people: People | None = None) -> int:
        """Forget what is older than the late horizon. Quantities stay in the totals. Returns from when on it may still ask."""
        self._journal = None
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
                named |= {declared.run, *(Destination.parse(share.destination).run for share in declared.shares)}
        # The bucket that the horizon lies in may be counted anew: the owner of each moment of it has to be known.
        before = before // BUCKET_US * BUCKET_US
        # Activities are measured by whole business dates: who ran on one must be known until all of it is settled.
        needed = self._calendar.date_began(before - self._config.attribution.run_grace_us)
        reachable = self.row.activities_from = max(self.row.activities_from, self._calendar.shift_at(needed).business_date)
        runs.prune(self.row, needed, self._config.attribution.late_horizon_us, named)
        name, labour = self.row.equipment, standing(self.row.labour, self.row.voids)
        is_on = partial(people.is_on, name, labour) if people is not None else lambda person, moment: True
        presence.prune(self.row, needed, is_on)
        # A total is forgotten only when nothing can reach its key any more: it would be published anew, without what it had.
        kept = {run.run for run in self.row.runs}
        for key in [key for key, total in self.row.totals.items() if not total.dirty]:
            to = Destination.parse(key)
            if (to.kind == UNDECIDED and not self.row.totals[key].amount and int(to.reason) < before) or (
                to.run and to.run not in kept and to.business_date < reachable
            ):
                self._remember(self.row.totals.pop(key))
        return needed

    def _remember(self, forgotten: TotalState) -> None:
        """When the first count was made is told of the whole run."""
        if forgotten.amount and forgotten.first_at:
            first = self.row.first_at or forgotten.first_at
            self.row.first_at = min(first, forgotten.first_at)

    # -- attribution

    def _timeline(self, name: str) -> Timeline | None:
        timeline = self._timelines.get(name)
        if timeline is None:
            now = definitions.defined(self._config, self.row.equipment, name)
            defined = definitions.history(self.row.counters.get(name), now)
            if not defined:
                return None
            timeline = self._timelines[name] = Timeline(self._rows, self.row, name, defined, self.ownership)
            if now is None:
                self._removed.add(name)
        return timeline

    def _attribute_again(self, changed: Changed) -> None:
        for name in list(self.row.counters):
            timeline = self._timeline(name)
            if timeline is not None:
                timeline.recount(changed.from_us, changed.to_us)
        moved = set()
        known = list(self._rows.scan(self._declared_prefix))
        for key, declared in known:
            if declared.run or changed.from_us <= declared.occurred_at <= changed.to_us:
                shares = declarations.shares_of(declared, self.row, self.ownership, self._calendar)
                if shares != declared.shares:
                    moved |= {share.destination for share in (*declared.shares, *shares) if declared.correlation_id}
                    replace(self.row, declared.shares, shares)
                    declared.shares = shares
                    self._rows.put(key, declared)
        if moved:
            correlations.moved(self.row, moved, (declared for _, declared in known), self._expired_before())

    def _tells_of_forgotten_time(self, event: Any) -> bool:
        """People may correct a run that is still known, however late, but not bring one back whose quantities are settled:
        only a part of them would be published again."""
        if isinstance(event, LotLoaded | LotUnloaded):
            return False
        if not isinstance(event, RunCorrected | RunVoided):
            return self._too_late(event.occurred_at)
        if runs.find(self.row, event.run) is not None:
            return False
        began = event.started_at if isinstance(event, RunCorrected) else None
        return self._too_late(event.occurred_at if began is None else min(began, event.occurred_at))

    def _grows(self, event: Any) -> Sized:
        """What an event of run_event adds to; nothing for an event of a known run."""
        if isinstance(event, LotLoaded | LotUnloaded):
            return self.row.loads
        if isinstance(event, EntryVoided):
            return self.row.voids
        if not event.run:
            return self.row.stops
        return self.row.runs if runs.find(self.row, event.run) is None else ()

    def _is_full(self, kept: Sized) -> bool:
        return len(kept) >= MAX_KEPT

    def _full(self) -> Refusal:
        return Refusal("EQUIPMENT_LIMIT", f"{self.row.equipment} has {MAX_KEPT} of them within the late horizon")

    def _too_late(self, at: int) -> bool:
        return at < self._expired_before()

    def _unknown(self, counter: str) -> Refusal:
        return Refusal("UNKNOWN_COUNTER", f"{self.row.equipment} has no counter `{counter}` in plant.yaml")

    def _count(self, what: str) -> None:
        self.row.tally[what] = self.row.tally.get(what, 0) + 1


def fold_journals(rows: RowStore, config: PlantConfig, calendar: Calendar) -> None:
    """Put the rows of every equipment of the plant that has a journal: they then say all that was committed."""
    for _, row in list(rows.scan(EQUIPMENT_ROWS.prefix)):
        if row.plant == config.plant.id and rows.get(JOURNAL_ROWS.key(row.plant, row.equipment)) is not None:
            EquipmentFold(rows, row.plant, row.equipment, config, calendar, row.born_epoch).put()
