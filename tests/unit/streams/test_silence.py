"""Sources that fall silent, live: the plant waits and tells, or goes on and names them; they come back by joining."""

import json
from typing import Any

import pytest

from schemas.records import PartitionPosition, Tick, UpstreamState
from streams.clock import observe
from streams.silence import Watch
from tests.unit.streams.live_plant import STAGES, LivePlant, live_configuration
from tests.unit.tables.floor_bench import MIN, PLANT, S, at

T = at("07:00")
OPERATORS = {"read": {"topic": "raw.ops", "format": "replay"}, "events": []}


def plant(**on_silence: str) -> LivePlant:
    """Sources a, b and c, and that of the operators."""
    further: dict[str, Any] = {name: {"on_silence": said} for name, said in on_silence.items()}
    configuration = live_configuration(
        *("a", "b", "c", "ops"),
        sources={**further, "ops": {**OPERATORS, **further.get("ops", {})}},
        rules={"post": [{"kind": "yield", "when": ["every 10 min"]}]},
        clock={"patience": "5 min"},
    )
    made = LivePlant(configuration, T)
    made.idle(T + 5 * S)
    made.send("b", "release", po="O1", n=1000)
    made.send("a", "start", job="A", po="O1")
    made.send("a", "count", n=100)
    made.idle(T + MIN, step=5 * S)
    return made


def others(made: LivePlant, *gone: str) -> list[str]:
    return [name for name in made.intakes if name not in gone]


def told(made: LivePlant) -> list[tuple[str, bool, str, str]]:
    states: list[UpstreamState] = made.queues["plant.upstreams"]
    return [(state.source, state.silent, state.on_silence, state.code) for state in states]


def posted(made: LivePlant) -> list[tuple[int, list[str]]]:
    return [(posting.amount, posting.missing_sources) for posting in made.postings]


def test_a_plant_waits_for_a_silent_source_and_tells() -> None:
    made = plant()
    made.idle(T + 10 * MIN, *others(made, "c"), step=10 * S)
    assert made.clock("orders", PLANT) == T + MIN
    assert told(made) == [("c", True, "wait", "UPSTREAM_SILENT")]
    made.idle(T + 11 * MIN, step=10 * S)
    assert made.clock("orders", PLANT) == T + 11 * MIN
    assert told(made)[1:] == [("c", False, "wait", "")]


def test_where_the_plant_says_so_it_goes_on_names_what_is_missing_and_takes_it_in_again() -> None:
    made = plant(c="go_on")
    made.idle(T + 5 * MIN, *others(made, "c"), step=10 * S)
    made.send("a", "count", n=107)
    assert made.clock("orders", PLANT) == T + MIN, "not before its patience is over"
    made.idle(T + 21 * MIN, *others(made, "c"), step=10 * S)
    assert {stage: made.clock(stage, PLANT) for stage in STAGES} == dict.fromkeys(STAGES, made.host)
    assert told(made) == [("c", True, "go_on", "UPSTREAM_SILENT")]
    assert posted(made) == [(7, ["c"])]
    made.idle(T + 22 * MIN, step=10 * S)
    assert told(made)[1:] == [("c", False, "go_on", "")]
    made.send("a", "count", n=110)
    made.idle(T + 31 * MIN, step=10 * S)
    assert posted(made)[1:] == [(3, [])]


def test_what_comes_late_of_a_source_that_was_left_out_is_posted_then() -> None:
    made = plant(a="go_on")
    made.idle(T + 21 * MIN, *others(made, "a"), step=10 * S)
    assert made.clock("orders", PLANT) == T + 21 * MIN
    made.send("a", "count", n=105, t=T + 2 * MIN, appended=T + 2 * MIN)
    made.idle(T + 31 * MIN, step=10 * S)
    assert posted(made) == [(5, [])] and made.letters == []


def test_sources_that_fall_silent_together_are_left_out_together_but_never_all() -> None:
    made = plant(a="go_on", b="go_on", c="go_on", ops="go_on")
    made.idle(T + 20 * MIN, "ops", "p", step=10 * S)
    assert made.clock("orders", PLANT) == T + 20 * MIN
    assert {source for source, *_ in told(made)} == {"a", "b", "c"}


def test_a_source_that_lags_is_not_silent() -> None:
    made = plant(c="go_on")
    stage, step = made.intakes["c"]
    lag = made.host
    for _ in range(30):
        made.idle(made.host + MIN, *others(made, "c"), step=20 * S)
        lag += S
        stage.idle(step, lag)
        made.settle()
    assert made.clock("orders", PLANT) == lag and told(made) == []


