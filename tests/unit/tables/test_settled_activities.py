"""Times of business dates that nobody can change any more stay as they are, whatever is forgotten of their runs."""

from collections import Counter
from typing import Any

from app.ledger.proof.recount import recount
from schemas.records import EquipmentStateChanged, RunEnded
from tables.equipment.destination import Destination
from tables.plant.calendar import calendar_of
from tests.unit.tables.floor_bench import HOUR, MACHINE, MIN, at, configuration, on_machine
from tests.unit.tables.test_endless_runs import HORIZON, Source, start

DAYS = range(20, 26)


def time_of(totals: dict[str, Any]) -> Counter[tuple[str, str]]:
    """(run, business date) -> hours."""
    found = Counter[tuple[str, str]]()
    for key, total in totals.items():
        to = Destination.parse(key)
        if to.kind == "machine_time":
            found[to.run, to.business_date] += total.amount // 3_600_000
    return found


def a_long_run_with_a_short_one_inside_each_day(told: Counter[tuple[str, str]]) -> Source:
    source = Source(HORIZON)
    source.hear(at("06:00"), start(at("06:00"), "LONG"))
    source.hear(at("06:00"), on_machine(EquipmentStateChanged, at("06:00"), state="running"))
    for day in DAYS:
        name, began = f"SHORT-{day}", at("09:00", day=day)
        source.hear(began, start(began, name))
        source.hear(began + HOUR, on_machine(RunEnded, began + HOUR, run=name))
        for cut in ("14:00", "22:00"):
            source.cut(at(cut, day=day))
            told.update(told_now(source, told))
        source.cut(at("06:00", day=day + 1))
        told.update(told_now(source, told))
    return source


def told_now(source: Source, told: Counter[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """What the newest totals add to what was told before."""
    return {key: hours - told[key] for key, hours in time_of(source.equipment.row.totals).items()}


def test_a_long_run_does_not_get_the_time_of_a_short_one_that_is_forgotten() -> None:
    told = Counter[tuple[str, str]]()
    source = a_long_run_with_a_short_one_inside_each_day(told)
    dates = [f"2026-11-{day}" for day in DAYS]
    assert {key: hours for key, hours in told.items() if hours} == {
        **{("LONG", date): 23 for date in dates},
        **{(f"SHORT-{day}", date): 1 for day, date in zip(DAYS, dates, strict=True)},
    }
    assert len(source.equipment.row.runs) < len(DAYS), "short ones are forgotten"
    config = configuration(source.plant).plant
    now = at("06:00", day=26)
    again = recount(MACHINE, source.told, [], config, calendar_of(config), now)
    counted = Counter[tuple[str, str]]()
    for to, part in again.parts.items():
        if to.kind == "machine_time":
            counted[to.run, to.business_date] += part.amount // 3_600_000
    assert counted == told


def test_states_of_a_run_that_is_open_for_weeks_are_forgotten() -> None:
    source = Source(HORIZON)
    source.hear(at("06:00"), start(at("06:00"), "LONG"))
    for hour in range(24 * 7):
        moment = at("06:00") + hour * HOUR
        source.hear(moment, on_machine(EquipmentStateChanged, moment, state="idle" if hour % 2 else "running"))
        if hour % 8 == 0:
            source.cut(moment + MIN)
    assert len(source.equipment.row.states) < 24 * 3
