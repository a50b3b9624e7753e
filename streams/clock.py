"""The clock in the log: a stage's clock of a plant is the minimum of the ticks of the upstreams that count, and never goes back.
Configuration follows it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from schemas.records import ConfigActivated, PartitionPosition, PendingConfig, Tick
from streams.announcements import CONFIGURED, ReadUnder, announced, holding, is_settled, last_of_each, still_read
from streams.silence import Watch, forget_removed, hear, note, out, watch
from streams.step import Topology

_SEPARATOR = "\0"


class Advance(NamedTuple):
    """The clock of a plant went from `before` to `now` (microseconds)."""

    before: int
    now: int


class Activation(NamedTuple):
    """`since`: from which moment on the configuration holds (microseconds). One that was announced for a time before that of its
    predecessor, by intakes that had not begun, holds from the tick that made it known."""

    hash: str
    since: int


def watch_of(topology: Topology, stage: str, state: PartitionPosition, plant: str, tells: bool = False) -> Watch:
    """Whom the stage's clock of the plant waits for, and whom not when it is silent (streams/silence.py)."""
    hash_ = state.configurations.get(plant)
    if hash_ is None:
        return Watch(())
    configuration = topology.configuration(hash_)
    return watch(upstreams_of(topology, stage, state, plant), configuration, tells)


def upstreams_of(topology: Topology, stage: str, state: PartitionPosition, plant: str) -> Sequence[str]:
    """Whom the stage's clock of the plant waits for; empty while the plant has no configuration: nobody knows."""
    hash_ = state.configurations.get(plant)
    if hash_ is None:
        return ()
    return still_read(state, plant, topology.upstreams(stage, topology.configuration(hash_)), intakes_of(topology))


def intakes_of(topology: Topology) -> ReadUnder:
    """Those of a configuration. Every intake feeds equipment."""
    return lambda hash_: topology.upstreams("equipment", topology.configuration(hash_))


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
    upstreams, clocks = watch.upstreams, state.clocks
    before = state.reached[plant] = clock_of(state, plant, upstreams)
    clocks[key] = tick.at
    if tick.sender in watch.watched:
        hear(state, plant, tick.sender, upstreams)
    left_out = out(state, plant, watch) if watch.watched or state.set_aside else ()
    sent = plant + _SEPARATOR
    there = [at for name in upstreams if name not in left_out and (at := clocks.get(sent + name, 0)) >= before]
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
    if len(state.clocks) > len(upstreams):
        known = {plant + _SEPARATOR + upstream for upstream in upstreams}
        for key in [key for key in state.clocks if key not in known and key.startswith(plant + _SEPARATOR)]:
            del state.clocks[key]


def schedule(state: PartitionPosition, activated: ConfigActivated) -> None:
    """Remember what an intake announced. Several say the same, in any order (streams/announcements.py)."""
    plant = activated.plant
    wanted = PendingConfig(plant, activated.hash, activated.at, activated.sender, activated.started_at)
    if wanted not in state.pending_configurations:
        state.pending_configurations.append(wanted)
    if plant not in state.configurations:  # the first one holds from the beginning
        state.configurations[plant], state.marks[CONFIGURED + plant] = activated.hash, activated.at


def activation(state: PartitionPosition, plant: str, now: int, intakes: ReadUnder) -> Activation | None:
    """Make what holds at `now` the plant's configuration. None: it did not change."""
    before = state.marks.get(CONFIGURED + plant, 0)
    hash_ = activate(state, plant, now, intakes)
    if hash_ is None:
        return None
    since = state.marks[CONFIGURED + plant]
    return Activation(hash_, since if since > before else now)


def activate(state: PartitionPosition, plant: str, now: int, intakes: ReadUnder) -> str | None:
    """As `activation`; returns the hash."""
    if is_settled(state, plant, now, intakes) or all(one.at > now for one in announced(state, plant)):
        return None
    before, chosen = state.configurations[plant], holding(state, plant, now, intakes)
    state.configurations[plant], state.marks[CONFIGURED + plant] = chosen.hash, chosen.at
    read, last = intakes(chosen.hash), last_of_each(announced(state, plant), now)
    state.pending_configurations = [
        one
        for one in state.pending_configurations
        if one.plant != plant or one.at > now or (one is last[one.sender] and one.sender in read)
    ]
    if chosen.hash == before:
        return None
    forget_removed(state, plant, read)
    return chosen.hash
