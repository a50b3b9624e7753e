"""A decision holds for what was parked when it was taken."""

from typing import Any

import pytest

from schemas.records import OperatorDecision, OrderChanged, OrderClosed
from tables.orders.account import waits
from tests.unit.streams.ledger_bench import CUT, Ledger, item, released, total
from tests.unit.tables.floor_bench import HOUR, at, configuration, event

RULES = {"post": [{"kind": "yield", "when": "shift_end"}]}
EVENING, NIGHT = at("22:00"), at("06:00", 21)


def ledger(*records: Any) -> Ledger:
    found = Ledger(configuration(rules=RULES))
    found.fold(released(at("05:00"), items=[item(quantity=100)]), *records)
    return found


def gross(count: int, version: int, label: int = 0) -> Any:
    return total("gross", count, (1, version), label or at("07:00"))


def decided(decision: str, at_: int, code: str = "OVER_DELIVERY") -> Any:
    return event(OperatorDecision, at_, at_, order="O1", account="", code=code, decision=decision, who="h", why="shredded")


def test_what_grows_after_it_was_let_through_waits_anew() -> None:
    bench = ledger(gross(110, 1))
    bench.tick(CUT)
    bench.fold(decided("post", CUT + HOUR), gross(115, 2, CUT + 2 * HOUR))
    bench.tick(CUT + HOUR)
    bench.tick(EVENING)
    row = bench.account("yield")
    assert (row.posted, row.parked, row.code) == (110, 5, "OVER_DELIVERY")
    bench.fold(decided("post", EVENING + HOUR))
    bench.tick(EVENING + HOUR)
    bench.tick(NIGHT)
    assert bench.account("yield").posted == 115


def test_what_was_dropped_is_gone_for_good_and_is_listed() -> None:
    bench = ledger(gross(110, 1))
    bench.tick(CUT)
    bench.fold(decided("drop", CUT + HOUR), released(CUT + 2 * HOUR, OrderChanged, change_number="2", items=[item(quantity=200)]))
    for moment in (CUT + HOUR, CUT + 2 * HOUR, EVENING):
        bench.tick(moment)
    row = bench.account("yield")
    assert (row.posted, row.parked, row.dropped, row.detail) == (100, 10, True, "dropped: shredded")
    bench.fold(gross(230, 2, EVENING + HOUR))
    bench.tick(NIGHT)
    row = bench.account("yield")
    assert (row.posted, row.parked) == (200, 30)
    assert [(str(one.quantity), one.dropped) for one in waits(row)] == [("20", False), ("10", True)]
    bench.check_conservation()


@pytest.mark.parametrize("first", ["post", "drop"])
def test_retry_takes_it_back(first: str) -> None:
    bench = ledger(gross(110, 1))
    bench.tick(CUT)
    bench.fold(decided(first, CUT + HOUR), decided("retry", CUT + 2 * HOUR))
    for moment in (CUT + HOUR, CUT + 2 * HOUR, EVENING):
        bench.tick(moment)
    row = bench.account("yield")
    assert (row.posted, row.parked, row.dropped) == (100, 10, False)


def test_a_closed_order_takes_what_a_person_let_through_and_no_more() -> None:
    bench = ledger(gross(50, 1))
    bench.tick(CUT)
    bench.fold(event(OrderClosed, CUT + 1, CUT + 1, order="O1"), gross(55, 2, CUT + 2))
    bench.tick(CUT + 2)
    bench.fold(decided("post", CUT + HOUR, "ORDER_CLOSED"), gross(58, 3, CUT + 2 * HOUR))
    bench.tick(CUT + HOUR)
    bench.tick(EVENING)
    row = bench.account("yield")
    assert (row.posted, row.parked, row.code) == (55, 3, "ORDER_CLOSED")
