"""What a counter cannot have counted, dips, counters that count down, and signals that are polled."""

from typing import Any

import pytest
from pydantic import ValidationError

from schemas.configuration import Counter
from schemas.records import OperatorDecision, PointState, RunEnded
from tables.equipment.counter import ACCEPT, DISCARD, UNAVAILABLE, Point, Walk, upwards
from tables.equipment.destination import UNATTRIBUTED, UNDECIDED, Destination
from tables.equipment.equipment import EquipmentFold
from tests.unit.tables.floor_bench import HOUR, MIN, S, amounts, at, count, counter, frame, machine, on_machine, out

U = UNAVAILABLE
RATE: dict[str, Any] = {"at_most": "40 / min"}
METER: dict[str, Any] = {"counts": "consumption", "of": "loaded_lot", "position": "hopper", "decimals": 1, "unit": "kg"}


def walk(told: dict[str, Any], readings: list[tuple[int, int]], decided: dict[int, str] | None = None) -> Walk:
    """Readings (seconds, what is shown)."""
    rule = Counter(**told)
    walking = Walk(PointState(), rule, decided or {})
    for n, (second, shown) in enumerate(readings):
        walking.take(Point(second * S, -1, upwards(shown, rule), n))
    return walking


def counted(walking: Walk) -> int:
    return sum(delta.pieces for delta in walking.deltas if delta.undecided is None)


def undecided(walking: Walk) -> int:
    return sum(delta.pieces for delta in walking.deltas if delta.undecided is not None)


def each(seconds: int, *values: int) -> list[tuple[int, int]]:
    return [(n * seconds, value) for n, value in enumerate(values, 1)]


@pytest.mark.parametrize("on_fall", ["reset", "placeholder"])
@pytest.mark.parametrize("told", [{}, RATE, {"at_most": "50 / reading"}])
def test_a_false_high_count_that_goes_back_never_was(told: dict[str, Any], on_fall: str) -> None:
    values = (1990, 1995, 2000, 599_999, 600_001, 600_003, 2008, 2010, 2015, 2020)
    walking = walk({**told, "on_fall": on_fall}, each(300, *values))
    assert (counted(walking), undecided(walking)) == (30, 0)
    assert [fall.was for fall in walking.falls] == ["jump", "spike"]
    assert [delta.gap_from for delta in walking.deltas if delta.gap_from] == [900 * S], "nobody counted while it was false"


@pytest.mark.parametrize(
    ("told", "readings", "right"),
    [
        pytest.param(RATE, [(0, 0), (1, 40)], (40, 0), id="bunched: a minute's worth at once"),
        pytest.param(RATE, [(0, 0), (1, 41)], (0, 41), id="one more is not believed"),
        pytest.param(RATE, [(0, 0), (3, 42)], (42, 0), id="three seconds are two pieces"),
        pytest.param(RATE, [(0, 0), (2, 42)], (0, 42), id="two seconds are one and a third"),
        pytest.param(RATE, [(0, 0), (1, 20), (1, 40), (1, 41)], (40, 1), id="several readings within a poll share it"),
        pytest.param(RATE, [(0, 0), (600, 440)], (440, 0), id="ten minutes without a reading"),
        pytest.param(RATE, [(0, 0), (600, 441)], (0, 441), id="and no piece more"),
        pytest.param({"at_most": "1 / 3 s"}, [(0, 0), (1, 1), (2, 1), (4, 2)], (2, 0), id="a third of a piece a second"),
        pytest.param({"at_most": "1 / 3 s"}, [(0, 0), (1, 1), (2, 2)], (1, 1), id="too early by a second"),
        pytest.param({"at_most": "0.5 / min"}, [(0, 0), (1, 1)], (1, 0), id="one piece is always possible"),
        pytest.param({"at_most": "5 / reading"}, [(0, 0), (9999, 6)], (0, 6), id="a step, whatever the time"),
        pytest.param({"at_most": ["40 / min", "5 / reading"]}, [(0, 0), (60, 6)], (0, 6), id="both hold"),
        pytest.param({"at_most": ["40 / min", "50 / reading"]}, [(0, 0), (1, 45)], (0, 45), id="both hold, the other way round"),
        pytest.param(RATE, [(0, 0), (1, 1000), (2, 3)], (3, 0), id="back where the count can be"),
        pytest.param(RATE, [(0, 0), (1, 1000), (2, 500)], (0, 500), id="back to where it still cannot be"),
        pytest.param(RATE, [(0, 0), (1, 1000), (99_999, 1001)], (0, 1001), id="time does not decide"),
        pytest.param(RATE, [(0, 100), (1, 1000), (2, 3), (3, 4)], (4, 900), id="a new start leaves it to a person"),
        pytest.param(RATE, [(0, 2000), (60, 1990)], (0, 1990), id="a new start cannot have counted 1990 in a minute"),
        pytest.param(RATE, [(0, 2000), (60, 1990), (120, 1993), (180, 2001)], (1, 0), id="it was none: the old count goes on"),
        pytest.param(RATE, [(0, 2000), (60, 7)], (7, 0), id="a new start that it can have"),
        pytest.param({}, [(0, 0), (1, 5000)], (5000, 0), id="nothing to compare the first step with"),
        pytest.param({}, [(0, 0), (1, 1), (2, 1001)], (1001, 0), id="up to 1000 nothing is absurd"),
        pytest.param({}, [(0, 0), (1, 1), (2, 1002)], (1, 1001), id="absurd: a thousand times the largest step"),
        pytest.param({}, [(0, 0), (1, 20), (2, 2020)], (2020, 0), id="a hundred times is not"),
        pytest.param({}, [(0, 0), (1, 1), (3602, 8001)], (8001, 0), id="in an hour much can be counted"),
        pytest.param({"counts": "indicator"}, [(0, 0), (1, 1), (2, 999_999)], (999_999, 0), id="an indicator is never posted"),
    ],
)
def test_what_is_believed(told: dict[str, Any], readings: list[tuple[int, int]], right: tuple[int, int]) -> None:
    walking = walk(told, readings)
    assert (counted(walking), undecided(walking)) == right


