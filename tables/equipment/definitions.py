"""What a counter was and is: a definition holds for what occurred from the moment on at which a configuration gave it.

So what is counted does not depend on when a reading comes, nor on when its time is counted anew (docs/adr/0062).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from schemas.configuration import Counter, PlantConfig
from schemas.records import CounterState, EquipmentRow, FormerDefinition, PointState
from tables.equipment.counter import copy

_NO_PART = frozenset({"hold_undecided"})
"""Settings of a counter that say nothing about its counts."""


class Definition(NamedTuple):
    """`since`: from which moment on (microseconds). `basis`: what is backflushed follows from this counter."""

    since: int
    counter: Counter
    basis: bool


def defined(plant: PlantConfig, equipment: str, name: str, since: int = 0) -> Definition | None:
    """None: the configuration has no such counter."""
    counter = plant.counter_for(equipment, name)
    if counter is None:
        return None
    return Definition(since, counter, counter.counts == "gross" or not plant.counts_gross(equipment))


def same(one: Definition | None, other: Definition | None) -> bool:
    """Do both count alike?"""
    if one is None or other is None:
        return one is other
    return one.basis == other.basis and _text(one.counter) == _text(other.counter)


def history(state: CounterState | None, now: Definition | None) -> list[Definition]:
    """All definitions within the late horizon, in their order. A counter that is configured no longer keeps its last one."""
    found, since = list[Definition](), 0
    for one in state.former if state is not None else ():
        found.append(Definition(since, Counter.model_validate_json(one.counter), one.basis))
        since = one.until
    return found if now is None else [*found, now._replace(since=since)]


class Redefined(NamedTuple):
    """A counter that counts in another way `since` then. `turned`: its values grow where they fell before."""

    name: str
    since: int
    turned: bool


def redefined(row: EquipmentRow, before: PlantConfig, after: PlantConfig, at: int) -> list[Redefined]:
    """Remember what each counter was until `at`."""
    changed = []
    for name, state in row.counters.items():
        known, now = defined(before, row.equipment, name), defined(after, row.equipment, name)
        if known is not None and not same(known, now):
            until = max([at, *(one.until for one in state.former)])
            state.former.append(FormerDefinition(until, _text(known.counter), known.basis))
        elif known is None and state.former and now is not None:  # it comes back
            known = history(state, None)[-1]
        else:
            continue
        turned = now is not None and (known.counter.shows == "remaining") != (now.counter.shows == "remaining")
        changed.append(Redefined(name, state.former[-1].until, turned))
    return changed


def forget(state: CounterState, definitions: Sequence[Definition], before: int) -> None:
    """Former definitions of a time of which no reading is kept, nor taken in any more. `definitions`: all of them, forgotten ones
    may be among them."""
    gone = [one for one in state.former if one.until <= before]
    if gone and definitions[-1].since < state.former[-1].until:
        gone = gone[: len(state.former) - 1]  # the counter is configured no longer: this is all that says what it was
    if gone:
        state.former = state.former[len(gone) :]
        for_good = [one for one in definitions if one.since <= gone[-1].until]
        state.base, state.tail = (carried(one, for_good, before) for one in (state.base, state.tail))


def index_at(definitions: Sequence[Definition], moment: int) -> int:
    """Which of them holds at the moment."""
    return next(index for index in range(len(definitions) - 1, -1, -1) if index == 0 or definitions[index].since <= moment)


def carried(state: PointState, definitions: Iterable[Definition], moment: int) -> PointState:
    """The state of a counter as its next reading, of `moment`, finds it. Where values mean something else than before, the first
    one is a baseline; what was undecided stays undecided. A new bound begins with nothing used of it."""
    before: Definition | None = None
    for one in definitions:
        if before is not None and state.value is not None and state.at < one.since <= moment:
            if _meaning(before.counter) != _meaning(one.counter):
                return PointState()
            if before.counter.at_most != one.counter.at_most:
                state = replace(copy(state), level=0)
        before = one
    return state


def _meaning(counter: Counter) -> tuple[str, str, int]:
    return counter.shows, counter.unit, counter.decimals


def _text(counter: Counter) -> str:
    return counter.model_dump_json(exclude=set(_NO_PART))
