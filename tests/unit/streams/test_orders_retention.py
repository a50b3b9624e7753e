"""What orders forgets, by the clock in the log, and that nothing that was forgotten is posted again."""

from typing import Any

import pytest

from schemas.catalog import DAY_US
from schemas.records import (
    MaterialChanged,
    OperatorDecision,
    OrderAcknowledged,
    OrderChanged,
    OrderClosed,
    OrderCompleted,
    Outcome,
    QualityState,
)
from streams.orders import retention as orders_retention
from tables.orders.account import account_key
from tables.row_kinds import AT_REST_ROWS, MATERIAL_ROWS, ORDER_ROWS
from tests.unit.streams.ledger_bench import CUT, Ledger, item, operation, released, total
from tests.unit.tables.floor_bench import HOUR, PLANT, at, configuration, event

RULES = {"post": [{"kind": "yield", "when": ["shift_end", "order_completed"]}]}
HORIZON = 7 * DAY_US
KEEP = ORDER_ROWS.keep_us + HORIZON
BEGIN = at("08:00")


def made(pieces: int, label: int = BEGIN, **fields: Any) -> Any:
    return total("gross", pieces, label=label, first_at=BEGIN, last_at=label, **fields)


def accept(ledger: Ledger) -> None:
    """The ERP took everything."""
    for row in ledger.accounts().values():
        for posting in row.issued:
            ledger.fold(Outcome(PLANT, row.order, account_key(row), posting.posting_id, "accepted", 1, erp_document="D"))


def begun(order: str = "O1", ledger: Ledger | None = None) -> Ledger:
    """An order of which 10 pieces were posted at the shift's end."""
    ledger = ledger or Ledger(configuration(rules=RULES))
    ledger.fold(released(BEGIN, order=order), made(10, order=order, source_key=f"M1|{order}"))
    assert sum(posting.amount for posting in ledger.tick(CUT) if posting.order == order) == 10
    return ledger


def rows(ledger: Ledger) -> set[str]:
    return {key for key in ledger.step.rows.rows if not key.startswith("__")}


def test_an_order_that_is_over_goes_with_all_its_rows() -> None:
    ledger = begun()
    ledger.fold(event(OrderCompleted, CUT, CUT + 1, order="O1", operation=""))
    ledger.tick(CUT + HOUR)
    accept(ledger)
    ledger.tick(CUT + HOUR + KEEP - 1)
    assert rows(ledger) >= {ORDER_ROWS.key("P", "O1")}
    ledger.tick(CUT + HOUR + KEEP)
    assert rows(ledger) == set()


@pytest.mark.parametrize(
    "over",
    [
        lambda: event(OrderClosed, CUT, CUT + 1, order="O1", status="closed"),
        lambda: event(OrderClosed, CUT, CUT + 1, order="O1", status="technically_complete"),
    ],
)
def test_each_end_of_an_order_counts(over: Any) -> None:
    ledger = begun()
    accept(ledger)
    ledger.fold(over())
    ledger.tick(CUT + HOUR)
    ledger.tick(CUT + HOUR + KEEP)
    assert rows(ledger) == set()


def test_an_open_order_stays_and_so_does_one_of_which_something_waits() -> None:
    ledger = begun()
    accept(ledger)
    ledger.fold(
        released(CUT, order="O2"), made(5, CUT, order="O2", material="0815", source_key="M1|X")
    )  # not of the order: parked
    ledger.fold(event(OrderCompleted, CUT, CUT + 1, order="O2", operation=""))
    ledger.tick(CUT + HOUR)
    assert set(ledger.codes())
    ledger.tick(CUT + HOUR + 3 * KEEP)
    assert {ORDER_ROWS.key("P", "O1"), ORDER_ROWS.key("P", "O2")} <= rows(ledger)


def test_what_the_erp_has_not_taken_is_kept_until_it_has() -> None:
    ledger = begun()
    ledger.fold(event(OrderCompleted, CUT, CUT + 1, order="O1", operation=""))
    ledger.tick(CUT + HOUR)
    ledger.tick(CUT + HOUR + KEEP)
    assert ORDER_ROWS.key("P", "O1") in rows(ledger)
    accept(ledger)
    ledger.tick(CUT + HOUR + KEEP + DAY_US)
    assert rows(ledger) == set()