@pytest.mark.parametrize("restarted", [False, True])
def test_a_person_sets_a_source_aside_and_takes_it_in_again(restarted: bool) -> None:
    made = plant()

    def order(excluded: bool) -> None:
        upstream = {"event_id": f"u{excluded}", "source": "c", "excluded": excluded, "who": "w", "why": "broken"}
        made.send("ops", "", raw=json.dumps({"at": made.host, "upstream": upstream}).encode())
        for stage in STAGES if restarted else ():
            made.restart(stage)

    made.idle(T + 2 * MIN, *others(made, "c"), step=10 * S)
    order(True)
    made.send("a", "count", n=104)
    made.idle(T + 11 * MIN, *others(made, "c"), step=10 * S)
    assert made.clock("delivery", PLANT) == made.host
    assert posted(made) == [(4, ["c"])]
    assert told(made) == [("c", True, "go_on", "UPSTREAM_SILENT")]
    order(False)
    made.idle(T + 12 * MIN, step=10 * S)
    assert told(made)[1:] == [("c", False, "wait", "")]
    made.idle(T + 13 * MIN, *others(made, "c"), step=10 * S)
    assert made.clock("orders", PLANT) == T + 12 * MIN, "it counts again"


@pytest.mark.parametrize(
    "upstream",
    [
        {"source": "nobody", "excluded": True},
        {"source": "c"},
        {"source": "c", "excluded": "yes"},
        {"source": "c", "excluded": True, "who": ""},
    ],
)
def test_an_order_that_is_none_is_refused(upstream: dict[str, Any]) -> None:
    made = plant()
    stated = {"event_id": "u", "who": "w", "why": "y", **upstream}
    made.send("ops", "", raw=json.dumps({"at": made.host, "upstream": stated}).encode())
    assert [letter.code for letter in made.letters] in (["BAD_FIELD"], ["MISSING_FIELD"])
    assert not made.steps["orders"].state.set_aside


def test_only_intakes_are_ever_left_out() -> None:
    names = ("intake/raw.a/0", "intake/raw.b/0", "equipment/equipment.inbox/0")
    state, watch = PartitionPosition(0, 1, 1, ""), Watch(names, frozenset(names[:2]), frozenset(names[:2]), 5 * MIN)
    for minute in range(60):
        for name in names[:2] if minute else names:
            observe(state, Tick(PLANT, T + minute * MIN, name), watch)
    assert state.reached[PLANT] == T


def test_who_folds_the_same_inbox_again_leaves_out_the_same() -> None:
    """In batches of another size."""
    made = plant(c="go_on")
    made.idle(T + 20 * MIN, *others(made, "c"), step=30 * S)
    made.idle(T + 22 * MIN, step=30 * S)
    for stage in ("equipment", "lots", "orders"):
        again = LivePlant(next(iter(made.configurations.values())), T)
        step = again.steps[stage]
        step.state = PartitionPosition(0, 1, 1, "")
        step.rows.rows.clear()
        again.stages[stage] = STAGES[stage](again.topology)
        again.stages[stage].taken_over(step)
        step.deliver(*made.log[f"{stage}.inbox"])
        again.stages[stage].fold(step)
        assert step.state == made.steps[stage].state


def test_what_is_known_of_a_source_goes_with_the_configuration_that_removes_it_and_one_that_returns_joins() -> None:
    made = plant(c="go_on")

    def order(source: str) -> None:
        upstream = {"event_id": f"u{source}", "source": source, "excluded": True, "who": "w", "why": "broken"}
        made.send("ops", "", raw=json.dumps({"at": made.host, "upstream": upstream}).encode())

    (first,) = made.configurations.values()
    made.idle(T + 2 * MIN, step=10 * S)
    order("c")
    order("b")
    made.idle(T + 10 * MIN, *others(made, "c"), step=10 * S)
    fewer = live_configuration("a", "b", "ops", sources={"ops": OPERATORS}, clock={"patience": "5 min"})
    made.configure(fewer)
    made.idle(T + 20 * MIN, step=10 * S)
    for stage in ("equipment", "lots", "orders"):
        state = made.steps[stage].state
        known = {heard.upstream for heard in state.heard} | {name for heard in state.heard for name in heard.clocks}
        assert not [name for name in (*known, *state.clocks, *state.silent) if "raw.c" in name], stage
        assert [key.partition("\0")[2] for key in state.set_aside] == ["raw.b"], f"{stage}: who stays, stays set aside"
    waits = live_configuration("a", "b", "c", "ops", sources={"ops": OPERATORS}, clock={"patience": "5 min"})
    assert waits.hash != first.hash
    made.configure(waits)
    made.idle(T + 21 * MIN, *others(made, "c"), step=10 * S)
    assert made.clock("orders", PLANT) == T + 21 * MIN, "it joins"
    made.idle(T + 22 * MIN, step=10 * S)
    made.idle(T + 30 * MIN, *others(made, "c"), step=10 * S)
    assert made.clock("orders", PLANT) == T + 22 * MIN, "then it counts: nobody has set it aside since it came back"
