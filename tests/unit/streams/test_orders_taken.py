"""An order gives back no more than it took."""

from typing import Any

import pytest

from schemas.records import OperatorDecision, Quantity
from tests.unit.streams.ledger_bench import CUT, Ledger, component, released, total
from tests.unit.tables.floor_bench import HOUR, at, configuration, event

RULES = {"post": [{"kind": "consumption", "when": "shift_end"}]}
EVENING = at("22:00")


def used(kilograms: int, version: int, label: int = 0, **fields: Any) -> Any:
    what = {
        "authority": "declarations",
        "unit": "kg",
        "material": "PP",
        "lot": "",
        "source_key": f"e{version}",
        "equipment": "",
        "first_at": at("07:00"),
    }
    return total("consumption", kilograms, (1, version), label or at("07:00"), **{**what, **fields})


def ledger(*records: Any) -> Ledger:
    found = Ledger(configuration(rules=RULES))
    found.fold(released(at("05:00")), *records)
    return found


@pytest.mark.parametrize("date", ["2026-11-20", "2026-11-21"])
@pytest.mark.parametrize("lot", ["", "R1"])
def test_at_most_what_was_taken_goes_back(date: str, lot: str) -> None:
    bench = ledger(used(10, 1))
    bench.tick(CUT)
    bench.fold(used(-25, 2, CUT + HOUR, business_date=date, lot=lot))
    bench.tick(EVENING)
    assert sum(one.amount for one in bench.postings) == 0
    assert bench.codes() == {"consumption": "BELOW_ZERO"}
    assert sum(row.parked for row in bench.accounts().values()) == -15000
    bench.check_conservation()


def test_what_is_taken_later_gives_room() -> None:
    bench = ledger(used(10, 1))
    bench.tick(CUT)
    bench.fold(used(-25, 2, CUT + HOUR, business_date="2026-11-21"))
    bench.tick(EVENING)
    bench.fold(used(8, 3, EVENING + HOUR, lot="R2"))
    bench.tick(at("06:00", 21))
    assert [one.amount for one in bench.postings] == [10000, -10000, 8000, -8000]
    assert [row.parked for row in bench.accounts().values() if row.code] == [-7000]


def test_a_person_may_let_it_pass() -> None:
    bench = ledger(used(10, 1), used(-25, 2, lot="R1"))
    bench.tick(CUT)
    decision = {"order": "O1", "account": "", "code": "BELOW_ZERO", "decision": "post", "who": "h", "why": "was of another order"}
    bench.fold(event(OperatorDecision, CUT + HOUR, CUT + HOUR, **decision))
    bench.tick(EVENING)
    assert sum(one.amount for one in bench.postings) == -15000


def test_a_component_of_negative_quantity_comes_back() -> None:
    bench = ledger()
    bench.fold(released(at("05:30"), components=[component(quantity=Quantity(-20, 3, "kg"))], change_number="2"), used(-2, 1))
    assert [one.amount for one in bench.tick(CUT)] == [-2000]
    assert bench.codes() == {}


def test_the_next_day_takes_back_from_the_reservations_that_were_issued() -> None:
    twice = [component(item="1", position="A"), component(item="2", position="B")]
    bench = ledger()
    bench.fold(released(at("05:30"), components=twice, change_number="2"))
    bench.fold(used(150, 1))
    bench.tick(CUT)
    bench.fold(used(-60, 2, CUT + HOUR, business_date="2026-11-21"))
    bench.tick(EVENING)
    sums: dict[str, int] = {}
    for one in bench.postings:
        sums[one.reservation_item] = sums.get(one.reservation_item, 0) + one.amount
    assert sums == {"1": 90000, "2": 0}
