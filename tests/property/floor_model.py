"""One equipment the slow and obvious way, with everything that may happen to it: keep all records, sort them, walk them, and
attribute each piece, declaration and interval by the definition of docs/counting.md."""

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from schemas.records import (
    EquipmentStateChanged,
    LabourRecorded,
    LotLoaded,
    MaterialConsumed,
    ReworkDeclared,
    ReworkReturned,
    RunChanged,
    RunCorrected,
    RunEnded,
    RunStarted,
    RunVoided,
    ScrapDeclared,
)
from tests.property import counter_model
from tests.property.counter_model import Piece, Rule
from tests.property.equipment_model import FOREVER, business_date
from tests.unit.tables.floor_bench import HOUR, MIDNIGHT

MODULUS = 100_000


class Reading(NamedTuple):
    counter: str
    seq: int
    at: int
    value: int | None


class Run(NamedTuple):
    name: str
    start: int | None
    end: int
    order: str
    operation: str
    segments: list[tuple[int, list[Any]]]
    told: int
    """Raw position of what says when it started: of two that start together the one that was told of later started later."""

    def outputs(self, moment: int) -> list[Any]:
        begun = [outputs for since, outputs in self.segments if since <= moment]
        return begun[-1] if begun else self.segments[0][1] if self.segments else []


Key = tuple[str, str, str, str, str, str, str, str, str]
"""(run, order, operation, material, lot, kind, reason, component lot, business date)."""
DECLARED = {ScrapDeclared: "scrap", ReworkDeclared: "rework", ReworkReturned: "rework", MaterialConsumed: "consumption"}


# -- counters


def first_of(readings: Sequence[Reading]) -> list[Reading]:
    """In order of arrival: of two with one sequence number (without: of one time and value) the first."""
    found: dict[tuple[Any, ...], Reading] = {}
    for one in readings:
        found.setdefault((one.seq,) if one.seq >= 0 else (-1, one.at, one.value), one)
    return list(found.values())


def conflicts(readings: Sequence[Reading]) -> int:
    """Readings whose number had another value before."""
    known: dict[tuple[str, int], int | None] = {}
    return sum(one.seq >= 0 and known.setdefault((one.counter, one.seq), one.value) != one.value for one in readings)


def pieces(readings: Sequence[Reading], rule: Rule) -> Iterator[Piece]:
    """What a counter counted."""
    line = sorted(first_of(readings), key=lambda one: (one.at, one.seq))
    yield from counter_model.pieces([(one.at, one.seq, one.value) for one in line], rule)


# -- runs


def newest(statements: list[tuple[tuple[Any, ...], Any]]) -> Any:
    return max(statements, key=lambda one: one[0])[1] if statements else None


def rank(event: Any, earliest: bool = False) -> tuple[Any, ...]:
    people = isinstance(event, RunCorrected | RunVoided)
    return event.version, people, -event.occurred_at if earliest else event.occurred_at, event.raw_offset


def runs(events: Sequence[Any]) -> list[Run]:
    """Also those that were told of and never began: their start is None."""
    stops = [(event.occurred_at, event.raw_offset) for event in events if isinstance(event, RunEnded) and not event.run]
    names = sorted({event.run for event in events if isinstance(event, RUN_EVENTS) and event.run})
    return [
        run for run in (_run(name, [one for one in events if getattr(one, "run", "") == name], stops) for name in names) if run
    ]


RUN_EVENTS = (RunStarted, RunChanged, RunEnded, RunCorrected, RunVoided)


def _run(name: str, own: list[Any], stops: list[tuple[int, int]]) -> Run | None:
    starts = [one for one in own if isinstance(one, RunStarted)]
    fixes = [one for one in own if isinstance(one, RunCorrected)]
    said, voids = [(rank(one), one) for one in starts + fixes], [(rank(one), one) for one in own if isinstance(one, RunVoided)]
    began = newest(
        [(rank(one, earliest=True), (one.occurred_at, one.raw_offset)) for one in starts]
        + [(rank(one), (one.started_at, one.raw_offset)) for one in fixes if one.started_at is not None]
    )
    if voids and (not said or max(voids)[0] > max(said, key=lambda one: one[0])[0]):
        return None
    ends = [(rank(one), (one.occurred_at, False)) for one in own if isinstance(one, RunEnded)]
    ends += [(rank(one), (one.ended_at, True)) for one in fixes if one.ended_at is not None]
    end, by_people = newest(ends) or (FOREVER, False)
    if not by_people and began is not None:
        end = min([end, *(stop[0] for stop in stops if stop > began)])
    order = newest([(rank(one), one.order) for one in starts + fixes if one.order]) or ""
    operation = newest([(rank(one), one.operation) for one in starts + fixes if one.operation]) or ""
    start, told = began or (None, 0)
    return Run(name, start, end, order, operation, _segments(own, fixes), told)


