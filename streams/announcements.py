"""Which configuration of a plant holds at a moment, and whom it waits for, from what the intakes announced.

A function of the announcements alone: in whatever order an inbox has them, every partition of every stage decides the same.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from schemas.records import ConfigActivated, PartitionPosition, PendingConfig

CONFIGURED = "configured/"
"""Mark, with the plant: since when its configuration is in force."""
FOREVER = 2**63 - 1

ReadUnder = Callable[[str], Collection[str]]
"""Those that read for the plant under a configuration (its hash)."""


def holding(state: PartitionPosition, plant: str, until: int, intakes: ReadUnder) -> PendingConfig:
    """What holds at `until` (microseconds), of a plant that has a configuration.

    The times of two intakes do not say which of two deployments came first, because one of them may lag. So what everybody says
    whom it reads holds first of all: who is not read by it has nothing to say. While a deployment is under way and the intakes do
    not agree, the newest by (time, hash) holds. Two of which everybody says so have no intake in common, and no log says which
    came first: the one that was started last by the clocks of the hosts.
    """
    said, in_force = last_of_each(announced(state, plant), until), _in_force(state, plant)
    agreed = _agreed(said, in_force, intakes)
    return _last_agreed((in_force, *said.values()), agreed) if agreed else max((in_force, *said.values()), key=_newest)


def is_settled(state: PartitionPosition, plant: str, until: int, intakes: ReadUnder) -> bool:
    """Is all that was announced up to `until` what is in force, once by each that it reads? Then nothing changes. (Asked at each
    tick of each partition.)"""
    hash_, since, read, senders = state.configurations[plant], state.marks.get(CONFIGURED + plant), None, set[str]()
    for one in announced(state, plant):
        if one.at > until:
            continue
        if since is None or one.hash != hash_ or one.at > since or one.sender in senders:
            return False
        read = intakes(hash_) if read is None else read
        if one.sender not in read:
            return False
        senders.add(one.sender)
    return True


def still_read(state: PartitionPosition, plant: str, upstreams: Sequence[str], intakes: ReadUnder) -> Sequence[str]:
    """`upstreams` under the configuration in force, without the intakes that its successor no longer reads: as soon as all say so
    whom that one reads, and not only when the clock is there. It would never come there, because nobody reads them any more."""
    if all(one.hash == state.configurations[plant] for one in announced(state, plant)):
        return upstreams  # nobody speaks of another one
    in_force = _in_force(state, plant)
    said = last_of_each(announced(state, plant), FOREVER)
    agreed = _agreed(said, in_force, intakes)
    if not agreed or in_force.hash in agreed:
        return upstreams
    successor = _last_agreed(said.values(), agreed)
    now, then = intakes(in_force.hash), intakes(successor.hash)
    gone = {name for name in now if name not in then}
    if gone.isdisjoint(upstreams):
        return upstreams
    kept = [name for name in upstreams if name not in gone]
    return kept if len(gone) < len(now) else [*then, *kept]


def announced(state: PartitionPosition, plant: str) -> Iterator[PendingConfig]:
    return (one for one in state.pending_configurations if one.plant == plant)


def known_configurations(state: PartitionPosition, intakes: ReadUnder) -> Iterator[ConfigActivated]:
    """What somebody has to hear who heard nothing yet: of each plant what is in force, then everything that was announced."""
    for plant, hash_ in sorted(state.configurations.items()):
        if all(one.hash != hash_ for one in announced(state, plant)):
            sender = min(intakes(hash_), default="")
            yield ConfigActivated(plant, hash_, state.marks.get(CONFIGURED + plant, 0), sender)
    for one in state.pending_configurations:
        yield ConfigActivated(one.plant, one.hash, one.at, one.sender, one.started_at)


def last_of_each(announcements: Iterator[PendingConfig], until: int) -> dict[str, PendingConfig]:
    """Sender -> its last announcement that is due at `until`. Of one moment the one that came last: a repair of the clock can
    bring two to the same."""
    said: dict[str, PendingConfig] = {}
    for one in announcements:
        known = said.get(one.sender)
        if one.at <= until and (known is None or known.at <= one.at):
            said[one.sender] = one
    return said


def _agreed(said: dict[str, PendingConfig], in_force: PendingConfig, intakes: ReadUnder) -> frozenset[str]:
    """Configurations of which every intake that they read says so. Who was not heard goes on with what is in force, if that reads
    it; a new one that has not begun keeps nobody waiting."""
    hashes = {one.hash for one in said.values()}
    if hashes <= {in_force.hash}:
        return frozenset(hashes)
    before, found = intakes(in_force.hash), set[str]()
    for hash_ in hashes:
        read = intakes(hash_)
        heard = {said[name].hash for name in read if name in said}
        unheard = any(name in before for name in read if name not in said)
        if heard == {hash_} and (hash_ == in_force.hash or not unheard):
            found.add(hash_)
    return frozenset(found)


def _last_agreed(announcements: Iterable[PendingConfig], agreed: Collection[str]) -> PendingConfig:
    """By the last announcement of each."""
    among = [one for one in announcements if one.hash in agreed]
    started = {one.hash: max(other.started_at for other in among if other.hash == one.hash) for one in among}
    return max(among, key=lambda one: (started[one.hash], *_newest(one)))


def _in_force(state: PartitionPosition, plant: str) -> PendingConfig:
    return PendingConfig(plant, state.configurations[plant], state.marks.get(CONFIGURED + plant, 0))


def _newest(one: PendingConfig) -> tuple[int, str]:
    return one.at, one.hash
