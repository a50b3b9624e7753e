"""The clock in the log: the minimum over all upstreams, never back; configuration takes effect at its time."""

from itertools import permutations

import pytest

from schemas.records import ConfigActivated, PartitionPosition, Tick
from streams.clock import Advance, activate, clock_of, clocks_in, observe, schedule
from streams.silence import Watch

UPSTREAMS = ("intake/raw/0", "intake/raw/1")


def fresh() -> PartitionPosition:
    return PartitionPosition(0, 1, 1, "")


def tick(at: int, number: int = 0, plant: str = "P") -> Tick:
    return Tick(plant, at, UPSTREAMS[number])


def test_the_slowest_upstream_holds_the_clock() -> None:
    state = fresh()
    assert observe(state, tick(10), Watch(UPSTREAMS)) is None, "the other one has not spoken"
    assert observe(state, tick(7, 1), Watch(UPSTREAMS)) == Advance(0, 7)
    assert observe(state, tick(20), Watch(UPSTREAMS)) is None
    assert observe(state, tick(15, 1), Watch(UPSTREAMS)) == Advance(7, 15)
    assert clock_of(state, "P", UPSTREAMS) == 15


def test_never_back() -> None:
    state = fresh()
    for number in (0, 1):
        observe(state, tick(10, number), Watch(UPSTREAMS))
    assert observe(state, tick(10), Watch(UPSTREAMS)) is None
    assert observe(state, tick(3), Watch(UPSTREAMS)) is None
    assert clock_of(state, "P", UPSTREAMS) == 10


def test_a_source_that_is_added_joins_when_it_has_come_up_to_the_clock() -> None:
    state, more = fresh(), (*UPSTREAMS, "intake/new/0")
    for number in (0, 1):
        observe(state, tick(10, number), Watch(UPSTREAMS))
    assert observe(state, tick(12), Watch(more)) is None
    assert observe(state, tick(12, 1), Watch(more)) == Advance(10, 12), "it does not stop the plant"
    assert observe(state, Tick("P", 11, "intake/new/0"), Watch(more)) is None, "nor take its clock back"
    assert observe(state, Tick("P", 13, "intake/new/0"), Watch(more)) is None
    assert [observe(state, tick(20, number), Watch(more)) for number in (0, 1)] == [None, Advance(12, 13)], (
        "from now on it counts"
    )


def test_a_source_that_is_removed_lets_no_cut_be_skipped() -> None:
    state = fresh()
    observe(state, tick(10), Watch(UPSTREAMS))
    observe(state, tick(1000, 1), Watch(UPSTREAMS))
    assert observe(state, tick(1001, 1), Watch(UPSTREAMS[1:])) == Advance(10, 1001), "what was due since 10 is asked for"
    assert [name for (_, name), _ in clocks_in(state.clocks)] == [UPSTREAMS[1]], "it does not look like the slowest one for ever"


def test_all_sources_exchanged() -> None:
    state = fresh()
    for number in (0, 1):
        observe(state, tick(10, number), Watch(UPSTREAMS))
    assert observe(state, Tick("P", 9, "intake/new/0"), Watch(["intake/new/0"])) is None
    assert clock_of(state, "P", ["intake/new/0"]) == 10
    assert observe(state, Tick("P", 15, "intake/new/0"), Watch(["intake/new/0"])) == Advance(10, 15)


def test_a_state_from_before_reached_was_kept_goes_on() -> None:
    state = fresh()
    state.clocks = {f"P\0{name}": at for name, at in zip(UPSTREAMS, (10, 12), strict=True)}
    assert clock_of(state, "P", UPSTREAMS) == 10
    assert observe(state, tick(11), Watch(UPSTREAMS)) == Advance(10, 11)


def test_senders_that_are_no_upstreams_and_other_plants_do_not_count() -> None:
    state = fresh()
    observe(state, Tick("P", 99, "somebody"), Watch(UPSTREAMS))
    observe(state, tick(10, 0, "Q"), Watch(UPSTREAMS))
    observe(state, tick(10, 1, "Q"), Watch(UPSTREAMS))
    assert clock_of(state, "P", UPSTREAMS) == 0
    assert clock_of(state, "Q", UPSTREAMS) == 10
    assert clock_of(state, "P", ()) == 0


def nobody(hash_: str) -> tuple[str, ...]:
    """Reads under any configuration: the newest holds."""
    return ()


def config(name: str, at: int, sender: str = "a", plant: str = "P") -> ConfigActivated:
    return ConfigActivated(plant, name, at, sender)


def at_clock(*records: ConfigActivated, clocks: tuple[int, ...]) -> list[str]:
    """What holds at each of these clocks when all records came before the first."""
    state, held = fresh(), []
    for record in records:
        schedule(state, record)
    for now in clocks:
        activate(state, "P", now, nobody)
        held.append(state.configurations["P"])
    return held


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        pytest.param([config("A", 0)], ["A", "A", "A"], id="the first one holds from the beginning"),
        pytest.param([config("A", 100)], ["A", "A", "A"], id="also when its time is later"),
        pytest.param([config("A", 0), config("B", 10)], ["A", "B", "B"], id="at its time"),
        pytest.param([config("A", 0), config("B", 10), config("B", 10, "b")], ["A", "B", "B"], id="several senders say the same"),
        pytest.param([config("A", 0), config("C", 20), config("B", 10)], ["A", "B", "C"], id="in any order of arrival"),
        pytest.param([config("A", 0), config("B", 10), config("A", 20)], ["A", "B", "A"], id="there and back again"),
        pytest.param(
            [config("A", 0), config("B", 15), config("C", 20)], ["A", "A", "C"], id="of several that are due the newest"
        ),
        pytest.param([config("A", 0), config("B", 9), config("A", 10)], ["B", "A", "A"], id="rolled back at the next moment"),
        pytest.param([config("A", 0), config("A", 10), config("B", 9)], ["B", "A", "A"], id="told the other way round"),
        pytest.param([config("A", 0), config("B", 10, plant="Q")], ["A", "A", "A"], id="another plant's"),
    ],
)
def test_configuration_follows_the_clock(records: list[ConfigActivated], expected: list[str]) -> None:
    assert at_clock(*records, clocks=(9, 10, 20)) == expected


def test_activation_is_told_once() -> None:
    state = fresh()
    schedule(state, config("A", 0))
    schedule(state, config("B", 10))
    assert [activate(state, "P", now, nobody) for now in (9, 10, 11)] == [None, "B", None]
    schedule(state, config("B", 10, "late sender"))
    assert activate(state, "P", 12, nobody) is None


def test_every_partition_ends_with_the_same_configuration_whatever_it_heard_first() -> None:
    """A deployment that is rolled back within a second: each intake says B and then A again, and stages hear them as they come,
    also when their clocks have passed all of it."""
    told = [config("B", 10, "x"), config("A", 11, "x"), config("B", 11, "y"), config("A", 12, "y"), config("B", 10, "z")]
    ends = set()
    for order in permutations(told):
        for now in (9, 20):
            state = fresh()
            schedule(state, config("A", 0))
            for record in order:
                schedule(state, record)
                activate(state, "P", now, nobody)
            activate(state, "P", 20, nobody)
            ends.add(state.configurations["P"])
    assert ends == {"A"}