def test_whatever_happens_to_the_order_starts_the_time_again() -> None:
    ledger = begun()
    accept(ledger)
    ledger.fold(event(OrderCompleted, CUT, CUT + 1, order="O1", operation=""))
    ledger.tick(CUT + HOUR)
    later = CUT + KEEP // 2
    ledger.fold(event(OrderChanged, later, later, order="O1", items=[item()], operations=[operation()], change_number="2"))
    ledger.tick(later + 1)
    ledger.tick(CUT + HOUR + KEEP)
    assert ORDER_ROWS.key("P", "O1") in rows(ledger)


def forgotten() -> tuple[Ledger, int]:
    ledger = begun()
    accept(ledger)
    ledger.fold(event(OrderCompleted, CUT, CUT + 1, order="O1", operation=""))
    ledger.tick(CUT + HOUR)
    accept(ledger)
    now = CUT + HOUR + KEEP
    ledger.tick(now)
    assert rows(ledger) == set()
    ledger.step.sent.clear()
    return ledger, now


@pytest.mark.parametrize("known", [False, True])
def test_a_repeated_total_of_a_forgotten_order_is_a_dead_letter_and_no_posting(known: bool) -> None:
    """Also when master data of the order comes again: the account would begin at zero and post all of it a second time."""
    ledger, now = forgotten()
    if known:
        ledger.fold(released(now + 1))
    ledger.fold(made(12, now + 2))
    assert ledger.tick(now + DAY_US) == []
    (letter,) = ledger.step.take("exceptions")
    assert (letter.code, letter.kind, letter.quantity.amount, letter.quantity.unit) == (
        "PAST_RETENTION",
        "yield" if False else "gross",
        12,
        "PC",
    )
    assert ledger.accounts() == {}


def test_a_zero_for_what_is_forgotten_says_nothing() -> None:
    ledger, now = forgotten()
    ledger.fold(made(0, now + 2))
    ledger.tick(now + DAY_US)
    assert ledger.step.take("exceptions") == []
    assert ledger.accounts() == {}


def test_new_pieces_of_an_order_that_comes_again_are_posted_under_ids_of_their_own() -> None:
    ledger, now = forgotten()
    ledger.fold(released(now + 1))
    ledger.fold(total("gross", 3, label=now + 2, first_at=now + 1, last_at=now + 2, source_key="M1|B"))
    (again,) = ledger.tick(now + DAY_US) + ledger.tick(now + 2 * DAY_US)
    (first,) = [posting for posting in ledger.postings if posting.amount == 10]
    assert (again.amount, again.sequence, again.account) == (3, 1, first.account)
    assert again.posting_id != first.posting_id
    assert again.born_epoch > first.born_epoch


def test_an_order_that_was_there_all_the_time_takes_what_is_late() -> None:
    ledger = begun()
    late = CUT + KEEP + HORIZON
    ledger.fold(made(4, late, lot="L9", source_key="M1|L9"))
    assert [posting.amount for posting in ledger.tick(late + DAY_US)] == [4]


def test_ids_are_what_they_were_while_nothing_is_forgotten() -> None:
    assert orders_retention.born_epoch(begun().step.state, PLANT) == 1


def test_one_tick_bears_a_bounded_number_and_a_take_over_forgets_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders_retention, "MOST_PER_TICK", 2)
    one, other = Ledger(configuration(rules=RULES)), Ledger(configuration(rules=RULES))
    names = [f"O{n}" for n in range(5)]
    for ledger in (one, other):
        for name in names:
            ledger.fold(released(BEGIN, order=name), made(1, order=name, source_key=name))
        ledger.tick(CUT)
        accept(ledger)
        for name in names:
            ledger.fold(event(OrderCompleted, CUT, CUT + 1, order=name, operation=""))
        ledger.tick(CUT + HOUR)
        accept(ledger)
    left = []
    for n in range(3):
        for ledger in (one, other):
            ledger.tick(CUT + HOUR + KEEP + n)
        other.restart()
        assert one.step.rows.rows == other.step.rows.rows
        left.append(sum(ORDER_ROWS.has(key) for key in rows(one)))
    assert left == [3, 1, 0]
    assert one.step.state.marks == other.step.state.marks


