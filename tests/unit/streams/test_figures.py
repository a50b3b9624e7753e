"""What stages tell of their work: the same as a scan of their rows, after each record and after a take-over."""

from collections import Counter
from typing import Any

import pytest

from schemas.codes import owner_of
from schemas.records import AttemptEnded
from streams.figures import OLDEST_UNPOSTED, OTHER, PARKED, POSTINGS, known_code
from streams.stage import Figured
from tables.orders.account import waits
from tables.row_kinds import ACCOUNT_ROWS, POSTING_ROWS
from tests.unit.streams.ledger_bench import Ledger, released, total
from tests.unit.streams.quality_bench import Bench, S, configuration, lot_state, posting

SIM = configuration(erp={"erp": {"adapter": "sim", "lines_per_document": 1}}, rules={"on_hold": {"receipt": "wait"}})


def told(stage: Any) -> dict[str, dict[tuple[str, ...], int]]:
    assert isinstance(stage, Figured)
    found: dict[str, dict[tuple[str, ...], int]] = {POSTINGS: {}, OLDEST_UNPOSTED: {}, PARKED: {}}
    for name, labels, value in stage.figures():
        assert labels not in found[name], "each label set once"
        found[name][labels] = value
    return found


def scanned(bench: Bench) -> tuple[dict[tuple[str, ...], int], dict[tuple[str, ...], int]]:
    rows = [row for _, row in bench.step.rows.scan(POSTING_ROWS.prefix) if row.state != "accepted"]
    states = Counter((row.posting.plant, row.state, known_code(row.code), owner_of(row.code) if row.code else "") for row in rows)
    cuts = [row.posting.cut for row in rows if row.state != "cancelled"]
    return dict(states), {("P",): min(cuts)} if cuts else {}


def same(bench: Bench) -> None:
    found = told(bench.stage)
    assert (found[POSTINGS], found[OLDEST_UNPOSTED]) == scanned(bench)


def test_delivery_counts_its_postings_by_state_and_code() -> None:
    bench = Bench(SIM)
    bench.fold(lot_state("L9", True))
    for n in range(12):
        lot = "L9" if n > 9 else "L1"
        bench.fold(posting(f"P{n}", order=f"O{n}", account=f"A{n}", lot=lot, cut=(10 + n) * S, label=(10 + n) * S))
        same(bench)
    bench.clock(30 * S)
    same(bench)
    for name, result, code in (
        ("P0", "accepted", ""),
        ("P1", "rejected", "LOT_UNKNOWN"),
        ("P2", "rejected", "SOMETHING_OF_THE_ERP"),
        ("P3", "rejected", "ANOTHER_OF_THE_ERP"),
        ("P4", "retry", "ERP_FOREIGN"),
        ("P5", "unknown", "ERP_TIMEOUT"),
    ):
        bench.fold(AttemptEnded(name, 1, result, "post", erp_document="D" if result == "accepted" else "", code=code))
        same(bench)
    found = told(bench.stage)[POSTINGS]
    assert found["P", "rejected", OTHER, owner_of(OTHER)] == 2, "codes that the register does not have are one label"
    assert found["P", "held", "LOT_HELD", owner_of("LOT_HELD")] == 2
    assert told(bench.stage)[OLDEST_UNPOSTED] == {("P",): 11 * S}
    bench.crash()
    same(bench)
    bench.stage.left(0)
    assert told(bench.stage) == {POSTINGS: {}, OLDEST_UNPOSTED: {}, PARKED: {}}, "what is lost is shown no more"


@pytest.mark.parametrize("order_known", [False, True])
def test_orders_counts_its_parked_accounts(order_known: bool) -> None:
    ledger = Ledger()
    if order_known:
        ledger.fold(released())
    ledger.fold(total("gross", 10))
    ledger.tick(5 * S)
    rows = [row for _, row in ledger.step.rows.scan(ACCOUNT_ROWS.prefix)]
    codes = [(row.plant, code) for row in rows for code in {one.code for one in waits(row) if not one.dropped}]
    wanted = Counter((plant, code, owner_of(code)) for plant, code in codes)
    assert told(ledger.stage)[PARKED] == dict(wanted)
    assert bool(wanted) is not order_known
