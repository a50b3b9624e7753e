"""What the list of needs says of its entries: since when an excess waits, and how many records were refused."""

import pytest

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import Proof
from app.ledger.questions.needs import _refused as refused
from app.ledger.questions.needs import needs_of, since_of
from schemas.records import AccountRow, SourceTotal
from streams.boundary import Letter
from tables.orders.account import Waits, account_key
from tables.row_kinds import ACCOUNT_ROWS
from tests.unit.tables.floor_bench import PLANT, at, configuration

SIX, EIGHT, NINE, TEN = at("06:00"), at("08:00"), at("09:00"), at("10:00")


def made(count: int, first_at: int, last_at: int) -> SourceTotal:
    return SourceTotal("gross", "counters", count, 1, "PC", 1, 1, 1, equipment="M1", first_at=first_at, last_at=last_at)


@pytest.mark.parametrize(
    ("sources", "parked", "since"),
    [
        ([made(100, SIX, EIGHT), made(20, NINE, TEN)], 20, NINE),
        ([made(100, SIX, EIGHT), made(20, NINE, TEN)], 5, TEN),
        ([made(100, SIX, EIGHT), made(20, NINE, NINE)], 30, EIGHT),
        ([made(100, SIX, EIGHT), made(20, NINE, TEN)], 120, SIX),
    ],
    ids=["the last run", "less than the last run", "part of the run before, too", "all"],
)
def test_an_excess_waits_since_it_was_made(sources: list[SourceTotal], parked: int, since: int) -> None:
    row = AccountRow(PLANT, "O1", "10", "4711", "", "yield", "", "", "2026-11-20", 1, unit="PC")
    row.sources = {str(number): source for number, source in enumerate(sources)}
    row.target, row.parked, row.code, row.since = 120, parked, "OVER_DELIVERY", at("14:00")
    (one,) = [Waits(row.code, "", "PC", parked, False, False)]  # type: ignore[arg-type]  # the quantity is not looked at
    assert since_of(row, one) == since


def test_a_row_counts_once_however_many_of_its_events_were_refused() -> None:
    places = (("a", 2), ("b", 2), ("c", 2), ("d", 3))
    told = {"code": "BAD_DECIMAL", "detail": "", "source": "s", "stage": "intake", "raw_source": "a.csv", "original": b"x"}
    letters = [Letter(event, PLANT, raw_offset=row, received_at=5, **told).record() for event, row in places]  # type: ignore[arg-type]
    ((need, planned),) = refused(Snapshot({}, letters, configuration(), {}))
    assert (need.what, planned) == ("2 records refused: BAD_DECIMAL", False)


def test_refused_orders_come_before_what_follows_from_them() -> None:
    told = {"detail": "", "stage": "intake", "original": b"x", "received_at": 5}
    order = {
        "emit": "OrderReleased",
        "order": "no",
        "items": {"each": "i", "item": "p", "material": "m", "quantity": {"path": "q"}},
    }
    sources = {
        "sap": {"read": {"occurred_at": "t"}, "events": [order]},
        "floor": {"read": {"occurred_at": "t", "equipment": "m"}, "events": [{"ignore": "true"}]},
    }
    letters = [
        Letter("e1", PLANT, raw_source="a", raw_offset=1, source="floor", code="BAD_JSON", **told).record(),  # type: ignore[arg-type]
        Letter("e2", PLANT, raw_source="b", raw_offset=1, source="sap", code="BAD_UNIT", **told).record(),  # type: ignore[arg-type]
    ]
    row = AccountRow(PLANT, "O1", "10", "4711", "", "yield", "", "", "2026-11-20", 1, unit="PC", parked=5, code="UNKNOWN_ORDER")
    rows = Snapshot({"orders": {ACCOUNT_ROWS.key(account_key(row)): row}}, letters, configuration({"sources": sources}), {})
    assert [(need.code, need.command) for need in needs_of(rows, Proof())] == [
        ("BAD_UNIT", "lineledger exceptions --code BAD_UNIT --source sap"),
        ("UNKNOWN_ORDER", f"lineledger parked --account '{account_key(row)}'"),
        ("BAD_JSON", "lineledger exceptions --code BAD_JSON"),
    ]
