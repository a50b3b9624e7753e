"""A source that tells of no end of its runs: what later starts went over is forgotten, and nothing moves by it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.ledger.books.rereading import OfEquipment, RereadEvent, RereadReading
from app.ledger.proof.recount import recount
from schemas.records import (
    EquipmentStateChanged,
    LotLoaded,
    ProductionDeclared,
    RunCorrected,
    RunEnded,
    RunStarted,
    RunVoided,
    ScrapDeclared,
)
from tables.equipment.destination import Destination
from tables.equipment.equipment import EquipmentFold
from tables.plant.calendar import calendar_of
from tests.unit.tables.floor_bench import (
    HOUR,
    MACHINE,
    MIN,
    amounts,
    at,
    by_run,
    configuration,
    frame,
    machine,
    on_machine,
    out,
    pieces,
)

RUNS = 5_000
BEGIN = at("06:00")
HORIZON = {"attribution": {"late_horizon": "4 h", "run_grace": "5 min"}}


def start(moment: int, name: str) -> Any:
    outputs = [out("4711", lot=f"L-{name}")]
    return on_machine(RunStarted, moment, run=name, order=f"O-{name}", operation="10", outputs=outputs)


def cut(equipment: EquipmentFold, moment: int) -> None:
    equipment.seen_at(moment)
    equipment.measure_activities(moment, at_cut=True)
    for total in equipment.row.totals.values():
        total.dirty, total.sent = False, True  # published
    equipment.expire()


class Source:
    """Tells an equipment, and keeps all for a recount."""

    def __init__(self, plant: dict[str, Any] | None = None) -> None:
        self.plant, self.equipment = plant, machine(plant)
        self.told, self.arrival = OfEquipment(), 0
        self.given: dict[tuple[str, str], int] = {}

    def hear(self, label: int, event: Any) -> None:
        self.arrival += 1
        self.equipment.seen_at(label)
        change: Callable[[Any], Any] = {
            ScrapDeclared: self.equipment.declared,
            ProductionDeclared: self.equipment.declared,
            EquipmentStateChanged: self.equipment.state_changed,
        }.get(type(event), self.equipment.run_event)
        assert change(event) is None
        self.told.events.append(RereadEvent(label, label, self.arrival, event))

    def read(self, label: int, moment: int, value: int) -> None:
        self.arrival += 1
        self.equipment.seen_at(label)
        assert not self.equipment.readings("shots", frame((-1, moment, value), first_raw=self.arrival), "raw.p/0")
        self.told.readings["shots"].append(RereadReading(label, label, self.arrival, moment, -1, value, "raw.p/0", self.arrival))

    def cut(self, moment: int) -> None:
        for key, total in self.equipment.row.totals.items():
            to = Destination.parse(key)
            self.given[to.run, f"{to.kind} {key}"] = total.amount
        cut(self.equipment, moment)

    def agrees(self, now: int) -> None:
        """All that was ever told to the ledger is what the recount gives: what is forgotten as it was last."""
        self.cut(now)
        config = configuration(self.plant).plant
        again = recount(MACHINE, self.told, [], config, calendar_of(config), now)
        counted = {(to.run, f"{to.kind} {to.key()}"): part.amount for to, part in again.parts.items()}
        keys = {key for key in counted.keys() | self.given.keys() if "machine_time" not in key[1]}
        assert {key: counted.get(key, 0) for key in keys} == {key: self.given.get(key, 0) for key in keys}


def test_five_thousand_runs_that_never_end_are_taken_and_counted_right() -> None:
    source = Source()
    source.read(BEGIN, BEGIN, 0)
    most, value = 0, 0
    for n in range(RUNS):
        moment = BEGIN + n * HOUR
        source.hear(moment, start(moment, f"R{n}"))
        value += n % 3
        source.read(moment + MIN, moment + MIN, value)
        if n % 8 == 7:
            source.cut(moment + 2 * MIN)
        most = max(most, len(source.equipment.row.runs))
    assert most <= 2 * 7 * 24 + 24 + 2 * 8, "two horizons, the rest of a business date, and what came since the last cut"
    source.agrees(BEGIN + RUNS * HOUR)
    made = {run: amount for (run, what), amount in source.given.items() if what.startswith("gross")}
    assert made == {f"R{n}": n % 3 for n in range(RUNS) if n % 3}


def test_late_readings_and_a_late_end_change_what_they_should_until_the_horizon() -> None:
    """B goes over A at 07:00. It ended at 08:00, which is told three hours and 50 minutes late: what follows is of A again."""
    source = Source(HORIZON)
    source.read(BEGIN, BEGIN, 100)
    source.hear(BEGIN, start(BEGIN, "A"))
    source.hear(at("07:00"), start(at("07:00"), "B"))
    source.read(at("11:30"), at("11:30"), 120)
    source.cut(at("11:40"))
    source.read(at("11:45"), at("07:50"), 110)
    assert by_run(source.equipment) == {"B": 20}
    source.hear(at("11:50"), on_machine(RunEnded, at("08:00"), run="B"))
    assert by_run(source.equipment) == {"B": 10, "A": 10}
    source.agrees(at("11:55"))


def test_a_run_is_over_where_a_later_start_stayed_open_for_the_horizon() -> None:
    """B of 07:00 ends at 12:00. Nobody told of A for five hours: what follows is nobody's, before and after A is forgotten."""
    source = Source(HORIZON)
    source.read(BEGIN, BEGIN, 100)
    source.hear(BEGIN, start(BEGIN, "A"))
    source.hear(at("07:00"), start(at("07:00"), "B"))
    source.read(at("11:59"), at("11:59"), 105)
    source.hear(at("12:00"), on_machine(RunEnded, at("12:00"), run="B"))
    source.read(at("12:30"), at("12:30"), 107)
    assert by_run(source.equipment) == {"B": 5, "": 2}
    source.cut(at("15:20"))
    source.read(at("15:30"), at("15:30"), 110)
    source.agrees(at("15:40"))
    assert by_run(source.equipment) == {"B": 5, "": 5}
    source.cut(at("11:00", day=21))
    assert source.equipment.row.runs == [], "by whole business dates"
    source.read(at("11:10", day=21), at("11:10", day=21), 111)
    source.agrees(at("11:20", day=21))


