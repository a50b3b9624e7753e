"""Delivery over recorded input: what a posting looks like is decided by its cut, not by how fast anything went."""

import pytest

from tables.delivery.hold_gate import MAX_CHANGES
from tables.row_kinds import LOT_STATE_ROWS
from tests.unit.streams.quality_bench import Bench, S, configuration, lot_state, posting

CUT = 10 * S
HELD_BEFORE, HELD_AFTER = lot_state("L1", True, 1, CUT), lot_state("L1", True, 1, CUT + 1)
ANSWERS = {
    "into_blocked_stock": ("dispatched", "blocked"),
    "wait": ("held", ""),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("state_first", [True, False])
def test_a_hold_counts_from_its_time_in_the_log(answer: str, state_first: bool) -> None:
    """Whatever delivery read first: a hold up to the cut holds, a later one does not; live, the newest state decides."""
    rules = {"on_hold": {"receipt": answer}}
    for state, recorded, expected in (
        (HELD_BEFORE, True, ANSWERS[answer]),
        (HELD_AFTER, True, ("dispatched", "unrestricted")),
        (HELD_AFTER, False, ANSWERS[answer]),
    ):
        bench = Bench(configuration(rules=rules), recorded=recorded)
        bench.fold(*((state, posting("P1")) if state_first else (posting("P1"), state)))
        bench.clock(CUT)
        assert (bench.row("P1").state, bench.row("P1").stock_type) == expected
        if expected[0] == "dispatched":
            assert not bench.row("P1").recalled


def test_a_later_release_does_not_change_a_form_that_may_go_out() -> None:
    bench = Bench(configuration(rules={"on_hold": {"receipt": "into_blocked_stock"}}), recorded=True)
    bench.fold(lot_state("L1", True, 1, CUT - 1), lot_state("L1", False, 2, CUT + 1), posting("P1"))
    bench.clock(CUT)
    assert bench.row("P1").stock_type == "blocked"


def test_who_had_to_wait_goes_when_its_lot_is_released() -> None:
    bench = Bench(configuration(rules={"on_hold": {"receipt": "wait"}}), recorded=True)
    bench.fold(lot_state("L1", True, 1, CUT - 1), posting("P1"))
    bench.clock(CUT)
    assert bench.row("P1").state == "held"
    bench.fold(lot_state("L1", False, 2, CUT + 1))
    assert (bench.row("P1").state, bench.row("P1").stock_type) == ("dispatched", "unrestricted")


def test_changes_are_bounded() -> None:
    bench = Bench(configuration(), recorded=True)
    for number in range(2 * MAX_CHANGES):
        bench.fold(lot_state("L1", number % 2 == 0, number, number * S))
    (row,) = (row for key, row in bench.step.rows.scan(LOT_STATE_ROWS.prefix))
    assert len(row.changes) == MAX_CHANGES
    assert row.changes[-1].at == (2 * MAX_CHANGES - 1) * S
