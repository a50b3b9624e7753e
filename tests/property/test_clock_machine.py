"""The clock of a stage over upstreams that come and go, of two plants: an obvious slow model decides the same, nothing that is
due is ever skipped or asked for twice, and time never goes back."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.codec import Codec
from schemas.records import PartitionPosition, Tick
from streams.clock import clock_of, observe
from streams.silence import Watch

PLANTS = ("P", "Q")
SENDERS = ("intake/a/0", "intake/a/1", "intake/b/0", "equipment/equipment.inbox/0")
CODEC = Codec()


class Clock(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.state = PartitionPosition(0, 1, 1, "")
        self.upstreams: dict[str, tuple[str, ...]] = dict.fromkeys(PLANTS, SENDERS[:2])
        self.log: dict[str, list[tuple[str, int, tuple[str, ...]]]] = {plant: [] for plant in PLANTS}
        self.advances: dict[str, list[Any]] = {plant: [] for plant in PLANTS}

    @rule(plant=st.sampled_from(PLANTS), sender=st.sampled_from(SENDERS), at=st.integers(1, 40))
    def tick(self, plant: str, sender: str, at: int) -> None:
        self.log[plant].append((sender, at, self.upstreams[plant]))
        advance = observe(self.state, Tick(plant, at, sender), Watch(self.upstreams[plant]))
        if advance is not None:
            self.advances[plant].append(advance)

    @rule(plant=st.sampled_from(PLANTS), names=st.sets(st.sampled_from(SENDERS), min_size=1))
    def configuration(self, plant: str, names: set[str]) -> None:
        self.upstreams[plant] = tuple(sorted(names))

    @rule()
    def taken_over(self) -> None:
        self.state = CODEC.decode(CODEC.encode(self.state))

    @rule(plant=st.sampled_from(PLANTS), further=st.integers(1, 5))
    def everybody_speaks(self, plant: str, further: int) -> None:
        """Nobody who came or went can stop the plant."""
        newest = max([reached(self.log[plant]), *(at for _, at, _ in self.log[plant])]) + further
        for sender in self.upstreams[plant]:
            self.tick(plant, sender, newest)
        assert clock_of(self.state, plant, self.upstreams[plant]) == newest

    @invariant()
    def as_the_model(self) -> None:
        for plant in PLANTS:
            assert clock_of(self.state, plant, self.upstreams[plant]) == reached(self.log[plant])

    @invariant()
    def every_moment_is_asked_for_once(self) -> None:
        for plant in PLANTS:
            ends = [0]
            for advance in self.advances[plant]:
                assert advance.before == ends[-1] < advance.now
                ends.append(advance.now)


def reached(log: list[tuple[str, int, tuple[str, ...]]]) -> int:
    """From all that was ever heard: the furthest moment to which everybody came who was there at the time."""
    clock, heard = 0, dict[str, int]()
    for sender, at, upstreams in log:
        if at <= heard.get(sender, 0):
            continue
        heard[sender] = at
        there = [heard.get(name, 0) for name in upstreams if heard.get(name, 0) >= clock]
        if there and min(there) > clock:
            clock = min(there)
            heard = {name: known for name, known in heard.items() if name in upstreams}  # who is gone begins anew
    return clock


test_clock = Clock.TestCase