SPIKE = [(0, 100), (60, 110), (120, 90_000), (180, 90_004), (240, 118), (300, 120)]


@pytest.mark.parametrize(
    ("verdict", "upto", "right"),
    [
        pytest.param(None, 4, (10, 89_894), id="undecided"),
        pytest.param(ACCEPT, 4, (89_904, 0), id="accepted: it was made"),
        pytest.param(DISCARD, 4, (14, 0), id="discarded: the count goes on from there"),
        pytest.param(DISCARD, 6, (20, 0), id="discarded, and back: what was counted meanwhile is counted once"),
        pytest.param(None, 6, (20, 0), id="back by itself"),
    ],
)
def test_a_person_decides(verdict: str | None, upto: int, right: tuple[int, int]) -> None:
    walking = walk(RATE, SPIKE[:upto], {120 * S: verdict} if verdict else None)
    assert (counted(walking), undecided(walking)) == right


def test_the_time_until_a_discarded_jump_makes_room_as_well() -> None:
    """20 in a minute came at once; half a minute makes room for ten, however often a person decided in between."""
    readings = [(0, 1000), (1, 1010), (2, 1020), (11, 0), (12, 1110), (30, 1120)]
    walking = walk({"at_most": "20 / min"}, readings, {12 * S: DISCARD})
    assert (counted(walking), undecided(walking)) == (30, 0)


@pytest.mark.parametrize(
    ("told", "readings", "right"),
    [
        pytest.param(METER, each(300, 82156, 82156, 82157, 82156, 82156, 82159, 82164), 8, id="a totaliser that flickers"),
        pytest.param(
            {**METER, "on_fall": "placeholder"},
            each(300, 82156, 82157, 0, 82156, 82164),
            8,
            id="a zero, and nearly the old count",
        ),
        pytest.param(METER, each(60, 5000, 4600, 5010), 10, id="a tenth of a total"),
        pytest.param(METER, each(60, 5000, 4499), 4499, id="more is a new start"),
        pytest.param(METER, each(60, 5000, 3, 9), 9, id="a new start"),
        pytest.param(METER, each(60, 12, 10, 13), 1, id="two steps while half is left"),
        pytest.param(METER, each(60, 3, 1, 2), 2, id="two steps of three are a new start"),
        pytest.param({**METER, "dip": "0"}, each(60, 5000, 4999), 4999, id="unless the plant says otherwise"),
        pytest.param({**METER, "dip": "0.3"}, each(60, 5000, 4997, 5001), 1, id="by a quantity"),
        pytest.param({**METER, "dip": "0.3"}, each(60, 5000, 4996), 4996, id="and no more than that"),
        pytest.param({"dip": "1 %"}, each(60, 500, 495, 502), 2, id="pieces, when it is stated"),
        pytest.param({}, each(60, 500, 495, 502), 502, id="pieces, when it is not"),
        pytest.param({"on_fall": "rollover", "modulus": 1000, "dip": "1 %"}, each(60, 500, 499, 501), 1, id="no roll-over"),
    ],
)
def test_dips(told: dict[str, Any], readings: list[tuple[int, int]], right: int) -> None:
    assert counted(walk(told, readings)) == right


