"""An amount in a rule whose unit nothing converts has no effect, and that is told: report, `parked`, `rules explain`."""

from typing import Any

import pytest

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import prove
from app.ledger.questions.listing import parked_lines
from app.ledger.questions.needs import needs_of, of_orders
from app.ledger.questions.rules import explained_from_ledger
from schemas.codes import owner_of
from tests.unit.streams.ledger_bench import CUT, Ledger, released, total
from tests.unit.tables.floor_bench import HOUR, at, configuration

T = at("07:00")
CODE = "RULE_UNIT_UNKNOWN"


def ledger(rule: dict[str, Any], units: dict[str, list[str]] | None = None) -> Snapshot:
    rules = {"post": [{"kind": "yield", "when": ["shift_end"], **rule}]}
    bench = Ledger(configuration({"units": units or {}}, rules))
    bench.fold(released(T), total("gross", 10, label=T, first_at=T))
    posted = bench.tick(CUT)
    assert [one.amount for one in posted] == ([10] if not units else [])
    return Snapshot({"orders": dict(bench.step.rows.scan(""))}, [], bench.configurations[0], {})


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"at_least": "1 BOX"}, "`at_least: 1 BOX` has no effect on yield of 4711: nothing says how many PC that is"),
        ({"when": ["shift_end", "every 10 BOX"]}, "`every 10 BOX` has no effect on yield of 4711"),
        ({"when": ["shift_end", "above 3 BOX at once"]}, "`above 3 BOX at once` has no effect on yield of 4711"),
    ],
)
def test_it_is_told(rule: dict[str, Any], says: str) -> None:
    snapshot = ledger(rule)
    (need,) = [need for need in needs_of(snapshot, prove(snapshot)) if "no effect" in need.what]
    assert (says in need.what, need.since, need.owner) == (True, T, owner_of(CODE))
    found, lines = parked_lines(snapshot, "", T + HOUR)
    assert [(entry["code"], entry["decide"]) for entry in found] == [(CODE, "")]
    assert any(says in line for line in lines)
    _, explained = explained_from_ledger(snapshot, need.command.split("'")[1], CUT)
    assert sum(CODE in line for line in explained) == 1


def test_what_converts_is_not_told() -> None:
    snapshot = ledger({"at_least": "1 BOX"}, {"4711": ["1 BOX = 48 PC"]})
    assert [need for need in needs_of(snapshot, prove(snapshot)) if "no effect" in need.what] == []
    assert [entry["code"] for entry in parked_lines(snapshot, "", T + HOUR)[0]] == []


def test_status_counts_it() -> None:
    """From the rows of orders alone, which is all that `lineledger status` reads of a plant."""
    assert [need.code for need in of_orders(ledger({"at_least": "1 BOX"}))] == [CODE]