def _segments(own: list[Any], fixes: list[Any]) -> list[tuple[int, list[Any]]]:
    told = sorted(
        (one for one in own if isinstance(one, RunStarted | RunChanged)),
        key=lambda one: (one.occurred_at, one.version, isinstance(one, RunChanged), one.raw_offset),
    )
    latest = {one.occurred_at: one for one in told}
    fix = newest([(rank(one), one) for one in fixes if one.outputs])
    if fix is None:
        return [(at, one.outputs) for at, one in sorted(latest.items())]
    after = [
        (at, one.outputs)
        for at, one in sorted(latest.items())
        if one.version > fix.version or (isinstance(one, RunChanged) and not one.version and at > fix.occurred_at)
    ]
    return [(0, fix.outputs), *after]


class Floor(NamedTuple):
    """Whose a moment is."""

    runs: list[Run]
    loads: list[tuple[int, int, str]]
    """(since, raw position, lot) at the hopper; no lot: unloaded."""
    grace: int

    def owner(self, moment: int) -> Run | None:
        covering = [run for run in self.runs if run.start is not None and run.start <= moment <= run.end + self.grace]
        return max(covering, key=lambda run: (moment <= run.end, run.start, run.told, run.name), default=None)

    def lot(self, moment: int) -> str | None:
        """None: nothing was ever loaded."""
        lots = [lot for since, _, lot in self.loads if since <= moment]
        return lots[-1] if lots else None


def floor_of(events: Sequence[Any], grace: int) -> Floor:
    moves = [one for one in events if getattr(one, "position", None) == "hopper" and not hasattr(one, "quantity")]
    loads = sorted((one.occurred_at, one.raw_offset, one.lot if isinstance(one, LotLoaded) else "") for one in moves)
    return Floor(runs(events), loads, grace)


# -- everything, added up


def totals(readings: Sequence[Reading], events: Sequence[Any], rules: dict[str, Rule], grace: int) -> dict[Key, int]:
    """Counted and declared quantity. `events`: each once. Readings in the order of their arrival."""
    floor, found = floor_of(events, grace), defaultdict[Key, int](int)
    for counter in ("shots", "rejects", "resin"):
        for piece in pieces([one for one in readings if one.counter == counter], rules[counter]):
            _give(found, floor, counter, piece)
    for event in events:
        if type(event) in DECLARED:
            _declare(found, floor, event)
    return {key: amount for key, amount in found.items() if amount}


COUNTS = {"shots": "gross", "rejects": "scrap", "resin": "consumption"}


def _give(found: dict[Key, int], floor: Floor, counter: str, piece: Piece) -> None:
    if piece.undecided is not None:
        found["", "", "", "", "", "undecided", str(piece.undecided), "", business_date(piece.undecided)] += piece.amount
        return
    run, date, kind = floor.owner(piece.at), business_date(piece.at), COUNTS[counter]
    if run is not None and piece.gap_from is not None:
        before = floor.owner(piece.gap_from)
        run = run if before is not None and before.name == run.name else None
    lot = floor.lot(piece.at)
    if run is not None and kind == "consumption":
        material = "PP" if lot else ""
        order = run.order or next((one.order for one in run.outputs(piece.at) if one.order), "")
        found[run.name, order, run.operation, material, lot or "", kind, "", "", date] += piece.amount
        return
    outputs = run.outputs(piece.at) if run is not None else []
    if run is None or not outputs:
        found["", "", "", "", "", "unattributed", kind, "", date] += piece.amount
        return
    for one in outputs:
        base = (run.name, one.order or run.order, run.operation, one.material, one.lot)
        found[*base, kind, "", "", date] += piece.amount * one.factor
        if kind == "gross" and lot is not None:
            found[*base, "basis", "", lot, date] += piece.amount * one.factor


def _declare(found: dict[Key, int], floor: Floor, event: Any) -> None:
    run = _meant(floor, event)
    begun = run is not None and run.start is not None
    moment = max(run.start, min(event.occurred_at, run.end)) if begun else event.occurred_at
    date, kind, amount = business_date(moment), DECLARED[type(event)], event.quantity.amount
    outputs = run.outputs(moment) if begun else []
    if run is not None and event.order:
        outputs = [one for one in outputs if (one.order or run.order) in ("", event.order)]
    order, operation = event.order or (run.order if run else ""), event.operation or (run.operation if run else "")
    material, lot = event.material, ""
    if kind == "consumption":
        loaded = floor.lot(moment) or ""
        material = material or ("PP" if loaded else "")
        lot = loaded if material == "PP" else ""
    else:
        fitting = [one for one in outputs if one.material == material] if material else outputs
        if fitting and (material or len({one.material for one in fitting}) == 1):
            # Twice the same material: a named one is the first, else the last (which a mapping by material keeps).
            one = fitting[0] if material else fitting[-1]
            material, lot, order = one.material, one.lot, event.order or one.order or order
    order = order or next((one.order for one in outputs if one.order), "")
    name = run.name if run is not None else event.run
    if not order and not name:
        operation = ""
    key = (name, order, operation, material, lot)
    parts = [(kind, -amount if isinstance(event, ReworkReturned) else amount)]
    if isinstance(event, ReworkReturned) and event.as_kind == "scrap":
        parts.append(("scrap", amount))
    for part, quantity in parts:
        nobodys = not order and not name
        found[*key, "unattributed" if nobodys else part, event.reason or (part if nobodys else ""), "", date] += quantity


