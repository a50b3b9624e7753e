"""A configuration that redefines a counter while it counts: what occurred before counts as it did, whenever its reading comes."""

import random
from collections import defaultdict
from copy import deepcopy
from itertools import permutations
from typing import Any

import pytest

from schemas.configuration import Configuration, Counter
from schemas.records import CounterState, FormerDefinition, PointState
from tables.equipment.definitions import Definition, forget, history
from tables.equipment.destination import Destination
from tables.equipment.equipment import EquipmentFold
from tables.plant.calendar import calendar_of
from tables.row_kinds import EQUIPMENT_ROWS
from tables.rows import MemoryRows
from tests.unit.streams.live_plant import LivePlant, live_configuration
from tests.unit.tables.floor_bench import HOUR, MACHINE, MIN, PLANT, S, at, frame

T = at("10:00")


OIL = {"counts": "consumption", "of": "OIL", "unit": "kg"}


def configured(*sources: str, **shots: Any) -> Configuration:
    return live_configuration(*sources or ("a",), equipment={"*": {"counters": {"shots": shots, "oil": OIL}}})


def without_it() -> Configuration:
    """Another machine has it still."""
    return live_configuration("a", equipment={"*": {"counters": {"oil": OIL}}, "M2": {"counters": {"shots": {}}}})


def plant(first: Configuration) -> LivePlant:
    """Run A is open since T."""
    made = LivePlant(first, T)
    made.idle(T + 5 * S)
    made.send("a", "start", job="A", po="O1")
    made.idle(made.host + 5 * S)
    return made


def count(made: LivePlant, *shown: int, **fields: Any) -> None:
    for value in shown:
        made.send("a", "count", n=value, **fields)
        made.idle(made.host + 10 * S)


def counted(made: LivePlant) -> dict[tuple[str, str, int], int]:
    """(kind, unit, decimals) -> amount, of what a run has or nobody."""
    config = list(made.configurations.values())[-1].plant
    row = EquipmentFold(made.steps["equipment"].rows, PLANT, MACHINE, config, calendar_of(config), 1).row
    found: dict[tuple[str, str, int], int] = defaultdict(int)
    for key, total in row.totals.items():
        to = Destination.parse(key)
        if to.kind != "basis" and total.amount:
            found[to.kind, to.unit, to.scale] += total.amount
    return dict(found)


GROSS = ("gross", "PC", 0)


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("before", "after", "shown", "expected"),
    [
        ({}, {"shows": "remaining"}, (900, 895, 895, 880), {GROSS: 20}),
        ({}, {"shows": "increment"}, (3, 4, 5), {GROSS: 12}),
        ({}, {"shows": "signal"}, (1, 0, 1), {GROSS: 1}),
        ({}, {"decimals": "1"}, (110, 115), {("gross", "PC", 1): 50}),
        ({}, {"unit": "kg"}, (7, 9), {("gross", "kg", 0): 2}),
        ({}, {"counts": "good"}, (112, 115), {("good", "PC", 0): 5}),
        ({}, {"on_fall": "rollover", "modulus": "200"}, (199, 3), {GROSS: 93}),
        ({"on_fall": "rollover", "modulus": "200"}, {}, (199, 3), {GROSS: 92}),
        ({"at_most": "5 / reading"}, {}, (150,), {GROSS: 40}),
        ({}, {"hold_undecided": "1 h"}, (112,), {GROSS: 2}),
    ],
)
def test_what_occurred_before_counts_as_it_did(
    before: dict[str, Any],
    after: dict[str, Any],
    shown: tuple[int, ...],
    expected: dict[tuple[str, str, int], int],
    restarted: bool,
) -> None:
    """Ten pieces before it. Where values mean something else from then on, the first one is a baseline."""
    made = plant(configured(**before))
    count(made, 100, 103, 105, 108, 110)
    made.configure(configured(**after))
    made.idle(made.host + MIN)
    if restarted:
        made.restart("equipment")
    count(made, *shown)
    total = dict(expected)
    total[GROSS] = total.get(GROSS, 0) + 10
    assert counted(made) == total
    made.send("a", "correct", job="A", po="O2")  # everything is counted anew
    made.idle(made.host + MIN)
    assert counted(made) == total
    assert not made.letters


