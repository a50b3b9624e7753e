"""Counters as they show what was made: totals that reset, roll over, show zeros, lose their connection; or a row per shot."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal, NamedTuple

from tests.plants.floor import Floor, Machine, Shot
from tests.plants.profiles import MINUTE, SECOND, Profile

Style = Literal["reset", "rollover", "placeholder", "increment"]
MODULUS = 400
APART = 8
"""Shots between two falls: enough for each to be decided before the next one."""
MOST_UNSEEN = 15
"""Shots in a row whose readings are lost."""


class Reading(NamedTuple):
    """`value` in the counter's own steps; None: UNAVAILABLE."""

    at: int
    value: int | None


@dataclass(slots=True)
class Counter:
    machine: Machine
    name: str
    counts: str
    """gross, good, scrap, consumption or indicator."""
    style: Style
    modulus: int = 0
    readings: list[Reading] = ()  # type: ignore[assignment]
    unit: str = "PC"
    decimals: int = 0
    """Of the values in a file."""
    gap: bool = False


def counters_of(machine: Machine, floor: Floor, profile: Profile, chance: Random) -> list[Counter]:
    styles: Sequence[Style] = ("reset",) if profile.name == "clean" else ("reset", "rollover", "placeholder", "increment")
    kinds = {"gross": ("gross",), "good": ("good",), "all": ("gross", "good", "scrap", "indicator")}[machine.counts]
    style = chance.choice(styles)
    if any(shot.lost for shot in machine.shots):
        style = chance.choice(("reset", "rollover", "placeholder"))  # only a total knows what it counted meanwhile
    found = []
    for counts in kinds:
        counter = Counter(machine, {"gross": "shots", "indicator": "strokes"}.get(counts, counts), counts, style)
        counter.modulus = MODULUS if style == "rollover" or (style == "reset" and profile.name != "clean") else 0
        found.append(counter)
    if machine.metered:
        meter = Counter(machine, "resin", "consumption", "increment" if style == "increment" else "reset")
        meter.unit, meter.decimals = chance.choice((("kg", 6), ("g", 3)))
        found.append(meter)
    for counter in found:
        counter.readings = list(_shown(counter, floor, profile, chance))
    return found


def _counted(counter: Counter) -> list[tuple[Shot, int]]:
    by = {"gross": lambda shot: 1, "indicator": lambda shot: 1, "good": lambda shot: int(shot.good)}
    by |= {"scrap": lambda shot: int(not shot.good), "consumption": lambda shot: shot.mg}
    return [(shot, pieces) for shot in counter.machine.shots if (pieces := by[counter.counts](shot))]


def _shown(counter: Counter, floor: Floor, profile: Profile, chance: Random) -> Iterable[Reading]:
    made = _counted(counter)
    if counter.style == "increment":
        return [Reading(shot.at, pieces) for shot, pieces in made]
    return _total(counter, made, floor, profile, chance)


def _total(counter: Counter, made: list[tuple[Shot, int]], floor: Floor, profile: Profile, chance: Random) -> Iterable[Reading]:
    step = 90_000 if counter.counts == "consumption" else 1
    value = chance.randrange(10_000, 90_000) * step
    value = value % counter.modulus if counter.modulus else value
    yield Reading(floor.begin + chance.randrange(SECOND, MINUTE), value)
    share = 0.0 if profile.name == "clean" else 0.85 if chance.random() < 0.3 else 0.02
    falls, connected, unseen, since_fall = _falls(counter, made, profile, chance), True, 0, 0
    for index, (shot, pieces) in enumerate(made):
        after = made[index + 1][0] if index + 1 < len(made) else None
        value += pieces
        value = value % counter.modulus if counter.modulus else value
        since_fall += 1
        if shot.lost:
            if connected:
                yield Reading(made[index - 1][0].at + SECOND, None)
            connected = after is None or not after.lost
            if connected:
                yield Reading(shot.at, value)
            continue
        fall = falls.get(index)
        steady = fall is None and index + 1 not in falls and since_fall > 4 and unseen < MOST_UNSEEN
        if steady and _together(counter, shot, after) and chance.random() < share:
            unseen += 1
            continue  # nobody saw this value; the next one has it
        unseen = 0
        yield Reading(shot.at, value)
        moment = shot.at + chance.randrange(200, 900)
        if fall is None:
            if chance.random() < 0.05:
                yield Reading(moment, value)
            continue
        since_fall = 0
        if fall == "zero" and counter.style == "placeholder":
            if chance.random() < 0.5:
                yield Reading(moment, None)
            yield Reading(moment + 50, 0)
        elif fall == "gap":
            yield Reading(moment, None)
            if chance.random() < 0.5:
                yield Reading(moment + 50, value)
        elif fall == "reset" and _may_reset(counter, value, step):
            value = 0
            if chance.random() < 0.5:
                yield Reading(moment, 0)


def _together(counter: Counter, shot: Shot, after: Shot | None) -> bool:
    """Do both belong to the same accounts?"""
    return after is not None and not after.lost and not counter.machine.separated(shot.at, after.at)


def _may_reset(counter: Counter, value: int, step: int) -> bool:
    """A reset is one for certain: the count before is above all that may follow unseen, and not just below the modulus."""
    if counter.style == "rollover":
        return False
    return value > 2 * MOST_UNSEEN * step and (not counter.modulus or value < counter.modulus * 4 // 5)


def _falls(counter: Counter, made: list[tuple[Shot, int]], profile: Profile, chance: Random) -> dict[int, str]:
    """Index of a shot -> what happens between it and the next one."""
    found: dict[int, str] = {}
    for _ in range(profile.falls):
        index = chance.randrange(len(made))
        near = any(abs(index - other) < APART for other in found) or not APART < index < len(made) - APART
        if near or any(made[other][0].lost for other in range(index - 2, index + 3)):
            continue
        fall = chance.choice(("reset", "zero", "gap"))
        within = made[index][0].run is not None and not counter.machine.separated(made[index][0].at, made[index + 1][0].at)
        if fall == "reset" or within:
            found[index] = fall
    return found
