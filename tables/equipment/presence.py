"""What an equipment holds and does over time: loaded lots, its states, and who is logged on; in any order of arrival."""

from collections.abc import Callable

from schemas.records import (
    EntryVoided,
    EquipmentRow,
    EquipmentStateChanged,
    LabourMark,
    LabourRecorded,
    LotLoad,
    LotLoaded,
    LotUnloaded,
    StateSpan,
)
from tables.equipment.attribution import END_OF_TIME
from tables.equipment.entries import find, name_of, restate, standing, still_needed, void
from tables.equipment.runs import Changed
from tables.order_of_telling import place
from tables.refusal import Refusal


def loaded(row: EquipmentRow, event: LotLoaded | LotUnloaded) -> Changed | None:
    material, lot = (event.material, event.lot) if isinstance(event, LotLoaded) else ("", "")
    load = LotLoad(
        position=event.position,
        from_at=event.occurred_at,
        event_id=event.event_id,
        material=material,
        lot=lot,
        raw_source=event.raw_source,
        raw_offset=event.raw_offset,
        source_seq=event.source_seq,
        raw_part=event.raw_part,
        entry=event.entry,
        version=event.version,
    )
    before = find(row.loads, name_of(load))
    if not restate(row.loads, load):
        return None
    row.loads.sort(key=lambda known: (known.from_at, place(known)))
    row.revision += 1
    return Changed(min(event.occurred_at, before.from_at if before is not None else event.occurred_at), END_OF_TIME)


def voided(row: EquipmentRow, event: EntryVoided) -> Changed | None:
    if not void(row.voids, event):
        return None
    row.revision += 1
    load = find(row.loads, event.entry)
    return Changed(END_OF_TIME if load is None else load.from_at, END_OF_TIME)


def state_changed(row: EquipmentRow, event: EquipmentStateChanged) -> bool:
    """False: it says nothing new."""
    span = StateSpan(
        from_at=event.occurred_at,
        state=event.state,
        event_id=event.event_id,
        reason=event.reason,
        raw_source=event.raw_source,
        raw_offset=event.raw_offset,
        source_seq=event.source_seq,
        raw_part=event.raw_part,
        entry=event.entry,
        version=event.version,
    )
    found = restate(row.states, span)
    row.states.sort(key=lambda known: (known.from_at, place(known)))
    return found


def labour(row: EquipmentRow, event: LabourRecorded) -> bool:
    """A person logs on with a share of their time, or off. False: it says nothing new."""
    found = restate(row.labour, mark_of(event))
    row.labour.sort(key=lambda known: (known.at, place(known)))
    return found


def mark_of(event: LabourRecorded) -> LabourMark:
    return LabourMark(
        at=event.occurred_at,
        person=event.person,
        numerator=event.share_numerator if event.action == "on" else 0,
        denominator=event.share_denominator,
        event_id=event.event_id,
        raw_source=event.raw_source,
        raw_offset=event.raw_offset,
        source_seq=event.source_seq,
        raw_part=event.raw_part,
        entry=event.entry,
        version=event.version,
    )


def labour_problem(event: LabourRecorded) -> Refusal | None:
    if event.action not in ("on", "off"):
        return Refusal("UNKNOWN_CODE", f"a person logs on or off, not `{event.action}`")
    if event.share_numerator < 0 or event.share_denominator <= 0:
        return Refusal("BAD_FIELD", f"{event.share_numerator}/{event.share_denominator} is no share")
    return None


def prune(row: EquipmentRow, before_us: int, is_on: Callable[[str, int], bool]) -> None:
    """Forget loads, states and log-ins that something later replaced before. `is_on`: is the person logged on here at that
    moment? (A log-in elsewhere may have ended theirs.)"""
    newest = {load.position: load for load in standing(row.loads, row.voids) if load.from_at < before_us}
    row.loads = [load for load in row.loads if load.from_at >= before_us or newest.get(load.position) is load]
    earlier = [span for span in standing(row.states, row.voids) if span.from_at < before_us]
    row.states = earlier[-1:] + [span for span in row.states if span.from_at >= before_us]
    last = {mark.person: mark for mark in standing(row.labour, row.voids) if mark.at < before_us}
    on = {person for person, mark in last.items() if mark.numerator and is_on(person, before_us)}
    row.labour = [mark for mark in row.labour if mark.at >= before_us or (mark.person in on and last[mark.person] is mark)]
    row.voids = still_needed(row.voids, before_us, row.loads, row.states, row.labour)
