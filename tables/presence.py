"""What an equipment holds and does over time: loaded lots, its states, and who is logged on; in any order of arrival."""

from schemas.records import (
    EquipmentRow,
    EquipmentStateChanged,
    LabourMark,
    LabourRecorded,
    LotLoad,
    LotLoaded,
    LotUnloaded,
    StateSpan,
)
from tables.attribution import END_OF_TIME
from tables.order_of_telling import place
from tables.rejected import Rejected
from tables.runs import Changed, oldest_needed


def loaded(row: EquipmentRow, event: LotLoaded | LotUnloaded) -> Changed | None:
    if any(load.event_id == event.event_id for load in row.loads):
        return None
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
    )
    row.loads.append(load)
    row.loads.sort(key=lambda known: (known.from_at, place(known)))
    row.revision += 1
    return Changed(event.occurred_at, END_OF_TIME)


def state_changed(row: EquipmentRow, event: EquipmentStateChanged) -> bool:
    """False: the event is known."""
    if any(span.event_id == event.event_id for span in row.states):
        return False
    span = StateSpan(
        from_at=event.occurred_at,
        state=event.state,
        event_id=event.event_id,
        reason=event.reason,
        raw_source=event.raw_source,
        raw_offset=event.raw_offset,
        source_seq=event.source_seq,
        raw_part=event.raw_part,
    )
    row.states.append(span)
    row.states.sort(key=lambda known: (known.from_at, place(known)))
    return True


def labour(row: EquipmentRow, event: LabourRecorded) -> bool:
    """A person logs on with a share of their time, or off. False: the event is known."""
    if any(mark.event_id == event.event_id for mark in row.labour):
        return False
    numerator = event.share_numerator if event.action == "on" else 0
    mark = LabourMark(
        at=event.occurred_at,
        person=event.person,
        numerator=numerator,
        denominator=event.share_denominator,
        event_id=event.event_id,
        raw_source=event.raw_source,
        raw_offset=event.raw_offset,
        source_seq=event.source_seq,
        raw_part=event.raw_part,
    )
    row.labour.append(mark)
    row.labour.sort(key=lambda known: (known.at, place(known)))
    return True


def labour_problem(event: LabourRecorded) -> Rejected | None:
    if event.action not in ("on", "off"):
        return Rejected("UNKNOWN_CODE", f"a person logs on or off, not `{event.action}`")
    if event.share_numerator < 0 or event.share_denominator <= 0:
        return Rejected("BAD_FIELD", f"{event.share_numerator}/{event.share_denominator} is no share")
    return None


def prune(row: EquipmentRow, before_us: int) -> None:
    """Forget loads, states and log-ins that something later replaced before."""
    keep_from = min(oldest_needed(row, before_us), before_us)
    newest = {load.position: load for load in row.loads if load.from_at < keep_from}
    row.loads = [load for load in row.loads if load.from_at >= keep_from or newest[load.position] is load]
    earlier = [span for span in row.states if span.from_at < keep_from]
    row.states = earlier[-1:] + [span for span in row.states if span.from_at >= keep_from]
    last = {mark.person: mark for mark in row.labour if mark.at < keep_from}
    row.labour = [mark for mark in row.labour if mark.at >= keep_from or (mark.numerator and last[mark.person] is mark)]
