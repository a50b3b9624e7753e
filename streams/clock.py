"""The clock in the log: a stage's clock of a plant is the minimum of the ticks of its upstreams; configuration follows it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.records import ConfigActivated, PartitionPosition, PendingConfig, Tick
from streams.step import Topology

_CONFIGURED = "configured/"
"""Mark, with the plant: since when its configuration is in force."""
_SEPARATOR = "\0"


class Advance(NamedTuple):
    """The clock of a plant went from `before` to `now` (microseconds)."""

    before: int
    now: int


def upstreams_of(topology: Topology, stage: str, state: PartitionPosition, plant: str) -> Sequence[str]:
    """Whom the stage's clock of the plant waits for; empty while the plant has no configuration: nobody knows."""
    hash_ = state.configurations.get(plant)
    return () if hash_ is None else topology.upstreams(stage, topology.configuration(hash_))


def clock_of(state: PartitionPosition, plant: str, upstreams: Sequence[str]) -> int:
    """Microseconds; 0 while an upstream has not spoken."""
    return min((state.clocks.get(plant + _SEPARATOR + upstream, 0) for upstream in upstreams), default=0)


def clocks_in(clocks: Mapping[str, int]) -> Iterator[tuple[tuple[str, str], int]]:
    """((plant, upstream), microseconds) of every upstream that has spoken, from a state's `clocks`."""
    for key, at in clocks.items():
        plant, _, upstream = key.partition(_SEPARATOR)
        yield (plant, upstream), at


def observe(state: PartitionPosition, tick: Tick, upstreams: Sequence[str]) -> Advance | None:
    """Take a tick in. None: the clock did not move (another upstream holds it back, or the tick is old). Never back.

    `upstreams` empty (`upstreams_of`): the tick is kept all the same, because its sender may have nothing more to say; whoever
    brings the configuration sends a tick behind it, and that one moves the clock.
    """
    key = tick.plant + _SEPARATOR + tick.sender
    known = state.clocks.get(key, 0)
    if tick.at <= known:
        return None
    before = clock_of(state, tick.plant, upstreams)
    state.clocks[key] = tick.at
    now = clock_of(state, tick.plant, upstreams)
    return Advance(before, now) if now > before else None


def schedule(state: PartitionPosition, activated: ConfigActivated) -> None:
    """Remember that a configuration takes effect when the clock reaches its time. Several senders say the same, and in any order:
    what holds in the end is the newest by (time, hash), in every partition of every stage."""
    wanted = PendingConfig(activated.plant, activated.hash, activated.at)
    in_force = (state.marks.get(_CONFIGURED + activated.plant, -1), state.configurations.get(activated.plant, ""))
    if (wanted.at, wanted.hash) > in_force and wanted not in state.pending_configurations:
        state.pending_configurations.append(wanted)
    if activated.plant not in state.configurations:
        activate(state, activated.plant, activated.at)  # the first one holds from the beginning


def activate(state: PartitionPosition, plant: str, now: int) -> str | None:
    """Make the newest configuration that is due at `now` the plant's. Returns its hash when it changed."""
    due = [pending for pending in state.pending_configurations if pending.plant == plant and pending.at <= now]
    if not due:
        return None
    newest = max(due, key=lambda pending: (pending.at, pending.hash))
    state.pending_configurations = [pending for pending in state.pending_configurations if pending not in due]
    before = state.configurations.get(plant)
    state.marks[_CONFIGURED + plant] = newest.at
    state.configurations[plant] = newest.hash
    return newest.hash if newest.hash != before else None
