"""Runs of an equipment as its events tell them, in any order of arrival (docs/domain.md, Corrections and voids).

Each field of a run comes from the newest statement about it. A greater version is newer; of equal versions people
(RunCorrected, RunVoided) outdo machines, then the later time counts, then what was told later. So a start that comes late
fills what a correction left open and undoes nothing.
"""

from collections.abc import Container
from dataclasses import replace
from typing import NamedTuple

from schemas.records import (
    EquipmentRow,
    RunChanged,
    RunCorrected,
    RunEnded,
    RunSegment,
    RunStarted,
    RunState,
    RunVoided,
    Stated,
)
from tables.equipment.attribution import END_OF_TIME, Reign, end_of, reigns
from tables.order_of_telling import Place, place


class Changed(NamedTuple):
    """Time whose attribution has to be looked at again: from_us <= t <= to_us."""

    from_us: int
    to_us: int


class Rank(NamedTuple):
    """What is greater is newer (see Stated)."""

    version: int
    by_people: bool
    at: int
    told: Place


def find(row: EquipmentRow, name: str) -> RunState | None:
    return next((run for run in row.runs if run.run == name), None)


def started(row: EquipmentRow, event: RunStarted) -> Changed | None:
    """Of two starts of one run the earlier is its start; the later one states outputs from its time on."""
    run, before = _open(row, event.run)
    said = _stated(event)
    _state(run, "said", said)
    filled = {"order": event.order, "operation": event.operation, "bom_revision": event.bom_revision}
    _fill(run, said, **filled, correlation_id=event.correlation_id)
    if _state(run, "started_at", replace(said, at=-said.at)):
        run.started_at = event.occurred_at
    _add_segment(run, _segment(event, start=True))
    return _settle(row, run, before)


def changed(row: EquipmentRow, event: RunChanged) -> Changed | None:
    run, before = _open(row, event.run)
    _add_segment(run, _segment(event))
    return _settle(row, run, before)


def ended(row: EquipmentRow, event: RunEnded) -> Changed | None:
    if not event.run:
        return _stopped(row, event)
    run, before = _open(row, event.run)
    if _state(run, "ended_at", _stated(event)):
        run.ended_at = event.occurred_at
    return _settle(row, run, before)


def corrected(row: EquipmentRow, event: RunCorrected) -> Changed | None:
    """Empty fields stay as they were. Outputs are those of the whole run: see `attribution.segments_of`."""
    run, before = _open(row, event.run)
    said = _stated(event)
    _state(run, "said", said)
    _fill(run, said, order=event.order, operation=event.operation)
    if event.started_at is not None and _state(run, "started_at", said):
        run.started_at = event.started_at
    if event.ended_at is not None and _state(run, "ended_at", said):
        run.ended_at = event.ended_at
    if event.outputs and _state(run, "outputs", said):
        run.corrected = _segment(event)
    return _settle(row, run, before)


def voided(row: EquipmentRow, event: RunVoided) -> Changed | None:
    run, before = _open(row, event.run)
    _state(run, "voided", _stated(event))
    return _settle(row, run, before)


def _stopped(row: EquipmentRow, event: RunEnded) -> Changed | None:
    """An end without a run ends all runs that began before."""
    moment, said = event.occurred_at, _stated(event)
    known = row.stop_places.get(str(moment))
    if moment in row.stops and (known is None or place(known) >= place(said)):
        return None
    row.stop_places[str(moment)] = said
    row.stops = sorted({*row.stops, moment})
    row.revision += 1
    return Changed(moment, END_OF_TIME)


