"""An ERP that is away: it is asked and nobody pays for it; what waited goes out as fast as it may; one line tells of it."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from app.erp.port import Answer
from schemas.records import ErpHeld, TimerFired
from tables.delivery.endpoint_marks import AWAY_SINCE
from tables.delivery.outbox import ErpAway
from tests.unit.erp.delivery_line import DeliveryLine
from tests.unit.streams.quality_bench import S
from tests.unit.streams.test_delivery import ended

HOURS = 3600.0


@pytest.mark.parametrize("hours", [1, 8])
@pytest.mark.parametrize("busy", [True, False], ids=["503", "refused connections"])
async def test_after_an_outage_the_queue_drains_nearly_at_the_limit(
    made: Callable[..., DeliveryLine], hours: int, busy: bool
) -> None:
    """After 8 h it took 1.92 times as long as the limit allows."""
    line, postings = made(lines_per_document=1, retry={"give_up": "1 h"}), 3_000
    if busy:
        line.erp.refusal = Answer("retry", code="ERP_BUSY", retry_after_ms=1_000, scope="endpoint")
    line.clock(10 * S)
    away = [True]
    line.erp.away = lambda: away[0]
    with capture_logs() as told:
        line.post(*(f"G{n}" for n in range(150)), lines=postings // 150)
        await line.time.advance(hours * HOURS)
        posts = line.calls_of(lambda order: True, kind="post")
        assert posts <= 4, "no posting is sent to find out that the ERP is away"
        assert len(line.erp.calls) <= hours * HOURS / 15 + 20
        assert set(line.bench.states().values()) <= {"queued", "dispatched", "retry"}, "none was given up"
        assert max(line.bench.row(name).failures for name in line.orders) == 0
        assert AWAY_SINCE in line.bench.step.state.marks
        away[0] = False
        begun = line.seconds
        while len(line.erp.booked) < postings:
            await line.time.advance(1)
            assert line.seconds - begun < 1_000
    ideal = postings * line.budget.interval_ns / 1e9
    assert line.seconds - begun <= 1.1 * ideal
    assert AWAY_SINCE not in line.bench.step.state.marks
    assert Counter(one["event"] for one in told) == {"erp_away": 1, "erp_back": 1}
    assert told[0]["detail"].startswith(f"{line.erp.refusal.code}: ")
    assert re.match(r"after \d+ s; \d+ lanes wait", told[1]["detail"])


async def test_a_successor_asks_first_and_tells_when_the_erp_is_back(made: Callable[..., DeliveryLine]) -> None:
    before = made(lines_per_document=1)
    before.fold(ErpHeld(until=7, kind="away", code="ERP_UNREACHABLE"))
    before.fold(ErpHeld(until=9, kind="away", code="ERP_UNREACHABLE"))
    (away,) = before.bench.crash()
    assert away == ErpAway(7), "since it was first found out"
    line = made(lines_per_document=1)
    line.fold(ErpHeld(until=7, kind="away", code="ERP_UNREACHABLE"))
    line.executor.accept(0, [away])
    line.clock(10 * S)
    line.post("G")
    await line.time.advance(10)
    assert [what for _, what, _ in line.erp.calls] == ["find", "post"]
    assert AWAY_SINCE not in line.bench.step.state.marks


@pytest.mark.parametrize("scope", ["endpoint", "load"])
async def test_what_concerns_the_endpoint_is_not_charged_to_the_posting(made: Callable[..., DeliveryLine], scope: str) -> None:
    line = made(lines_per_document=1, retry={"first": "1 s", "give_up": "5 s"})
    line.clock(10 * S)
    line.post("G")
    for attempt in range(1, 40):
        line.bench.fold(ended("G.1", "retry", attempt, code="ERP_UNREACHABLE", scope=scope))
        row = line.bench.row("G.1")
        assert (row.state, row.failures, row.waited_us) == ("retry", 0, 0)
        line.bench.fold(TimerFired("G.1", attempt, "retry"))
