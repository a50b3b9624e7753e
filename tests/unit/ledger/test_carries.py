"""Each carry is explained in a sentence."""

import pytest

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.carries import as_json, carries_of, lines_of, sentence
from schemas.records import OrderCompleted, Quantity
from tests.unit.streams.ledger_bench import CUT, Ledger, component, released, total
from tests.unit.tables.floor_bench import at, configuration, event

T = at("08:00")
ROLLS = [{"kind": "yield", "when": "shift_end"}, {"kind": "consumption", "when": "shift_end", "decimals": 0}]


def ledger(pieces: int, complete: bool = False) -> Snapshot:
    """A roll lasts for 2,000 pieces, and the ERP counts rolls in wholes."""
    bench = Ledger(configuration(rules={"post": ROLLS}))
    roll = component("ROLL", mode="ledger_backflush", quantity=Quantity(1, 0, "ROL"), base=2000)
    bench.fold(released(components=[roll]), total("gross", pieces, label=T))
    if complete:
        bench.fold(event(OrderCompleted, T, T, order="O1"))
    bench.tick(CUT)
    return Snapshot({"orders": dict(bench.step.rows.scan(""))}, [], bench.configurations[0], {})


@pytest.mark.parametrize(
    ("pieces", "complete", "said"),
    [
        (900, False, "0.45 ROL recorded, rounded to 0 in steps of 1: 0.45 ROL go with what comes next"),
        (1800, False, "0.9 ROL recorded, rounded to 1 in steps of 1: 0.1 ROL are ahead and come off what comes next"),
        (900, True, "0.45 ROL recorded, rounded to 0 in steps of 1: the ERP gets 0.45 ROL less, nothing more is expected"),
        (1000, True, "0.5 ROL recorded, rounded to 1 in steps of 1: the ERP gets 0.5 ROL more, nothing more is expected"),
    ],
)
def test_a_carry_is_explained(pieces: int, complete: bool, said: str) -> None:
    (found,) = carries_of(ledger(pieces, complete))
    assert sentence(found) == f"consumption of ROLL in operation 10 of order O1: {said}"
    assert as_json([found])[0]["sentence"] == sentence(found)


def test_what_is_whole_leaves_nothing() -> None:
    assert carries_of(ledger(2000)) == []


def test_the_report_shows_the_largest_and_says_how_many_more_there_are() -> None:
    found = carries_of(ledger(900)) * 3
    lines = list(lines_of(found, 2))
    assert len(lines) == 3 and lines[-1] == "Carry: 1 more    lineledger reconcile"
    assert len(list(lines_of(found))) == 3
