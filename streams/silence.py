"""Upstreams that fall silent: found in the inbox alone, left out where the plant says so, named while they are missing.

A lagging upstream still ticks, so only silence counts; and silence is measured in log time, so a replay finds the same.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from schemas.configuration import Configuration
from schemas.records import Heard, PartitionPosition, UpstreamOrdered, UpstreamState

SEPARATOR = "\0"
INTAKE = "intake/"
"""Only these are ever left out: a later stage that is silent has records that nobody else has."""


class Watch(NamedTuple):
    """Whom a stage's clock of a plant waits for, and what happens when one is silent."""

    upstreams: Sequence[str]
    watched: frozenset[str] = frozenset()
    """Whose silence is noticed."""
    may_go: frozenset[str] = frozenset()
    """Of these, who is left out then (`on_silence: go_on`)."""
    patience_us: int = 0


def watch(upstreams: Sequence[str], configuration: Configuration, tells: bool) -> Watch:
    """`tells`: this partition notices the silence of every source, to tell of it. Over recorded input the upstreams belong to no
    source: nobody is ever left out."""
    sources = configuration.plant.sources.values()
    if not tells and not any(source.on_silence == "go_on" for source in sources):
        return Watch(upstreams, patience_us=configuration.plant.clock.patience_us)
    topics = dict[str, bool]()
    for source in sources:
        if source.read.topic:
            topics[source.read.topic] = topics.get(source.read.topic, True) and source.on_silence == "go_on"
    if not (tells or any(topics.values())):
        return Watch(upstreams, patience_us=configuration.plant.clock.patience_us)
    of_topic = {name: topic for name in upstreams if name.startswith(INTAKE) and (topic := topic_of(name)) in topics}
    may_go = frozenset(name for name, topic in of_topic.items() if topics[topic])
    return Watch(upstreams, frozenset(of_topic) if tells else may_go, may_go, configuration.plant.clock.patience_us)


def topic_of(upstream: str) -> str:
    return upstream.removeprefix(INTAKE).rpartition("/")[0]


def hear(state: PartitionPosition, plant: str, upstream: str, upstreams: Iterable[str]) -> None:
    """Remember what the others had told when this one was heard. Longest silent first."""
    clocks = {name: _told(state, plant, name) for name in upstreams if name.startswith(INTAKE)}
    others = [heard for heard in state.heard if (heard.plant, heard.upstream) != (plant, upstream)]
    state.heard = [*others, Heard(plant, upstream, clocks)]


def out(state: PartitionPosition, plant: str, watch: Watch) -> set[str]:
    """Upstreams that do not hold the clock back, also if they told something: silent and allowed to, or set aside by a person."""
    ordered = {name for name in watch.upstreams if plant + SEPARATOR + topic_of(name) in state.set_aside}
    return ordered | set(_silent(state, plant, watch, watch.may_go))  # by all it waits for: in every partition the same


def behind(state: PartitionPosition, plant: str, watch: Watch) -> int | None:
    """What the slowest intake told, if it is behind another one by more than the patience; None: none is.

    One that lags, is silent or was left out has records that come later; one that never spoke misses none."""
    clocks = [at for name in watch.upstreams if name.startswith(INTAKE) and (at := _told(state, plant, name))]
    slowest = min(clocks, default=0)
    return slowest if max(clocks, default=0) - slowest > watch.patience_us else None


def note(state: PartitionPosition, plant: str, watch: Watch, reached: int) -> None:
    """Keep `state.silent` true: who is silent now, and who was and has not come up to what was reached yet."""
    now = set(_silent(state, plant, watch, watch.watched)) | {
        name for name in out(state, plant, watch) if _told(state, plant, name) < reached
    }
    for key in [key for key in state.silent if key.startswith(plant + SEPARATOR)]:
        name = key.partition(SEPARATOR)[2]
        if name not in watch.upstreams or (name not in now and _told(state, plant, name) >= reached):
            del state.silent[key]
    for name in now:
        state.silent.setdefault(plant + SEPARATOR + name, _told(state, plant, name))


def silent(state: PartitionPosition, plant: str) -> dict[str, int]:
    """Upstream -> its last tick."""
    start = plant + SEPARATOR
    return {key.removeprefix(start): at for key, at in state.silent.items() if key.startswith(start)}


