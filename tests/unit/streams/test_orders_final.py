"""When the ERP is told that an operation is final: once, with the last posting, or alone where all was posted before."""

from schemas.records import OrderCompleted
from tests.unit.streams.ledger_bench import Ledger, item, operation, released, total
from tests.unit.streams.test_orders_rules import T1, T2, T3, ledger, yields
from tests.unit.tables.floor_bench import event


def finals(bench: Ledger) -> list[tuple[str, str, int]]:
    return [(posting.operation, posting.lot, posting.amount) for posting in bench.postings if posting.final]


def test_the_final_flag_goes_once_with_the_last_yield_of_each_operation() -> None:
    operations = [operation("10", receipt=False), operation("20")]
    bench = ledger(
        released(T1, operations=operations),
        total("gross", 10, (1, 1), T1),
        total("gross", 8, (1, 1), T1, lot="L2"),
        total("gross", 9, (1, 1), T1, operation="20"),
        total("scrap", 1, (1, 1), T1, operation="20"),
        event(OrderCompleted, T1, T1, order="O1"),
    )
    bench.tick(T1)
    assert finals(bench) == [("10", "L2", 8), ("20", "L1", 8)]
    bench.fold(total("gross", 12, (1, 2), T2))
    bench.tick(T2)
    assert finals(bench) == [("10", "L2", 8), ("20", "L1", 8)], "what comes late is no second final"
    assert len(bench.postings) == 5


def test_the_final_flag_waits_for_what_is_parked_and_not_for_an_excess() -> None:
    items = [item(quantity=15, batch_managed=True)]
    bench = ledger(
        released(T1, items=items),
        total("gross", 10, (1, 1), T1),
        total("gross", 8, (1, 2), T1, lot="", source_key="M2"),
        event(OrderCompleted, T1, T1, order="O1"),
    )
    bench.tick(T1)
    assert [(posting.amount, posting.final) for posting in bench.postings] == [(10, False)]
    assert bench.codes() == {"yield": "LOT_MISSING"}
    bench.fold(total("gross", 0, (1, 3), T2, lot="", source_key="M2"), total("gross", 8, (1, 3), T2, lot="L2", source_key="M2"))
    bench.tick(T2)
    assert finals(bench) == [("10", "L2", 5)], "3 of 8 are beyond the order and never come"


def test_a_completed_operation_is_final_before_its_order_is() -> None:
    rules = yields("operation_completed")
    operations = [operation("10", receipt=False), operation("20")]
    totals = [total("gross", 10, (1, n), T1, operation=f"{n}0") for n in (1, 2)]
    bench = ledger(released(T1, operations=operations), *totals, rules=rules)
    bench.fold(event(OrderCompleted, T1, T1, order="O1", operation="10"))
    bench.tick(T1)
    assert finals(bench) == [("10", "L1", 10)]


def test_a_confirmation_of_zero_is_never_taken_back() -> None:
    """All was posted before the operation was complete; then it turns out that nothing was made."""
    bench = ledger(released(T1), total("gross", 10, (1, 1), T1), rules=yields("every 1 h", corrections="reversal"))
    bench.tick(T1)
    bench.fold(event(OrderCompleted, T2, T2, order="O1"))
    bench.tick(T2)
    bench.fold(total("gross", 0, (1, 2), T3))
    bench.tick(T3)
    first, zero, back = bench.postings
    assert [(one.amount, one.final) for one in (first, zero, back)] == [(10, False), (0, True), (-10, False)]
    assert back.reverses == first.posting_id