@pytest.mark.parametrize(
    ("told", "values", "right"),
    [
        pytest.param({}, [500, 499, 497, 497], 3, id="each step down counts"),
        pytest.param({}, [3, 0, 1200, 1199], 4, id="a new job: a baseline"),
        pytest.param({"starts_at": 500}, [3, 1, 498], 4, id="set to 500 again"),
        pytest.param({"on_fall": "rollover", "modulus": 1000}, [2, 0, 999, 998], 4, id="through zero"),
        pytest.param({"at_most": "40 / min"}, [500, 499, 0, 498], 2, id="a false zero"),
        pytest.param({"at_most": "40 / min"}, [500, U, 498], 2, id="across a disconnect"),
    ],
)
def test_a_counter_that_counts_down(told: dict[str, Any], values: list[int], right: int) -> None:
    walking = walk({**told, "shows": "remaining"}, each(60, *values))
    assert (counted(walking), undecided(walking)) == (right, 0)


@pytest.mark.parametrize(
    ("values", "right"),
    [
        pytest.param([0, 1, 1, 0, 1], 2, id="each rise counts one"),
        pytest.param([1, 0, 1], 1, id="on at first: nobody saw it rise"),
        pytest.param([0, 7, 0, 3], 2, id="any value above 0 is on"),
        pytest.param([1, U, 1], 0, id="on before and after a disconnect"),
        pytest.param([0, U, 1], 1, id="it rose while nobody looked"),
    ],
)
def test_a_signal_that_is_polled(values: list[int], right: int) -> None:
    assert counted(walk({"shows": "signal"}, each(1, *values))) == right


