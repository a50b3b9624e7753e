"""Correlation ids of records, from declarations and runs to the posting: newest first to stay, whatever arrives when."""

from itertools import permutations
from typing import Any

import pytest

from schemas.records import Correlation, ProductionDeclared, RunStarted
from tables import correlations
from tables.correlations import MAX_CORRELATIONS
from tables.equipment.equipment import EquipmentFold
from tests.unit.streams.ledger_bench import CUT, Ledger, released, total
from tests.unit.tables.floor_bench import MIN, at, machine, on_machine, out, pieces

T = at("07:00")


def ids(equipment: EquipmentFold) -> dict[str, list[str]]:
    """Order -> correlation ids of its totals, as they are told."""
    runs = {run.run: run for run in equipment.row.runs}
    found = {}
    for key, entry in equipment.row.totals.items():
        run = next((run for name, run in runs.items() if f"\x1f{name}\x1f" in key), None)
        if entry.amount:
            found[run.order if run is not None else ""] = [one.id for one in correlations.of_total(entry, run)]
    return found


def declared(minute: int, correlation_id: str, **fields: Any) -> ProductionDeclared:
    values = {"material": "4711", "quantity": pieces(5), "correlation_id": correlation_id, **fields}
    made: ProductionDeclared = on_machine(ProductionDeclared, T + minute * MIN, **values)
    return made


def run(name: str, minute: int, correlation_id: str = "") -> RunStarted:
    outputs = [out("4711")]
    started: RunStarted = on_machine(
        RunStarted, T + minute * MIN, run=name, order=f"O{name}", operation="10", outputs=outputs, correlation_id=correlation_id
    )
    return started


def tell(equipment: EquipmentFold, event: Any) -> None:
    assert (equipment.run_event if isinstance(event, RunStarted) else equipment.declared)(event) is None


@pytest.mark.parametrize("order", list(permutations(range(5))))
def test_the_newest_stay_whatever_comes_first(order: tuple[int, ...]) -> None:
    told = [Correlation("a", 1), Correlation("b", 2), Correlation("a", 5), Correlation("c", 3), Correlation("b", 2)]
    known: list[Correlation] = []
    for index in order:
        correlations.add(known, [told[index]])
    assert known == [Correlation("b", 2), Correlation("c", 3), Correlation("a", 5)]


def test_there_is_a_bound() -> None:
    known: list[Correlation] = []
    for number in reversed(range(3 * MAX_CORRELATIONS)):
        correlations.add(known, [Correlation(f"m{number}", number)])
    assert [one.at for one in known] == list(range(2 * MAX_CORRELATIONS, 3 * MAX_CORRELATIONS))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_declaration_takes_its_id_to_the_run_that_it_moves_to(order: tuple[int, ...]) -> None:
    """The second run began before the second declaration: who comes late changes nothing."""
    events = [run("A", 0, "run-a"), declared(5, "m1"), run("B", 10, "run-b"), declared(15, "m2")]
    equipment = machine()
    for index in order:
        tell(equipment, events[index])
    assert ids(equipment) == {"OA": ["run-a", "m1"], "OB": ["run-b", "m2"]}


def test_two_declarations_of_one_message_keep_its_id_when_one_moves_away() -> None:
    equipment = machine()
    for event in (run("A", 0), declared(5, "m1"), declared(15, "m1"), run("B", 10)):
        tell(equipment, event)
    assert ids(equipment) == {"OA": ["m1"], "OB": ["m1"]}


def test_without_ids_there_are_none() -> None:
    equipment = machine()
    for event in (run("A", 0), declared(5, "")):
        tell(equipment, event)
    assert ids(equipment) == {"OA": []}


def test_a_posting_names_the_newest_ids_of_its_account() -> None:
    ledger = Ledger()
    ledger.fold(released(T))
    for number in range(MAX_CORRELATIONS + 4):
        told = [Correlation(f"m{number:02d}", T + number)]
        gross = total("gross", 5, (1, 1), T, source_key=f"e{number}", equipment="", run="", correlations=told)
        ledger.fold(gross)
    (posting,) = [made for made in ledger.tick(CUT) if made.kind == "yield"]
    assert posting.amount == 5 * (MAX_CORRELATIONS + 4)
    assert posting.correlation_ids == [f"m{number:02d}" for number in range(4, MAX_CORRELATIONS + 4)]
