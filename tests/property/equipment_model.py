"""One equipment the slow and obvious way: keep everything, sort it, walk it, and attribute each piece by definition."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from schemas.records import LotLoaded, RunChanged, RunCorrected, RunEnded, RunStarted, RunVoided
from tests.unit.tables.floor_bench import HOUR, MIDNIGHT

FOREVER = 2**62


class Reading(NamedTuple):
    seq: int
    at: int
    value: int | None


class Piece(NamedTuple):
    at: int
    amount: int
    gap_from: int | None


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
"""(run, order, material, kind, component lot, business date, reason); nobody's pieces have kind `unattributed`."""


def pieces(readings: Iterable[Reading], on_fall: str, modulus: int) -> Iterator[Piece]:
    """What the counter counted, in the order of its truth. `readings`: all that are known, in the order
    of their arrival."""
    first: dict[tuple[int, int], Reading] = {}
    for one in readings:  # of two with one sequence number the first to arrive stays
        first.setdefault((one.seq, 0 if one.seq >= 0 else one.at), one)
    known = sorted((one.at, one.seq, one.value) for one in first.values())
    line = [(at, value) for at, _, value in known]
    old, broken, n = None, None, 0
    while n < len(line):
        at, value = line[n]
        n += 1
        if value is None:
            broken = broken if old is None or broken is not None else at
        elif old is None:
            old = value
        elif value >= old:
            if value > old:
                yield Piece(at, value - old, broken)
            old, broken = value, None
        elif on_fall == "placeholder":
            low, low_at = value, at
            gap = low_at if broken is None else min(low_at, broken)
            while n < len(line):
                at, value = line[n]
                n += 1
                if value is None:
                    continue
                if value >= old:
                    if value > old:
                        yield Piece(at, value - old, gap)
                    old, broken = value, None
                    break
                if value > low:
                    if low:
                        yield Piece(low_at, low, None)
                    yield Piece(at, value - low, None)
                    old, broken = value, None
                    break
                if value < low:
                    low, low_at = value, at
                    gap = low_at if broken is None else min(low_at, broken)
        else:
            yield Piece(at, value + modulus - old if on_fall == "rollover" else value, broken)
            old, broken = value, None


def runs(events: Iterable[Any]) -> list[Run]:
    """The runs that these events tell of: of each statement the newest version."""
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


def totals(readings: Iterable[Reading], events: list[Any], on_fall: str, modulus: int, grace: int) -> dict[Key, int]:
    known, found = runs(events), defaultdict[Key, int](int)
    loads = sorted((event.occurred_at, event.raw_offset, event.lot) for event in events if isinstance(event, LotLoaded))
    for piece in pieces(readings, on_fall, modulus):
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
