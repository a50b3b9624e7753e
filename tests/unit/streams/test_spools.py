"""A source that was away delivers what it could not: nothing of it is too late, in whatever order it comes. Silence is told."""

import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from app.ledger.books.rereading import OfEquipment, RereadEvent, RereadReading
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.recount import recount
from app.ledger.questions.floor_needs import silent_sources
from schemas.records import CounterFrame, RunStarted, UpstreamState
from streams.figures import SILENT
from tables.equipment.destination import Destination
from tables.equipment.equipment import EquipmentFold
from tables.equipment.own_clock import DAY_US, late_clock
from tables.plant.calendar import calendar_of
from tables.row_kinds import EQUIPMENT_ROWS, POSITION_ROWS
from tables.rows import MemoryRows
from tests.unit.streams.live_plant import CODEC, LivePlant, live_configuration
from tests.unit.tables.floor_bench import HOUR, MACHINE, MIN, PLANT, S, at

T = at("07:00")
EXPECT: dict[str, Any] = {"every": "10 min"}


class Committed(MemoryRows):
    """What a successor has: rows as they were put."""

    def put(self, key: str, row: Any) -> None:
        super().put(key, CODEC.encode(row))

    def get(self, key: str) -> Any:
        value = super().get(key)
        return None if value is None else CODEC.decode(value)

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        return ((key, CODEC.decode(value)) for key, value in super().scan(prefix))


def plant(expect: dict[str, Any] | None = EXPECT, **gateway: Any) -> LivePlant:
    """The gateway `gw` counts, `mes` tells of runs and states. Run A is open."""
    stated = {**gateway, **({"expect": expect} if expect is not None else {})}
    configuration = live_configuration("gw", "mes", sources={"gw": stated})
    made = LivePlant(configuration, T)
    made.steps["equipment"].rows = Committed()
    made.restart("equipment")
    made.idle(T + 5 * S)
    made.send("mes", "start", job="A", po="O1")
    count(made, T, 100)
    made.idle(T + MIN, step=5 * S)
    return made


def count(made: LivePlant, moment: int, shown: int) -> None:
    """A reading of `moment` arrives now."""
    made.send("gw", "count", t=moment, n=shown)


def counted(made: LivePlant) -> int:
    totals = [(Destination.parse(key), total.amount) for key, total in row_of(made).totals.items()]
    return sum(amount for to, amount in totals if to.origin == "shots" and to.kind != "basis")


def row_of(made: LivePlant) -> Any:
    """With what is in the journal only."""
    config = list(made.configurations.values())[-1].plant
    rows = Committed(made.steps["equipment"].rows.rows)
    return EquipmentFold(rows, PLANT, MACHINE, config, calendar_of(config), 1).row


def told(made: LivePlant) -> list[tuple[str, bool, str]]:
    states: list[UpstreamState] = made.queues["plant.upstreams"]
    return [(state.upstream, state.silent, state.code) for state in states]


def silent(made: LivePlant) -> dict[tuple[str, ...], int]:
    found = {}
    for figure in made.stages["equipment"].figures():
        assert figure.name == SILENT
        found[figure.labels] = figure.value
    return found


def spool(order: str, days: int = 14) -> list[tuple[int, int]]:
    """(moment, shown) of a reading each four hours, in the order of its delivery."""
    readings = [(T + n * HOUR, 100 + n) for n in range(4, days * 24, 4)]
    if order == "newest first":
        readings.reverse()
    elif order == "shuffled":
        random.Random(7).shuffle(readings)
    return readings


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("order", ["oldest first", "newest first", "shuffled"])
def test_a_spool_of_two_weeks_is_not_too_late(order: str, restarted: bool) -> None:
    made = plant()
    made.idle(T + 14 * DAY_US, step=4 * HOUR)
    for moment, shown in spool(order):
        if restarted and moment % (5 * HOUR) == 0:
            made.restart("equipment")
        count(made, moment, shown)
    made.idle(T + 14 * DAY_US + MIN, step=10 * S)
    assert [letter.code for letter in made.letters] == []
    assert counted(made) == 14 * 24 - 4


def test_counter_by_counter() -> None:
    """The oil of two weeks comes when the shots have told of today already."""
    made = plant()
    made.send("gw", "oil", t=T, n="1000")
    made.idle(T + 14 * DAY_US, step=4 * HOUR)
    for moment, shown in spool("oldest first"):
        count(made, moment, shown)
    made.idle(made.host + HOUR, step=MIN)
    for moment, shown in spool("oldest first"):
        made.send("gw", "oil", t=moment, n=str(1000 + shown))
    assert [letter.code for letter in made.letters] == []