def changes_of_silence(
    state: PartitionPosition, configuration: Configuration, told: Collection[str], label: int
) -> Iterator[UpstreamState]:
    """Upstreams that fell silent or count again since `told` were silent, for the public. `label`: the plant's clock."""
    plant, now = configuration.plant.plant.id, silent(state, configuration.plant.plant.id)
    for upstream in sorted(set(told) ^ set(now)):
        topic = topic_of(upstream)
        named = {name: one for name, one in sorted(configuration.plant.sources.items()) if one.read.topic == topic}
        go_on = plant + SEPARATOR + topic in state.set_aside or (
            named and all(one.on_silence == "go_on" for one in named.values())
        )
        gone = upstream in now
        yield UpstreamState(
            plant=plant,
            upstream=upstream,
            source=",".join(named),
            silent=gone,
            on_silence="go_on" if go_on else "wait",
            last_tick=_told(state, plant, upstream),
            label=label,
            code="UPSTREAM_SILENT" if gone else "",
        )


def missing_sources(state: PartitionPosition, configuration: Configuration) -> list[str]:
    """Sources whose upstreams the clock has passed: what they have to say is not in what is posted now."""
    plant = configuration.plant.plant.id
    reached = state.reached.get(plant, 0)
    topics = {topic_of(name) for name, _ in silent(state, plant).items() if _told(state, plant, name) < reached}
    return sorted(name for name, source in configuration.plant.sources.items() if source.read.topic in topics)


def ordered(state: PartitionPosition, record: UpstreamOrdered) -> None:
    """A person sets a source aside, or takes it in again; it then joins. The newest order holds."""
    key = record.plant + SEPARATOR + record.topic
    if record.excluded:
        state.set_aside[key] = record.occurred_at
    else:
        state.set_aside.pop(key, None)


def forget_removed(state: PartitionPosition, plant: str, read: Collection[str]) -> None:
    """A configuration reads only `read`: what is known of other intakes goes. One that returns begins anew: it joins, and an
    order to set its source aside holds no more."""
    state.heard = [heard for heard in state.heard if heard.plant != plant or heard.upstream in read]
    for heard in state.heard:
        if heard.plant == plant:
            heard.clocks = {name: at for name, at in heard.clocks.items() if name in read}
    topics = {plant + SEPARATOR + topic_of(name) for name in read}
    for key in [key for key in state.set_aside if key.startswith(plant + SEPARATOR) and key not in topics]:
        del state.set_aside[key]


def _silent(state: PartitionPosition, plant: str, watch: Watch, of: frozenset[str]) -> Sequence[str]:
    """Those `of` them that were heard before the slowest of the others advanced by more than the patience. As many as
    possible, the longest silent first: partitions of one process fall silent together. Never all: who would know the time?"""
    if not of:
        return ()
    aside = {name for name in watch.upstreams if plant + SEPARATOR + topic_of(name) in state.set_aside}
    reached = state.reached.get(plant, 0)
    counted = [
        name for name in watch.upstreams if name.startswith(INTAKE) and name not in aside and _told(state, plant, name) >= reached
    ]
    order = [heard for heard in state.heard if heard.plant == plant and heard.upstream in of and heard.upstream in counted]
    for length in range(len(order), 0, -1):
        gone = order[:length]
        others = _without(counted, {heard.upstream for heard in gone})
        if others and all(_advanced(state, plant, heard, others) > watch.patience_us for heard in gone):
            return [heard.upstream for heard in gone]
    return ()


def _without(names: Sequence[str], gone: Collection[str]) -> list[str]:
    return [name for name in names if name not in gone]


def _advanced(state: PartitionPosition, plant: str, heard: Heard, others: Sequence[str]) -> int:
    """By how much the slowest of the others did since `heard`, and beyond what this one told: one of them that catches up makes
    nobody silent. Who had not spoken then says nothing."""
    now = {name: _told(state, plant, name) for name in others}
    then = min(heard.clocks.get(name) or now[name] for name in others)
    return min(now.values()) - max(then, _told(state, plant, heard.upstream))


def _told(state: PartitionPosition, plant: str, upstream: str) -> int:
    return state.clocks.get(plant + SEPARATOR + upstream, 0)
