"""What happens on the floor: machines, orders, runs, shots, loads, states. Nothing here knows of records or ledgers.

Times are milliseconds since 1970, weights whole milligrams. No shot lies within QUIET of a moment that separates what goes to
different accounts: what was made before and after it is beyond doubt.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Literal, NamedTuple

from tests.plants.calendar import Wall
from tests.plants.profiles import HOUR, MINUTE, SECOND, Profile

QUIET = 2 * SECOND
GRACE = 10 * SECOND
"""What a run still owns after its end."""
HOPPER, DOSING = "hopper", "dosing"
RESINS, COLOUR, INSERT, BOX = ("PP-1", "ABS 2"), "MB-7", "INS-1", "BOX-4"
SHARED_LOT = "L-77"
"""A lot number that resin, masterbatch and parts have in common."""
UNKNOWN_ORDER = "9999"


class Output(NamedTuple):
    material: str
    lot: str
    factor: int | None
    """Pieces per shot; None: nobody said, which is one."""
    order: str = ""
    role: str = "main"

    @property
    def pieces(self) -> int:
        return 1 if self.factor is None else self.factor


Outputs = tuple[Output, ...]


class Load(NamedTuple):
    at: int
    position: str
    material: str
    """Empty: the position was emptied."""
    lot: str


class State(NamedTuple):
    at: int
    state: str


@dataclass(frozen=True, slots=True)
class Order:
    number: str
    operations: tuple[str, ...]
    parts: tuple[tuple[str, int], ...]
    """(material, cavities of the mould)."""
    colour: tuple[int, int] = (0, 1)
    """Masterbatch: (milligrams, per pieces)."""
    insert: bool = False
    tight: bool = False
    by_hand: bool = False


@dataclass(eq=False, slots=True)
class Run:
    id: str
    machine: str
    order: str
    operation: str
    start: int
    end: int
    segments: list[tuple[int, Outputs]]
    running: list[tuple[int, int]] = field(default_factory=list)
    setup: tuple[int, int] = (0, 0)

    def outputs(self, at: int) -> Outputs:
        return self.segments[max(0, bisect_right([start for start, _ in self.segments], at) - 1)][1]


class Shot(NamedTuple):
    at: int
    run: Run | None
    good: bool
    mg: int
    lost: bool = False
    """Nobody was connected from one run to another: what was counted then is nobody's."""


Counts = Literal["gross", "good", "all"]


@dataclass(eq=False, slots=True)
class Machine:
    name: str
    alias: str
    counts: Counts
    """What its counters count; `all`: gross, good, scrap and an indicator."""
    metered: bool
    runs: list[Run] = field(default_factory=list)
    shots: list[Shot] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    """Sorted; what separates accounts."""

    def loaded(self, position: str, at: int) -> tuple[str, str]:
        """(material, lot) there then; empty before the first load and while the position is empty."""
        found = [load for load in self.loads if load.position == position and load.at <= at]
        return (found[-1].material, found[-1].lot) if found else ("", "")

    def separated(self, before: int, after: int) -> bool:
        """Does a mark lie between two moments?"""
        index = bisect_left(self.marks, before)
        return index < len(self.marks) and self.marks[index] <= after


@dataclass(slots=True)
class Floor:
    wall: Wall
    begin: int
    end: int
    orders: dict[str, Order]
    machines: list[Machine]


def build(profile: Profile, chance: Random) -> Floor:
    zone, local = chance.choice(profile.zones)
    wall = Wall(zone)
    begin = wall.instant(datetime.fromisoformat(local)) + chance.randrange(0, 20) * MINUTE
    floor = Floor(wall, begin, begin + profile.hours * HOUR, _orders(profile, chance), [])
    for number, counts in enumerate(("gross", "gross", "all", "gross", "good"), 1):
        name = f"IMM-{number:02d}" if counts != "good" else f"ASM-{number:02d}"
        machine = Machine(name, f"NO.{number}", counts, metered=counts == "gross")  # type: ignore[arg-type]
        _fill(machine, floor, profile, chance)
        floor.machines.append(machine)
    return floor


