"""Who owns a moment of an equipment: the run, its outputs, the loaded lots and the business date (docs/domain.md, Runs and
Outputs of a run)."""

import heapq
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from schemas.configuration import Counter
from schemas.configuration.plant import Attribution
from schemas.records import EquipmentRow, LotLoad, Output, RunSegment, RunState
from tables.equipment.destination import UNATTRIBUTED, UNDECIDED, Destination
from tables.equipment.entries import standing
from tables.equipment.working_time import end_of_work
from tables.order_of_telling import Place, Told, place, precedes
from tables.plant.calendar import Calendar

END_OF_TIME = 2**62


class Load(NamedTuple):
    material: str
    lot: str


_NOTHING = ("", Load("", ""))
"""No position, no load."""


@dataclass(slots=True, frozen=True)
class Span:
    """start <= t < end belong to `run` (None: nobody's) with these outputs, loads and business date."""

    start: int
    end: int
    run: RunState | None
    outputs: tuple[Output, ...]
    loads: tuple[tuple[str, Load], ...]
    business_date: str


class Reign(NamedTuple):
    """A run with its time; both ends belong to it."""

    run: RunState
    start: int
    end: int
    over_by: "Reign | None" = None
    """The later start that ended it, because nothing else did."""


class Ownership:
    """The spans of one equipment. Built from the row once per revision of its runs and loads.

    A moment belongs to an open run before one in its grace, then to the latest start, then to the start that was told last.
    A run is open from its start to its end, both included; one that a later start went over, until that start (see `reigns`).
    """

    def __init__(self, row: EquipmentRow, calendar: Calendar, attribution: Attribution) -> None:
        self._calendar, self._grace_us = calendar, attribution.run_grace_us
        self.shared_time = attribution.shared_time
        """Whose time it is while a run makes pieces of several orders."""
        runs = reigns(row, attribution.late_horizon_us)
        marks = {0}
        for reign in runs:
            marks.update((reign.start, reign.end + 1, reign.end + 1 + self._grace_us))
            marks.update(segment.from_at for segment in segments_of(reign.run))
        loads = standing(row.loads, row.voids)
        marks.update(load.from_at for load in loads)
        self._starts = sorted(mark for mark in marks if mark < END_OF_TIME)
        self._owners = _owners(runs, self._starts, self._grace_us)
        self._loads = _loaded(loads, self._starts)
        self._load_events = loads
        self._runs = runs

    def at(self, moment: int) -> Span:
        """The span of a moment; it never crosses a shift."""
        index = bisect_right(self._starts, moment) - 1
        shift = self._calendar.shift_at(moment)
        start = max(self._starts[index], shift.start)
        following = self._starts[index + 1] if index + 1 < len(self._starts) else END_OF_TIME
        run = self._owners[index]
        outputs = tuple(outputs_at(run, start)) if run is not None else ()
        return Span(start, min(following, shift.end), run, outputs, self._loads[index], shift.business_date)

    def work_ends(self, moment: int) -> int:
        """When the work of who logged on at `moment` is over, unless they log off."""
        return end_of_work(self._calendar, moment)

    def as_told(self, moment: int, told: Told) -> Span:
        """The span of a moment as it was when a record of that moment was told: what its own source told of the same moment
        afterwards (a start, a change, a load) came afterwards."""
        span = self.at(moment)
        if span.start != moment:
            return span
        runs = [reign for reign in self._runs if reign.start != moment or not precedes(told, reign.run.stated["started_at"])]
        loads = [load for load in self._load_events if load.from_at != moment or not precedes(told, load)]
        run = owner(runs, moment, self._grace_us)
        outputs = tuple(outputs_at(run, moment, told)) if run is not None else ()
        return Span(moment, moment + 1, run, outputs, loaded_at(loads, moment), span.business_date)


def end_of(run: RunState, row: EquipmentRow) -> int:
    """A run ends where people say; else where it says, or at the first stop without a run after its start.

    A stop at the moment of the start ended the run before, unless the source of both told it after the start.
    """
    assert run.started_at is not None
    if run.ended_at is not None and run.stated["ended_at"].by_people:
        return run.ended_at
    ends = [stop for stop in row.stops if stop > run.started_at or (stop == run.started_at and _stopped_at_once(run, row))]
    if run.ended_at is not None:
        ends.append(run.ended_at)
    return min(ends, default=END_OF_TIME)


def reigns(row: EquipmentRow, over_after_us: int) -> list[Reign]:
    """The runs with their time, in the order of their starts. A run over which a later start stayed open for `over_after_us` is
    over where that one began, unless it ended before that time was up, or people say when it ended."""
    runs = sorted((run for run in row.runs if run.started_at is not None and not run.voided), key=started)
    found: list[Reign] = []
    over: Reign | None = None
    for run in reversed(runs):
        assert run.started_at is not None
        end = end_of(run, row)
        by_people = run.ended_at is not None and run.stated["ended_at"].by_people
        if over is not None and not by_people and end > over.start + over_after_us:
            found.append(Reign(run, run.started_at, over.start, over))
        else:
            found.append(Reign(run, run.started_at, end))
        if end - run.started_at >= over_after_us:
            over = found[-1]
    return found[::-1]


def _stopped_at_once(run: RunState, row: EquipmentRow) -> bool:
    stop, start = row.stop_places.get(str(run.started_at)), run.stated.get("started_at")
    return stop is not None and start is not None and precedes(start, stop)


def owner(runs: Iterable[Reign], moment: int, grace_us: int) -> RunState | None:
    covering = [reign for reign in runs if reign.start <= moment <= reign.end + grace_us]
    return max(covering, key=lambda reign: (moment <= reign.end, started(reign.run))).run if covering else None


