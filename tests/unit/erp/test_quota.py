"""No span of the ERP's log has more requests than the quota, and none comes when its time is used; kills change nothing."""

import asyncio
import itertools
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import structlog

from app.erp.doorway import Doorway, NotLetOut
from app.erp.quota import QuotaInHand
from app.erp.sim.adapter import SimAdapter
from app.erp.traffic import Traffic
from app.observability.secrets import Secrets
from schemas.records import QuotaAsked, QuotaLimit, QuotaRow
from tables.delivery.endpoint_marks import QUOTA_UNTIL
from tables.delivery.outbox import Granted
from tables.row_kinds import QUOTA_ROWS
from tests.unit.erp.delivery_line import DeliveryLine
from tests.unit.erp.test_doorway import StallingTime
from tests.unit.streams.quality_bench import Bench, S, configuration

MINUTE = 60 * S


@dataclass(slots=True)
class Logged:
    begun: float
    ended: float = 0.0
    """0: it still runs."""
    what: str = ""


class TimedErp(httpx.AsyncBaseTransport):
    """Answers after `seconds`, and logs from when to when it worked."""

    def __init__(self, time: StallingTime, seconds: float = 0.05) -> None:
        self.time, self.seconds = time, seconds
        self.log: list[Logged] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        one = Logged(self.time.now_ns / 1e9, what=request.url.path)
        self.log.append(one)
        await request.aread()
        try:
            await self.time.wait(asyncio.Event(), self.seconds)
        finally:
            one.ended = self.time.now_ns / 1e9
        if request.url.path.startswith("/postings"):
            return httpx.Response(404, json={"code": "NOT_FOUND", "detail": ""})
        return httpx.Response(201, json={"document": f"D{len(self.log)}", "duplicate": False})

    def most_calls(self, span: float) -> int:
        times = sorted(one.begun for one in self.log)
        return max((bisect_left(times, first + span) - n for n, first in enumerate(times)), default=0)

    def most_at_a_start(self, span: float) -> float:
        """How much of its time was used when a request came: in the span before, what was in flight then included."""
        return max(sum(overlap(other, one.begun - span, one.begun) for other in self.log) for one in self.log)


def overlap(one: Logged, since: float, until: float) -> float:
    return max(0.0, min(one.ended or until, until) - max(one.begun, since))


class Lines:
    """Deliveries that follow each other, before one ERP."""

    def __init__(self, stalls: float = 0.0, seconds: float = 0.05) -> None:
        self.time = StallingTime(7, stalls)
        self.erp = TimedErp(self.time, seconds)
        self.made: list[DeliveryLine] = []

    def adapter(self, doorway: Doorway) -> SimAdapter:
        made = SimAdapter("http://erp", "secret", traffic=Traffic(Secrets(["secret"]), doorway=doorway))
        made._client._transport._inner = self.erp  # type: ignore[attr-defined]
        return made

    def line(self, *quota: dict[str, Any], **options: Any) -> DeliveryLine:
        stated = {"lines_per_document": 1, "concurrency": 4, "calls_per_second": 10, **options}
        self.made.append(DeliveryLine(live=self.adapter, time=self.time, **({"quota": list(quota)} if quota else {}), **stated))
        return self.made[-1]

    def with_backlog(self, *quota: dict[str, Any], **options: Any) -> DeliveryLine:
        line = self.limited(*quota, **options)
        line.clock(10 * S)
        line.post(*(f"G{n}" for n in range(40)), lines=60)
        return line

    def limited(self, *quota: dict[str, Any], **options: Any) -> DeliveryLine:
        """By what a plant states."""
        limits = configuration(erp={"erp": {"adapter": "sim", "quota": list(quota)}}).erp.erp.quota
        return self.line(*(QuotaLimit(one.per_us, one.calls, one.processing_us) for one in limits), **options)  # type: ignore[arg-type]


