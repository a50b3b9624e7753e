"""Fold, executor and budget against the real simulator over HTTP; what it received is read from its own log."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.erp.sim.adapter import SimAdapter
from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.faults import FaultRule, Faults, Latency
from app.erp.simulator.messages import SentDocument
from app.erp.simulator.process import SimulatorProcess
from tests.unit.erp.delivery_line import DeliveryLine
from tests.unit.streams.quality_bench import S


class LiveErp:
    def __init__(self, simulator: SimulatorProcess) -> None:
        self.simulator, self.control = simulator, SimulatorControl(simulator.url, simulator.token)

    def line(self, timeout_ms: int = 1_000, **endpoint: Any) -> DeliveryLine:
        adapter = SimAdapter(self.simulator.url, self.simulator.token, timeout_ms)
        return DeliveryLine(live=adapter, **endpoint)

    async def received(self, since: float = 0.0) -> list[tuple[float, str]]:
        """Second of arrival and order (empty: no document) of every call, by the ERP's own log."""
        calls = []
        async for call in self.control.requests():
            if call.received_at >= since * 1e6:
                sent = msgspec.json.decode(call.body, type=SentDocument) if call.target == "/documents" else None
                calls.append((call.received_at / 1e6, sent.lines[0].order if sent else ""))
        return calls


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveErp]:
    with SimulatorProcess(tmp_path / "erp") as simulator:
        erp = LiveErp(simulator)
        yield erp
        await erp.control.close()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < ends, "it did not come to that"
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("action", ["timeout_before", "locked"])
async def test_eight_dead_orders_leave_the_others_their_budget(live: LiveErp, action: Any) -> None:
    dead = [f"D{n}" for n in range(8)]
    await live.control.misbehave(
        Faults(latency=Latency(20, 40), hang_ms=5_000, rules=[FaultRule(action, order=one) for one in dead])
    )
    line = live.line(lines_per_document=1, concurrency=4)
    line.clock(10 * S)
    line.post(*dead, lines=10)
    line.post(*(f"G{n}" for n in range(20)), lines=20)

    async def found_out() -> bool:
        return sum(line.bench.row(f"{one}.1").failures > 0 for one in dead) == len(dead)

    await until(found_out)
    begun = time.time()
    await asyncio.sleep(10)  # what is measured is a rate
    calls = await live.received(begun)
    await line.executor.close()
    assert line.fatal == []
    seconds = calls[-1][0] - calls[0][0]
    others = sum(order.startswith("G") for _, order in calls)
    left = 10 - (len(calls) - others) / seconds
    assert others / seconds >= 0.9 * left, f"{others / seconds:.2f}/s of {left:.2f}/s"
    assert max_in_a_second(calls) <= 11


def max_in_a_second(calls: list[tuple[float, str]]) -> int:
    times = [at for at, _ in calls]
    return max((sum(first <= at < first + 1 for at in times) for first in times), default=0)