def test_what_people_say_of_an_end_holds() -> None:
    source = Source(HORIZON)
    source.read(BEGIN, BEGIN, 100)
    source.hear(BEGIN, start(BEGIN, "A"))
    source.hear(at("07:00"), start(at("07:00"), "B"))
    source.hear(at("12:00"), on_machine(RunEnded, at("12:00"), run="B"))
    source.hear(at("12:10"), on_machine(RunCorrected, at("12:10"), run="A", version=1, ended_at=at("13:00")))
    source.read(at("12:30"), at("12:30"), 107)
    assert by_run(source.equipment) == {"A": 7}
    source.agrees(at("12:40"))


def test_a_short_run_within_a_long_one_gives_it_back_what_follows() -> None:
    source = Source(HORIZON)
    source.read(BEGIN, BEGIN, 100)
    source.hear(BEGIN, start(BEGIN, "A"))
    for hour in range(1, 40, 2):  # each an hour long, over ten horizons
        moment = BEGIN + hour * HOUR
        source.hear(moment, start(moment, f"B{hour}"))
        source.read(moment + MIN, moment + MIN, 100 + hour)
        source.hear(moment + HOUR, on_machine(RunEnded, moment + HOUR - MIN, run=f"B{hour}"))
        source.read(moment + HOUR + 10 * MIN, moment + HOUR + 10 * MIN, 101 + hour)
        source.cut(moment + HOUR + 20 * MIN)
    source.agrees(BEGIN + 41 * HOUR)
    assert source.equipment.row.runs[0].run == "A"
    assert sum(amount for (run, _), amount in source.given.items() if run == "A") == 20


def test_declarations_of_a_parallel_operation_keep_its_run() -> None:
    """Two operations run beside each other for ten horizons; the counter counts for the later start, people declare for both."""
    source = Source(HORIZON)
    source.hear(BEGIN, start(BEGIN, "A"))
    source.hear(at("06:30"), start(at("06:30"), "B"))
    for hour in range(1, 40):
        moment = BEGIN + hour * HOUR
        named = {"run": "A"} if hour % 2 else {"order": "O-A"}
        source.hear(moment, on_machine(ProductionDeclared, moment, quantity=pieces(1), **named))
        source.cut(moment + MIN)
    source.agrees(BEGIN + 40 * HOUR)
    of_a = {what: amount for (run, what), amount in source.given.items() if run == "A" and amount}
    assert sum(of_a.values()) == 39
    assert {Destination.parse(what.split(" ", 1)[1])[2:6] for what in of_a} == {("O-A", "10", "4711", "L-A")}
    dates = {Destination.parse(what.split(" ", 1)[1]).business_date for what in of_a}
    assert dates == {"2026-11-20", "2026-11-21"}, "each has the date of its own time"


