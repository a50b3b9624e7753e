"""The executor over a fake ERP and a fake clock: what it sends, what it withholds, what it tells."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from typing import Any

import pytest

from app.erp.port import Answer
from schemas.records import ErpHeld, TimerFired
from tables.delivery.outbox import Dispatch, ReadBack, Timer
from tests.unit.erp.executor_bench import Bench, configuration

PAUSE = 2.0
"""Longer than the pause after a take-over at 10 calls/s."""


@pytest.fixture
async def made() -> AsyncIterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def make(*args: Any, **options: Any) -> Bench:
        benches.append(Bench(*args, **options))
        return benches[-1]

    yield make
    for bench in benches:
        bench.erp.gate.set()
        await bench.executor.close()
        assert bench.fatal == []


async def test_a_dispatched_posting_is_sent_once_and_its_outcome_told(made: Callable[..., Bench]) -> None:
    bench = made()
    bench.row("P1")
    bench.executor.accept(0, [Dispatch("P1", 1)])
    await bench.time.advance(PAUSE)
    (sent,) = bench.sent
    assert (sent.posting_id, sent.attempt, sent.result, sent.erp_document, sent.call) == ("P1", 1, "accepted", "D1", "post")
    assert [line.posting_id for _, document in bench.erp.posted for line in document.lines] == ["P1"]
    assert bench.metric("lineledger_erp_calls_total", call="post", result="accepted") == 1


async def test_after_a_take_over_nothing_is_sent_for_longer_than_a_window(made: Callable[..., Bench]) -> None:
    bench = made()
    begun = bench.time.now_ns
    bench.row("P1")
    bench.executor.accept(0, [Dispatch("P1", 1)])
    await bench.time.advance(5)
    assert bench.erp.posted[0][0] - begun > 1_000_000_000


async def test_calls_keep_their_distance_and_the_concurrency(made: Callable[..., Bench]) -> None:
    bench = made(Fraction(4), 2)
    bench.erp.gate.clear()
    for n in range(6):
        bench.row(f"P{n}")
    bench.executor.accept(0, [Dispatch(f"P{n}", 1) for n in range(6)])
    await bench.time.advance(10)
    assert len(bench.erp.posted) == 2
    bench.erp.gate.set()
    await bench.time.advance(10)
    starts = [at for at, _ in bench.erp.posted]
    assert len(starts) == 6
    assert min(later - earlier for earlier, later in itertools.pairwise(starts)) >= 250_000_000


@pytest.mark.parametrize(("state", "attempts"), [("accepted", 1), ("queued", 1), ("dispatched", 2), ("unknown", 1)])
async def test_an_entry_that_its_row_does_not_want_any_more_is_dropped(
    made: Callable[..., Bench], state: str, attempts: int
) -> None:
    bench = made()
    bench.row("P1", state, attempts)
    bench.executor.accept(0, [Dispatch("P1", 1)])
    await bench.time.advance(PAUSE)
    assert (bench.erp.posted, bench.sent) == ([], [])


async def test_a_recalled_posting_is_not_sent(made: Callable[..., Bench]) -> None:
    bench = made()
    row = bench.row("P1")
    bench.executor.accept(0, [Dispatch("P1", 1)])
    row.recalled = True  # folded after the commit, before the budget let it go
    await bench.time.advance(PAUSE)
    assert bench.results() == [("P1", "retry", "HELD")]
    assert bench.erp.posted == []
    assert bench.metric("lineledger_erp_withheld_total", code="HELD") == 1


async def test_without_a_good_lease_nothing_is_sent(made: Callable[..., Bench]) -> None:
    bench = made()
    stale = bench.time.boottime()
    bench.good_at = lambda: stale
    bench.row("P1")
    await bench.time.advance(5.0)  # half of the session timeout
    bench.executor.accept(0, [Dispatch("P1", 1)])
    await bench.time.advance(30)
    assert bench.erp.posted == []
    bench.good_at = bench.time.boottime
    await bench.time.advance(1)
    assert len(bench.erp.posted) == 1


async def test_a_partition_that_left_sends_nothing_more_but_tells_what_was_in_flight(made: Callable[..., Bench]) -> None:
    bench = made(Fraction(10), 1)
    bench.erp.gate.clear()
    bench.row("P1")
    bench.row("P2")
    bench.executor.accept(0, [Dispatch("P1", 1), Dispatch("P2", 1), Timer("P9", 1, 1_000_000)])
    await bench.time.advance(0.5)
    bench.executor.left(0)
    await bench.time.advance(PAUSE)
    assert bench.erp.posted == []
    bench.executor.taken_over(0)
    bench.executor.accept(0, [Dispatch("P1", 1), Dispatch("P2", 1)])
    await bench.time.advance(PAUSE)
    bench.executor.left(0)
    bench.erp.gate.set()
    await bench.time.advance(PAUSE)
    assert bench.results() == [("P1", "accepted", "")]


async def test_a_resend_to_an_erp_that_cannot_tell_repetitions_is_withheld(made: Callable[..., Bench]) -> None:
    stated = configuration(erp={"erp": {"adapter": "sim", "idempotent": False}})
    for bench in (made(idempotent=False), made(config=stated)):
        bench.row("P1", attempts=2)
        bench.executor.accept(0, [Dispatch("P1", 2, resend=True)])
        await bench.time.advance(PAUSE)
        assert bench.results() == [("P1", "unknown", "NOT_IDEMPOTENT")]
        assert bench.erp.posted == []


async def test_a_stock_type_that_the_erp_does_not_have_is_never_replaced_by_another(made: Callable[..., Bench]) -> None:
    bench = made()
    bench.row("P1", stock_type="inspection")
    bench.executor.accept(0, [Dispatch("P1", 1)])
    await bench.time.advance(PAUSE)
    assert bench.results() == [("P1", "rejected", "STOCK_TYPE_UNSUPPORTED")]


async def test_a_defect_of_the_adapter_is_unknown_never_a_failure(made: Callable[..., Bench]) -> None:
    bench = made()
    bench.erp.answers = [RuntimeError("secret token")]
    bench.row("P1")
    bench.executor.accept(0, [Dispatch("P1", 1)])
    await bench.time.advance(PAUSE)
    assert bench.results() == [("P1", "unknown", "ADAPTER_DEFECT")]
    assert "secret" not in bench.sent[0].detail


async def test_timers_fire_by_monotonic_time(made: Callable[..., Bench]) -> None:
    bench = made()
    bench.executor.accept(0, [Timer("P1", 3, 5_000_000), Timer("P2", 1, 1_000_000)])
    await bench.time.advance(4.9)
    assert bench.sent == [TimerFired("P2", 1, "retry")]
    await bench.time.advance(0.2)
    assert bench.sent[1:] == [TimerFired("P1", 3, "retry")]


async def test_reading_back_proves_absence_only_after_every_horizon(made: Callable[..., Bench]) -> None:
    bench = made(idempotent=False)
    bench.row("P1", "unknown")
    begun = bench.time.now_ns
    bench.executor.accept(0, [ReadBack("P1", 1), ReadBack("P1", 1)])
    await bench.time.advance(300)
    assert {one.result for one in bench.sent} == {"not_found"}
    assert [one.code for one in bench.sent][-1] == "HORIZON_PASSED"
    assert {one.code for one in bench.sent[:-1]} == {""}
    assert {one.call for one in bench.sent} == {"find"}
    # session timeout 10 s + call timeout 2 s (and the grace for a hanging adapter) + commit horizon 20 s
    assert (bench.erp.finds[-2] - begun) / 1e9 < 37 <= (bench.erp.finds[-1] - begun) / 1e9
    assert len(bench.erp.finds) < 10


async def test_an_erp_that_is_down_at_the_horizon_proves_nothing(made: Callable[..., Bench]) -> None:
    bench = made(idempotent=False)
    bench.row("P1", "unknown")
    bench.erp.found = [Answer("unknown", code="ERP_TIMEOUT")] * 12
    bench.executor.accept(0, [ReadBack("P1", 1)])
    await bench.time.advance(60)
    assert "HORIZON_PASSED" not in {one.code for one in bench.sent}
    await bench.time.advance(600)
    assert bench.sent[-1].code == "HORIZON_PASSED"


async def test_reading_back_ends_when_it_is_found_or_not_wanted(made: Callable[..., Bench]) -> None:
    bench = made(idempotent=False)
    bench.row("P1", "unknown")
    row = bench.row("P2", "unknown")
    bench.erp.found = [Answer("not_found"), Answer("accepted", "D7")]
    bench.executor.accept(0, [ReadBack("P1", 1)])
    await bench.time.advance(100)
    assert [(one.result, one.erp_document) for one in bench.sent] == [("not_found", ""), ("accepted", "D7")]
    bench.executor.accept(0, [ReadBack("P2", 1)])
    await bench.time.advance(1)
    row.state = "accepted"
    finds = len(bench.erp.finds)
    await bench.time.advance(100)
    assert len(bench.erp.finds) == finds


async def test_an_outage_opens_the_circuit_and_loses_nothing(made: Callable[..., Bench]) -> None:
    bench = made(Fraction(10), 1)
    bench.erp.answers = [Answer("retry", code="ERP_UNREACHABLE")] * 3
    bench.erp.found = [Answer("unknown", code="ERP_UNREACHABLE")] * 4
    for n in range(20):
        bench.row(f"P{n}")
    bench.executor.accept(0, [Dispatch(f"P{n}", 1) for n in range(20)])
    await bench.time.advance(9)
    assert bench.metric("lineledger_erp_circuit_open") == 1
    assert len(bench.erp.posted) == 3, "then only the ERP itself is asked, and no posting pays for it"
    assert len(bench.erp.finds) == 3
    await bench.time.advance(120)
    outage = [one for one in bench.sent if isinstance(one, ErpHeld)]
    assert [(one.kind, one.code) for one in outage] == [("away", "ERP_UNREACHABLE"), ("back", "")]
    assert sorted(one.posting_id for one in bench.sent if one not in outage) == sorted(f"P{n}" for n in range(20))
    assert bench.metric("lineledger_erp_circuit_open") == 0


async def test_closing_waits_for_calls_in_flight() -> None:
    bench = Bench()
    bench.erp.gate.clear()
    bench.row("P1")
    bench.executor.accept(0, [Dispatch("P1", 1)])
    await bench.time.advance(PAUSE)
    closing = asyncio.ensure_future(bench.executor.close())
    await bench.time.settle()
    assert not closing.done()
    assert not bench.erp.closed
    bench.erp.gate.set()
    await closing
    assert bench.results() == [("P1", "accepted", "")]
    assert bench.erp.closed


async def test_a_defect_of_the_executor_ends_the_process() -> None:
    bench = Bench()
    bench.row("P1", configuration="gone")
    bench.executor.accept(0, [Dispatch("P1", 1)])
    await bench.time.advance(PAUSE)
    assert len(bench.fatal) == 1
    assert "gone" in bench.fatal[0]
    await bench.executor.close()


async def test_the_lines_of_a_document_go_in_one_call_and_share_its_answer(made: Callable[..., Bench]) -> None:
    bench = made()
    for name in ("P1", "P2"):
        bench.row(name)
    bench.executor.accept(0, [Dispatch("P1", 1, others=(("P2", 1),))])
    await bench.time.advance(PAUSE)
    ((_, document),) = bench.erp.posted
    assert [line.posting_id for line in document.lines] == ["P1", "P2"]
    assert [(one.posting_id, one.result, one.erp_document) for one in bench.sent] == [
        ("P1", "accepted", "D1"),
        ("P2", "accepted", "D1"),
    ]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Answer("rejected", code="LOT_UNKNOWN"), ("retry", "DOCUMENT_SPLIT")),
        (Answer("retry", code="STOCK_SHORT"), ("retry", "DOCUMENT_SPLIT")),
        (Answer("retry", code="ERP_BUSY"), ("retry", "ERP_BUSY")),
        (Answer("unknown", code="ERP_TIMEOUT"), ("unknown", "ERP_TIMEOUT")),
    ],
)
async def test_a_document_that_is_refused_for_one_of_its_lines_is_split(
    made: Callable[..., Bench], answer: Answer, told: tuple[str, str]
) -> None:
    bench = made()
    for name in ("P1", "P2"):
        bench.row(name)
    bench.erp.answers = [answer]
    bench.executor.accept(0, [Dispatch("P1", 1, others=(("P2", 1),))])
    await bench.time.advance(PAUSE)
    assert bench.results() == [("P1", *told), ("P2", *told)]


async def test_a_recalled_line_stays_at_home_the_others_go(made: Callable[..., Bench]) -> None:
    bench = made()
    bench.row("P1", recalled=True)
    bench.row("P2")
    bench.row("P3", "held")
    bench.executor.accept(0, [Dispatch("P1", 1, others=(("P2", 1), ("P3", 1)))])
    await bench.time.advance(PAUSE)
    assert bench.results() == [("P1", "retry", "HELD"), ("P2", "accepted", "")]
    assert [line.posting_id for _, document in bench.erp.posted for line in document.lines] == ["P2"]


async def test_nothing_is_called_during_maintenance(made: Callable[..., Bench]) -> None:
    bench = made()
    bench.closed_until = bench.time.boottime() + 3600
    bench.row("P1")
    bench.row("P2", "unknown")
    bench.executor.accept(0, [Dispatch("P1", 1), ReadBack("P2", 1)])
    await bench.time.advance(3590)
    assert bench.erp.posted == []
    assert bench.erp.finds == []
    await bench.time.advance(20)
    assert len(bench.erp.posted) == len(bench.erp.finds[:1]) == 1
