"""What people and systems say about runs: mostly right, sometimes wrong at first and corrected later."""

from collections.abc import Iterable
from random import Random
from typing import Any, NamedTuple

from tests.plants.floor import GRACE, Floor, Machine, Output, Outputs, Run
from tests.plants.profiles import HOUR, MINUTE, SECOND, Profile


class Told(NamedTuple):
    """A record before it has a form. `at`: what it says about when; `said_at`: when somebody said it."""

    at: int
    said_at: int
    kind: str
    machine: str
    fields: dict[str, Any]


STORIES = ("wrong_order", "wrong_parts", "opened_late", "closed_late", "never_closed", "ghost", "twice")


def runs(floor: Floor, profile: Profile, chance: Random) -> Iterable[Told]:
    for machine in floor.machines:
        nameless_ends = chance.random() < 0.3
        following = [*machine.runs[1:], None]
        for run, after in zip(machine.runs, following, strict=True):
            story = chance.choice(STORIES) if chance.random() < profile.told_wrong else ""
            yield from _told(machine, run, after, story, nameless_ends, floor, profile, chance)


def _told(
    machine: Machine, run: Run, after: Run | None, story: str, nameless: bool, floor: Floor, profile: Profile, chance: Random
) -> Iterable[Told]:
    def told(kind: str, at: int, said_at: int = 0, **fields: Any) -> Told:
        return Told(at, max(at, said_at), kind, run.machine, {"job": run.id, **fields})

    segments = list(run.segments)
    if story == "closed_late" and not _harmless(machine, run, after, floor):
        story = ""
    parts = _parts(segments[0][1])
    start, order, late = run.start, run.order, 0
    if chance.random() < profile.late_runs:
        late = run.start + chance.randrange(MINUTE, 5 * HOUR)
    if story == "opened_late":
        known = segments[1][0] if len(segments) > 1 else run.end
        start = run.start + chance.randrange(MINUTE, min(known - run.start, (run.end - run.start) // 2))
    if story in ("wrong_order", "twice"):
        order = chance.choice([number for number in floor.orders if number != run.order])
    if story == "wrong_parts" and len(segments) == 1:
        order, parts = "1003", [{"part": "P-3", "nests": 9, "lot": "WRONG"}]
    yield told("open", start, late, po=order, op=run.operation, parts=parts)
    for at, outputs in segments[1:]:
        yield told("cavities", at, parts=_parts(outputs))
    corrected_at = run.start + 2 * HOUR + chance.randrange(MINUTE)
    end, said_end = run.end, run.end
    match story:
        case "wrong_order":
            yield told("fix", corrected_at, po=run.order)
        case "wrong_parts" if len(segments) == 1:
            yield told("fix", corrected_at, po=run.order, parts=_parts(run.segments[0][1]))
        case "opened_late":
            yield told("fix", corrected_at, **{"from": run.start})
        case "never_closed":
            yield told("fix", run.end + HOUR, to=run.end)
            return
        case "closed_late":
            assert after is not None
            end = said_end = after.start + 5 * MINUTE
        case "ghost":
            yield told("open", run.start + 30 * SECOND, job=f"{run.id}-X", po=order, op=run.operation, parts=parts)
            yield told("void", corrected_at, job=f"{run.id}-X")
        case "twice":
            # Two people mend two things; what the second one said arrives first.
            yield told("fix", corrected_at, corrected_at + 3 * HOUR, po=run.order)
            yield told("fix", corrected_at + MINUTE, to=run.end)
            said_end = run.end + 4 * HOUR
    by_name = not nameless or story in ("closed_late", "ghost")
    yield told("close", end, said_end, job=run.id if by_name else "")


def _harmless(machine: Machine, run: Run, after: Run | None, floor: Floor) -> bool:
    """Nothing is made or written down between the end of a run and the moment at which somebody closes it."""
    if after is None or any(run.end + GRACE < shot.at < after.start for shot in machine.shots):
        return False
    return floor.wall.business_date(run.end) == floor.wall.business_date(after.start + 5 * MINUTE)


def _parts(outputs: Outputs) -> list[dict[str, Any]]:
    return [_part(output) for output in outputs]


def _part(output: Output) -> dict[str, Any]:
    found: dict[str, Any] = {"part": output.material, "lot": output.lot, "nests": output.factor, "role": output.role}
    return {**found, "po": output.order} if output.order else found


def loads(floor: Floor, chance: Random) -> Iterable[Told]:
    for machine in floor.machines:
        for load in machine.loads:
            kind = "load" if load.material else "unload"
            yield Told(load.at, load.at, kind, machine.name, {"pos": load.position, "what": load.material, "batch": load.lot})


def states(floor: Floor, chance: Random) -> Iterable[Told]:
    for machine in floor.machines:
        for state in machine.states:
            yield Told(state.at, state.at, "state", machine.name, {"st": state.state})
