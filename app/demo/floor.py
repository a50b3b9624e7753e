"""The shop floor itself: machines that set up, run, stop and make shots. Nothing here knows of messages or ledgers."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from app.demo.plan import Plan, PlannedOrder, PlannedOutput, PlannedStep
from app.demo.shift import MINUTE_MS, at_minute

QUIET_MS = 2_000
"""No shot this close to a change of factor, lot or counter: what was made before and after is beyond doubt."""
TAIL_MS = 30_000
"""The last shot lies this long before the end of its run; the last papers are filled in after it."""
MODULUS = 1_000_000
_STOPS = ("no_material", "tool_check", "robot_fault", "waiting_for_operator")


@dataclass(slots=True)
class Run:
    """One step as it happened. `shots`: instants, ascending. `bad`: those of them that gave no good piece."""

    id: str
    order: PlannedOrder
    step: PlannedStep
    start: int
    end: int
    running_from: int
    stops: list[tuple[int, int, str]]
    shots: list[int] = field(default_factory=list)
    bad: list[int] = field(default_factory=list)
    grams: list[int] = field(default_factory=list)
    """Resin of each shot, where there is a meter."""

    def running(self) -> list[tuple[int, int]]:
        """Intervals in which the machine ran, in order."""
        edges = [self.running_from, *(edge for start, end, _ in self.stops for edge in (start, end)), self.end]
        return list(zip(edges[::2], edges[1::2], strict=True))

    def segments(self) -> list[tuple[int, int, tuple[PlannedOutput, ...]]]:
        """(from, to, outputs): what one count made, and when."""
        starts = [(self.start, self.step.outputs)] + [(at_minute(m), outputs) for m, outputs in self.step.changes]
        ends = [start for start, _ in starts[1:]] + [self.end + 1]
        return [(start, end, outputs) for (start, outputs), end in zip(starts, ends, strict=True)]

    def loaded(self) -> list[tuple[int, int, str, str, str]]:
        """(from, to, position, material, lot): which component lot was in use when."""
        found = []
        for position in sorted({load.position for load in self.step.loads}):
            loads = [(self.start, load) for load in self.step.loads if load.position == position]
            loads += [(at_minute(m), load) for m, load in self.step.changeovers if load.position == position]
            ends = [start for start, _ in loads[1:]] + [self.end + 1]
            found += [(start, end, position, load.material, load.lot) for (start, load), end in zip(loads, ends, strict=True)]
        return found

    def shots_in(self, start: int, end: int) -> int:
        """Shots of start <= t < end."""
        return bisect_left(self.shots, end) - bisect_left(self.shots, start)

    def bad_in(self, start: int, end: int) -> int:
        """Those of them that gave no good piece."""
        return bisect_left(self.bad, end) - bisect_left(self.bad, start)


@dataclass(slots=True)
class Machine:
    """A machine, all its shots (also those that belong to no run) and what its counter does besides counting."""

    name: str
    kind: Literal["press", "station"]
    counter: Literal["shots", "good"]
    base: int
    resets: list[int]
    zeros: list[int]
    """Instants at which the counter shows a zero that is no count."""
    modulus: int = 0
    meter_base_g: int = 0
    meter_resets: list[int] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    trial: list[int] = field(default_factory=list)
    """Shots that nobody opened a run for."""

    @property
    def metered(self) -> bool:
        return any(run.step.grams for run in self.runs)

    def counted(self) -> list[int]:
        """Instants at which the counter went up."""
        bad = {at for run in self.runs for at in run.bad} if self.counter == "good" else set()
        return sorted([at for run in self.runs for at in run.shots if at not in bad] + self.trial)

    def marks(self) -> list[int]:
        """Instants that separate what goes to different accounts."""
        steps = [run.step for run in self.runs]
        minutes = [minute for step in steps for minute, _ in (*step.changes, *step.changeovers)]
        return sorted([at_minute(minute) for minute in minutes] + self.resets + self.meter_resets)

    def display(self, at: int, counted: list[int]) -> int:
        """What the counter shows; `counted` is counted()."""
        count = bisect_right(counted, at)
        passed = [reset for reset in self.resets if reset <= at]
        value = count - bisect_right(counted, passed[-1]) if passed else self.base + count
        return value % self.modulus if self.modulus else value


_RESETS = {"IMM-03": (130,), "STP-01": (77, 351)}
_METER_RESETS = {"IMM-08": (305,)}
_ZEROS = {"IMM-06": (88,), "IMM-13": (150, 333)}
_ROLLING = {"IMM-04": 999_620}
TRIAL = ("STP-02", 226, 24)
"""Machine, minute, shots: strokes that were made while no run was open."""


def build(plan: Plan, seed: int) -> list[Machine]:
    """All machines with what happened on them. Each machine has its own chance, so that none depends on another."""
    names = sorted({step.equipment for order in plan.orders for step in order.steps})
    return [_machine(name, plan, Random(f"{seed}/{name}")) for name in names]  # noqa: S311  simulated, no secret


def _machine(name: str, plan: Plan, chance: Random) -> Machine:
    station = name.startswith(("ASM", "PCK"))
    machine = Machine(
        name,
        "station" if station else "press",
        "good" if name.startswith("ASM") else "shots",
        base=_ROLLING.get(name, chance.randrange(40_000, 90_000)),
        resets=[at_minute(minute) for minute in _RESETS.get(name, ())],
        zeros=[at_minute(minute) for minute in _ZEROS.get(name, ())],
        modulus=MODULUS if name in _ROLLING else 0,
        meter_base_g=chance.randrange(2_000_000, 9_000_000),
        meter_resets=[at_minute(minute) for minute in _METER_RESETS.get(name, ())],
    )
    steps = sorted(
        ((order, step) for order in plan.orders for step in order.steps if step.equipment == name),
        key=lambda pair: pair[1].from_minute,
    )
    for number, (order, step) in enumerate(steps, 1):
        machine.runs.append(_run(f"J-{name}-{number}", order, step, chance))
    marks = machine.marks()
    for run in machine.runs:
        run.shots = _shots(run, marks, chance)
        if run.step.grams:
            run.grams = [run.step.grams + chance.randrange(-1, 2) for _ in run.shots]
        run.bad = [at for at in run.shots if chance.random() < run.step.bad_share]
    if name == TRIAL[0]:
        machine.trial = [at_minute(TRIAL[1]) + 7_000 * n for n in range(TRIAL[2])]
    return machine


def _run(run_id: str, order: PlannedOrder, step: PlannedStep, chance: Random) -> Run:
    start = at_minute(step.from_minute) + chance.randrange(0, 20_000)
    end = at_minute(step.to_minute) + chance.randrange(0, 20_000)
    running_from = start + chance.randrange(4 * MINUTE_MS, 8 * MINUTE_MS)
    stops = []
    if chance.random() < 0.7:
        middle = (start + end) // 2
        at = middle + chance.randrange(-15 * MINUTE_MS, 15 * MINUTE_MS)
        stops.append((at, at + chance.randrange(3 * MINUTE_MS, 17 * MINUTE_MS), chance.choice(_STOPS)))
    return Run(run_id, order, step, start, end, running_from, stops)


def _shots(run: Run, marks: list[int], chance: Random) -> list[int]:
    shots = []
    cycle = run.step.cycle_ms
    for start, end in run.running():
        at = start
        last = min(end, run.end - TAIL_MS) - QUIET_MS
        while True:
            at += cycle + chance.randrange(-cycle // 20, cycle // 20)
            index = bisect_left(marks, at - QUIET_MS)
            if index < len(marks) and marks[index] <= at + QUIET_MS:
                at = marks[index] + QUIET_MS + 500
            if at > last:
                break
            shots.append(at)
    assert shots, "a run makes something"
    return shots
