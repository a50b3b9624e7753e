"""Wrong clocks of hosts and brokers: what they can do is bounded, and what they did is repaired by a record in the log."""

import pytest

from streams.intake.raw_headers import CONTROL_HEADER
from streams.repairs import CONTROL, repair_line
from tables.row_kinds import ORDER_ROWS, WAITING_ROWS
from tests.unit.streams.live_plant import STAGES, LivePlant, live_configuration
from tests.unit.tables.floor_bench import HOUR, MIN, PLANT, S, at

T, DAY = at("07:00"), 24 * HOUR


def plant() -> LivePlant:
    made = LivePlant(live_configuration("a", "b"), T)
    made.idle(T + 5 * S)
    return made


def produce(made: LivePlant, count: int, **fields: int) -> None:
    made.send("a", "count", n=count, **fields)


def begin(made: LivePlant) -> None:
    made.send("b", "material")
    made.send("b", "release", po="O1", n=1000)
    made.send("a", "start", job="A", po="O1")
    produce(made, 100)


# -- an append time that jumps


def test_one_append_time_that_is_far_ahead_moves_no_label_and_its_record_counts() -> None:
    made = plant()
    begin(made)
    made.idle(T + MIN)
    made.send("a", "count", appended=made.host + 8 * DAY, n=107)
    made.idle(T + 2 * MIN)
    assert made.letters == []
    assert max(made.ticks()) == made.clock("orders", PLANT) == T + 2 * MIN
    assert [total.numerator for total in made.totals() if total.kind == "gross"][-1] == 7
    assert made.intakes["a"][1].state.marks["append_ahead"] == 1
    produce(made, 110)
    assert made.letters == []


def test_the_first_record_of_a_partition_can_be_the_one() -> None:
    made = LivePlant(live_configuration("a"), T)
    made.send("a", "state", appended=T + 8 * DAY)
    made.idle(T + 5 * S)
    assert max(made.ticks()) == T + 5 * S


def test_a_partition_that_was_silent_for_long_moves_on() -> None:
    made = plant()
    made.host += 9 * HOUR  # nobody read meanwhile: an outage, no wrong clock
    made.send("a", "state")
    assert made.intakes["a"][1].state.marks["label"] == made.host
    assert "append_ahead" not in made.intakes["a"][1].state.marks


def test_a_host_whose_clock_is_behind_does_not_stop_what_the_partitions_say() -> None:
    """The other partitions of its process agree with the broker."""
    made = plant()
    stage, _ = made.intakes["a"]
    true, made.host = made.host + 20 * MIN, made.host - 9 * HOUR
    stage._clock.opened(1, {}, true - S)
    made.send("a", "state", appended=true)
    assert made.intakes["a"][1].state.marks["label"] == true


# -- the repair


def repair(made: LivePlant, to: int, number: int = 1) -> None:
    for source in made.intakes:
        line = repair_line(PLANT, to, number, "who", "the host was 8 days ahead")
        made.send(source, "", raw=line, headers={CONTROL_HEADER: CONTROL})


def jumped(days: int = 8) -> tuple[LivePlant, int]:
    """A plant whose host was ahead for a moment: every clock of it went along. Returns it with the moment before."""
    made = plant()
    begin(made)
    made.idle(T + 10 * MIN)
    right = made.host
    made.idle(right + days * DAY, step=days * DAY)
    made.host = right + MIN
    return made, right


def test_without_a_repair_everything_is_too_late_for_a_week() -> None:
    made, _ = jumped()
    produce(made, 110)
    made.idle(made.host + MIN)
    assert [letter.code for letter in made.letters] == ["TOO_LATE"]


@pytest.mark.parametrize("days", [1, 8, 300])
@pytest.mark.parametrize("restarted", [False, True])
def test_after_a_repair_records_are_taken_in_and_posted(days: int, restarted: bool) -> None:
    made, right = jumped(days)
    repair(made, right)
    if restarted:
        for stage in STAGES:
            made.restart(stage)
    produce(made, 110)
    made.idle(made.host + MIN)
    assert made.letters == []
    assert {stage: made.clock(stage, PLANT) for stage in STAGES} == dict.fromkeys(STAGES, made.host)
    made.idle(at("14:00") + S, step=30 * MIN)
    assert made.posted.get("yield") == 10
    assert made.postings[-1].cut == at("14:00")


def test_a_repair_forgets_no_quantity_and_counts_none_twice() -> None:
    made, right = jumped()
    repair(made, right - 5 * MIN)  # a moment before what came last: that is in the totals already
    made.send("a", "count", n=100, seq=4, t=T + 6 * S)
    made.send("a", "good", po="O1", n=1, t=right - 6 * MIN)
    produce(made, 110)
    made.idle(at("14:00") + S, step=30 * MIN)
    assert made.posted.get("yield") == 10


def test_the_repairs_of_one_command_count_once_and_those_of_another_again() -> None:
    made, right = jumped()
    repair(made, right)
    made.idle(made.host + 2 * MIN)
    ahead = made.host
    repair(made, right)  # the same command, repeated by a person's script
    assert made.clock("orders", PLANT) == ahead, "the same repair"
    repair(made, right, number=2)
    assert made.clock("orders", PLANT) == right
    made.idle(made.host + MIN)
    assert made.clock("orders", PLANT) == made.host


def test_a_configuration_counts_that_comes_after_the_repair_of_a_clock_by_which_another_was_activated() -> None:
    made, right = jumped()
    made.configure(live_configuration("a", "b", lots={"missing": "ignore"}))
    made.host = right + 8 * DAY + MIN
    made.idle(made.host + MIN)
    made.host = right + MIN
    repair(made, right)
    made.idle(made.host + MIN)
    newest = live_configuration("a", "b", lots={"erp_max_length": 20})
    made.configure(newest)
    made.idle(made.host + 2 * MIN)
    assert {made.steps[stage].state.configurations[PLANT] for stage in STAGES} == {newest.hash}


def test_what_waited_for_a_time_that_never_was_is_folded() -> None:
    made = plant()
    right = made.host
    made.host += 8 * DAY
    made.send("b", "release", po="O1", n=1000)
    made.host = right
    repair(made, right)
    made.idle(right + 2 * S)
    assert made.steps["orders"].rows.get(ORDER_ROWS.key(PLANT, "O1")) is not None
    assert not [key for key, _ in made.steps["orders"].rows.scan(WAITING_ROWS.prefix)]


HALF = b'{"plant": "P", "at": 1, "repair": 1, "who": "w", "why": "\\ud800"}'
"""Half of a character: no text that can be written."""


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b"{}", HALF, repair_line("OTHER", T, 1, "w", "y"), repair_line(PLANT, -1, 1, "w", "y")]
)
def test_a_control_record_that_is_none_is_refused(raw: bytes) -> None:
    made = plant()
    before = made.clock("orders", PLANT)
    made.send("a", "", raw=raw, headers={CONTROL_HEADER: CONTROL})
    assert [letter.code for letter in made.letters] == ["BAD_CONTROL"]
    assert made.clock("orders", PLANT) == before
