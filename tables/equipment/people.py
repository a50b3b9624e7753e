"""Where people are: a person's time goes to one place at a time, across the machines of a plant, in any order of arrival.

Every partition of the equipment stage hears of every log-in of its plants (copies of LabourRecorded) and keeps them in rows of
its own. Of what a person does elsewhere follows when their time at a machine ends without a log-off there.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from schemas.records import EntryVoided, LabourMark, LabourRecorded, LabourRow
from tables.equipment.entries import find, restate, standing, still_needed, void
from tables.equipment.presence import labour_problem, mark_of
from tables.equipment.working_time import WorkEnds, never
from tables.order_of_telling import place
from tables.row_kinds import LABOUR_ROWS
from tables.rows import RowStore

MAX_KEPT = 4096
"""Log-ins that are kept of one equipment."""
Elsewhere = Callable[[str], Sequence[tuple[str, LabourMark]]]
"""Person -> what they did at other machines: (equipment, log-in or log-off)."""


class PersonShare(NamedTuple):
    """From `at` on the machine has this share of the person's time. `told`: by which record, at any machine."""

    at: int
    share: Fraction
    told: LabourMark


class Missing(NamedTuple):
    """A log-in that nobody ended: it ended with the log-in elsewhere (at `ended_at`), or is open (None)."""

    equipment: str
    told: LabourMark
    ended_at: int | None


class _Whereabouts:
    """One person, record by record."""

    def __init__(self, work_ends: WorkEnds = never) -> None:
        self._work_ends = work_ends
        self.on: dict[str, LabourMark] = {}
        """Equipment -> the log-in that holds, the oldest first."""
        self.replaced: dict[str, Missing] = {}
        self.missing: list[Missing] = []

    def hear(self, where: str, mark: LabourMark) -> None:
        """A log-in ends the oldest others as far as the shares come to more than one. A log-off ends the time at its machine;
        where the person never logged on it says that they left: it ends all."""
        if mark.numerator:
            before = self.on.pop(where, None)
            if before is not None and self._work_ends(before.at) < mark.at:
                self.missing.append(Missing(where, before, mark.at))
            self.on[where] = mark
            if where in self.replaced:
                self.missing.append(self.replaced.pop(where))
            while len(self.on) > 1 and sum(map(share_of, self.on.values()), Fraction(0)) > 1:
                oldest = next(iter(self.on))
                self.replaced[oldest] = Missing(oldest, self.on.pop(oldest), mark.at)
        elif where in self.on:
            del self.on[where]
        elif where in self.replaced:
            del self.replaced[where]  # it came late: their time has gone on elsewhere since
        else:
            self.on.clear()


def share_of(mark: LabourMark) -> Fraction:
    return Fraction(mark.numerator, mark.denominator)


def _in_order(marks: Iterable[tuple[str, LabourMark]]) -> list[tuple[str, LabourMark]]:
    return sorted(marks, key=lambda entry: (entry[1].at, place(entry[1]), entry[0]))


def turns(
    equipment: str, own: Iterable[LabourMark], elsewhere: Iterable[tuple[str, LabourMark]], work_ends: WorkEnds = never
) -> list[PersonShare]:
    """One person at one machine: how its share of their time changes. What no log-off ended ends with the work of that day."""
    person, found, last = _Whereabouts(), list[PersonShare](), Fraction(0)
    marks = _in_order([*((equipment, mark) for mark in own), *elsewhere])
    for index, (where, mark) in enumerate(marks):
        before = person.on.get(equipment)
        person.hear(where, mark)
        here = person.on.get(equipment)
        replaced = before is not None and here is not before and not _logs_off(equipment, marks[index:])
        if before is not None and replaced and (over := work_ends(before.at)) < mark.at:
            found.append(PersonShare(over, Fraction(0), before))
            last = Fraction(0)
        share = share_of(here) if here is not None else Fraction(0)
        if where == equipment or share != last:
            found.append(PersonShare(mark.at, share, mark))
        last = share
    still = person.on.get(equipment)
    if still is not None and (over := work_ends(still.at)) < never(still.at):
        found.append(PersonShare(over, Fraction(0), still))
    return found


def _logs_off(equipment: str, marks: Sequence[tuple[str, LabourMark]]) -> bool:
    """Did a log-off end the time here: the first of these records, or the next one of the machine?"""
    own = next((mark for where, mark in marks if where == equipment), None)
    return not marks[0][1].numerator or (own is not None and not own.numerator)