def _meant(floor: Floor, event: Any) -> Run | None:
    if event.run:
        return next((run for run in floor.runs if run.name == event.run), None)
    owner = floor.owner(event.occurred_at)
    if not event.order or (owner is not None and _orders(owner) == {""}):
        return owner
    begun = [run for run in floor.runs if run.start is not None and run.start <= event.occurred_at]
    begun = [run for run in begun if event.order in _orders(run)]
    begun = [run for run in begun if event.operation in ("", run.operation)]
    is_owner = owner.name if owner is not None else None
    at = event.occurred_at
    return max(begun, key=lambda run: (run.name == is_owner, run.end >= at, run.start, run.told, run.name), default=None)


def _orders(run: Run) -> set[str]:
    return {run.order} | {one.order for _, outputs in run.segments for one in outputs}


def times(events: Sequence[Any], now: int, grace: int, shared: str) -> dict[tuple[str, str, str, str], int]:
    """(run, order, kind, business date) -> milliseconds up to `now`: from one moment at which anything changes to the next.
    `shared`: how the time of a run of several orders is shared (factor | equal | first)."""
    floor = floor_of(events, grace)
    states = sorted((one.occurred_at, one.raw_offset, one.state) for one in events if isinstance(one, EquipmentStateChanged))
    people = [presence for person in "pq" for presence in _presence(person, events)]
    marks = {at for at, _, _ in states} | {at for begin, end, _ in people for at in (begin, end)} | {now}
    begun = [run for run in floor.runs if run.start is not None]
    marks |= {mark for run in begun for mark in (run.start, run.end, run.end + 1, run.end + grace + 1)}
    marks |= {since for run in begun for since, _ in run.segments} | set(CUTS)
    line = sorted(mark for mark in marks if mark <= now)
    micros: dict[tuple[str, str, str, str], Fraction] = defaultdict(Fraction)
    for start, end in itertools.pairwise(line):
        run = floor.owner(start)
        if run is None or start >= run.end:
            continue
        date = business_date(start)
        state = [name for at, _, name in states if at <= start][-1:]
        spent = {"labour_time": sum((share for begin, over, share in people if begin <= start < over), Fraction(0))}
        if state and state[0] in ("running", "setup"):
            spent[{"running": "machine_time", "setup": "setup_time"}[state[0]]] = Fraction(1)
        for order, part in _parts(run, start, shared):
            for kind, many in spent.items():
                micros[run.name, order, kind, date] += (end - start) * many * part
    return {key: int(value / 1000 + Fraction(1, 2)) for key, value in micros.items() if int(value / 1000 + Fraction(1, 2))}


CUTS = [MIDNIGHT + n * 8 * HOUR - 2 * HOUR for n in range(-2, 12)]
"""Where shifts begin."""


def _presence(person: str, events: Sequence[Any]) -> Iterator[tuple[int, int, Fraction]]:
    """(from, to, share of their time) at the machine. A log-off ends it; without one the next log-in does, or the shift that they
    came for, half an hour before it at the earliest."""
    log = sorted(
        (one.occurred_at, one.raw_offset, one.action == "on", Fraction(one.share_numerator, one.share_denominator))
        for one in events
        if isinstance(one, LabourRecorded) and one.person == person
    )
    for here, after in itertools.pairwise([*log, None]):
        at, _, on, share = here
        if not on:
            continue
        shift_ends = min(cut for cut in CUTS if cut > at + HOUR // 2)
        if after is None:
            yield at, shift_ends, share
        else:
            yield at, after[0] if not after[2] else min(after[0], shift_ends), share


def _parts(run: Run, moment: int, shared: str) -> list[tuple[str, Fraction]]:
    """Which orders' time it is, and how much of it."""
    cavities = [(one.order or run.order, one.factor) for one in run.outputs(moment)]
    names = sorted({order for order, _ in cavities if order})
    if shared == "first" or len(names) < 2:
        first = next((order for order, _ in cavities if order), run.order)
        return [(run.order if shared == "first" and run.order else first, Fraction(1))]
    of = {name: sum(factor for order, factor in cavities if order == name) for name in names}
    if shared == "equal" or not any(of.values()):
        return [(name, Fraction(1, len(names))) for name in names]
    return [(name, Fraction(of[name], sum(of.values()))) for name in names]
