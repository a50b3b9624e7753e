"""An ERP that books and says something else: what delivery makes of it, over HTTP and against the ERP's own books."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.erp.port import Document
from app.erp.sim.adapter import SimAdapter
from app.erp.simulator.faults import FaultRule, Faults, Latency, Misbehaving, Quota
from app.erp.simulator.process import SimulatorProcess
from app.ledger.books.erp_book import ErpBook
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.reconciliation import documents
from schemas.records import AccountRow, IssuedPosting
from tables.delivery.posting_state import DOUBLE, MATERIAL_LOCKED
from tables.row_kinds import ACCOUNT_ROWS, POSTING_ROWS
from tests.integration.erp.contract import PART, found, receipt
from tests.integration.erp.test_delivery_over_http import LiveErp, until
from tests.unit.streams.quality_bench import S, configuration

TIMEOUT_MS = 500


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveErp]:
    with SimulatorProcess(tmp_path / "erp") as simulator:
        erp = LiveErp(simulator)
        yield erp
        await erp.control.close()


@pytest.fixture
async def adapter(live: LiveErp) -> AsyncIterator[SimAdapter]:
    adapter = SimAdapter(live.simulator.url, live.simulator.token, TIMEOUT_MS)
    yield adapter
    await adapter.close()


@pytest.mark.parametrize(
    ("rule", "code", "booked"),
    [
        (FaultRule("cut_answer"), "CONNECTION_LOST", True),
        (FaultRule("slow_answer", delay_ms=3 * TIMEOUT_MS), "ERP_TIMEOUT", True),
        (FaultRule("error_in_answer"), "BAD_ANSWER", False),
    ],
)
async def test_an_answer_that_cannot_be_read_is_unknown(
    live: LiveErp, adapter: SimAdapter, rule: FaultRule, code: str, booked: bool
) -> None:
    await live.control.script(rule)
    sent = receipt("S1", 1, "10")
    answer = await adapter.post(Document([sent]))
    assert (answer.result, answer.code) == ("unknown", code)
    assert (await found(adapter, sent)).result == ("accepted" if booked else "not_found")


async def test_a_slow_answer_within_the_timeout_is_an_answer(live: LiveErp, adapter: SimAdapter) -> None:
    await live.control.script(FaultRule("slow_answer", delay_ms=TIMEOUT_MS // 5))
    assert (await adapter.post(Document([receipt("S1", 1, "10")]))).result == "accepted"


async def test_what_is_booked_may_be_seen_later(live: LiveErp, adapter: SimAdapter) -> None:
    await live.control.misbehave(Faults(visible_after_ms=700, rules=[FaultRule("timeout_after", times=1)], hang_ms=100))
    sent = receipt("S1", 1, "10")
    assert (await adapter.post(Document([sent]))).result == "unknown"
    assert (await found(adapter, sent)).result == "not_found"

    async def seen() -> bool:
        return (await found(adapter, sent)).result == "accepted"

    await until(seen)


async def test_a_second_document_is_told_when_it_is_read_back(live: LiveErp, adapter: SimAdapter) -> None:
    await live.control.script(FaultRule("second_document", times=1))
    sent = receipt("S1", 1, "10")
    assert (await adapter.post(Document([sent]))).erp_document == "1"
    answer = await found(adapter, sent)
    assert (answer.result, answer.erp_document, answer.code, answer.detail) == (
        "accepted", "1", DOUBLE, f"{sent.posting_id} is in documents 1, 2",
    )  # fmt: skip


@pytest.mark.parametrize("action", ["wrong_document", "second_document"])
async def test_reconciliation_notices_a_document_of_another(live: LiveErp, adapter: SimAdapter, action: Any) -> None:
    await live.control.script(FaultRule(action, times=1))
    line = live.line(lines_per_document=1)
    line.clock(10 * S)
    (name,) = line.post("O1")

    async def accepted() -> bool:
        return line.bench.states() == {name: "accepted"}

    await until(accepted)
    await line.executor.close()
    assert line.fatal == []
    book = ErpBook(await adapter.movements(["O1"]), await adapter.confirmations(["O1"]), derives=True)
    issued = IssuedPosting(name, 1, 5, 5, 1, 10 * S, "r", "v")
    account = AccountRow("P", "O1", "10", "4711", "", "yield", "", "", "2026-11-20", 1, unit="PC", issued=[issued])
    rows = {"orders": {ACCOUNT_ROWS.key("A1"): account}, "delivery": {POSTING_ROWS.key(name): line.bench.row(name)}}
    (said,) = documents.differences(Snapshot(rows, [], configuration(), {}), book)
    assert said == (
        f"posting {name}: the ledger has document 9900001, the ERP 1"
        if action == "wrong_document"
        else f"posting {name} is in the ERP under 2 documents: 1, 2"
    )


async def test_all_kinds_of_odd_answers_end_with_each_posting_booked_once(live: LiveErp) -> None:
    kinds = ("cut_answer", "slow_answer", "error_in_answer", "throttled_silently", "locked", "timeout_after")
    rules = [FaultRule(kind, order=f"K{n}", times=2, delay_ms=2_000) for n, kind in enumerate(kinds)]  # type: ignore[arg-type]
    await live.control.misbehave(Faults(rules=rules, hang_ms=5_000, retry_after_ms=200, visible_after_ms=300))
    line = live.line(lines_per_document=1, calls_per_second=50)
    line.clock(10 * S)
    names = line.post(*(f"K{n}" for n in range(len(kinds))), lines=3)

    async def accepted() -> bool:
        return line.erp_accepted() == len(names)

    await until(accepted)
    await line.executor.close()
    assert line.fatal == []
    said = await live.control.statistics()
    assert (said.documents, said.postings) == (len(names), len(names))


async def test_a_quota_is_over_until_its_span_ends(live: LiveErp, adapter: SimAdapter) -> None:
    await live.control.misbehave(Faults(quota=Quota(2, 1_500)))
    begun, answers = time.monotonic(), []
    for n in range(3):
        answers.append(await adapter.post(Document([receipt("S1", n + 1, "1")])))
    assert [answer.result for answer in answers] == ["accepted", "accepted", "retry"]
    left = 1_500 - (time.monotonic() - begun) * 1000
    assert 0 < answers[-1].retry_after_ms <= left + 500


@pytest.mark.parametrize(
    ("rule", "code"),
    [(FaultRule("locked", order="S1"), "ORDER_LOCKED"), (FaultRule("locked", material=PART), MATERIAL_LOCKED)],
)
async def test_a_lock_says_whose_it_is(live: LiveErp, adapter: SimAdapter, rule: FaultRule, code: str) -> None:
    await live.control.script(rule)
    answer = await adapter.post(Document([receipt("S1", 1, "10")]))
    assert (answer.result, answer.code) == ("retry", code)


def test_latency_by_percentile() -> None:
    misbehaving = Misbehaving(Faults(latency=Latency(percentiles=[(0.5, 20), (0.9, 100), (1.0, 2_000)])), 0.0)
    calls = sorted(misbehaving.latency_ms(n) for n in range(10_000))
    assert 18 <= calls[5_000] <= 22
    assert 90 <= calls[9_000] <= 110
    assert 1_500 <= calls[-1] <= 2_000
