"""One equipment the slow and obvious way: keep everything, sort it, walk it, and attribute each piece by definition."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from schemas.records import LotLoaded, OperatorDecision, RunChanged, RunCorrected, RunEnded, RunStarted, RunVoided
from tests.property import counter_model
from tests.property.counter_model import Piece, Rule
from tests.unit.tables.floor_bench import HOUR, MIDNIGHT

FOREVER = 2**62


class Reading(NamedTuple):
    seq: int
    at: int
    value: int | None


class Run(NamedTuple):
    name: str
    start: int
    end: int
    order: str
    segments: list[tuple[int, list[Any]]]
    told: int
    """Raw position of the start."""

    def outputs(self, moment: int) -> list[Any]:
        begun = [outputs for since, outputs in self.segments if since <= moment]
        return begun[-1] if begun else self.segments[0][1]


Key = tuple[str, str, str, str, str, str, str]
"""(run, order, material, kind, component lot, business date, reason); nobody's pieces have kind `unattributed` or `undecided`."""


def pieces(readings: Iterable[Reading], rule: Rule, events: Sequence[Any] = ()) -> Iterator[Piece]:
    """What the counter counted, in the order of its truth. `readings`: all that are known, in the order of their arrival."""
    first: dict[tuple[int, ...], Reading] = {}
    for one in readings:  # of two with one sequence number the first to arrive stays
        first.setdefault((one.seq, 0, 0) if one.seq >= 0 else (-1, one.at, -1 if one.value is None else one.value), one)
    line = sorted(first.values(), key=lambda one: (one.at, one.seq))
    yield from counter_model.pieces([(one.at, one.seq, one.value) for one in line], rule, decisions(events))


def decisions(events: Sequence[Any]) -> dict[int, str]:
    """Of each undecided count the newest."""
    newest = sorted(
        (one for one in events if isinstance(one, OperatorDecision)), key=lambda one: (one.occurred_at, one.raw_offset)
    )
    return {key: what for key, what in {one.began_at: one.decision for one in newest}.items() if what != "retry"}


def runs(events: Iterable[Any]) -> list[Run]:
    """The runs that these events tell of: of each statement the newest version."""
    events = [event for event in events if not isinstance(event, OperatorDecision)]
    stops = [(event.occurred_at, event.raw_offset) for event in events if isinstance(event, RunEnded) and not event.run]
    names = {event.run for event in events if getattr(event, "run", "")}
    found = []
    for name in sorted(names):
        own = [event for event in events if getattr(event, "run", "") == name]
        if any(isinstance(event, RunVoided) for event in own):
            continue
        corrections = sorted((event for event in own if isinstance(event, RunCorrected)), key=lambda event: event.version)
        starts = [event for event in own if isinstance(event, RunStarted)]
        ends = [event.occurred_at for event in own if isinstance(event, RunEnded)]
        changes = {event.occurred_at: event.outputs for event in own if isinstance(event, RunChanged)}
        if corrections:
            newest = corrections[-1]
            start, order, end, told = newest.started_at, newest.order, newest.ended_at, newest.raw_offset
            segments = {start: newest.outputs}
        elif starts:
            start, order, end = starts[0].occurred_at, starts[0].order, ends[0] if ends else FOREVER
            told = starts[0].raw_offset
            segments = {start: starts[0].outputs, **changes}
        else:
            continue
        if not corrections:
            end = min([end, *(stop for stop, position in stops if (stop, position) > (start, told))])
        found.append(Run(name, start, end, order, sorted(segments.items(), key=lambda entry: entry[0]), told))
    return found


def owner(known: list[Run], moment: int, grace: int) -> Run | None:
    """An open run before one in its grace, then the latest start, then the start with the greatest raw position."""
    covering = [run for run in known if run.start <= moment <= run.end + grace]
    return max(covering, key=lambda run: (moment <= run.end, run.start, run.told), default=None)


def business_date(moment: int) -> str:
    """UTC, the early shift begins at 06:00: whatever is before belongs to the day before."""
    day = (moment - 6 * HOUR - MIDNIGHT) // (24 * HOUR)
    return f"2026-11-{20 + day:02d}"


def totals(readings: Iterable[Reading], events: list[Any], rule: Rule, grace: int) -> dict[Key, int]:
    known, found = runs(events), defaultdict[Key, int](int)
    loads = sorted((event.occurred_at, event.raw_offset, event.lot) for event in events if isinstance(event, LotLoaded))
    for piece in pieces(readings, rule, events):
        if piece.undecided is not None:
            found["", "", "", "undecided", "", business_date(piece.undecided), str(piece.undecided)] += piece.amount
            continue
        run, date = owner(known, piece.at, grace), business_date(piece.at)
        if run is not None and piece.gap_from is not None:
            before = owner(known, piece.gap_from, grace)
            run = run if before is not None and before.name == run.name else None
        if run is None:
            found["", "", "", "unattributed", "", date, "gross"] += piece.amount
            continue
        lots = [lot for since, _, lot in loads if since <= piece.at]
        for output in run.outputs(piece.at):
            made = piece.amount * output.factor
            found[run.name, run.order, output.material, "gross", "", date, ""] += made
            if lots:
                found[run.name, run.order, output.material, "basis", lots[-1], date, ""] += made
    return {key: amount for key, amount in found.items() if amount}