def test_a_late_reading_of_before_counts_as_it_would_have() -> None:
    made = plant(configured())
    count(made, 100, 105)
    late = made.host
    made.idle(late + 5 * S)
    made.configure(configured(shows="remaining"))
    made.idle(made.host + MIN)
    count(made, 50, 48)
    made.send("a", "count", t=late, n=109)
    made.idle(made.host + MIN)
    assert counted(made) == {GROSS: 9 + 2}


@pytest.mark.parametrize(
    ("shots", "shown", "counts"), [("increment", (4, 5), 9), ("remaining", (50, 41), 9), ("signal", (0, 1), 1)]
)
def test_readings_that_came_before_the_configuration_was_known_count_by_it(
    shots: str, shown: tuple[int, ...], counts: int
) -> None:
    """The stage's clock is behind: what occurred since the moment of the configuration is counted anew."""
    made = LivePlant(configured("a", "b"), T)
    made.idle(T + 5 * S)
    made.send("a", "start", job="A", po="O1")
    count(made, 100, 110)
    made.configure(configured("a", "b", shows=shots))
    for value in shown:
        made.send("a", "count", n=value)
        made.idle(made.host + 10 * S, "a")  # b says nothing
    made.idle(made.host + MIN)
    assert counted(made) == {GROSS: 10 + counts}


def test_a_counter_that_is_removed_keeps_what_it_counted_and_comes_back_as_it_was() -> None:
    made = plant(configured())
    count(made, 100, 110)
    made.configure(without_it())
    made.idle(made.host + MIN)
    count(made, 111)
    assert [letter.code for letter in made.letters] == ["UNKNOWN_COUNTER"]
    made.send("a", "correct", job="A", po="O2")
    made.idle(made.host + MIN)
    totals = {total.order: total.numerator for total in made.totals()}
    assert totals == {"O1": 0, "O2": 10}, "its pieces follow the run"
    made.configure(configured())
    made.idle(made.host + MIN)
    count(made, 115)
    assert counted(made) == {GROSS: 15}


def test_definitions_are_forgotten_with_their_readings() -> None:
    made = plant(configured())
    count(made, 100, 110)
    made.configure(configured(shows="remaining"))
    made.idle(made.host + MIN)
    count(made, 50)
    row = made.steps["equipment"].rows.get(EQUIPMENT_ROWS.key(PLANT, MACHINE))
    assert len(row.counters["shots"].former) == 1
    for _ in range(9 * 24):
        made.idle(made.host + HOUR, step=30 * MIN)
        made.send("a", "count", n=50)
    made.idle(made.host + HOUR, step=MIN)
    config = list(made.configurations.values())[-1].plant
    row = EquipmentFold(made.steps["equipment"].rows, PLANT, MACHINE, config, calendar_of(config), 1).row
    assert row.counters["shots"].former == []
    count(made, 48)
    assert counted(made)[GROSS] == 12


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_arrival_changes_nothing(seed: int) -> None:
    """The same readings, told in order or late and shuffled, in few or in many."""

    def told(shuffled: bool) -> dict[tuple[str, str, int], int]:
        chance = random.Random(seed)
        made = plant(configured(at_most="50 / min"))
        readings, value = [], 100
        for n in range(120):
            value += chance.choice((0, 1, 2, 5)) if chance.random() < 0.95 else chance.choice((-60, 90))
            readings.append((T + 10 * S + n * 20 * S, max(0, value), n))
        edges = [0, 40, 80, 120]
        for first, last, after in zip(edges[:-1], edges[1:], ({"shows": "remaining"}, {"at_most": "9 / min"}, None), strict=True):
            part = readings[first:last]
            if shuffled:
                made.idle(part[-1][0] + 19 * S, step=5 * S)
                kept = [one for one in part if chance.random() < 0.6]
                late = [one for one in part if one not in kept]
                chance.shuffle(kept)
            else:
                kept, late = part, []
            for moment, shown, seq in kept:
                made.idle(max(made.host, moment), step=5 * S)
                made.send("a", "count", t=moment, n=shown, seq=seq)
            made.idle(part[-1][0] + 19 * S, step=5 * S)
            if after is not None:
                made.configure(configured(**after))
                made.idle(made.host + S)
            for moment, shown, seq in late:
                made.send("a", "count", t=moment, n=shown, seq=seq)
        made.idle(T + 2 * HOUR, step=MIN)
        return counted(made)

    assert told(True) == told(False)


