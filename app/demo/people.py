"""What people see and do on the floor: scrap, rework, components used, orders done, lots held. Facts, not messages."""

from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Literal

from app.demo.floor import Machine, Run
from app.demo.shift import MINUTE_MS, at_minute

Act = Literal["scrap", "rework", "rework_to_yield", "rework_to_scrap"]
REWORK_REASON = "flash"
"""Rework leaves and comes back under one reason."""
_PRESS_REASONS = ("short_shot", "burn_mark")
_STATION_REASONS = ("scratch", "loose_insert")
_STAMP_REASONS = ("burr", "cracked")
_PAPERS_MS = 15_000
"""Before the end of a run: when its last papers are filled in."""


@dataclass(frozen=True, slots=True)
class Pieces:
    """`quantity` pieces of one output went somewhere at `at`. `labelled`: read from a pallet label, which names the order."""

    at: int
    run: Run
    material: str
    lot: str
    act: Act
    quantity: int
    reason: str
    labelled: bool = False


@dataclass(frozen=True, slots=True)
class Used:
    """amount x 10^-decimals of a component were used; negative: a slip of the pen taken back."""

    at: int
    run: Run
    material: str
    lot: str
    amount: int
    decimals: int
    unit: str


@dataclass(frozen=True, slots=True)
class Hold:
    """A lot was held at `at` and, unless `released` is 0, released then."""

    material: str
    lot: str
    hold: str
    at: int
    released: int
    reason: str


@dataclass(slots=True)
class Papers:
    pieces: list[Pieces] = field(default_factory=list)
    used: list[Used] = field(default_factory=list)
    completed: list[tuple[int, str, str]] = field(default_factory=list)
    """(at, order, operation); no operation: the whole order."""
    holds: list[Hold] = field(default_factory=list)


def papers(machines: list[Machine], seed: int) -> Papers:
    """All that people did in the shift, in the order of machines and time."""
    found = Papers()
    for machine in machines:
        chance = Random(f"{seed}/people/{machine.name}")  # noqa: S311  simulated, no secret
        for run in machine.runs:
            if run.step.bad_share:
                found.pieces += _bad_pieces(run)
            else:
                found.pieces += _scrap(run, chance)
            if run.order.rework and run.step.operation == "0010":
                found.pieces += _rework(run, chance)
            if run.step.uses is not None:
                found.used += _used(run, chance)
    found.completed = _completed(machines)
    found.holds = [
        Hold("4711", "170201-01", "H-204", at_minute(440), 0, "dimension"),
        Hold("4724", "170201-15", "H-205", at_minute(244), at_minute(331), "colour"),
    ]
    return found


def _scrap(run: Run, chance: Random) -> list[Pieces]:
    """A handful of times per run, from half an hour after its start on: more was made by then than is thrown away."""
    reasons = _STAMP_REASONS if run.step.uses else _PRESS_REASONS
    if run.step.operation == "0030":
        reasons = _STATION_REASONS
    times = sorted(chance.randrange(run.start + 30 * MINUTE_MS, run.end - 2 * MINUTE_MS) for _ in range(chance.randrange(2, 6)))
    found = []
    for at in times:
        output = chance.choice(run.step.outputs)
        quantity, labelled = chance.randrange(1, 9), chance.random() < 0.3
        found.append(Pieces(at, run, output.material, output.lot, "scrap", quantity, chance.choice(reasons), labelled))
    return found


def _bad_pieces(run: Run) -> list[Pieces]:
    """A station counts good pieces only; the bad ones are put down every half hour, by what was wrong with them."""
    output = run.step.outputs[0]
    found = []
    for start, end in _half_hours(run):
        first, last = bisect_left(run.bad, start), bisect_left(run.bad, end)
        scratched = sum(1 for at in run.bad[first:last] if at % 3)
        for reason, quantity in zip(_STATION_REASONS, (scratched, last - first - scratched), strict=True):
            if quantity:
                found.append(Pieces(end, run, output.material, output.lot, "scrap", quantity, reason))
    return found


def _rework(run: Run, chance: Random) -> list[Pieces]:
    output = run.step.outputs[0]
    at = run.start + 70 * MINUTE_MS + chance.randrange(MINUTE_MS)

    def act(minutes: int, what: Act, quantity: int) -> Pieces:
        return Pieces(at + minutes * MINUTE_MS, run, output.material, output.lot, what, quantity, REWORK_REASON)

    returned = chance.randrange(18, 26)
    return [act(0, "rework", 40), act(55, "rework_to_yield", returned), act(71, "rework_to_scrap", 5)]


def _used(run: Run, chance: Random) -> list[Used]:
    usage = run.step.uses
    assert usage is not None, "called for steps that declare a component"

    def used(at: int, amount: int) -> Used:
        return Used(at, run, usage.material, usage.lot, amount, usage.decimals, usage.unit)

    found = [used(end, run.shots_in(start, end) * usage.per_cycle) for start, end in _half_hours(run)]
    if chance.random() < 0.4:
        slip = 50 * usage.per_cycle
        at = found[1].at
        found[2:2] = [used(at + 3 * MINUTE_MS, slip), used(at + 5 * MINUTE_MS, -slip)]
    return [entry for entry in found if entry.amount]


def _half_hours(run: Run) -> list[tuple[int, int]]:
    """(from, to) from the start of the run to its last papers, to the second."""
    last = (run.end - _PAPERS_MS) // 1000 * 1000
    edges = [run.start, *range((run.start // 1000 + 1800) * 1000, last - 10 * MINUTE_MS, 30 * MINUTE_MS), last]
    return list(pairwise(edges))


def _completed(machines: list[Machine]) -> list[tuple[int, str, str]]:
    """Eight minutes after the last run of an order, later than its latest straggling message."""
    ends: dict[str, int] = {}
    done: list[tuple[int, str, str]] = []
    for run in (run for machine in machines for run in machine.runs):
        if run.order.completed:
            ends[run.order.number] = max(ends.get(run.order.number, 0), run.end)
            if len(run.order.steps) > 1 and run.step.operation == "0010":
                done.append((run.end + 8 * MINUTE_MS, run.order.number, "0010"))
    return sorted(done + [(end + 8 * MINUTE_MS, order, "") for order, end in ends.items()])
