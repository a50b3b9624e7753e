"""Fold, executor and budget against the real simulator over HTTP; what it received is read from its own log."""

import asyncio
import contextlib
import os
import time
from bisect import bisect_left
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.erp.doorway import Doorway
from app.erp.pace import JITTER_NS, WINDOW_NS
from app.erp.sim.adapter import SimAdapter
from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.faults import FaultRule, Faults, Latency
from app.erp.simulator.messages import SentDocument
from app.erp.simulator.process import SimulatorProcess
from app.erp.traffic import Traffic
from app.observability.secrets import Secrets
from tables.delivery.endpoint_marks import HELD_UNTIL
from tests.unit.erp.delivery_line import DeliveryLine
from tests.unit.streams.quality_bench import S

pytestmark = pytest.mark.timing

ERP_PRIORITY = -15


class LiveErp:
    def __init__(self, simulator: SimulatorProcess) -> None:
        self.simulator, self.control = simulator, SimulatorControl(simulator.url, simulator.token)

    def line(self, timeout_ms: int = 1_000, **endpoint: Any) -> DeliveryLine:
        return DeliveryLine(live=lambda doorway: self.adapter(doorway, timeout_ms), **endpoint)

    def adapter(self, doorway: Doorway, timeout_ms: int = 1_000) -> SimAdapter:
        traffic = Traffic(Secrets([self.simulator.token]), doorway=doorway)
        return SimAdapter(self.simulator.url, self.simulator.token, timeout_ms, traffic=traffic)

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
        with contextlib.suppress(PermissionError):  # an ERP is another machine, our load is not its own
            os.setpriority(os.PRIO_PROCESS, simulator.pid, ERP_PRIORITY)
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
    assert most_in_a_second(calls) <= 10


def most_in_a_second(calls: list[tuple[float, str]]) -> int:
    times = sorted(at for at, _ in calls)
    return max((bisect_left(times, first + 1) - n for n, first in enumerate(times)), default=0)


class Withheld:
    """When a process wanted to run and the machine gave it no CPU, by the kernel's own account."""

    def __init__(self, pid: int | str = "self") -> None:
        self._account = Path(f"/proc/{pid}/schedstat")
        self.spans: list[tuple[float, float]] = []
        self._watching = asyncio.ensure_future(self._watch())

    async def _watch(self) -> None:
        known = self._waited()
        while True:
            await asyncio.sleep(0.002)
            waited, now = self._waited(), time.time()
            if waited - known > 0.001:
                self.spans.append((now - (waited - known), now))
            known = waited

    def _waited(self) -> float:
        return int(self._account.read_text().split()[1]) / 1e9 if self._account.is_file() else 0.0

    async def close(self) -> None:
        self._watching.cancel()
        await asyncio.wait({self._watching})


def possible(limit: int, begun: float, ended: float, withheld: list[tuple[float, float]], deaf: list[tuple[float, float]]) -> int:
    """Calls of one who leaves evenly, as often as the window allows, and late only when the machine gives no CPU. What was on its
    way when that began, here or in the ERP (`deaf`), counts from its end."""
    window, margin = (WINDOW_NS + JITTER_NS) / 1e9, JITTER_NS / 1e9
    long = [(since, until) for since, until in (*withheld, *deaf) if until - since > 0.005]
    sent, counted, spans = list[float](), list[float](), iter([*withheld, (ended, ended)])
    span, at = next(spans), begun
    while at <= ended:
        while span[1] < at and span[1] < ended:
            span = next(spans)
        sent.append(span[1] if span[0] <= at < span[1] else at)
        counted.append(max([sent[-1], *(until - margin for since, until in long if since - margin < sent[-1] < until)]))
        even = begun + len(sent) * window / limit
        at = max(sent[-1], even, counted[-limit] + window if len(sent) >= limit else even)
    return len(sent)


@pytest.mark.parametrize(("limit", "seconds"), [(2, 8), (10, 6), (50, 4), (200, 4)])
async def test_no_second_of_the_erps_log_has_more_than_the_limit(live: LiveErp, limit: int, seconds: int) -> None:
    """Posts under backlog, pulls of master data beside them, and a successor that takes over in the middle. Of what the limit and
    the CPU that this process was given allow, nearly all is used: nine tenths of the limit on a machine with nothing else."""
    spans, withheld, deaf, slowest = [], Withheld(), Withheld(live.simulator.pid), []
    for owner in ("A", "B"):
        line = live.line(5_000, lines_per_document=1, concurrency=32, calls_per_second=limit)
        line.clock(10 * S)
        line.post(*(f"{owner}{n}" for n in range(64)), lines=2 + 2 * limit * seconds // 64)
        pulling = live.adapter(line.doorway, 5_000)
        begun, ends = time.time(), time.monotonic() + seconds
        pulls, rate = 0, line.budget.rate
        while time.monotonic() < ends:
            await asyncio.sleep(0.5)
            rate = min(rate, line.budget.rate)
            await pulling.master_data("")
            pulls += 1
        spans.append((begun, time.time()))
        slowest.append(rate)
        await line.executor.close()
        await pulling.close()
        assert line.fatal == []
        assert pulls >= 2
    await withheld.close()
    await deaf.close()
    calls = await live.received()
    assert most_in_a_second(calls) <= limit
    begun, ended = spans[0]
    sent = [at for at, _ in calls if begun <= at <= ended]
    used = (len(sent) - 1) / (sent[-1] - sent[0]) / limit
    allowed = possible(limit, sent[0], sent[-1], withheld.spans, deaf.spans) / (sent[-1] - sent[0]) / limit
    if slowest[0] == limit:  # else this machine's ERP got slow, and was called less
        assert used >= min(0.9, 0.95 * allowed), f"{used:.1%} of {limit}/s, {allowed:.1%} were possible"


@pytest.mark.parametrize("seconds", [1, 3])
async def test_no_call_before_its_time_and_none_by_a_successor(live: LiveErp, seconds: int) -> None:
    """Throttled for some seconds; the process is replaced meanwhile, and its successor knows only the log."""
    line = live.line(5_000, lines_per_document=1)
    line.clock(10 * S)
    line.post(*(f"G{n}" for n in range(8)), lines=50)
    await until(lambda: found(line.erp_accepted() >= 3))
    await live.control.misbehave(Faults(probabilities={"throttled": 1.0}, retry_after_ms=seconds * 1_000))
    await until(lambda: found(HELD_UNTIL in line.bench.step.state.marks))
    throttled = (await live.received())[-1][0]
    await live.control.misbehave(Faults())
    await line.executor.close()
    entries = line.bench.crash()
    successor = live.line(5_000, lines_per_document=1)
    successor.bench = line.bench
    successor.executor._peek = line.bench.row
    successor.executor.accept(0, entries)
    before = len(await live.received())

    async def called() -> bool:
        return len(await live.received()) > before

    await until(called)
    first = (await live.received())[before][0]
    await successor.executor.close()
    assert seconds <= first - throttled < seconds + 3


async def found(holds: bool) -> bool:
    return holds