@pytest.fixture
async def lines() -> AsyncIterator[Callable[..., Lines]]:
    every: list[Lines] = []

    def make(*args: Any, **options: Any) -> Lines:
        every.append(Lines(*args, **options))
        return every[-1]

    yield make
    for one in every:
        one.time.stalls = 0
        for line in one.made:
            closing = asyncio.ensure_future(line.executor.close())
            await one.time.advance(60)
            await closing
            assert line.fatal == []


def row_of(bench: Bench) -> QuotaRow:
    row = QUOTA_ROWS.find(bench.step.rows, "erp")
    assert row is not None
    return row


def taken(bench: Bench) -> tuple[int, int]:
    uses = row_of(bench).windows[0].uses if row_of(bench).windows else []
    return sum(use.calls for use in uses), sum(use.processing_us for use in uses)


@pytest.mark.parametrize(("calls", "per"), [(60, "1 min"), (100, "2 min"), (7, "1 min")])
async def test_no_span_of_the_erps_log_has_more_requests(lines: Callable[..., Lines], calls: int, per: str) -> None:
    made = lines()
    made.with_backlog({"calls": calls, "per": per})
    span = float(per.split()[0]) * 60
    await made.time.advance(6 * span)
    assert made.erp.most_calls(span) <= calls
    assert len(made.erp.log) >= 0.75 * 6 * calls, "and it is used"


async def test_of_several_quotas_all_hold(lines: Callable[..., Lines]) -> None:
    made = lines()
    made.with_backlog({"calls": 40, "per": "1 min"}, {"calls": 100, "per": "10 min"})
    await made.time.advance(1_300)
    assert (made.erp.most_calls(60), made.erp.most_calls(600)) == (40, 100)


async def test_no_request_starts_when_the_processing_time_is_used(lines: Callable[..., Lines]) -> None:
    made = lines(seconds=3)
    made.with_backlog({"processing": "30 s", "per": "2 min"})
    await made.time.advance(1_000)
    assert 20 <= made.erp.most_at_a_start(120) <= 30
    assert sum(one.ended - one.begun for one in made.erp.log) >= 0.75 * 30 * 1_000 / 120


async def test_a_call_that_hangs_counts_while_it_hangs(lines: Callable[..., Lines]) -> None:
    """What is in flight is in the log, too: a kill does not make it come free."""
    made = lines(seconds=25)
    line = made.with_backlog({"processing": "60 s", "per": "10 min"}, timeout="30 s")
    await made.time.advance(20)
    assert taken(line.bench)[1] >= 60 * S
    await line.kill()
    made.line(QuotaLimit(10 * MINUTE, 0, 60 * S)).succeed(line)  # type: ignore[arg-type]
    before = len(made.erp.log)
    await made.time.advance(540)
    assert len(made.erp.log) == before
    await made.time.advance(120)
    assert len(made.erp.log) > before


@pytest.mark.parametrize("stalls", [0.0, 0.002])
async def test_it_holds_across_kills_and_ends(lines: Callable[..., Lines], stalls: float) -> None:
    made = lines(stalls)
    line = made.with_backlog({"calls": 60, "processing": "20 s", "per": "1 min"})
    for n, seconds in enumerate((3, 20, 1, 47, 5, 90, 30)):
        await made.time.advance(seconds)
        if n % 2:
            closing = asyncio.ensure_future(line.executor.close())
            await made.time.advance(5)
            await closing
        else:
            await line.kill()
        before, line = line, made.limited({"calls": 60, "processing": "20 s", "per": "1 min"})
        line.succeed(before)
    await made.time.advance(120)
    assert made.erp.most_calls(60) <= 60
    assert made.erp.most_at_a_start(60) <= 20
    assert len(made.erp.log) >= 150


