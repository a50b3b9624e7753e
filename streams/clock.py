"""The clock in the log: a stage's clock of a plant is the minimum of the ticks of the upstreams that count, and never goes back.
Configuration follows it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.records import ConfigActivated, PartitionPosition, PendingConfig, Tick
from streams.silence import Watch, hear, note, out, watch
from streams.step import Topology

CONFIGURED = "configured/"
"""Mark, with the plant: since when its configuration is in force."""
_SEPARATOR = "\0"


class Advance(NamedTuple):
    """The clock of a plant went from `before` to `now` (microseconds)."""

    before: int
    now: int


def watch_of(topology: Topology, stage: str, state: PartitionPosition, plant: str, tells: bool = False) -> Watch:
    """Whom the stage's clock of the plant waits for, and whom not when it is silent (streams/silence.py)."""
    hash_ = state.configurations.get(plant)
    if hash_ is None:
        return Watch(())
    configuration = topology.configuration(hash_)
    return watch(topology.upstreams(stage, configuration), configuration, tells)


def upstreams_of(topology: Topology, stage: str, state: PartitionPosition, plant: str) -> Sequence[str]:
    """Whom the stage's clock of the plant waits for; empty while the plant has no configuration: nobody knows."""
    hash_ = state.configurations.get(plant)
    return () if hash_ is None else topology.upstreams(stage, topology.configuration(hash_))


def told(state: PartitionPosition, plant: str, upstream: str) -> int:
    """The last tick of one upstream, microseconds; 0: it has not spoken."""
    return state.clocks.get(plant + _SEPARATOR + upstream, 0)


def clock_of(state: PartitionPosition, plant: str, upstreams: Sequence[str]) -> int:
    """What the clock has reached, microseconds; 0 before every upstream has spoken once."""
    known = state.reached.get(plant)
    if known is None:  # nothing yet, or written before `reached` was kept
        return min((told(state, plant, upstream) for upstream in upstreams), default=0)
    return known


def clocks_in(clocks: Mapping[str, int]) -> Iterator[tuple[tuple[str, str], int]]:
    """((plant, upstream), microseconds) of every upstream that has spoken, from a state's `clocks`."""
    for key, at in clocks.items():
        plant, _, upstream = key.partition(_SEPARATOR)
        yield (plant, upstream), at


def observe(state: PartitionPosition, tick: Tick, watch: Watch) -> Advance | None:
    """Take a tick in. None: the clock did not move (another upstream holds it back, or the tick is old). Never back.

    The clock is the minimum of the upstreams that count. One that has not come up to it yet is joining (a source that a new
    configuration adds): it does not count until it has. So neither a new nor a removed source moves the clock back, stops it or
    lets it skip what was due: `before` is always what was reached.

    Of those that count, one that is silent is left out where the plant says so; it comes back by joining.

    `upstreams` empty (`upstreams_of`): the tick is kept all the same, because its sender may have nothing more to say. The
    sender of the configuration sends a tick behind it, and that one moves the clock.
    """
    plant, key = tick.plant, tick.plant + _SEPARATOR + tick.sender
    if tick.at <= state.clocks.get(key, 0):
        return None
    upstreams = watch.upstreams
    before = state.reached[plant] = clock_of(state, plant, upstreams)
    state.clocks[key] = tick.at
    if tick.sender in watch.watched:
        hear(state, plant, tick.sender, upstreams)
    left_out = out(state, plant, watch) if watch.watched or state.set_aside else ()
    there = (at for name in upstreams if name not in left_out and (at := told(state, plant, name)) >= before)
    now = max(before, min(there, default=before))
    if watch.watched or state.silent or state.set_aside:
        note(state, plant, watch, now)
    if now <= before:
        return None
    state.reached[plant] = now
    _forget_others(state, plant, upstreams)
    return Advance(before, now)


def _forget_others(state: PartitionPosition, plant: str, upstreams: Sequence[str]) -> None:
    """Upstreams that a new configuration removed: nobody waits for them, and they would look like the slowest ones."""
    known = {plant + _SEPARATOR + upstream for upstream in upstreams}
    if len(state.clocks) > len(known):
        for key in [key for key in state.clocks if key not in known and key.startswith(plant + _SEPARATOR)]:
            del state.clocks[key]


def schedule(state: PartitionPosition, activated: ConfigActivated) -> None:
    """Remember that a configuration takes effect when the clock reaches its time. Several senders say the same, and in any order:
    what holds in the end is the newest by (time, hash), in every partition of every stage."""
    wanted = PendingConfig(activated.plant, activated.hash, activated.at)
    in_force = (state.marks.get(CONFIGURED + activated.plant, -1), state.configurations.get(activated.plant, ""))
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
    state.marks[CONFIGURED + plant] = newest.at
    state.configurations[plant] = newest.hash
    return newest.hash if newest.hash != before else None
