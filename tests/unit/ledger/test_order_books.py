"""What a controller asks of the books: none of right ones, and each kind of wrong ones that EXACT does not see."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from app.ledger.books.snapshot import Snapshot
from app.ledger.questions.order_books import as_json, lines_of, questions_of, summary_line
from schemas.records import AccountRow, OrderCompleted, OrderRow, PostingRow
from tables.row_kinds import ACCOUNT_ROWS, ORDER_ROWS, POSTING_ROWS
from tests.unit.streams.ledger_bench import CUT, Ledger, component, operation, released, total
from tests.unit.tables.floor_bench import PLANT, at, configuration, event

T, DAY = at("08:00"), 86_400_000_000
CLOSES = {"erp": {"adapter": "sim"}, "periods": {"close": "2nd workday 12:00"}}
RESIN: dict[str, Any] = {"material": "PP", "lot": "R1", "unit": "kg", "label": T, "authority": "declarations"}


class Books:
    """An order that made 100 pieces, 10 of them scrap, of 10 kg; complete, posted, and accepted by the ERP."""

    def __init__(self, rules: dict[str, Any] | None = None, used: int = 10) -> None:
        self.ledger = Ledger(configuration(rules=rules, erp=CLOSES))
        used_up = total("consumption", used, source_key="M1|A|MaterialConsumed", **RESIN)
        pieces = [total("gross", 100, label=T), total("scrap", 10, reason="R", label=T)]
        two = [operation("10", receipt=False), operation("20")]
        last = total("gross", 90, operation="20", source_key="M2|B|gross", label=T, equipment="M2", run="B")
        self.ledger.fold(released(components=[component()], operations=two), *pieces, last, used_up)
        self.ledger.fold(event(OrderCompleted, T, T, order="O1"))
        self.ledger.tick(CUT)
        self.rows = deepcopy(dict(self.ledger.step.rows.scan("")))
        self.delivered = {
            POSTING_ROWS.key(posting.posting_id): PostingRow(deepcopy(posting), state="accepted")
            for posting in self.ledger.postings
        }

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot({"orders": self.rows, "delivery": self.delivered}, [], self.ledger.configurations[0], {})

    @property
    def order(self) -> OrderRow:
        found: OrderRow = self.rows[ORDER_ROWS.key(PLANT, "O1")]
        return found

    def account(self, kind: str, operation: str = "10") -> AccountRow:
        found: list[AccountRow] = [row for key, row in self.rows.items() if key.startswith(ACCOUNT_ROWS.prefix)]
        return next(row for row in found if (row.kind, row.operation) == (kind, operation))

    def codes(self) -> list[str]:
        return [one.code for one in questions_of(self.snapshot)]


def test_right_books_ask_nothing() -> None:
    books = Books()
    assert len(books.delivered) == 4 and questions_of(books.snapshot) == []
    assert summary_line(questions_of(books.snapshot)) == "Books: no questions"


def test_an_order_that_has_its_number_again_has_a_final_flag_of_its_own() -> None:
    books = Books()
    again, (posting,) = deepcopy(books.account("yield", "20")), books.account("yield", "20").issued
    books.rows[ACCOUNT_ROWS.prefix + "again"] = again
    again.issued[0].posting_id = "AGAIN"
    row = deepcopy(books.delivered[POSTING_ROWS.key(posting.posting_id)])
    row.posting.posting_id, row.posting.final = "AGAIN", True
    books.delivered[POSTING_ROWS.key("AGAIN")] = row
    for source in again.sources.values():
        source.first_at += DAY
        source.last_at += DAY
    assert "BOOKS_FINAL" in books.codes(), "of one order"
    books.order.began_at = T + DAY
    assert "BOOKS_FINAL" not in books.codes(), "of two"


def pieces_counted_twice(books: Books) -> str:
    books.account("yield").recorded_numerator += 10
    return "made 100 PC 4711, the books say 100 yield + 10 scrap + 0 rework"


def more_goes_to_the_erp_than_was_made(books: Books) -> str:
    row = books.account("scrap")
    row.target += 5
    return "105 go to the ERP as yield, scrap and rework"


def more_taken_than_given(books: Books) -> str:
    row = books.account("yield", "20")
    next(iter(row.sources.values())).numerator += 7
    row.recorded_numerator += 7
    row.target += 7
    return "-7 PC in process after operation 10 of order O1"


def more_used_than_needed(books: Books) -> str:
    books.account("consumption").recorded_numerator *= 2
    return "20 kg PP used in operation 10 of order O1, its pieces need 10 kg"


def a_component_given_back_twice(books: Books) -> str:
    books.account("consumption").issued[0].amount *= -1
    return "-10 kg consumption of PP in order O1"


def a_reservation_given_back_twice(books: Books) -> str:
    row = books.account("consumption")
    row.issued.append(deepcopy(row.issued[0]))
    row.issued[-1].posting_id, row.issued[-1].reservation_item, row.issued[-1].amount = "X", "0090", -1
    return "consumption of PP of reservation 0090 in order O1"


def scrapped_where_nothing_lies(books: Books) -> str:
    row = books.account("yield", "20")
    stock = deepcopy(row)
    stock.kind, stock.place = "scrap", "stock"
    stock.issued[0].posting_id, stock.issued[0].amount, stock.issued[0].location = "X", 5, "FG02"
    books.rows[ACCOUNT_ROWS.prefix + "stock"] = stock
    return "-5 PC 4711 of order O1 lie at location FG02"


def dated_before_it_was_made(books: Books) -> str:
    books.account("yield").issued[0].posting_date = "2026-11-19"
    return "is dated 2026-11-19: before it was made"


def dated_in_a_closed_period(books: Books) -> str:
    row = books.account("yield")
    row.business_date = row.issued[0].posting_date = "2026-10-30"
    return "is dated 2026-10-30: that period was closed"


def dated_in_the_next_period(books: Books) -> str:
    books.account("yield").issued[0].posting_date = "2026-12-01"
    return "is dated 2026-12-01: its own period was open"


def final_never_told(books: Books) -> str:
    books.order.final_sent = []
    for row in books.delivered.values():
        row.posting.final = False
    return "operation 20 of order O1 is complete and posted, the ERP was not told that it is final"


def final_told_too_early(books: Books) -> str:
    books.order.completed = False
    return "operation 20 of order O1 bears the final flag and is not complete"


def posted_after_the_final_flag(books: Books) -> str:
    row = books.account("yield", "20")
    row.issued.append(deepcopy(row.issued[0]))
    row.issued[-1].posting_id, row.issued[-1].cut = "X", row.issued[0].cut + 1
    return "operation 20 of order O1 has a posting after its final flag"


def final_twice(books: Books) -> str:
    row = books.account("yield", "20")
    row.issued.append(deepcopy(row.issued[0]))
    row.issued[-1].posting_id = "X"
    second = deepcopy(next(one for one in books.delivered.values() if one.posting.final))
    second.posting.posting_id = "X"
    books.delivered[POSTING_ROWS.key("X")] = second
    return "bears the final flag 2 times"


def closed_with_a_rest(books: Books) -> str:
    books.order.status = "closed"
    books.account("scrap").target += 3
    return "order O1 is closed with 3 PC scrap not posted"


KINDS: dict[Callable[[Books], str], str] = {
    pieces_counted_twice: "BOOKS_GROSS",
    more_goes_to_the_erp_than_was_made: "BOOKS_GROSS",
    more_taken_than_given: "WIP_NEGATIVE",
    more_used_than_needed: "BOOKS_CONSUMPTION",
    a_component_given_back_twice: "BOOKS_NET_NEGATIVE",
    a_reservation_given_back_twice: "BOOKS_NET_NEGATIVE",
    scrapped_where_nothing_lies: "BOOKS_LOCATION",
    dated_before_it_was_made: "BOOKS_PERIOD",
    dated_in_a_closed_period: "BOOKS_PERIOD",
    dated_in_the_next_period: "BOOKS_PERIOD",
    final_never_told: "BOOKS_FINAL",
    final_told_too_early: "BOOKS_FINAL",
    posted_after_the_final_flag: "BOOKS_FINAL",
    final_twice: "BOOKS_FINAL",
    closed_with_a_rest: "BOOKS_CLOSED_WITH_REST",
}


@pytest.mark.parametrize("wrong", KINDS, ids=lambda wrong: wrong.__name__)
def test_wrong_books_are_found(wrong: Callable[[Books], str]) -> None:
    books = Books()
    said = wrong(books)
    found = [one for one in questions_of(books.snapshot) if one.code == KINDS[wrong]]
    assert any(said in one.detail for one in found), questions_of(books.snapshot)


@pytest.mark.parametrize(("tolerance", "codes"), [("10", []), ("5 %", ["BOOKS_CONSUMPTION"]), ("any", [])])
def test_how_far_consumption_may_be_from_what_pieces_need(tolerance: str, codes: list[str]) -> None:
    """11 kg were used, 10 are needed."""
    assert Books({"order": {"consumption_tolerance": tolerance}}, used=11).codes() == codes


def test_a_question_has_an_owner_and_a_command() -> None:
    books = Books(used=20)
    found = questions_of(books.snapshot)
    assert summary_line(found) == "Books: 1 question    lineledger reconcile"
    (said,) = as_json(found)
    assert (said["code"], said["owner"], said["command"]) == ("BOOKS_CONSUMPTION", "controlling", "lineledger trace O1")
    assert list(lines_of(found))[1].endswith("controlling    lineledger trace O1")