def test_a_material_that_nobody_uses_goes_and_one_in_use_stays() -> None:
    keep = MATERIAL_ROWS.keep_us
    ledger = begun()
    for material in ("4711", "0815"):
        ledger.fold(
            event(MaterialChanged, CUT, CUT, material=material, unit="PC", decimals=0, batch_managed=False, conversions=[])
        )
    ledger.tick(CUT + 1)
    ledger.tick(CUT + keep)
    assert {key for key in rows(ledger) if MATERIAL_ROWS.has(key)} == {MATERIAL_ROWS.key("P", "4711")}


@pytest.mark.parametrize("material", ["4711", "0815"])
def test_former_conversions_stay_while_an_account_has_the_material(material: str) -> None:
    """Also of an order at rest: what comes late of it is converted by them. Of a material that nobody uses they go when nothing
    made before can come any more."""

    def told(ledger: Any, at: int, pieces: int) -> list[str]:
        fields = {"material": material, "unit": "PC", "decimals": 0, "batch_managed": False}
        ledger.fold(event(MaterialChanged, at, at, conversions=[f"1 BOX = {pieces} PC"], **fields))
        ledger.tick(at + 1)
        row = ledger.step.rows.get(MATERIAL_ROWS.key("P", material))
        return [one.conversions[0] for one in row.former]

    ledger = begun()
    assert told(ledger, CUT, 48) == []
    assert told(ledger, CUT + HOUR, 40) == ["1 BOX = 48 PC"]
    kept = ["1 BOX = 48 PC", "1 BOX = 40 PC"]
    assert told(ledger, CUT + KEEP, 36) == kept
    assert told(ledger, CUT + HOUR + KEEP, 36) == (kept if material == "4711" else kept[1:])


@pytest.mark.parametrize("crash", [False, True])
def test_a_take_over_knows_what_an_order_at_rest_still_has_to_tell(crash: bool) -> None:
    """It only waits to be forgotten, and its key figures are due at the next full hour all the same."""
    ledger = begun()
    accept(ledger)
    ledger.fold(event(OrderAcknowledged, CUT, CUT + 1, order="O1"))
    ledger.fold(event(OrderCompleted, CUT, CUT + 1, order="O1", operation=""))
    ledger.tick(CUT + 2)
    ledger.step.sent.clear()
    if crash:
        ledger.restart()
    ledger.tick(CUT + HOUR)
    assert ledger.step.take("production.kpis"), "figures of the order that was completed within the hour"
    assert [key for key in rows(ledger) if AT_REST_ROWS.has(key)], "now nothing of it is waited for"
    ledger.restart()
    ledger.fold(QualityState(PLANT, "4711", "L1", True, ["H"], CUT + HOUR + 1, 1, "O1", 0, False))
    ledger.tick(CUT + HOUR + 2)
    assert not [key for key in rows(ledger) if AT_REST_ROWS.has(key)], "something is to be told again"
    ledger.step.sent.clear()
    ledger.restart()
    ledger.tick(CUT + 2 * HOUR)
    assert ledger.step.take("production.kpis")


def test_what_is_told_of_an_order_that_nobody_knows_any_more_does_not_stay() -> None:
    """A lot of it was held long after it was forgotten, and freed again; somebody decided about an order by a wrong name."""
    ledger = Ledger(configuration(rules=RULES))
    lot = {"plant": PLANT, "material": "4711", "lot": "L1", "holds": [], "order": "GONE"}
    decision = {"code": "LOT_MISSING", "decision": "drop", "who": "me", "why": "typed wrong", "account": ""}
    ledger.fold(
        QualityState(**lot, held=True, label=CUT, inbox_offset=1), event(OperatorDecision, CUT, CUT, order="TYPO", **decision)
    )
    ledger.tick(CUT)
    ledger.tick(CUT + KEEP)
    assert rows(ledger) == {ORDER_ROWS.key(PLANT, "GONE")}, "on hold is open"
    freed = CUT + KEEP + 1
    ledger.fold(QualityState(**lot, held=False, label=freed, inbox_offset=2))
    ledger.tick(freed)
    ledger.restart()
    ledger.tick(freed + KEEP)
    assert rows(ledger) == set()