def _owners(runs: list[Reign], moments: list[int], grace_us: int) -> list[RunState | None]:
    """`owner` of each moment. Both are sorted: `runs` by their starts."""
    found: list[RunState | None] = []
    open_: list[tuple[int, Reign]] = []
    in_grace: list[tuple[int, Reign]] = []
    begun = 0
    for moment in moments:
        while begun < len(runs) and runs[begun].start <= moment:
            heapq.heappush(open_, (-begun, runs[begun]))
            begun += 1
        while open_ and open_[0][1].end < moment:
            heapq.heappush(in_grace, heapq.heappop(open_))
        while in_grace and in_grace[0][1].end + grace_us < moment:
            heapq.heappop(in_grace)
        first = open_ or in_grace
        found.append(first[0][1].run if first else None)
    return found


def started(run: RunState) -> tuple[int, Place, str]:
    """What is greater started later. The id only keeps apart what nothing else does."""
    assert run.started_at is not None
    return run.started_at, place(run.stated["started_at"]), run.run


def segments_of(run: RunState) -> list[RunSegment]:
    """The run's outputs from time to time, first what held from its start.

    Outputs that people stated hold for the whole run; a change outdoes them from its time on if it has a greater version,
    or no version and happened after they were stated.
    """
    said = run.corrected
    if said is None:
        return run.segments
    outdo = [
        segment
        for segment in run.segments
        if segment.version > said.version or (not segment.start and not segment.version and segment.from_at > said.from_at)
    ]
    return [RunSegment(0, said.version, said.outputs, said.event_id), *outdo]


def outputs_at(run: RunState, moment: int, told: Told | None = None) -> list[Output]:
    """Outputs of the newest segment that began by then (and was not told after `told` of the same moment); before the first
    one the first one holds."""
    segments = segments_of(run)
    begun = [segment for segment in segments if segment.from_at <= moment]
    if told is not None:
        begun = [segment for segment in begun if segment.from_at != moment or not precedes(told, segment)]
    return begun[-1].outputs if begun else segments[0].outputs if segments else []


def _loaded(loads: list[LotLoad], moments: list[int]) -> list[tuple[tuple[str, Load], ...]]:
    """`loaded_at` of each moment, which are sorted."""
    found: list[tuple[tuple[str, Load], ...]] = []
    held: dict[str, Load] = {}
    told, reached = sorted(loads, key=lambda load: load.from_at), 0
    for moment in moments:
        before = reached
        while reached < len(told) and told[reached].from_at <= moment:
            held[told[reached].position] = Load(told[reached].material, told[reached].lot)
            reached += 1
        found.append(found[-1] if found and reached == before else tuple(sorted(held.items())))
    return found


def loaded_at(loads: Iterable[LotLoad], moment: int) -> tuple[tuple[str, Load], ...]:
    """What is loaded at each position that was ever used; an unloaded position has an empty lot."""
    newest: dict[str, LotLoad] = {}
    for load in loads:
        if load.from_at <= moment and (load.position not in newest or newest[load.position].from_at <= load.from_at):
            newest[load.position] = load
    return tuple((position, Load(newest[position].material, newest[position].lot)) for position in sorted(newest))


def count_destinations(span: Span, name: str, counter: Counter, basis: bool = True) -> list[tuple[Destination, int]]:
    """Where one count made in `span` goes, with the factor of each. Empty: an indicator, or plugged cavities.

    `basis`: what is backflushed follows from this counter (of an equipment that counts gross and good, from gross).
    """
    if counter.counts == "indicator":
        return []
    if span.run is None:
        return [(unattributed(span.business_date, name, counter), 1)]
    if counter.counts == "consumption":
        return [(_metered(span, name, counter), 1)]
    found = []
    for output in span.outputs:
        if output.factor:
            found.append((_piece(span, name, counter, output, counter.counts, _NOTHING), output.factor))
            if basis and counter.counts in ("gross", "good"):
                pieces = (_piece(span, name, counter, output, "basis", loaded) for loaded in span.loads)
                found.extend((piece, output.factor) for piece in pieces)
    return found if span.outputs else [(unattributed(span.business_date, name, counter), 1)]


def unattributed(business_date: str, name: str, counter: Counter) -> Destination:
    return Destination(
        name,
        "",
        "",
        "",
        "",
        "",
        UNATTRIBUTED,
        counter.counts,
        "",
        "",
        "",
        business_date,
        counter.unit,
        counter.decimals,
        "counters",
    )


def undecided(business_date: str, name: str, counter: Counter, began_at: int) -> Destination:
    """What a counter shows and nobody believes yet, since that time."""
    return unattributed(business_date, name, counter)._replace(kind=UNDECIDED, reason=str(began_at))


def _piece(span: Span, name: str, counter: Counter, output: Output, kind: str, loaded: tuple[str, Load]) -> Destination:
    """`loaded`: position and load that it goes with."""
    assert span.run is not None
    position, load = loaded
    return Destination(
        name,
        span.run.run,
        output.order or span.run.order,
        span.run.operation,
        output.material,
        output.lot,
        kind,
        "",
        position,
        load.material,
        load.lot,
        span.business_date,
        counter.unit,
        counter.decimals,
        "counters",
    )


def _metered(span: Span, name: str, counter: Counter) -> Destination:
    assert span.run is not None
    position = counter.position or name
    load = dict(span.loads).get(position, Load("", ""))
    material = load.material if counter.of == "loaded_lot" else counter.of
    lot = load.lot if load.material == material else ""
    order = span.run.order or next((output.order for output in span.outputs if output.order), "")
    return Destination(
        name,
        span.run.run,
        order,
        span.run.operation,
        material,
        lot,
        "consumption",
        "",
        position,
        "",
        "",
        span.business_date,
        counter.unit,
        counter.decimals,
        "counters",
    )
