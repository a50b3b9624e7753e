"""What a report calls counted is what the authority says: the other one's figure about the same pieces is a check."""

from dataclasses import replace

import pytest

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import Proof, prove
from app.ledger.questions import report
from schemas.records import Operation, ProductionDeclared
from tables.row_kinds import EQUIPMENT_ROWS
from tests.unit.ledger.test_report_commands import PLAIN
from tests.unit.streams.ledger_bench import CUT, Ledger, released, total
from tests.unit.tables.floor_bench import MACHINE, PLANT, at, configuration, count, machine, on_machine, pieces

T = at("07:00")


def counted(authority: str, *totals: object) -> dict[str, int]:
    ledger = Ledger()
    operation = Operation(operation="10", receipt=True, quantity_from=authority)
    ledger.fold(released(T, operations=[operation]), *totals)
    ledger.tick(CUT)
    snapshot = Snapshot({"orders": dict(ledger.step.rows.scan(""))}, [], ledger.configurations[0], {})
    return {unit: int(value) for unit, value in prove(snapshot).counted.items()}


@pytest.mark.parametrize(("authority", "pieces_"), [("counters", 100), ("declarations", 90), ("plant", 100)])
def test_the_other_authority_is_a_check(authority: str, pieces_: int) -> None:
    both = total("gross", 100, label=T), total("good", 90, (1, 2), T)
    assert counted(authority, *both) == {"PC": pieces_}


def test_a_good_counter_beside_the_gross_one_is_a_check() -> None:
    assert counted("counters", total("gross", 100, label=T), total("good", 90, (1, 2), T, authority="counters")) == {"PC": 100}


def test_declarations_alone_are_the_count() -> None:
    assert counted("declarations", total("good", 90, label=T, equipment="")) == {"PC": 90}


def nobodys(plant: dict[str, object]) -> Proof:
    """10 shots of M1, and 7 pieces that somebody declared there; no run is open."""
    fold = machine(plant)
    count(fold, ("07:00", 0), ("07:10", 10))
    assert fold.declared(on_machine(ProductionDeclared, at("07:15"), quantity=pieces(7))) is None
    return prove(Snapshot({"equipment": {EQUIPMENT_ROWS.key(PLANT, MACHINE): fold.row}}, [], configuration(plant), {}))


@pytest.mark.parametrize(("authority", "made"), [("counters", 10), ("declarations", 7)])
def test_of_nobodys_pieces_the_plants_authority_is_counted(authority: str, made: int) -> None:
    assert {unit: int(value) for unit, value in nobodys({"plant": {"quantity_from": authority}}).counted.items()} == {"PC": made}


def test_counts_of_no_run_are_told_in_a_line_of_their_own() -> None:
    lines = report.text(replace(PLAIN, proof=nobodys({}))).splitlines()
    assert "Counted 0 PC; every total is in its account    EXACT" in lines
    assert "  not in it: 10 counts while no run was open (how many PC one makes, only a run says): M1 10" in lines
