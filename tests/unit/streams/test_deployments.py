"""Configurations that follow each other while the sources of a plant are at different times: the last one holds in every stage,
and nobody waits for a source that it does not read."""

import pytest

from schemas.configuration import Configuration
from schemas.records import PartitionPosition, PendingConfig
from streams.announcements import CONFIGURED, holding
from tests.unit.streams.live_plant import STAGES, LivePlant, live_configuration
from tests.unit.streams.raw_bench import READ
from tests.unit.tables.floor_bench import HOUR, PLANT, S, at

T = at("10:00")


def lagging(configuration: Configuration, ahead: str) -> LivePlant:
    """A plant of which one source has told of an hour that the others have not read yet."""
    made = LivePlant(configuration, T)
    made.idle(T + 5 * S)
    made.idle(T + HOUR, ahead, step=60 * S)
    return made


def variant(*names: str, late: str = "2 d") -> Configuration:
    return live_configuration(*names, attribution={"late_horizon": late})


def everywhere(plant: LivePlant) -> set[str]:
    return {plant.steps[stage].state.configurations[PLANT] for stage in STAGES}


def assert_goes_on_with(plant: LivePlant, wanted: Configuration) -> None:
    plant.idle(plant.host + 5 * S)
    assert {plant.clock(stage, PLANT) for stage in STAGES} == {plant.host}
    assert everywhere(plant) == {wanted.hash}


@pytest.mark.parametrize("step", [HOUR, 60 * S], ids=["at once", "minute by minute"])
def test_two_deployments_within_the_lag_of_which_the_second_removes_the_source_that_is_ahead(step: int) -> None:
    plant = lagging(variant("a", "b"), "a")
    last = variant("b")
    plant.configure(variant("a", "b", late="3 d"))
    plant.configure(last)
    began, plant.host = plant.host, T + 5 * S
    plant.idle(began + 10 * S, "b", step=step)
    assert_goes_on_with(plant, last)


def test_of_three_sources_one_that_was_restarted_only_once() -> None:
    plant = lagging(variant("a", "b", "c"), "a")
    last = variant("b", "c")
    middle = variant("a", "b", "c", late="3 d")
    plant.intakes["c"][1].state.configurations[PLANT] = middle.hash  # so it says nothing of it
    plant.configure(middle)
    plant.configure(last)
    assert_goes_on_with(plant, last)


@pytest.mark.parametrize("removed", ["a", "b"], ids=["ahead", "behind"])
def test_a_source_is_removed_while_the_sources_are_at_different_times(removed: str) -> None:
    plant = lagging(variant("a", "b"), "a")
    last = variant({"a": "b", "b": "a"}[removed])
    plant.configure(last)
    assert_goes_on_with(plant, last)


def test_all_sources_but_the_operators_are_exchanged() -> None:
    plant = lagging(variant("a", "ops"), "ops")
    last = variant("b", "ops")
    plant.configure(last)
    assert_goes_on_with(plant, last)


@pytest.mark.parametrize("ahead", ["a", "b"])
def test_a_source_that_was_removed_comes_back(ahead: str) -> None:
    plant = lagging(variant("a", "b"), ahead)
    plant.configure(variant("b"))
    plant.idle(plant.host + 5 * S)
    last = variant("a", "b", late="3 d")
    plant.configure(last)
    assert_goes_on_with(plant, last)
    plant.idle(plant.host + 60 * S, "b")
    assert plant.clock("orders", PLANT) == plant.host - 60 * S, "it is waited for again"


def test_an_hour_that_was_told_under_a_configuration_that_is_taken_back_counts_no_more() -> None:
    """There and back within the lag: as if nothing had been."""
    first = variant("a", "b")
    plant = lagging(first, "a")
    plant.configure(variant("a", "b", late="3 d"))
    plant.configure(first)
    assert_goes_on_with(plant, first)


def alone(*names: str, late: str = "2 d") -> Configuration:
    """As `variant`, without the source that all others of these tests have in common."""
    first, *others = names
    topic = {"s": {"read": {**READ, "topic": f"raw.{first}"}}}
    return live_configuration("s", *others, sources=topic, attribution={"late_horizon": late})


@pytest.mark.parametrize("ahead", ["a", "b"])
@pytest.mark.parametrize("step", [HOUR, 60 * S], ids=["at once", "minute by minute"])
def test_two_deployments_within_the_lag_that_have_no_source_in_common(ahead: str, step: int) -> None:
    """First all but `a` goes, then `a` goes and `b` comes back: nobody says both."""
    plant = lagging(alone("a", "b"), ahead)
    last = alone("b", late="3 d")
    plant.configure(alone("a"))
    plant.host += 30 * S
    plant.configure(last)
    began = plant.host
    plant.host = T + 5 * S if ahead == "a" else began
    plant.idle(began + 10 * S, "b", step=step)
    assert_goes_on_with(plant, last)
    plant.restart("orders")
    plant.restart("equipment")
    assert_goes_on_with(plant, last)


def test_a_host_that_says_nothing_of_its_time_is_before_one_that_does() -> None:
    """Announcements of an earlier version: between two of them the newest by time holds."""
    state = PartitionPosition(0, 1, 1, "")
    state.configurations[PLANT], state.marks[CONFIGURED + PLANT] = "h1", 0
    old, new = ("a", "h2", 50, 0), ("b", "h3", 20, 0)
    readers = {"h1": {"a", "b"}, "h2": {"a"}, "h3": {"b"}}

    def held(*told: tuple[str, str, int, int]) -> str:
        state.pending_configurations = [PendingConfig(PLANT, hash_, when, name, started) for name, hash_, when, started in told]
        return holding(state, PLANT, 100, readers.__getitem__).hash

    assert held(old, new) == held(new, old) == "h2"
    assert held(old, (*new[:3], 7)) == held((*new[:3], 7), old) == "h3"