def test_without_expectation_it_is_too_late() -> None:
    made = plant(expect=None)
    made.idle(T + 14 * DAY_US, step=4 * HOUR)
    for moment, shown in spool("oldest first"):
        count(made, moment, shown)
    assert {letter.code for letter in made.letters} == {"TOO_LATE"}


def test_a_slow_line_delivers_for_days() -> None:
    """Four hours of the past in forty minutes, and the line breaks once in between."""
    made = plant()
    made.idle(T + 14 * DAY_US, step=4 * HOUR)
    for n, (moment, shown) in enumerate(spool("oldest first", 17)):
        if moment > made.host:
            break
        count(made, moment, shown)
        made.idle(made.host + (4 * HOUR if n == 30 else 40 * MIN), step=8 * MIN)
    assert [letter.code for letter in made.letters] == []


def test_the_clock_goes_on_a_day_after_the_source_is_back_and_what_is_older_is_forgotten() -> None:
    made = plant()
    made.idle(T + 14 * DAY_US, step=4 * HOUR)
    assert late_clock(row_of(made)) <= T + 11 * MIN < row_of(made).clock
    for n in range(36 * 6):
        count(made, made.host, 100 + n)
        made.idle(made.host + 10 * MIN, step=10 * MIN)
    assert late_clock(row_of(made)) == row_of(made).clock
    count(made, T + HOUR, 100)
    assert [letter.code for letter in made.letters] == ["TOO_LATE"]


def test_a_source_that_comes_and_goes_does_not_hold_the_past_for_ever() -> None:
    """An hour of silence, again and again: less than three days are kept beyond the horizon."""
    made = plant()
    for n in range(8 * 24):
        made.idle(made.host + HOUR, step=30 * MIN)
        count(made, made.host, 100 + n)
    assert row_of(made).clock - late_clock(row_of(made)) < 3 * DAY_US


def test_state_is_bounded_when_a_source_never_comes_back() -> None:
    made = plant()
    made.idle(T + 60 * DAY_US, step=12 * HOUR)
    assert row_of(made).clock - late_clock(row_of(made)) == 30 * DAY_US


def test_silence_is_told_once_and_its_end() -> None:
    made = plant()
    made.idle(T + 10 * MIN, step=10 * S)
    assert told(made) == [] and silent(made) == {}
    made.idle(T + 60 * MIN, step=10 * S)
    entry = f"floor/gw/{MACHINE}"
    assert told(made) == [(entry, True, "UPSTREAM_SILENT")]
    assert silent(made) == {(PLANT, "gw"): 1}
    made.restart("equipment")
    assert silent(made) == {(PLANT, "gw"): 1}
    count(made, made.host, 101)
    assert told(made)[1:] == [(entry, False, "")] and silent(made) == {}
    assert row_of(made).tally["silences"] == 1


def test_who_is_silent_waits_for_somebody() -> None:
    made = plant()
    made.idle(T + 60 * MIN, "mes", "p", step=10 * S)
    configuration = next(iter(made.configurations.values()))
    rows = {
        "equipment": {EQUIPMENT_ROWS.key(PLANT, MACHINE): row_of(made)},
        "orders": {POSITION_ROWS.prefix: made.steps["orders"].state},
    }
    found = list(silent_sources(Snapshot(rows, [], configuration, {"live": True})))
    assert [(one.why.code, one.why.detail, one.since, one.about) for one in found] == [
        ("UPSTREAM_SILENT", "intake/raw.gw/0 of source gw is silent", T + MIN, "")
    ], "the plant's clock waits for the intake; what it has to say may be in its topic"
    made.idle(T + 2 * HOUR, step=10 * S)
    rows = {
        "equipment": {EQUIPMENT_ROWS.key(PLANT, MACHINE): row_of(made)},
        "orders": {POSITION_ROWS.prefix: made.steps["orders"].state},
    }
    (one,) = silent_sources(Snapshot(rows, [], configuration, {"live": True}))
    assert one.why.detail == f"source gw is silent: nothing of {MACHINE}" and one.about == MACHINE
    assert T <= one.since <= T + MIN