def _orders(profile: Profile, chance: Random) -> dict[str, Order]:
    found = [
        Order("1001", ("10", "20"), (("P-1", 4),), (12_500, 1)),
        Order("1002", ("10",), (("LEFT-2", 1), ("RIGHT-2", 1)), (319_000, 70), insert=True),
        Order("1003", ("10",), (("P-3", 2), ("CLIP-3", 6)), (1_000, 3)),
        Order("0104", ("10", "20"), (("P-4", 1),), (2_500, 1), insert=True, tight=profile.name != "clean"),
        Order("1005", ("30",), (("KIT-5", 1),), by_hand=True),
        Order("1006", ("10",), (("P-6", 1),)),  # released, and nobody ever makes anything of it
    ]
    return {order.number: order for order in found}


def _fill(machine: Machine, floor: Floor, profile: Profile, chance: Random) -> None:
    at = floor.begin + chance.randrange(10, 60) * MINUTE
    pool = _pool(machine, floor)
    while True:
        length = chance.randrange(70 * MINUTE, 7 * HOUR)
        if at + length > floor.end - HOUR:
            break
        machine.runs.append(_run(machine, at, at + length, chance.choice(pool), profile, chance))
        at += length + chance.randrange(4, 50) * MINUTE
    if profile.name == "nasty" and machine.counts == "gross":
        stranger = chance.choice(machine.runs)
        stranger.order = UNKNOWN_ORDER
    _load(machine, floor, profile, chance)
    edges = [edge for run in machine.runs for edge in (run.start, run.end, run.end + GRACE, *(at for at, _ in run.segments))]
    machine.marks = sorted([*edges, *(load.at for load in machine.loads), *floor.wall.cuts(floor.begin, floor.end)])
    for run in machine.runs:
        _work(machine, run, profile, chance)
    _trial(machine, floor, profile, chance)
    machine.shots.sort(key=lambda shot: shot.at)
    machine.states.sort()
    if profile.name == "nasty" and machine.metered and chance.random() < 0.7:
        _lose(machine, chance)


def _pool(machine: Machine, floor: Floor) -> list[Order]:
    if machine.counts == "good":
        return [order for order in floor.orders.values() if "20" in order.operations]
    single = machine.counts == "all"  # its reject gate counts pieces, so the mould makes one
    made = [order for order in floor.orders.values() if "10" in order.operations and order.number != "1006"]
    return [order for order in made if not single or [n for _, n in order.parts] == [1]]


def _run(machine: Machine, start: int, end: int, order: Order, profile: Profile, chance: Random) -> Run:
    start, end = start + chance.randrange(SECOND), end + chance.randrange(SECOND)
    operation = "20" if machine.counts == "good" else "10"
    lot = SHARED_LOT if chance.random() < 0.3 else f"F{chance.randrange(100, 999)}"
    parts = order.parts if operation == "10" else ((order.parts[0][0], 1),)
    outputs = tuple(
        Output(material, lot, None if cavities == 1 and chance.random() < 0.5 else cavities, role="co" if index else "main")
        for index, (material, cavities) in enumerate(parts)
    )
    run = Run(f"J-{machine.name}-{len(machine.runs) + 1}", machine.name, order.number, operation, start, end, [(start, outputs)])
    if operation == "10" and machine.counts == "gross" and chance.random() < 0.5:
        plugged = chance.randrange(start + 20 * MINUTE, end - 20 * MINUTE)
        which = chance.randrange(len(outputs))
        less = tuple(
            output._replace(factor=output.pieces - 1) if index == which else output for index, output in enumerate(outputs)
        )
        run.segments.append((plugged, less))
        if chance.random() < 0.4:
            run.segments.append((chance.randrange(plugged + 10 * MINUTE, end - 5 * MINUTE), outputs))
    return run