async def test_a_kill_between_taking_out_and_use_costs_a_block_and_breaks_nothing(lines: Callable[..., Lines]) -> None:
    made = lines()
    line = made.with_backlog({"calls": 60, "per": "1 min"})
    line.executor.accept = lambda partition, entries: None  # type: ignore[method-assign]
    await made.time.advance(3)
    assert taken(line.bench) == (3, 0), "taken out, and nobody was told"
    assert made.erp.log == []
    await line.kill()
    successor = made.limited({"calls": 60, "per": "1 min"})
    successor.succeed(line)
    await made.time.advance(30)
    assert len(made.erp.log) == 57
    await made.time.advance(45)
    assert made.erp.most_calls(60) <= 60


async def test_an_end_gives_back_what_was_not_used(lines: Callable[..., Lines]) -> None:
    made = lines()
    line = made.limited({"calls": 60, "processing": "20 s", "per": "1 min"})
    line.clock(10 * S)
    line.post("G1", lines=4)
    await made.time.advance(3)
    assert taken(line.bench)[0] > 4
    closing = asyncio.ensure_future(line.executor.close())
    await made.time.advance(1)
    await closing
    assert taken(line.bench)[0] == len(made.erp.log) == 4
    assert taken(line.bench)[1] == pytest.approx(4 * 0.05 * S, rel=0.01)


async def test_what_is_not_used_in_time_is_given_back(lines: Callable[..., Lines]) -> None:
    """A day with little to do costs no more than what was called."""
    made = lines()
    line = made.limited({"calls": 100, "per": "1 h"})
    line.clock(10 * S)
    for n in range(20):
        line.post(f"G{n}")
        await made.time.advance(130)
    assert len(made.erp.log) == 20
    assert taken(line.bench)[0] <= 20 + 5


async def test_another_limit_holds_from_the_next_call_on(lines: Callable[..., Lines]) -> None:
    made = lines()
    line = made.with_backlog({"calls": 40, "per": "1 min"})
    await made.time.advance(20)
    assert len(made.erp.log) == 40
    lower = await followed(made, line, {"calls": 20, "per": "1 min"})
    await made.time.advance(50)
    assert len(made.erp.log) == 40, "what was called before counts"
    await made.time.advance(60)
    assert len(made.erp.log) == 60
    higher = await followed(made, lower, {"calls": 80, "per": "1 min"})
    since = len(made.erp.log)
    await made.time.advance(15)
    assert len(made.erp.log) - since >= 40
    before = len(made.erp.log)
    await followed(made, higher)
    await made.time.advance(30)
    assert len(made.erp.log) - before >= 250, "no quota any more"


async def followed(made: Lines, line: DeliveryLine, *quota: dict[str, Any]) -> DeliveryLine:
    """The log has another configuration: the calls of the old one end, and what waits goes on."""
    closing = asyncio.ensure_future(line.executor.close())
    await made.time.advance(2)
    await closing
    after = made.limited(*quota)
    after.bench, after.executor._peek, after.orders = line.bench, line.bench.row, line.orders
    after.executor.go_on(line.executor)
    return after


async def test_a_grant_that_comes_after_the_change_is_given_back(lines: Callable[..., Lines]) -> None:
    made = lines()
    line = made.with_backlog({"calls": 60, "per": "1 min"})
    late: list[Any] = []
    line.executor.accept = lambda partition, entries: late.extend(entries)  # type: ignore[method-assign]
    await made.time.advance(3)
    after = await followed(made, line, {"calls": 60, "per": "1 min"})
    assert [one for one in late if isinstance(one, Granted)]
    after.executor.accept(0, late)
    await made.time.advance(70)
    assert made.erp.most_calls(60) == 60, "none was lost"


async def test_pulls_and_read_backs_count_as_well(lines: Callable[..., Lines]) -> None:
    made = lines()
    line = made.with_backlog({"calls": 30, "per": "1 min"})
    pulling = made.adapter(line.doorway)
    pull = asyncio.ensure_future(pulling._client.get("/changes"))
    await made.time.advance(15)
    assert pull.done()
    assert [one.what for one in made.erp.log].count("/changes") == 1
    assert len(made.erp.log) == 30
    late = asyncio.ensure_future(pulling._client.get("/changes"))
    await made.time.advance(10)
    assert isinstance(late.exception(), NotLetOut)
    assert len(made.erp.log) == 30
    await pulling.close()


