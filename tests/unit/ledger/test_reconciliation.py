"""A small ledger against itself and against its source records: nothing is reported of it, and each lie in it is."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from app.ledger.books.rereading import Reread, RereadEvent
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.readdition import ReAddition
from app.ledger.proof.reconciliation import accounts, postings
from schemas.records import AccountRow, ConfigActivated, Decision, OperatorDecision, ProductionDeclared, Tick
from streams.delivery.stage import DeliveryStage
from streams.memory_step import MemoryStep
from streams.step import sender
from tables.row_kinds import ACCOUNT_ROWS, CLOSED_ACCOUNT_ROWS, POSITION_ROWS, POSTING_ROWS
from tests.unit.streams.ledger_bench import CUT, Ledger, item, released
from tests.unit.streams.test_delivery import ended
from tests.unit.tables.floor_bench import HOUR, MIN, PLANT, at, event, pieces
from tests.unit.tables.floor_bench import configuration as configured

EIGHT, TEN, LATE = at("08:00"), at("10:00"), at("22:00")


def declared(amount: int, occurred_at: int) -> ProductionDeclared:
    where = {"order": "O1", "operation": "10", "material": "4711", "lot": "L1"}
    return event(ProductionDeclared, occurred_at, occurred_at, quantity=pieces(amount), **where)


class Books:
    """An order with two declarations, posted at two cuts, accepted by the ERP; and all that was said of it."""

    def __init__(self) -> None:
        plant = {"plant": {"id": PLANT, "zone": "UTC", "quantity_from": "declarations"}}
        self.configuration = configured(plant)
        self.ledger = Ledger(self.configuration)
        self.said: list[Any] = []
        self.delivery, self.desk = DeliveryStage(self.ledger.topology), MemoryStep("delivery.inbox")
        self.delivery.taken_over(self.desk)
        self._deliver(ConfigActivated(PLANT, self.configuration.hash, 0, "intake"))

    def tell(self, *events: Any) -> None:
        self.said += events
        self.ledger.fold(*events)

    def cut(self, now: int) -> None:
        made = self.ledger.tick(now)
        ticks = [Tick(PLANT, now, sender(name, f"{name}.inbox", 0)) for name in ("lots", "orders")]
        self._deliver(*made, *ticks)
        self._deliver(*(ended(one.posting_id, "accepted", erp_document=f"D{one.sequence}") for one in made))

    def _deliver(self, *records: Any) -> None:
        if records:
            self.desk.deliver(*records)
            self.delivery.fold(self.desk)
            outcomes = self.desk.take("orders.inbox")
            if outcomes:
                self.ledger.fold(*outcomes)

    def snapshot(self) -> Snapshot:
        rows = {"orders": self.ledger.step.rows.rows, "delivery": {**self.desk.rows.rows, POSITION_ROWS.prefix: self.desk.state}}
        return Snapshot(copy.deepcopy(rows), [], self.configuration, {})

    def records(self) -> Reread:
        found = Reread()
        for arrival, one in enumerate(self.said):
            found.orders["O1"].append(RereadEvent(one.label, one.label, arrival, one))
        return found


def books(quantity: int = 1000) -> Books:
    found = Books()
    found.tell(released(EIGHT - HOUR, items=[item(quantity=quantity)], components=[]), declared(40, EIGHT), declared(2, TEN))
    found.cut(CUT)
    found.tell(declared(8, CUT + MIN))
    found.cut(LATE)
    return found


def differences(snapshot: Snapshot) -> list[str]:
    return [*accounts.differences(snapshot), *postings.differences(snapshot)]


def yields(snapshot: Snapshot) -> AccountRow:
    (row,) = [row for row in snapshot.of(ACCOUNT_ROWS) if row.kind == "yield"]
    return row


def test_nothing_is_reported_of_books_that_are_right() -> None:
    snapshot = books().snapshot()
    assert [posting.cumulative for posting in yields(snapshot).issued] == [42, 50]
    assert {row.state for row in snapshot.of(POSTING_ROWS)} == {"accepted"}
    assert differences(snapshot) == []


def _row(snapshot: Snapshot, sequence: int) -> Any:
    return next(row for row in snapshot.of(POSTING_ROWS) if row.posting.sequence == sequence)


def _changed_amount(snapshot: Snapshot) -> str:
    _row(snapshot, 1).posting.amount += 1
    return "its content is not what its hash was made of"


def _lost_posting(snapshot: Snapshot) -> str:
    name = _row(snapshot, 2).posting.posting_id
    del snapshot.rows["delivery"][POSTING_ROWS.key(name)]
    return f"posting {name} is accepted, and delivery has lost it before its time"


def _without_document(snapshot: Snapshot) -> str:
    _row(snapshot, 1).erp_document = ""
    return "it is accepted without a document"


def _never_sent(snapshot: Snapshot) -> str:
    _row(snapshot, 1).attempts = 0
    return "it is accepted and was never sent"


def _opened_again(snapshot: Snapshot) -> str:
    for key in [key for key in snapshot.rows["delivery"] if CLOSED_ACCOUNT_ROWS.has(key)]:
        del snapshot.rows["delivery"][key]
    return "sequence 2 is accepted, and not closed against coming again"


def _closed_too_early(snapshot: Snapshot) -> str:
    row = _row(snapshot, 2)
    row.state = "queued"
    return "sequence 2 is closed, and its posting is queued"


def _other_stock(snapshot: Snapshot) -> str:
    row = _row(snapshot, 1)
    row.stock_type = "blocked"
    return "the hold policy said post, it went out as blocked"


def _sum(snapshot: Snapshot) -> str:
    next(iter(yields(snapshot).sources.values())).numerator += 1
    return "its sources come to 51 PC, it notes 50"


def _gap(snapshot: Snapshot) -> str:
    yields(snapshot).issued[1].sequence = 3
    return "has sequence 3, it is number 2"


def _cumulative(snapshot: Snapshot) -> str:
    yields(snapshot).issued[1].cumulative += 1
    return "says 51 cumulative, postings add up to 50"


def _forgot_one(snapshot: Snapshot) -> str:
    del yields(snapshot).issued[1]
    return "it issued 2 postings and knows 1"


LIES: list[Callable[[Snapshot], str]] = [
    _changed_amount, _lost_posting, _without_document, _never_sent, _opened_again, _closed_too_early, _other_stock, _sum, _gap,
    _cumulative, _forgot_one,
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_each_lie_is_told(lie: Callable[[Snapshot], str]) -> None:
    snapshot = books().snapshot()
    wanted = lie(snapshot)
    found = differences(snapshot)
    assert [sentence for sentence in found if wanted in sentence], found


def test_records_added_up_again_come_to_what_was_posted_at_each_cut() -> None:
    found = books()
    snapshot, again = found.snapshot(), ReAddition(found.records(), found.configuration)
    row = yields(snapshot)
    added = [again.posting(row, posting, [row]) for posting in row.issued]
    assert [(one.cumulative, one.steps, one.records) for one in added] == [(42, 42, 2), (50, 8, 3)]
    assert [sorted(entry.quantity for entry in one.summands) for one in added] == [[2, 40], [2, 8, 40]]


def test_what_was_said_after_the_cut_is_not_in_it() -> None:
    found = books()
    found.said.append(declared(900, LATE + MIN))
    row = yields(found.snapshot())
    again = ReAddition(found.records(), found.configuration)
    assert [again.posting(row, posting, [row]).cumulative for posting in row.issued] == [42, 50]


def test_a_declaration_that_intake_lost_is_found() -> None:
    found = books()
    row = yields(found.snapshot())
    found.said.insert(2, declared(5, TEN))
    again = ReAddition(found.records(), found.configuration)
    assert [again.posting(row, posting, [row]).cumulative for posting in row.issued] == [47, 55]


@pytest.mark.parametrize(("decided_at", "second"), [(None, (45, 3)), (CUT + MIN, (50, 8)), (LATE + MIN, (45, 3))])
def test_the_limit_of_an_order_holds_until_a_person_lets_it_through(decided_at: int | None, second: tuple[int, int]) -> None:
    found = books()
    limited = released(EIGHT - HOUR, items=[item(quantity=45)], components=[])
    found.said[0] = limited
    if decided_at is not None:
        who = {"code": "OVER_DELIVERY", "decision": "post", "who": "Ana", "why": "sold", "account": ""}
        decision = event(OperatorDecision, decided_at, decided_at, order="O1", **who)
        found.said.append(decision)
    row = yields(found.snapshot())
    if decided_at is not None:
        row.decisions = [Decision("OVER_DELIVERY", "post", "Ana", "sold", decided_at, decision.event_id, 50)]
    added = [ReAddition(found.records(), found.configuration).posting(row, posting, [row]) for posting in row.issued]
    assert [(one.cumulative, one.steps) for one in added] == [(42, 42), second]
    assert bool(added[1].note) is (second == (45, 3))
