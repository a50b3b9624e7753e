"""Where the quantity of an order is, by state, and how long a posting took: each number says what it is."""

from dataclasses import replace
from typing import Any

import pytest

from app.ledger.books.snapshot import Snapshot
from app.ledger.books.sources import Sources
from app.ledger.proof.balance import prove
from app.ledger.questions.in_erp import waited
from app.ledger.questions.listing import parked_lines
from app.ledger.questions.report import balance_lines
from app.ledger.questions.trace_things import trace
from schemas.records import PostingRow, PostingStep
from tables.row_kinds import POSTING_ROWS
from tests.unit.ledger.test_reconciliation import LATE, TEN, books, yields
from tests.unit.streams.ledger_bench import CUT
from tests.unit.tables.floor_bench import HOUR, MIN

NO_SOURCES: Any = Sources


def over_delivered(*states: tuple[str, str]) -> Snapshot:
    """50 PC of an order of 44: postings of 42 and of 2, in these states with these codes, and 6 over delivery."""
    snapshot = books(quantity=44).snapshot()
    for posting, (state, code) in zip(yields(snapshot).issued, states, strict=True):
        row = delivered(snapshot, posting.posting_id)
        row.state, row.code = state, code
    return snapshot


def delivered(snapshot: Snapshot, posting_id: str) -> PostingRow:
    found: PostingRow = snapshot.rows["delivery"][POSTING_ROWS.key(posting_id)]
    return found


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([("accepted", ""), ("accepted", "")], "recorded 50  posted 44  parked 6 OVER_DELIVERY"),
        ([("rejected", "LOT_UNKNOWN"), ("accepted", "")], "recorded 50  posted 2  parked 6 OVER_DELIVERY  rejected 42"),
        ([("parked", "LOT_BLOCKED"), ("cancelled", "")], "recorded 50  parked 48 (6 OVER_DELIVERY)  cancelled 2"),
        ([("held", "LOT_HELD"), ("queued", "")], "recorded 50  waiting 2  held 42  parked 6 OVER_DELIVERY"),
    ],
)
def test_the_quantities_of_an_order_stand_by_state(states: list[tuple[str, str]], said: str) -> None:
    snapshot = over_delivered(*states)
    found, lines = trace(snapshot, "O1", None, NO_SOURCES)
    (line,) = [one for one in lines if "recorded 50" in one]
    assert line.endswith(said)
    shown = [line.split(" ", 10)[-1] for line in lines if "posting " in line]
    assert [any(one.endswith(f"{state} {code}".rstrip()) for one in shown) for state, code in states] == [True, True]
    (account,) = [one for one in found["accounts"] if one["recorded"] == "50"]
    numbers = {state: int(account[state]) for state in ("posted", "waiting", "held", "parked", "rejected", "cancelled")}
    assert sum(numbers.values()) == 50 and found["ok"]


@pytest.mark.parametrize(
    ("stated", "said"), [("from_order", "at most 44 PC"), ("25", "at most 55 PC"), ("unlimited", "no limit")]
)
def test_an_order_says_how_much_it_may_get(stated: str, said: str) -> None:
    """By the rule in force, not by the order's own percentage alone."""
    snapshot = books(quantity=44).snapshot()
    order = snapshot.configuration.rules.order.model_copy(update={"over_delivery": stated})
    rules = snapshot.configuration.rules.model_copy(update={"order": order})
    snapshot.configuration = replace(snapshot.configuration, rules=rules)
    (line,) = [one for one in trace(snapshot, "O1", None, NO_SOURCES)[1] if "to make" in one]
    assert line.endswith(said)


def test_a_balance_says_what_of_parked_was_refused() -> None:
    balances = prove(over_delivered(("rejected", "LOT_UNKNOWN"), ("cancelled", ""))).balances
    (line,) = [one for one in balance_lines((kind, unit, one) for (kind, unit), one in balances.items()) if "yield" in one]
    assert line.endswith("   42 of parked are rejected   2 of parked are cancelled")


def test_a_code_with_nothing_parked_says_what_would_happen_to_more() -> None:
    snapshot = books(quantity=50).snapshot()
    row = yields(snapshot)
    row.code = "ORDER_CLOSED"
    (line,) = [one for one in trace(snapshot, "O1", None, NO_SOURCES)[1] if "recorded 50" in one]
    assert line.endswith("posted 50  more would be parked: ORDER_CLOSED")


def steps(cut: int, *spans: tuple[str, str, int]) -> list[PostingStep]:
    return [PostingStep(state, cut + hours * HOUR, code) for state, code, hours in spans]


def test_waited_is_from_the_cut_to_the_booking_and_back_off_only_a_part_of_it() -> None:
    snapshot = books().snapshot()
    first, _ = yields(snapshot).issued
    row = delivered(snapshot, first.posting_id)
    row.steps = steps(first.cut, ("queued", "", 0), ("held", "LOT_HELD", 0), ("queued", "", 18), ("accepted", "", 18))
    row.attempts, row.waited_us = 1, 0
    said = waited(first, row)
    assert said.startswith("18:00:00 from its cut to the booking (18:00:00 held LOT_HELD); no back-off   Attempts 1,")
    row.waited_us = 2_500_000
    assert "; 2.5 s of back-off   " in waited(first, row)
    row.waited_us = 0
    row.state, row.steps = "held", steps(first.cut, ("queued", "", 0), ("held", "LOT_HELD", 2))
    assert waited(first, row).startswith(
        "held since 2026-11-20T16:00:00Z, cut 2026-11-20T14:00:00Z (2:00:00 queued); no back-off"
    )
    assert waited(first, None) == "-"


def test_what_is_parked_waits_since_it_was_made_and_not_since_the_first_piece() -> None:
    """The limit of 44 was reached by the last declaration."""
    entries, _ = parked_lines(books(quantity=44).snapshot(), "", LATE + 90 * MIN)
    (entry,) = [one for one in entries if one["code"] == "OVER_DELIVERY"]
    assert (entry["quantity"], entry["age"], entry["since"]) == ("6", "9 h", "2026-11-20T14:01:00Z")
    assert TEN < CUT < LATE
