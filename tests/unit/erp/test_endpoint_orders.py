"""What a person orders holds at once, for everything that calls, and for a successor."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.erp.port import Answer
from schemas.records import AttemptEnded, EndpointOrdered, TimerFired
from tables.delivery.endpoint_orders import DRAIN, MOST_ORDERS, PAUSE, RESUME, sentence
from tables.delivery.outbox import Paused
from tables.row_kinds import ENDPOINT_ROWS
from tests.unit.erp.delivery_line import DeliveryLine
from tests.unit.streams.quality_bench import PLANT, Bench, S, configuration, posting


def order(mode: str, number: int = 0) -> EndpointOrdered:
    return EndpointOrdered(
        f"{mode}-{number}", PLANT, 20 * S, 20 * S, "operators", "f", number, mode=mode, who="hash", why="stock count"
    )


@pytest.fixture
async def made() -> AsyncIterator[Callable[..., DeliveryLine]]:
    lines: list[DeliveryLine] = []

    def make(**options: Any) -> DeliveryLine:
        lines.append(DeliveryLine(**options))
        lines[-1].clock(10 * S)
        lines[-1].post("G1", "G2", "G3", lines=200)
        return lines[-1]

    yield make
    for line in lines:
        closing = line.executor.close()
        await line.time.advance(60)
        await closing
        assert line.fatal == []


async def test_while_paused_no_call_leaves_and_then_all_go(made: Callable[..., DeliveryLine]) -> None:
    line = made(lines_per_document=1)
    await line.time.advance(5)
    line.fold(order(PAUSE))
    before = len(line.erp.calls)
    assert before
    await line.time.advance(60)
    assert len(line.erp.calls) == before
    assert line.budget.outsider_wait_ns(line.time.now_ns, own_place=True) is None, "master data waits, too"
    line.fold(order(RESUME))
    await line.time.advance(10)
    assert len(line.erp.calls) - before >= 90


async def test_while_draining_what_is_unknown_ends_and_nothing_new_begins(made: Callable[..., DeliveryLine]) -> None:
    line = made(lines_per_document=1, idempotent=False, commit_horizon="20 s")
    line.erp.behaviour["G1"] = (0.05, Answer("unknown", code="CONNECTION_LOST"))
    await line.time.advance(2)
    assert "unknown" in line.bench.states().values()
    line.fold(order(DRAIN))
    line.erp.behaviour.clear()
    await line.time.advance(1)
    begun = line.seconds
    await line.time.advance(120)
    assert line.calls_of(lambda _: True, begun, "find") >= 1
    assert line.calls_of(lambda _: True, begun, "post") == 0
    assert set(line.bench.states().values()) == {"accepted", "queued"}


async def test_a_probe_of_an_erp_that_is_away_waits_as_well(made: Callable[..., DeliveryLine]) -> None:
    line = made()
    line.erp.away = lambda: True
    await line.time.advance(5)
    assert line.budget.open
    line.fold(order(PAUSE))
    before = len(line.erp.calls)
    await line.time.advance(120)
    assert len(line.erp.calls) == before


@pytest.mark.parametrize("mode", [PAUSE, DRAIN])
def test_a_successor_keeps_the_order(mode: str) -> None:
    bench = Bench(configuration())
    assert bench.fold(order(mode)) == [Paused(mode == PAUSE)]
    assert bench.crash() == [Paused(mode == PAUSE)]
    bench.fold(posting("P1"))
    assert bench.clock(10 * S) == []
    assert bench.states() == {"P1": "queued"}
    entries = bench.fold(order(RESUME))
    assert [type(entry).__name__ for entry in entries] == ["Paused", "Dispatch"]
    assert bench.crash()[0] == Paused(False)


def test_what_waits_again_is_queued_while_draining() -> None:
    bench = Bench(configuration())
    bench.fold(posting("P1"))
    bench.clock(10 * S)
    bench.fold(order(DRAIN), AttemptEnded("P1", 1, "retry", "post", code="STOCK_SHORT"))
    assert bench.fold(TimerFired("P1", 1, "retry")) == []
    assert bench.states() == {"P1": "queued"}


def test_an_order_is_taken_once_and_the_last_twenty_are_kept() -> None:
    bench = Bench(configuration())
    for n in range(MOST_ORDERS + 5):
        bench.fold(order((PAUSE, RESUME)[n % 2], n))
    assert bench.fold(order(PAUSE, MOST_ORDERS + 4)) == []
    row = bench.step.rows.get(ENDPOINT_ROWS.key("erp"))
    assert [one.event_id for one in row.orders] == [f"{(PAUSE, RESUME)[n % 2]}-{n}" for n in range(5, MOST_ORDERS + 5)]
    assert sentence(row) == "paused, by hash: stock count"


def test_over_recorded_input_it_is_only_noted() -> None:
    bench = Bench(configuration(), recorded=True)
    bench.fold(posting("P1"), order(PAUSE))
    assert [type(entry).__name__ for entry in bench.clock(10 * S)] == ["Dispatch"]
