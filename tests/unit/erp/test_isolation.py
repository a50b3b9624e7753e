"""Lanes that get no answer, and lanes that are locked, take from the others nothing but their share."""

from collections.abc import Callable
from typing import Any

import pytest

from app.erp.port import Answer
from tables.delivery.scopes import LANE, MATERIAL
from tests.unit.erp.delivery_line import DeliveryLine
from tests.unit.streams.quality_bench import S

TIMEOUT, SECONDS = 10.0, 60
FAULTS = {
    "no answer": (TIMEOUT, Answer("unknown", code="ERP_TIMEOUT")),
    "locked": (0.05, Answer("retry", code="ERP_BUSY", scope=LANE)),
    "locked, asked to wait": (0.05, Answer("retry", code="ERP_BUSY", retry_after_ms=30_000, scope=LANE)),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("idempotent", [True, False], ids=["idempotent", "read back"])
@pytest.mark.parametrize("dead", [1, 8, 50])
async def test_dead_lanes_leave_the_others_their_budget(
    made: Callable[..., DeliveryLine], dead: int, idempotent: bool, fault: str
) -> None:
    line = made(idempotent=idempotent, lines_per_document=1, commit_horizon="20 s")
    orders = [f"D{n}" for n in range(dead)]
    line.erp.behaviour = dict.fromkeys(orders, FAULTS[fault])
    line.clock(10 * S)
    line.post(*orders, lines=20)
    line.post(*(f"G{n}" for n in range(20)), lines=100 if dead < 50 else 500)
    # Nothing but a first call tells a lane that hangs from others: until one of those has answered, it is like at an outage.
    await line.time.advance(3 * TIMEOUT if dead <= 8 else 8 * TIMEOUT)
    begun = line.seconds
    await line.time.advance(SECONDS)
    seconds = line.seconds - begun
    others = line.calls_of(lambda order: order.startswith("G"), begun)
    theirs = sum(at >= begun for at, _, _ in line.erp.calls) - others
    left = seconds * 1e9 / line.budget.interval_ns - theirs
    assert others >= 0.95 * left, f"{others / seconds:.2f}/s of {left / seconds:.2f}/s"
    assert theirs <= 0.08 * 10 * seconds
    assert line.erp.most_running <= 4
    assert not line.budget.open


async def test_one_place_is_kept_for_lanes_that_answer_while_others_hang(made: Callable[..., DeliveryLine]) -> None:
    """50 orders that hang come in one after the other: from the first silence on they never have all places."""
    line = made(lines_per_document=1)
    line.clock(10 * S)
    line.post(*(f"G{n}" for n in range(8)), lines=200)
    await line.time.advance(5)
    orders = [f"D{n}" for n in range(50)]
    line.erp.behaviour = dict.fromkeys(orders, FAULTS["no answer"])
    line.post(*orders, lines=1, cut=0)  # older than everything else: their turn comes first
    await line.time.advance(2 * TIMEOUT)
    begun = line.seconds
    await line.time.advance(100)
    others = line.calls_of(lambda order: order.startswith("G"), begun)
    assert others >= 0.9 * 10 * 100, f"{others} calls in 100 s"


async def test_a_locked_lane_waits_as_a_whole(made: Callable[..., DeliveryLine]) -> None:
    line = made(lines_per_document=1, retry={"first": "10 s"})
    line.erp.behaviour["D"] = FAULTS["locked"]
    line.clock(10 * S)
    line.post("D", lines=30)
    await line.time.advance(9)
    assert len(line.erp.calls) == 1, "its other postings meet the same lock"
    line.erp.behaviour.clear()
    await line.time.advance(30)
    assert len(line.erp.booked) == 30


async def test_a_locked_material_stops_what_moves_it_and_nothing_else(made: Callable[..., DeliveryLine]) -> None:
    line = made(lines_per_document=1, retry={"first": "10 s"})
    locked = [f"M{n}" for n in range(30)]
    fault = 0.05, Answer("retry", code="MATERIAL_LOCKED", scope=MATERIAL)
    line.erp.behaviour = dict.fromkeys(locked, fault)
    line.clock(10 * S)
    line.post(*locked, material="4712")
    line.post(*(f"G{n}" for n in range(10)), lines=20)
    await line.time.advance(9)
    assert line.calls_of(lambda order: order.startswith("M")) <= 8, "those that were on their way"
    await line.time.advance(30)
    assert sum(name.startswith("G") for name in line.erp.booked) >= 190
    line.erp.behaviour.clear()
    await line.time.advance(120)
    assert len(line.erp.booked) == 30 + 200


async def test_what_nobody_answers_is_unknown_in_bounded_number(made: Callable[..., DeliveryLine], monkeypatch: Any) -> None:
    monkeypatch.setattr("tables.delivery.backlog.MOST_UNKNOWN_LANES", 20)
    line = made(lines_per_document=1)
    orders = [f"D{n}" for n in range(100)]
    line.erp.behaviour = dict.fromkeys(orders, (0.2, Answer("unknown", code="ERP_TIMEOUT")))
    line.clock(10 * S)
    line.post(*orders)
    await line.time.advance(300)
    assert sum(state == "unknown" for state in line.bench.states().values()) <= 20 + 8
    line.erp.behaviour.clear()
    await line.time.advance(600)
    assert len(line.erp.booked) == 100