def missing_log_offs(marks: Iterable[tuple[str, LabourMark]], work_ends: WorkEnds = never) -> list[Missing]:
    """Log-ins of one person, at any machine, that no log-off ended."""
    person = _Whereabouts(work_ends)
    for where, mark in _in_order(marks):
        person.hear(where, mark)
    open_ = [Missing(where, mark, None) for where, mark in person.on.items()]
    return [*person.missing, *person.replaced.values(), *open_]


class People:
    """The log-ins of one plant, as one partition keeps them. A repeated record changes nothing."""

    def __init__(self, rows: RowStore, plant: str) -> None:
        self._rows, self._prefix = rows, LABOUR_ROWS.under(plant)
        self._plant = plant
        self._at: dict[str, set[str]] = {}
        """Person -> equipment that they are known at."""
        for _, row in rows.scan(self._prefix):
            self._note(row)

    def _note(self, row: LabourRow) -> None:
        for mark in row.labour:
            self._at.setdefault(mark.person, set()).add(row.equipment)

    def hear(self, event: LabourRecorded | EntryVoided, reach_us: int) -> set[str]:
        """Take a copy in; returns the equipment whose times may have changed. `reach_us`: see own_clock.reach_us."""
        if event.occurred_at < event.label - reach_us:
            return set()  # its own equipment refuses it as well
        key = self._prefix + event.equipment
        row: LabourRow = self._rows.get(key) or LabourRow(self._plant, event.equipment)
        if isinstance(event, EntryVoided):
            known = find(row.labour, event.entry)
            if not void(row.voids, event):
                return set()
            people = {known.person} if known is not None else set()
        else:
            known, mark = find(row.labour, event.entry or event.event_id), mark_of(event)
            if labour_problem(event) is not None or len(row.labour) >= MAX_KEPT or not restate(row.labour, mark):
                return set()
            people = {event.person, known.person if known is not None else event.person}
        self._rows.put(key, row)
        self._note(row)
        return {name for person in people for name in self._at.get(person, ())}

    def elsewhere(self, equipment: str) -> Elsewhere:
        def of(person: str) -> list[tuple[str, LabourMark]]:
            return [entry for entry in self.of(person) if entry[0] != equipment]

        return of

    def of(self, person: str) -> list[tuple[str, LabourMark]]:
        """All that the person did, at all machines."""
        found = []
        for name in sorted(self._at.get(person, ())):
            row: LabourRow | None = self._rows.get(self._prefix + name)
            if row is not None:
                found += [(name, mark) for mark in standing(row.labour, row.voids) if mark.person == person]
        return found

    def is_on(self, equipment: str, own: Iterable[LabourMark], person: str, moment: int) -> bool:
        """Is the person logged on at the equipment just before `moment`?"""
        marks = [mark for mark in own if mark.person == person]
        before = [turn for turn in turns(equipment, marks, self.elsewhere(equipment)(person)) if turn.at < moment]
        return bool(before and before[-1].share)

    def prune(self, keep_from: int) -> None:
        """Forget what was over before `keep_from`; who is on stays on."""
        rows: list[tuple[str, LabourRow]] = list(self._rows.scan(self._prefix))
        on = set()
        for _, marks in people_of((row.equipment, mark) for _, row in rows for mark in standing(row.labour, row.voids)):
            person = _Whereabouts()
            for where, mark in _in_order(marks):
                if mark.at < keep_from:
                    person.hear(where, mark)
            on |= {mark.event_id for mark in person.on.values()}
        self._at.clear()
        for key, row in rows:
            labour = [mark for mark in row.labour if mark.at >= keep_from or mark.event_id in on]
            voids = still_needed(row.voids, keep_from, labour)
            if not labour and not voids:
                self._rows.delete(key)
                continue
            if (len(labour), len(voids)) != (len(row.labour), len(row.voids)):
                row.labour, row.voids = labour, voids
                self._rows.put(key, row)
            self._note(row)


def people_of(marks: Iterable[tuple[str, LabourMark]]) -> Iterator[tuple[str, list[tuple[str, LabourMark]]]]:
    """Marks by person, in the order of the persons."""
    found: dict[str, list[tuple[str, LabourMark]]] = {}
    for where, mark in marks:
        found.setdefault(mark.person, []).append((where, mark))
    yield from sorted(found.items(), key=lambda entry: entry[0])
