"""The clock of a stage over upstreams that come and go, of two plants: an obvious slow model decides the same, nothing that is
due is ever skipped or asked for twice, and time never goes back."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.codec import Codec
from schemas.records import ClockRepaired, PartitionPosition, Tick, UpstreamOrdered
from streams.clock import clock_of, observe
from streams.repairs import repair
from streams.silence import Watch, ordered, silent

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


class Silence(RuleBasedStateMachine):
    """Sources that vanish and return, orders of people, and clocks that were wrong and are repaired.

    The model keeps what each intake told. It demands: nobody who is waited for is passed; a source that is left out was silent
    for longer than the patience, or set aside; never all are; nothing that is due is skipped; a source that returns counts again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.state = PartitionPosition(0, 1, 1, "")
        self.told = dict.fromkeys(INTAKES, 0)
        self.heard_when = dict.fromkeys(INTAKES, 0)
        self.host, self.reached, self.repairs = 0, 0, 0
        self.away: set[str] = set()
        self.aside: set[str] = set()
        self.ends = [0]

    def hear(self, sender: str, at: int) -> None:
        advance = observe(self.state, Tick("P", at, sender), WATCH)
        self.told[sender] = max(self.told[sender], at)
        self.heard_when[sender] = self.host
        before, self.reached = self.reached, clock_of(self.state, "P", INTAKES)
        if advance is not None:
            assert advance == (self.ends[-1], self.reached) and before < self.reached
            self.ends.append(advance.now)
            passed = {name for name in INTAKES if before <= self.told[name] < self.reached}
            assert passed <= MAY_GO | self.aside, "nobody who is waited for is passed"
            for name in passed - self.aside:
                others = [told for other, told in self.told.items() if other not in passed | self.aside and told >= before]
                assert others and min(others) - self.told[name] > PATIENCE, "only silence leaves out"
            assert any(self.told[name] >= self.reached for name in INTAKES), "never all"

    @rule(further=st.integers(1, 4))
    def time_passes(self, further: int) -> None:
        """Every intake that lives ticks."""
        self.host += further
        for sender in INTAKES:
            if sender not in self.away:
                self.hear(sender, self.host)

    @rule(sender=st.sampled_from(("intake/a/0", "intake/b/0", "intake/c/0")))
    def vanishes(self, sender: str) -> None:
        self.away.add(sender)

    @rule(sender=st.sampled_from(("intake/a/0", "intake/b/0", "intake/c/0")), slowly=st.booleans())
    def returns(self, sender: str, slowly: bool) -> None:
        """With all that it missed, tick by tick or at once."""
        if sender in self.away:
            self.away.discard(sender)
            for at in range(self.told[sender] + 1, self.host + 1) if slowly else (self.host,):
                self.hear(sender, at)

    @rule(topic=st.sampled_from(("a", "b")), excluded=st.booleans())
    def people(self, topic: str, excluded: bool) -> None:
        order = UpstreamOrdered(f"u{self.host}", "P", self.host, self.host, "ops", "raw", 0, topic, excluded, "w", "y")
        ordered(self.state, order)
        (self.aside.add if excluded else self.aside.discard)(f"intake/{topic}/0")

    @rule(ahead=st.integers(10, 1000))
    def wrong_clock_and_repair(self, ahead: int) -> None:
        """Every intake of a wrong host ticks far ahead; each of them then tells of the repair."""
        right = max(1, self.host)
        for sender in INTAKES:
            self.hear(sender, self.host + ahead)
        self.repairs += 1
        for sender in INTAKES:
            repair(self.state, ClockRepaired("P", right, sender, self.repairs, "w", "y"))
        self.told = {name: min(told, right) for name, told in self.told.items()}
        self.reached = clock_of(self.state, "P", INTAKES)
        assert self.reached <= right
        self.ends.append(self.reached)

    @rule()
    def taken_over(self) -> None:
        self.state = CODEC.decode(CODEC.encode(self.state))

    @rule()
    def everybody_is_back(self) -> None:
        """Then nobody is missing, and the clock is the host's."""
        self.host += 1
        self.away.clear()
        for sender in INTAKES:
            self.hear(sender, self.host)
        assert self.reached == self.host
        assert not silent(self.state, "P")


INTAKES = ("intake/a/0", "intake/b/0", "intake/c/0", "intake/d/0")
MAY_GO = frozenset(INTAKES[:2])
PATIENCE = 3
WATCH = Watch(INTAKES, frozenset(INTAKES), MAY_GO, PATIENCE)
test_clock = Clock.TestCase
test_silence = Silence.TestCase
