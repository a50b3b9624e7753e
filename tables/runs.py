"""Runs, loads and states of an equipment as its events tell them, in any order of arrival; the newest version wins."""

from collections.abc import Container
from typing import NamedTuple

from schemas.records import (
    EquipmentRow,
    EquipmentStateChanged,
    LotLoad,
    LotLoaded,
    LotUnloaded,
    RunChanged,
    RunCorrected,
    RunEnded,
    RunSegment,
    RunStarted,
    RunState,
    RunVoided,
    StateSpan,
)
from tables.attribution import END_OF_TIME, end_of

MAX_RUNS = 512
MAX_LOADS = 512
MAX_STATES = 4096
"""Kept per equipment; beyond it the oldest goes and its quantities stay where they are."""


class Changed(NamedTuple):
    """Time whose attribution has to be looked at again: from_us <= t <= to_us."""

    from_us: int
    to_us: int


def run_of(row: EquipmentRow, name: str) -> RunState:
    known = next((run for run in row.runs if run.run == name), None)
    if known is None:
        known = RunState(name)
        row.runs.append(known)
        del row.runs[:-MAX_RUNS]
    return known


def started(row: EquipmentRow, event: RunStarted) -> Changed | None:
    run = run_of(row, event.run)
    before = _extent(row, run)
    if run.version >= event.version:
        return _changed(row, run, before) if _fill_in(run, event) else None
    run.order, run.operation, run.bom_revision = event.order, event.operation, event.bom_revision
    run.started_at, run.version = event.occurred_at, event.version
    _set_segment(run, RunSegment(event.occurred_at, event.version, event.outputs))
    return _changed(row, run, before)


def _fill_in(run: RunState, event: RunStarted) -> bool:
    """A start that arrives after something newer only says what that left open. False: nothing."""
    known = (run.order, run.operation, run.bom_revision, run.started_at, run.segments)
    if run.started_at is None or not run.segments:
        if not any(segment.version > event.version for segment in run.segments):
            _set_segment(run, RunSegment(event.occurred_at, event.version, event.outputs))
        run.bom_revision = run.bom_revision or event.bom_revision
        run.order, run.operation = run.order or event.order, run.operation or event.operation
    run.started_at = event.occurred_at if run.started_at is None else run.started_at
    return known != (run.order, run.operation, run.bom_revision, run.started_at, run.segments)


def changed(row: EquipmentRow, event: RunChanged) -> Changed | None:
    run = run_of(row, event.run)
    known = next((segment for segment in run.segments if segment.from_at == event.occurred_at), None)
    if known is not None and (known.version > event.version or known.outputs == event.outputs):
        return None
    _set_segment(run, RunSegment(event.occurred_at, event.version, event.outputs))
    row.revision += 1
    return Changed(event.occurred_at, END_OF_TIME) if run.started_at is not None else None


def ended(row: EquipmentRow, event: RunEnded) -> Changed | None:
    if not event.run:
        if event.occurred_at in row.stops:
            return None
        row.stops.append(event.occurred_at)
        row.stops.sort()
        del row.stops[:-MAX_RUNS]
        row.revision += 1
        return Changed(event.occurred_at, END_OF_TIME)
    run = run_of(row, event.run)
    if run.ended_at is not None and run.version >= event.version:
        return None
    before = _extent(row, run)
    run.ended_at, run.version = event.occurred_at, max(run.version, event.version)
    return _changed(row, run, before)


def corrected(row: EquipmentRow, event: RunCorrected) -> Changed | None:
    run = run_of(row, event.run)
    if run.version >= event.version:
        return None
    before = _extent(row, run)
    run.version = event.version
    run.order, run.operation = event.order or run.order, event.operation or run.operation
    run.started_at = event.started_at if event.started_at is not None else run.started_at
    run.ended_at = event.ended_at if event.ended_at is not None else run.ended_at
    if event.outputs:
        run.segments = [RunSegment(run.started_at or event.occurred_at, event.version, event.outputs)]
    return _changed(row, run, before)


def voided(row: EquipmentRow, event: RunVoided) -> Changed | None:
    run = run_of(row, event.run)
    if run.voided or run.version > event.version:
        return None
    before = _extent(row, run)
    run.voided, run.version = True, event.version
    return _changed(row, run, before)


def loaded(row: EquipmentRow, event: LotLoaded | LotUnloaded) -> Changed | None:
    if any(load.event_id == event.event_id for load in row.loads):
        return None
    material, lot = (event.material, event.lot) if isinstance(event, LotLoaded) else ("", "")
    row.loads.append(
        LotLoad(position=event.position, from_at=event.occurred_at, event_id=event.event_id, material=material, lot=lot)
    )
    row.loads.sort(key=lambda load: (load.from_at, load.event_id))
    del row.loads[:-MAX_LOADS]
    row.revision += 1
    return Changed(event.occurred_at, END_OF_TIME)


def state_changed(row: EquipmentRow, event: EquipmentStateChanged) -> bool:
    if any(span.event_id == event.event_id for span in row.states):
        return False
    span = StateSpan(event.occurred_at, event.state, event.event_id, event.reason, event.raw_source, event.raw_offset)
    row.states.append(span)
    row.states.sort(key=lambda span: (span.from_at, span.event_id))
    del row.states[:-MAX_STATES]
    return True


def prune(row: EquipmentRow, before_us: int, named: Container[str] = ()) -> None:
    """Forget runs that ended before, and loads, states and stops that something later replaced before. Runs that are
    `named` by a declaration stay: it would lose its order."""
    row.runs = [run for run in row.runs if run.started_at is None or end_of(run, row.stops) >= before_us or run.run in named]
    oldest = min((run.started_at for run in row.runs if run.started_at is not None), default=before_us)
    keep_from = min(oldest, before_us)
    row.stops = [stop for stop in row.stops if stop >= keep_from]
    newest = {load.position: load for load in row.loads if load.from_at < keep_from}
    row.loads = [load for load in row.loads if load.from_at >= keep_from or newest[load.position] is load]
    earlier = [span for span in row.states if span.from_at < keep_from]
    row.states = earlier[-1:] + [span for span in row.states if span.from_at >= keep_from]


def _set_segment(run: RunState, segment: RunSegment) -> None:
    run.segments = [known for known in run.segments if known.from_at != segment.from_at] + [segment]
    run.segments.sort(key=lambda known: known.from_at)


def _extent(row: EquipmentRow, run: RunState) -> Changed | None:
    if run.started_at is None or run.voided:
        return None
    return Changed(run.started_at, end_of(run, row.stops))


def _changed(row: EquipmentRow, run: RunState, before: Changed | None) -> Changed | None:
    row.revision += 1
    extents = [extent for extent in (before, _extent(row, run)) if extent is not None]
    if not extents:
        return None
    return Changed(min(extent.from_us for extent in extents), END_OF_TIME)
