"""What needs somebody stands in a question that a live installation answers: it has no report that would say it."""

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import prove
from app.ledger.questions.listing import parked_lines
from app.ledger.questions.needs import needs_of
from schemas.codes import owner_of
from schemas.records import LabourRecorded
from tables.rows import MemoryRows
from tests.unit.tables.floor_bench import at, configuration, count, counter, machine, on_machine

FLOOR = {"UNATTRIBUTED", "COUNT_UNDECIDED", "LOG_OFF_MISSING"}


def floor(live: bool) -> Snapshot:
    """A machine that counted without a run, showed what it cannot have counted, and somebody who never logged off."""
    told, rows = counter(at_most="40 / min"), MemoryRows()
    equipment = machine(told, rows)
    count(equipment, ("08:00", 0), ("08:01", 5), ("08:02", 900_000))
    equipment.labour(on_machine(LabourRecorded, at("08:00"), person="p", action="on"))
    equipment.seen_at(at("23:30"))
    equipment.save()
    return Snapshot({"equipment": dict(rows.scan("")), "orders": {}}, [], configuration(told), {"live": True} if live else {})


def test_what_a_run_reports_of_the_floor_is_listed_live() -> None:
    snapshot = floor(live=True)
    found, lines = parked_lines(snapshot, "", at("23:30"))
    assert {entry["code"] for entry in found} == FLOOR
    assert all(entry["owner"] == owner_of(entry["code"]) and entry["decide"].startswith("lineledger ") for entry in found)
    assert any("decide 'M1|shots|" in entry["decide"] for entry in found), "somebody can decide with what is shown"
    assert len(lines) == len(found)
    assert {need.code for need in needs_of(snapshot, prove(snapshot))} == FLOOR, "the same as the report's"
    assert parked_lines(snapshot, "one account", at("23:30"))[0] == []


def test_a_run_has_its_report() -> None:
    assert parked_lines(floor(live=False), "", at("23:30"))[0] == []
