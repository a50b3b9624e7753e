"""The clock of a stage over upstreams that come and go, of two plants: an obvious slow model decides the same, nothing that is
due is ever skipped or asked for twice, and time never goes back."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from schemas.codec import Codec
from schemas.records import ClockRepaired, ConfigActivated, PartitionPosition, Tick, UpstreamOrdered
from streams.announcements import still_read
from streams.clock import activate, clock_of, observe, schedule
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


DEPLOYED = ("intake/a/0", "intake/a/1", "intake/b/0", "intake/ops/0")
"""The operators' source is in every configuration."""


class Deployments(RuleBasedStateMachine):
    """Configurations that follow each other while the intakes are at different times, some restarted late and some not at all;
    two partitions of a stage that hear it in different orders.

    The test knows which deployment was the last one. It demands: when its intakes have been started, every partition has it in
    force and goes on, of all that were ahead or are gone; and nothing that is due is skipped.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reads: dict[str, tuple[str, ...]] = {"h0": DEPLOYED}
        self.last = "h0"
        self.runs_with: dict[str, str] = {}
        self.told, self.announced = dict.fromkeys(DEPLOYED, 0), dict.fromkeys(DEPLOYED, 0)
        self.states = [PartitionPosition(0, 1, 1, "") for _ in range(2)]
        self.queues: list[dict[str, list[Any]]] = [{name: [] for name in DEPLOYED} for _ in self.states]
        self.ends = [[0] for _ in self.states]
        for name in DEPLOYED:
            self.start(name)

    def say(self, record: Any) -> None:
        for queues in self.queues:
            queues[record.sender].append(record)

    @rule(name=st.sampled_from(DEPLOYED))
    def start(self, name: str) -> None:
        """A process with what was deployed last takes the intake over."""
        if name in self.reads[self.last] and self.runs_with.get(name) != self.last:
            at = max(self.told[name], self.announced[name] + 1) if name in self.runs_with else 0
            self.runs_with[name], self.announced[name] = self.last, at
            self.say(ConfigActivated("P", self.last, at, name))

    @rule(name=st.sampled_from(DEPLOYED), further=st.integers(1, 60))
    def works(self, name: str, further: int) -> None:
        """Its process may still be the one of before, also when nobody wants it any more."""
        if name in self.runs_with:
            self.told[name] += further
            self.say(Tick("P", self.told[name], name))

    @rule(sources=st.sets(st.sampled_from(("a", "b"))))
    def deploy(self, sources: set[str]) -> None:
        self.last = f"h{len(self.reads)}"
        self.reads[self.last] = tuple(name for name in DEPLOYED if name.split("/")[1] in sources | {"ops"})

    @rule(partition=st.integers(0, 1), name=st.sampled_from(DEPLOYED))
    def folded(self, partition: int, name: str) -> None:
        """What an intake sent comes in its order; those of two intakes in any."""
        state, queue = self.states[partition], self.queues[partition][name]
        while queue:
            record = queue.pop(0)
            if isinstance(record, ConfigActivated):
                schedule(state, record)
                continue
            in_force = state.configurations.get("P")
            upstreams = still_read(state, "P", self.reads[in_force], self.reads.__getitem__) if in_force else ()
            advance = observe(state, record, Watch(upstreams))
            if advance is not None:
                assert self.ends[partition][-1] == advance.before < advance.now
                self.ends[partition].append(advance.now)
                activate(state, "P", advance.now, self.reads.__getitem__)

    @rule(partition=st.integers(0, 1))
    def taken_over(self, partition: int) -> None:
        self.states[partition] = CODEC.decode(CODEC.encode(self.states[partition]))

    @rule(first=st.permutations(DEPLOYED))
    def everybody_is_started(self, first: list[str]) -> None:
        for name in first:
            self.start(name)
        newest = max(*self.told.values(), *self.announced.values())
        for _ in range(2):  # the first brings a configuration into force, the second is counted by it
            newest += 1
            for name in self.reads[self.last]:
                self.works(name, newest - self.told[name])
            for partition, order in enumerate((first, first[::-1])):
                for name in order:
                    self.folded(partition, name)
        for state in self.states:
            assert state.configurations["P"] == self.last
            assert clock_of(state, "P", self.reads[self.last]) == newest
            assert len(state.pending_configurations) <= len(DEPLOYED), "what is kept is bounded by the intakes"


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
test_deployments = Deployments.TestCase
test_silence = Silence.TestCase
