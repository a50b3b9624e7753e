"""An ERP with a quota of its own, over HTTP, is never asked too often: not across a kill either. Read from its own log."""

import asyncio
from bisect import bisect_left
from typing import Any

import pytest

from app.erp.simulator.faults import Faults, Latency, Quota
from schemas.records import QuotaLimit
from tables.delivery.endpoint_marks import HELD_UNTIL, QUOTA_UNTIL
from tests.integration.erp.test_delivery_over_http import LiveErp, found, live, until
from tests.unit.erp.delivery_line import DeliveryLine
from tests.unit.streams.quality_bench import S

__all__ = ["live"]
pytestmark = pytest.mark.timing

CALLS, SECONDS = 20, 10.0
LIMIT = QuotaLimit(int(SECONDS * S), CALLS, 0)


def backlog(live: LiveErp, **options: Any) -> DeliveryLine:
    line = live.line(5_000, lines_per_document=1, **options)
    line.clock(10 * S)
    line.post(*(f"G{n}" for n in range(8)), lines=10)
    return line


async def test_the_quota_of_the_erp_is_never_used_up(live: LiveErp) -> None:
    await live.control.misbehave(Faults(latency=Latency(5, 20), quota=Quota(CALLS, int(SECONDS * 1_000))))
    line = backlog(live, quota=[LIMIT])
    pulling = live.adapter(line.doorway, 5_000)
    await until(lambda: found(line.erp_accepted() >= 8))
    await pulling.master_data("")
    await line.kill()
    await pulling.close()
    successor = live.line(5_000, lines_per_document=1, quota=[LIMIT])
    successor.succeed(line)
    await until(lambda: found(QUOTA_UNTIL in successor.bench.step.state.marks))
    first = len(await live.received())
    assert 15 <= first <= CALLS
    await until(lambda: found(successor.erp_accepted() >= 50))
    await successor.executor.close()
    assert line.fatal == successor.fatal == []
    times = sorted(at for at, _ in await live.received())
    assert max(bisect_left(times, one + SECONDS) - n for n, one in enumerate(times)) <= CALLS
    assert HELD_UNTIL not in successor.bench.step.state.marks, "it never said that it was too much"


async def test_without_it_the_erp_says_so(live: LiveErp) -> None:
    await live.control.misbehave(Faults(latency=Latency(5, 20), quota=Quota(CALLS, int(SECONDS * 1_000))))
    line = backlog(live)
    await until(lambda: found(HELD_UNTIL in line.bench.step.state.marks))
    await line.executor.close()


async def test_processing_time(live: LiveErp) -> None:
    """Of calls that take a tenth of a second each, in any ten seconds fifteen or a few more begin."""
    await live.control.misbehave(Faults(latency=Latency(100, 110)))
    line = backlog(live, quota=[QuotaLimit(int(SECONDS * S), 0, 1_500_000)])
    await asyncio.sleep(1.6 * SECONDS)
    await line.executor.close()
    times = sorted(at for at, _ in await live.received())
    most = max(bisect_left(times, one + SECONDS) - n for n, one in enumerate(times))
    assert 8 <= most <= 15 + line.budget.calls
    assert line.fatal == []