async def test_what_waits_is_told_once_and_goes_on_by_itself(lines: Callable[..., Lines]) -> None:
    made = lines()
    with structlog.testing.capture_logs() as told:
        line = made.limited({"calls": 20, "per": "1 min"})
        line.clock(10 * S)
        line.post("G1", "G2", lines=20)
        await made.time.advance(10)
        assert len(made.erp.log) == 20
        assert line.bench.step.state.marks[QUOTA_UNTIL] > 0
        assert line.registry.get_sample_value("lineledger_erp_quota_spent", {"endpoint": "erp"}) == 1
        assert [one["code"] for one in told if one["event"] == "erp_quota_used_up"] == ["ERP_QUOTA"]
        await made.time.advance(170)
        assert line.erp_accepted() == 40
        await made.time.advance(60)
        assert line.registry.get_sample_value("lineledger_erp_quota_spent", {"endpoint": "erp"}) == 0
        line.post("G3", lines=1)
        await made.time.advance(60)
    assert QUOTA_UNTIL not in line.bench.step.state.marks
    assert {line.bench.row(name).failures for name in line.bench.states()} == {0}, "no posting pays for it"


async def test_without_a_quota_nothing_is_asked_and_nothing_is_kept(lines: Callable[..., Lines]) -> None:
    made = lines()
    line = made.with_backlog()
    await made.time.advance(10)
    assert len(made.erp.log) >= 80
    assert line.budget.quota is None
    assert QUOTA_ROWS.find(line.bench.step.rows, "erp") is None
    assert not any(isinstance(record, QuotaAsked) for record in line.bench.step.records)


async def test_a_request_that_was_logged_who_knows_when_counts_again(lines: Callable[..., Lines]) -> None:
    made = lines(seconds=29)
    line = made.limited({"calls": 40, "per": "1 min"}, timeout="60 s")
    line.clock(10 * S)
    line.post(*(f"G{n}" for n in range(4)))
    await made.time.advance(31)
    line.post("G9")
    await made.time.advance(1)
    assert taken(line.bench)[0] >= 8


async def test_a_clock_that_is_set_changes_nothing(lines: Callable[..., Lines]) -> None:
    """Time goes on by the machine's own, which also runs while it sleeps."""
    made = lines()
    line = made.with_backlog({"calls": 60, "per": "1 min"})
    await made.time.advance(10)
    line.executor._wall_us = lambda: 2**60
    await made.time.advance(45)
    assert len(made.erp.log) == 60


def test_what_another_took_out_is_not_used_here() -> None:
    quota, sent = QuotaInHand([QuotaLimit(MINUTE, 60, 0)], configuration().erp.erp.calls_per_second, 4), list[QuotaAsked]()
    time = StallingTime(1, 0)
    quota.begin(sent.append, time, 1_000 * MINUTE)
    assert quota.wait_ns() is None
    (asked,) = sent
    quota.granted(Granted("somebody", asked.number, asked.until, 60, 0))
    assert quota.wait_ns() is None
    quota.granted(Granted(asked.owner, asked.number, asked.until, 3, 0))
    assert quota.wait_ns() == 0


def test_a_predecessor_that_still_asks_gets_nothing_beyond_the_limit() -> None:
    bench, at = Bench(configuration()), 1_000 * MINUTE
    entries = []
    for owner, number in itertools.product(("old", "new"), range(1, 5)):
        asked = QuotaAsked(owner, number, at, at + 10 * S, 20, 0, [QuotaLimit(MINUTE, 60, 0)])
        entries += bench.fold(asked)
    assert [one.calls for one in entries] == [20, 20, 20, 0, 0, 0, 0, 0]
    assert bench.crash() == []
    assert taken(bench) == (60, 0)
