"""What an equipment forgets after its horizon, and that nothing moves by it."""

from typing import Any

import pytest

from schemas.records import EquipmentStateChanged, RunCorrected, RunEnded, RunStarted, ScrapDeclared
from tables.equipment.equipment import EquipmentFold
from tests.unit.tables.floor_bench import HOUR, MIN, amounts, at, by_run, count, machine, on_machine, out, pieces

HORIZON = {"attribution": {"late_horizon": "1 h"}}


def press() -> EquipmentFold:
    """Run A made 5 pieces until 07:05; the horizon is one hour."""
    equipment = machine(HORIZON)
    count(equipment, ("07:00", 100))
    hear(equipment, on_machine(RunStarted, at("07:00"), run="A", order="OA", operation="10", outputs=[out("4711")]))
    count(equipment, ("07:04", 105))
    hear(equipment, on_machine(RunEnded, at("07:05"), run="A"))
    return equipment


def hear(equipment: EquipmentFold, *events: Any) -> None:
    for event in events:
        assert equipment.run_event(event) is None


def expire_at(equipment: EquipmentFold, moment: int) -> None:
    for total in equipment.row.totals.values():
        total.dirty = False  # published
    equipment.seen_at(moment)
    equipment.expire()


def test_too_late_is_refused_by_code_and_changes_nothing() -> None:
    equipment = press()
    equipment.seen_at(at("08:30"))
    refused = equipment.declared(on_machine(ScrapDeclared, at("07:29"), quantity=pieces(1)))
    assert refused is not None
    assert refused.code == "TOO_LATE"
    refused = equipment.run_event(on_machine(RunStarted, at("07:29"), run="B", outputs=[]))
    assert refused is not None
    assert refused.code == "TOO_LATE"
    assert by_run(equipment) == {"A": 5}
    assert equipment.run_event(on_machine(RunCorrected, at("07:29"), run="A", version=1, order="OB")) is None
    assert amounts(equipment, "order") == {("OB",): 5}, "people may correct what the horizon still holds"


@pytest.mark.parametrize("minutes", [8, 15, 40])
def test_a_late_event_never_moves_what_is_older_than_the_horizon(minutes: int) -> None:
    """07:00 to 07:10 is one bucket; run A ended at 07:05 and the horizon passes within the bucket."""
    equipment = press()
    expire_at(equipment, at("07:00") + minutes * MIN + HOUR)
    moment = at("07:00") + minutes * MIN + 30_000_000
    hear(equipment, on_machine(RunStarted, moment, run="B", order="OB", operation="10", outputs=[out("4711")]))
    assert amounts(equipment, "run") in ({("A",): 5}, {}), "run A keeps its pieces, or they are settled and forgotten"
    assert by_run(equipment).get("", 0) == 0


def test_old_buckets_are_forgotten_and_the_count_goes_on() -> None:
    equipment = press()
    hear(equipment, on_machine(RunStarted, at("07:30"), run="B", order="OB", operation="10", outputs=[out("4711")]))
    count(equipment, ("09:00", 110))
    expire_at(equipment, at("09:30"))
    assert by_run(equipment) == {"A": 5, "B": 5}
    count(equipment, ("09:31", 111))
    assert by_run(equipment) == {"A": 5, "B": 6}
    count(equipment, ("08:55", 107))
    assert by_run(equipment) == {"A": 5, "B": 6}, "a late reading within the horizon splits a delta"


def test_a_total_stays_while_its_business_date_can_still_get_pieces() -> None:
    """Run A ended before the date began, and got pieces of it in its grace. It is forgotten, then a correction tells of a run A
    again. Published anew, its total would be 1 instead of 5 + 1."""
    equipment = machine({"attribution": {"late_horizon": "1 h", "run_grace": "5 min"}})
    outputs = [out("4711")]
    hear(equipment, on_machine(RunStarted, at("05:50"), run="A", order="OA", operation="10", outputs=outputs))
    count(equipment, ("05:57", 100))
    hear(equipment, on_machine(RunEnded, at("05:58"), run="A"))
    count(equipment, ("06:01", 105), ("07:59", 105))
    assert by_run(equipment) == {"A": 5}
    expire_at(equipment, at("08:00"))
    assert equipment.row.runs == []
    correction = {"run": "A", "version": 1, "started_at": at("07:10"), "order": "OA", "operation": "10", "outputs": outputs}
    hear(equipment, on_machine(RunCorrected, at("08:01"), **correction))
    count(equipment, ("08:02", 106))
    assert by_run(equipment) == {"A": 5 + 1}, "what a key had is never published without its past"


def test_a_total_is_forgotten_when_its_business_date_is_out_of_reach() -> None:
    equipment = press()
    count(equipment, ("08:00", 110))
    expire_at(equipment, at("07:10", day=21))
    assert amounts(equipment, "run") == {("",): 5}, "nobody's pieces are reported as long as they are nobody's"
    forgotten = on_machine(RunCorrected, at("07:10", day=21), run="A", version=1, started_at=at("07:00"), order="OX")
    refused = equipment.run_event(forgotten)
    assert refused is not None, "a run whose quantities are settled does not come back"
    assert refused.code == "TOO_LATE"
    assert "OX" not in "".join(equipment.row.totals)


def test_declarations_keep_the_run_that_they_name() -> None:
    equipment = press()
    assert equipment.declared(on_machine(ScrapDeclared, at("08:00"), run="A", quantity=pieces(2))) is None
    expire_at(equipment, at("08:40"))
    hear(equipment, on_machine(RunStarted, at("08:45"), run="B", order="OB", operation="10", outputs=[out("4711")]))
    assert amounts(equipment, "order", "kind")["OA", "scrap"] == 2


def test_times_of_forgotten_runs_stay() -> None:
    equipment = press()
    for clock, state in (("07:01", "running"), ("07:04", "down")):
        assert equipment.state_changed(on_machine(EquipmentStateChanged, at(clock), state=state)) is None
    equipment.measure_activities(at("07:10"), at_cut=False)
    assert amounts(equipment, "run", "kind")["A", "machine_time"] == 3 * 60_000
    equipment.seen_at(at("08:20"))
    equipment.expire()  # not published yet: the total has to stay
    hear(equipment, on_machine(RunStarted, at("08:21"), run="B", order="OB", operation="10", outputs=[out("4711")]))
    equipment.measure_activities(at("08:22"), at_cut=True)
    assert amounts(equipment, "run", "kind")["A", "machine_time"] == 3 * 60_000


def test_an_end_without_a_run_waits_for_a_start_that_comes_late() -> None:
    """Only run B is known when the night's cut looks at what may go; the start of A is on its way."""
    equipment = machine({"attribution": {"late_horizon": "24 h"}})
    count(equipment, ("07:00", 100), ("07:30", 105), ("08:30", 107))
    hear(equipment, on_machine(RunEnded, at("08:00"), run=""))
    hear(equipment, on_machine(RunStarted, at("09:00"), run="B", order="OB", operation="10", outputs=[out("4711")]))
    expire_at(equipment, at("22:00"))
    hear(equipment, on_machine(RunStarted, at("07:15"), run="A", order="OA", operation="10", outputs=[out("4711")]))
    assert by_run(equipment) == {"A": 5, "": 2}


def test_when_the_first_piece_was_made_is_told_of_what_is_forgotten_too() -> None:
    equipment = press()
    for day in (21, 22, 23):
        expire_at(equipment, at("12:00", day))
    assert by_run(equipment) == {}
    assert equipment.row.first_at == at("07:04")