DEFINITIONS: list[dict[str, Any]] = [
    {},
    {"at_most": "9 / min"},
    {"shows": "remaining"},
    {"shows": "signal"},
    {"shows": "increment"},
]


@pytest.mark.parametrize("known_until", [-5 * MIN, 5 * MIN])
@pytest.mark.parametrize(("first", "second"), list(permutations(DEFINITIONS, 2)))
def test_the_size_of_batches_changes_nothing(first: dict[str, Any], second: dict[str, Any], known_until: int) -> None:
    """Readings that come by hundreds, of before and after, in any order, against one by one."""

    def told(size: int, seed: int) -> tuple[dict[str, int], Any]:
        chance = random.Random(seed)
        before, after = configured(**first).plant, configured(**second).plant
        rows, since = MemoryRows(), T + 50 * MIN
        value, readings = 1000, []
        for n in range(600):
            value += chance.choice((0, 1, 1, 2)) if chance.random() < 0.98 else chance.choice((-700, 2500))
            readings.append((n, T + n * 10 * S, max(0, value)))
        early = [one for one in readings if one[1] < since + known_until and chance.random() < 0.7]
        late = [one for one in readings if one not in early]
        if seed:
            chance.shuffle(late)
        fold = EquipmentFold(rows, PLANT, MACHINE, before, calendar_of(before), 1)
        for start in range(0, len(early), size):
            fold.readings("shots", frame(*early[start : start + size], first_raw=start), "raw.p/0")
        fold.put()
        fold = EquipmentFold(rows, PLANT, MACHINE, after, calendar_of(after), 1)
        fold.redefined(before, since)
        for start in range(0, len(late), size):
            fold.readings("shots", frame(*late[start : start + size], first_raw=1000 + start), "raw.p/0")
        return {key: total.amount for key, total in fold.row.totals.items() if total.amount}, fold.row.counters["shots"].tail

    for seed in range(2):
        assert [told(size, seed) for size in (300, 30, 7)] == [told(1, seed)] * 3


def remembered(*untils: int, **state: Any) -> CounterState:
    """A counter with as many former definitions."""
    former = [FormerDefinition(until, Counter().model_dump_json(), True) for until in untils]
    return CounterState(PointState(value=5000, at=150, **state), PointState(value=5000, at=150, **state), former=former)


def test_former_definitions_are_forgotten_by_their_time() -> None:
    """A live counter goes on with the list that it began with, a restarted one with what is left: both find the same."""
    live, now = remembered(100, 200), Definition(0, Counter(unit="kg"), True)
    whole = history(live, now)
    for before in (120, 220):
        restarted = deepcopy(live)
        forget(restarted, history(restarted, now), before)
        forget(live, whole, before)
        assert live == restarted
    assert (live.former, live.base, live.tail) == ([], PointState(), PointState()), "values in kg go on from none in pieces"


def test_the_last_definition_of_a_removed_counter_stays() -> None:
    state = remembered(100, 200)
    forget(state, history(state, None), 300)
    assert [one.until for one in state.former] == [200]


def test_increments_of_one_moment_stay_two_records_when_a_later_definition_counts_otherwise() -> None:
    before, after = configured(shows="increment").plant, configured().plant
    given = []
    for folded_before in (True, False):
        rows = MemoryRows()
        fold = EquipmentFold(rows, PLANT, MACHINE, before, calendar_of(before), 1)
        fold.readings("shots", frame((-1, T, 1)), "raw.p/0")
        old = frame((-1, T + MIN, 5), (-1, T + MIN, 5), first_raw=1)
        if folded_before:
            fold.readings("shots", old, "raw.p/0")
        fold.put()
        fold = EquipmentFold(rows, PLANT, MACHINE, after, calendar_of(after), 1)
        fold.redefined(before, T + HOUR)
        if not folded_before:
            fold.readings("shots", old, "raw.p/0")
        given.append({key: total.amount for key, total in fold.row.totals.items() if total.amount})
    assert given[0] == given[1]
    assert list(given[0].values()) == [11]