@pytest.mark.parametrize("order", ["oldest first", "newest first", "shuffled"])
def test_who_reads_the_records_again_finds_the_same_too_late(order: str) -> None:
    """`trace` adds up what a spool gave, and refuses what the fold refused."""
    made = plant()
    made.idle(T + 14 * DAY_US, step=4 * HOUR)
    count(made, T - 8 * DAY_US, 5)
    for moment, shown in spool(order):
        count(made, moment, shown)
    made.idle(made.host + 2 * DAY_US, step=HOUR)
    count(made, T + HOUR, 100)
    made.idle(made.host + MIN, step=10 * S)
    assert [letter.code for letter in made.letters] == ["TOO_LATE", "TOO_LATE"]
    configuration = next(iter(made.configurations.values()))
    records = OfEquipment()
    for arrival, record in enumerate(made.log["equipment.inbox"]):
        if isinstance(record, CounterFrame):
            for seq, moment, value, offset in np.frombuffer(record.readings, "<i8").reshape(-1, 4).tolist():
                place = (record.raw_source, offset, record.source)
                records.readings[record.counter].append(RereadReading(record.label, 0, arrival, moment, seq, value, *place))
        elif isinstance(record, RunStarted):
            records.events.append(RereadEvent(record.label, 0, arrival, record))
    again = recount(MACHINE, records, [], configuration.plant, calendar_of(configuration.plant), made.host)
    assert sum(part.amount for to, part in again.parts.items() if to.origin == "shots" and to.kind != "basis") == counted(made)


def test_another_length_of_silence_is_an_alarm_later() -> None:
    made = plant({"every": "2 h"})
    made.idle(T + 119 * MIN, step=10 * S)
    assert told(made) == []
    made.idle(T + 122 * MIN, step=10 * S)
    assert [silent for _, silent, _ in told(made)] == [True]


def test_while_runs_are_open_only_their_time_counts() -> None:
    made = plant({"every": "10 min", "while": "runs_open"})
    made.idle(T + 5 * MIN, step=10 * S)
    made.send("mes", "end", job="A")
    made.idle(T + 8 * HOUR, step=MIN)
    assert told(made) == [], "nobody works"
    made.send("mes", "start", job="B", po="O1")
    made.idle(T + 8 * HOUR + 5 * MIN, step=MIN)
    assert told(made) == [], "five minutes of A and five of B"
    made.idle(T + 8 * HOUR + 7 * MIN, step=MIN)
    assert [silent for _, silent, _ in told(made)] == [True]


def test_a_reading_without_a_value_is_not_heard_of() -> None:
    made = plant()
    for n in range(40):
        made.send("gw", "count", n="UNAVAILABLE", seq=1000 + n)
        made.idle(made.host + MIN, step=30 * S)
    assert [silent for _, silent, _ in told(made)] == [True]


def test_what_is_expected_no_more_is_missed_no_more() -> None:
    made = plant()
    made.idle(T + HOUR, step=MIN)
    assert silent(made)
    made.configure(live_configuration("gw", "mes"))
    made.idle(T + 2 * HOUR, step=MIN)
    assert silent(made) == {} and not row_of(made).sources
    assert late_clock(row_of(made)) == row_of(made).clock


@pytest.mark.parametrize("on_silence", ["wait", "go_on"])
def test_the_backlog_of_an_intake_that_was_down_is_not_too_late(on_silence: str) -> None:
    """Whether the plant waited for it or went on: its records come with the labels of their own time."""
    made = plant(expect=None, on_silence=on_silence)
    while made.host < T + 14 * DAY_US:
        made.idle(made.host + 6 * HOUR, "mes", step=HOUR)
        made.send("mes", "state", state="busy")
    made.restart("equipment")
    for moment, shown in spool("oldest first"):
        made.send("gw", "count", t=moment, n=shown, appended=moment)
    made.idle(made.host + 9 * HOUR, step=HOUR)
    assert [letter.code for letter in made.letters] == []
    assert counted(made) == 14 * 24 - 4
    assert late_clock(row_of(made)) == row_of(made).clock


def test_a_repaired_clock_is_not_held_by_what_was_heard_of_the_wrong_time() -> None:
    made = plant()
    wrong = T + 8 * DAY_US
    made.host = wrong
    count(made, wrong, 110)
    made.idle(wrong + HOUR, step=MIN)
    for source in made.intakes:
        order = {"plant": PLANT, "at": T + MIN, "repair": 1, "who": "w", "why": "y"}
        made.send(source, "", raw=json.dumps(order).encode(), headers={"control": b"repair"})
    made.host = T + 2 * MIN
    count(made, made.host, 112)
    made.idle(T + 30 * MIN, step=MIN)
    assert [silent for _, silent, _ in told(made)][-1], "it is silent again, by the right clock"
    row = row_of(made)
    assert T <= late_clock(row) <= row.clock <= made.host