@pytest.mark.parametrize(
    "wrong",
    [
        {"at_most": "40"},
        {"at_most": "40 / fortnight"},
        {"at_most": "0 / min"},
        {"at_most": ["40 / min", "2 / s"]},
        {"at_most": "0.000000001 / d", "decimals": 9, "shows": "increment"},
        {"at_most": "123456789.123456789 / 999999999 d", "decimals": 9},
        {"dip": "much"},
        {"shows": "signal", "dip": "1 %"},
        {"shows": "signal", "on_fall": "placeholder"},
        {"starts_at": 500},
    ],
)
def test_what_cannot_be_stated(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Counter(**wrong)


# -- on the shop floor

EIGHT = at("08:00")


def totals(equipment: EquipmentFold) -> dict[str, int]:
    found: dict[str, int] = {}
    for key, total in equipment.row.totals.items():
        to = Destination.parse(key)
        name = to.kind if to.kind in (UNATTRIBUTED, UNDECIDED) else to.order
        found[name] = found.get(name, 0) + total.amount
    return {name: amount for name, amount in found.items() if amount}


def decision(what: str, began: int, **fields: Any) -> OperatorDecision:
    about = {"counter": "shots", "began_at": began, "order": "", "account": "", "code": "COUNT_UNDECIDED", "who": "x", "why": "y"}
    said = fields.pop("said", began + 3 * MIN)
    made: OperatorDecision = on_machine(OperatorDecision, said, decision=what, **{**about, **fields})
    return made


def running(**told: Any) -> EquipmentFold:
    equipment = machine(counter(**told))
    equipment.run_event(on_machine_run())
    return equipment


def on_machine_run() -> Any:
    from schemas.records import RunStarted

    return on_machine(RunStarted, EIGHT - MIN, run="R1", order="O1", operation="10", outputs=[out("A")])


def minutes(*values: int) -> list[tuple[int, int, int | None]]:
    return [(-1, EIGHT + n * MIN, value) for n, value in enumerate(values)]


def test_undecided_pieces_are_nobodys_until_somebody_decides() -> None:
    equipment = running(at_most="40 / min")
    equipment.readings("shots", frame(*minutes(100, 110, 9_000, 9_004)), "raw.p/0")
    assert totals(equipment) == {"O1": 10, UNDECIDED: 8_894}
    jump = EIGHT + 2 * MIN
    assert equipment.decided(decision(ACCEPT, jump)) is None
    assert totals(equipment) == {"O1": 8_904}
    assert equipment.decided(decision(DISCARD, jump, said=jump + 9 * MIN)) is None
    assert totals(equipment) == {"O1": 14}
    assert equipment.decided(decision(ACCEPT, jump)) is None, "an older decision changes nothing"
    assert totals(equipment) == {"O1": 14}
    assert equipment.decided(decision("retry", jump, said=jump + 20 * MIN)) is None
    assert totals(equipment) == {"O1": 10, UNDECIDED: 8_894}
    refused = equipment.decided(decision("post", jump))
    assert refused is not None and refused.code == "DECISION_INVALID"
    refused = equipment.decided(decision(ACCEPT, jump, counter="strokes"))
    assert refused is not None and refused.code == "UNKNOWN_COUNTER"


@pytest.mark.parametrize("size", [1, 7, 400])
@pytest.mark.parametrize("shows", ["total", "remaining"])
def test_a_late_reading_that_explains_a_jump_has_it_counted(size: int, shows: str) -> None:
    """And one that arrives when the counter came back long ago changes nothing but what it shows itself."""
    sign = 1 if shows == "total" else -1
    steady = [(n, EIGHT + n * S, 50_000 + sign * (n // 10)) for n in range(300)]
    jumped = [(n, EIGHT + n * S, 50_000 + sign * (n // 10 + (500 if 300 <= n < 420 else 0))) for n in range(300, 600)]
    equipment = running(at_most="20 / min", shows=shows)
    whole = [*steady, *jumped]
    for start in range(0, len(whole), size):
        equipment.readings("shots", frame(*whole[start : start + size], first_raw=start), "raw.p/0")
    assert totals(equipment) == {"O1": 59}
    assert equipment.row.tally["spikes"] == 1


def test_an_undecided_count_outlives_a_restart() -> None:
    equipment = running(at_most="40 / min")
    equipment.readings("shots", frame(*minutes(100, 110, 9_000)), "raw.p/0")
    equipment.put()
    again = machine(counter(at_most="40 / min"), equipment._rows)
    again.readings("shots", frame((-1, EIGHT + 4 * MIN, 113), first_raw=9), "raw.p/0")
    assert totals(again) == {"O1": 13}


def test_each_fall_is_kept_with_what_it_added() -> None:
    equipment = running()
    equipment.readings("shots", frame(*minutes(100, 110, 7, 9, 4)), "raw.p/0")
    (state,) = equipment.row.counters.values()
    bucket = equipment._timelines["shots"].buckets.get(state.newest_bucket)
    assert bucket is not None
    assert [(fall.was, fall.at, fall.pieces) for fall in bucket.row.falls] == [
        ("reset", EIGHT + 2 * MIN, 7),
        ("reset", EIGHT + 4 * MIN, 4),
    ]
    equipment.readings("shots", frame((-1, EIGHT + 90 * S, 5), first_raw=20), "raw.p/0")
    assert equipment.row.tally["resets"] == 2, "110 -> 5 is one, and 5 -> 7 is none any more"


@pytest.mark.parametrize("shows_again", [False, True])
def test_a_decision_about_what_is_forgotten_moves_nothing_else(shows_again: bool) -> None:
    """Later than the horizon the run is forgotten with its total. Where the counter has shown nothing since, its last ten minutes
    stand there still and are not counted anew."""
    equipment = machine({**counter(at_most="5 / reading"), "attribution": {"late_horizon": "4 h"}})
    equipment.run_event(on_machine_run())
    began = at("08:03")
    count(equipment, ("08:00", 100), ("08:01", 101), ("08:02", 103), ("08:03", 153))
    equipment.run_event(on_machine(RunEnded, at("08:20"), run="R1"))
    if shows_again:
        count(equipment, ("08:50", 153))
    for day in range(1, 4):
        equipment.seen_at(began + day * 24 * HOUR)
        equipment.measure_activities(began + day * 24 * HOUR, at_cut=True)
        for total in equipment.row.totals.values():
            total.dirty, total.sent = False, True  # published
        equipment.expire()
    assert amounts(equipment, "run", "kind") == {("", "undecided"): 50}
    refused = equipment.decided(decision("accept", began, said=began + 80 * HOUR))
    assert (refused.code if refused is not None else "") == ("" if shows_again else "TOO_LATE")
    assert amounts(equipment, "run", "kind") == {("", "unattributed" if shows_again else "undecided"): 50}