def _load(machine: Machine, floor: Floor, profile: Profile, chance: Random) -> None:
    """Hopper and dosing unit: loaded before or in the first run, changed over now and then, also in the middle of a run."""
    if machine.counts != "gross":
        return
    for position, materials in ((HOPPER, RESINS), (DOSING, (COLOUR,))):
        late = chance.random() < 0.5 and profile.name == "nasty"
        at = machine.runs[0].start + 30 * MINUTE if late else floor.begin + 5 * MINUTE
        while at < floor.end - HOUR:
            moment = at + chance.randrange(MINUTE)
            if profile.name == "nasty" and chance.random() < 0.15:
                machine.loads.append(Load(moment - 3 * MINUTE, position, "", ""))
            lot = SHARED_LOT if chance.random() < 0.3 else f"C{chance.randrange(100, 999)}"
            machine.loads.append(Load(moment, position, chance.choice(materials), lot))
            at += chance.randrange(2 * HOUR, 14 * HOUR)
    machine.loads.sort()


def _work(machine: Machine, run: Run, profile: Profile, chance: Random) -> None:
    """Setup, running with a stop or two, and the shots that are made meanwhile."""
    ready = run.start + chance.randrange(4 * MINUTE, 15 * MINUTE) + chance.randrange(SECOND)
    run.setup = (run.start + chance.randrange(1, 4_000), ready)
    stops, at = list[tuple[int, int]](), ready + 20 * MINUTE
    while at < run.end - 40 * MINUTE and chance.random() < 0.6:
        stop = chance.randrange(at, run.end - 30 * MINUTE)
        stops.append((stop, stop + chance.randrange(MINUTE, 20 * MINUTE)))
        at = stops[-1][1] + 20 * MINUTE
    edges = [ready, *(edge for stop in stops for edge in stop), run.end - chance.randrange(1, 900)]
    run.running = list(zip(edges[::2], edges[1::2], strict=True))
    machine.states.append(State(run.setup[0], "setup"))
    machine.states += [State(start, "running") for start, _ in run.running]
    machine.states += [State(end, chance.choice(("down", "idle"))) for _, end in run.running]
    cycle, weight = chance.randrange(*profile.cycle_ms), chance.randrange(9_000, 90_000)
    for start, end in run.running:
        at = start
        while True:
            at = _quiet(machine, at + cycle + chance.randrange(-cycle // 10, cycle // 10))
            if at > end - QUIET:
                break
            machine.shots.append(_shot(at, run, weight, chance))
    alone = all(not run.end < other.start < run.end + MINUTE for other in machine.runs)
    if alone and chance.random() < 0.4 and not machine.separated(run.end + 1, run.end + GRACE - 1):
        machine.shots.append(_shot(run.end + 4 * SECOND, run, weight, chance))


def _shot(at: int, run: Run | None, weight: int, chance: Random) -> Shot:
    return Shot(at, run, chance.random() > 0.06, weight + chance.randrange(-900, 900))


def _quiet(machine: Machine, at: int) -> int:
    """`at`, or the first moment after it that is far enough from every mark."""
    while machine.separated(at - QUIET, at + QUIET):
        at += QUIET
    return at


def _trial(machine: Machine, floor: Floor, profile: Profile, chance: Random) -> None:
    """Shots that nobody opened a run for."""
    for before, after in zip(machine.runs, machine.runs[1:], strict=False):
        at = _quiet(machine, before.end + GRACE + 30 * SECOND)
        while profile.name != "clean" and chance.random() < 0.5 and at < after.start - 30 * SECOND:
            machine.shots.append(_shot(at, None, 20_000, chance))
            at = _quiet(machine, at + 40 * SECOND)


def _lose(machine: Machine, chance: Random) -> None:
    """One connection that is lost in one run and comes back in the next: what was counted meanwhile is nobody's, and stands at
    the first reading after it."""
    long = [run for run in machine.runs if sum(shot.run is run for shot in machine.shots) > 20]
    pairs = [(a, b) for a, b in zip(machine.runs, machine.runs[1:], strict=False) if a in long and b in long]
    if not pairs:
        return
    before, after = chance.choice(pairs)
    last = max(index for index, shot in enumerate(machine.shots) if shot.run is before)
    first = min(index for index, shot in enumerate(machine.shots) if shot.run is after)
    if machine.separated(machine.shots[last - 3].at, machine.shots[last - 2].at) or machine.separated(
        machine.shots[first].at, machine.shots[first + 1].at
    ):
        return
    seen = machine.shots[first + 1].at
    for index in range(last - 2, first + 2):
        machine.shots[index] = machine.shots[index]._replace(at=seen, run=None, lost=True)