def test_a_run_that_stays_for_its_declarations_does_not_get_back_what_was_ended_by_a_later_start() -> None:
    """B of 06:30 went over A and ended at 12:00; A is kept for what people declare of it, and B with it."""
    source = Source(HORIZON)
    source.read(BEGIN, BEGIN, 100)
    source.hear(BEGIN, start(BEGIN, "A"))
    source.hear(at("06:30"), start(at("06:30"), "B"))
    for hour in range(7, 30):
        moment = BEGIN + (hour - 6) * HOUR
        if hour == 12:
            source.hear(moment, on_machine(RunEnded, moment, run="B"))
        source.hear(moment, on_machine(ScrapDeclared, moment, run="A", quantity=pieces(1)))
        source.cut(moment + MIN)
    source.hear(at("06:05", day=21), on_machine(LotLoaded, at("06:05", day=21), position="hopper", material="PP", lot="L1"))
    source.read(at("06:10", day=21), at("06:10", day=21), 107)
    assert by_run(source.equipment)[""] == 7
    source.agrees(at("06:20", day=21))


def test_what_was_started_and_voided_is_forgotten_too() -> None:
    source = Source(HORIZON)
    for n in range(800):
        moment = BEGIN + n * 10 * MIN
        source.hear(moment, start(moment, f"R{n}"))
        source.hear(moment + MIN, on_machine(RunVoided, moment + MIN, run=f"R{n}", version=1))
        if n % 20 == 19:
            source.cut(moment + 2 * MIN)
    assert len(source.equipment.row.runs) <= 24 + 20 + 24 * 6


def test_states_and_loads_of_what_is_over_are_forgotten_and_times_stay() -> None:
    source = Source(HORIZON)
    for n in range(100):
        moment = BEGIN + n * HOUR
        source.hear(moment, start(moment, f"R{n}"))
        source.hear(moment, on_machine(LotLoaded, moment, position="hopper", material="PP", lot=f"L{n}"))
        source.hear(moment, on_machine(EquipmentStateChanged, moment, state="running"))
        source.hear(moment + 30 * MIN, on_machine(EquipmentStateChanged, moment + 30 * MIN, state="down"))
        source.cut(moment + 40 * MIN)
    assert len(source.equipment.row.states) <= 2 * (10 + 24)
    assert len(source.equipment.row.loads) <= 10 + 24
    times = {run: amount for (run, what), amount in source.given.items() if what.startswith("machine_time")}
    assert times == {f"R{n}": 30 * 60_000 for n in range(99)}
    assert amounts(source.equipment, "run", "kind")["R99", "machine_time"] == 30 * 60_000


OLD_COUNT = [
    *((0, "end", 0, passed) for passed in (16, 50)),
    *((0, "start", 0, passed) for passed in (1, 36, 48, 57, 70, 100, 112, 114, 119)),
    *((0, "end", 0, passed) for passed in (70, 87, 120)),
    (0, "read", 0, 100),
    (0, "start", 90, 99),
    *((0, "start", 0, passed) for passed in (49, 57, 70, 105, 109, 120)),
    (0, "cut", 0, 1),
    (1, "end", 0, 1),
]
"""The newest count is of a run that is forgotten."""


@example(OLD_COUNT)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 5),
            st.sampled_from(["start", "start", "start", "end", "end", "void", "stop", "read", "read", "cut", "cut"]),
            st.integers(0, 230),
            st.integers(1, 120),
        ),
        min_size=20,
        max_size=60,
    )
)
@pytest.mark.parametrize("grace", ["0 min", "30 min"])
def test_forgetting_changes_nobodys_pieces(grace: str, steps: list[tuple[int, str, int, int]]) -> None:
    """Of runs without an end and with one, told late, beside each other and in any order: the recount, which forgets nothing,
    agrees. What comes later than the horizon is not told."""
    source = Source({"attribution": {"late_horizon": "4 h", "run_grace": grace}})
    now, value, known, ended = BEGIN, 100, dict[str, int](), set[str]()
    source.read(now, now, value)
    for number, (which, what, late, passed) in enumerate(steps):
        now += passed * MIN
        moment = max(BEGIN, now - late * MIN)
        names = sorted(known)
        name = names[which % len(names)] if names else ""
        if what == "cut":
            source.cut(now)
        elif what == "read":
            value += 3
            source.read(now, now, value)
        elif what == "start":
            known[f"R{number}"] = moment
            source.hear(now, start(moment, f"R{number}"))
        elif what == "stop":
            source.hear(now, on_machine(RunEnded, moment, run=""))
        elif what == "end" and name and name not in ended and moment >= known[name]:
            ended.add(name)  # of one that is forgotten, too
            source.hear(now, on_machine(RunEnded, moment, run=name))
        elif what == "void" and name and known[name] > now - 4 * HOUR:
            ended.add(name)
            source.hear(now, on_machine(RunVoided, now, run=name, version=1))
    source.agrees(now + HOUR)