def prune(row: EquipmentRow, before_us: int, over_after_us: int, named: Container[str] = ()) -> None:
    """Forget runs that ended before or were over before (`reigns`), runs that nothing newer was said of and that never began or
    are void, and stops before all of them. Runs that are `named` by a declaration stay: it would lose its order."""
    known = {reign.run.run: reign for reign in reigns(row, over_after_us)}
    needed: set[str] = set()
    for reign in known.values():  # by their starts: without what ended it a run would go on
        if reign.run.run in named or reign.run.run in needed or _last_needed(reign, over_after_us) >= before_us:
            needed.add(reign.run.run)
            if reign.over_by is not None:
                needed.add(reign.over_by.run.run)
    for run in row.runs:
        if run.run not in known and (run.run in named or _last_told(run) >= before_us):
            needed.add(run.run)
    row.runs = [run for run in row.runs if run.run in needed]
    keep_from = min([before_us, *(run.started_at for run in row.runs if run.started_at is not None)])
    row.stops = [stop for stop in row.stops if stop >= keep_from]
    row.stop_places = {key: told for key, told in row.stop_places.items() if int(key) >= keep_from}


def _last_needed(reign: Reign, over_after_us: int) -> int:
    """Its last moment; of a run that a later start went over, when that one has been open for long enough: until then an end of
    it may come that gives the run back what follows."""
    return reign.end if reign.over_by is None else reign.over_by.start + over_after_us


def _last_told(run: RunState) -> int:
    told = [abs(stated.at) for stated in run.stated.values()] + [segment.from_at for segment in run.segments]
    return max(told, default=0)


# -- statements


def _stated(event: RunStarted | RunEnded | RunCorrected | RunVoided) -> Stated:
    by_people = isinstance(event, RunCorrected | RunVoided)
    version, at = event.version, event.occurred_at
    return Stated(version, by_people, at, event.event_id, event.raw_source, event.raw_offset, event.source_seq, event.raw_part)


def _segment(event: RunStarted | RunChanged | RunCorrected, start: bool = False) -> RunSegment:
    return RunSegment(
        event.occurred_at,
        event.version,
        event.outputs,
        event.event_id,
        start,
        event.raw_source,
        event.raw_offset,
        event.source_seq,
        event.raw_part,
    )


def _rank(said: Stated) -> Rank:
    return Rank(said.version, said.by_people, said.at, place(said))


def _newest(run: RunState, what: str) -> Rank | None:
    known = run.stated.get(what)
    return None if known is None else _rank(known)


def _state(run: RunState, what: str, said: Stated) -> bool:
    """Is this the newest statement about `what`? Then it is noted."""
    known = run.stated.get(what)
    if known is not None and (known.event_id == said.event_id or _rank(known) >= _rank(said)):
        return False
    run.stated[what] = said
    return True


def _fill(run: RunState, said: Stated, **fields: str) -> None:
    for name, value in fields.items():
        if value and _state(run, name, said):
            setattr(run, name, value)


def _add_segment(run: RunState, segment: RunSegment) -> None:
    """One per moment: the greater version, a change before a start, what was told later."""
    if any(known.event_id == segment.event_id for known in run.segments):
        return
    same = [segment, *(known for known in run.segments if known.from_at == segment.from_at)]
    newest = max(same, key=lambda known: (known.version, not known.start, place(known)))
    run.segments = [known for known in run.segments if known.from_at != segment.from_at] + [newest]
    run.segments.sort(key=lambda known: known.from_at)


# -- what changed


class _Before(NamedTuple):
    view: tuple[object, ...]
    extent: Changed | None


def _open(row: EquipmentRow, name: str) -> tuple[RunState, _Before]:
    run = find(row, name)
    if run is None:
        run = RunState(name)
        row.runs.append(run)
        return run, _Before((), None)
    return run, _Before(_view(run), _extent(row, run))


def _view(run: RunState) -> tuple[object, ...]:
    return (*sorted((name, _newest(run, name)) for name in run.stated), *run.segments)


def _extent(row: EquipmentRow, run: RunState) -> Changed | None:
    if run.started_at is None or run.voided:
        return None
    return Changed(run.started_at, end_of(run, row))


def _settle(row: EquipmentRow, run: RunState, before: _Before) -> Changed | None:
    void, said = _newest(run, "voided"), _newest(run, "said")
    run.voided = void is not None and (said is None or said < void)
    if _view(run) == before.view:
        return None
    row.revision += 1
    extents = [extent for extent in (before.extent, _extent(row, run)) if extent is not None]
    # A run without time still gives its order to the declarations that name it.
    return Changed(min((extent.from_us for extent in extents), default=END_OF_TIME), END_OF_TIME)
