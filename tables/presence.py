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
from tables.rejected import Rejected
from tables.runs import Changed, oldest_needed


def loaded(row: EquipmentRow, event: LotLoaded | LotUnloaded) -> Changed | None:
    if any(load.event_id == event.event_id for load in row.loads):
        return None
    material, lot = (event.material, event.lot) if isinstance(event, LotLoaded) else ("", "")
    row.loads.append(
        LotLoad(position=event.position, from_at=event.occurred_at, event_id=event.event_id, material=material, lot=lot)
    )
    row.loads.sort(key=lambda load: (load.from_at, load.event_id))
    row.revision += 1
    return Changed(event.occurred_at, END_OF_TIME)


def state_changed(row: EquipmentRow, event: EquipmentStateChanged) -> bool:
    """False: the event is known."""
    if any(span.event_id == event.event_id for span in row.states):
        return False
    span = StateSpan(event.occurred_at, event.state, event.event_id, event.reason, event.raw_source, event.raw_offset)
    row.states.append(span)
    row.states.sort(key=lambda span: (span.from_at, span.event_id))
    return True


def labour(row: EquipmentRow, event: LabourRecorded) -> bool:
    """A person logs on with a share of their time, or off. False: the event is known."""
    if any(mark.event_id == event.event_id for mark in row.labour):
        return False
    numerator = event.share_numerator if event.action == "on" else 0
    row.labour.append(
        LabourMark(
            event.occurred_at,
            event.person,
            numerator,
            event.share_denominator,
            event.event_id,
            event.raw_source,
            event.raw_offset,
        )
    )
    row.labour.sort(key=lambda mark: (mark.at, mark.event_id))
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
