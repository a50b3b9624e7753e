"""The simulator as a process of its own: the contract of every ERP, and the ways in which it misbehaves."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from app.erp.port import Document, DocumentLine, ErpUnavailable
from app.erp.sim.adapter import SimAdapter
from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.faults import FaultRule, Faults, Latency, Outage
from app.erp.simulator.messages import Foreign, SentMovement
from app.erp.simulator.process import SimulatorProcess
from schemas.records import Movement
from tests.integration.erp.contract import (
    CASES,
    PART,
    PART_LOT,
    RECEIPT_LOCATION,
    RESIN,
    RESIN_LOT,
    Case,
    accepted,
    case_name,
    case_receipt_feeds_issue,
    case_stock_short,
    found,
    issue,
    machine_time,
    master_data,
    moved,
    net,
    order_of,
    receipt,
)

TIMEOUT_MS = 400
LONG_S = 20.0


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition; the bound turns a hang into a failure."""
    async with asyncio.timeout(LONG_S):
        while not await condition():
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatorProcess]:
    with SimulatorProcess(tmp_path_factory.mktemp("erp")) as process:
        yield process


@pytest.fixture
async def control(simulator: SimulatorProcess) -> AsyncIterator[SimulatorControl]:
    control = SimulatorControl(simulator.url, simulator.token)
    await control.misbehave(Faults())
    yield control
    await control.misbehave(Faults())
    await control.close()


@pytest.fixture
async def adapter(simulator: SimulatorProcess, control: SimulatorControl) -> AsyncIterator[SimAdapter]:
    """On the shared simulator, which has the master data of the contract."""
    await control.provision(*master_data(), lots=[(RESIN, RESIN_LOT)])
    adapter = SimAdapter(simulator.url, simulator.token, TIMEOUT_MS)
    yield adapter
    await adapter.close()


@pytest.fixture
async def order(request: pytest.FixtureRequest, control: SimulatorControl) -> str:
    """An order of the test's own."""
    number = f"S-{request.node.name.removeprefix('test_')[:60]}"
    await control.provision(*master_data([number]), lots=[(RESIN, RESIN_LOT)])
    return number


@pytest.mark.parametrize("case", [*CASES, case_receipt_feeds_issue], ids=case_name)
async def test_contract(case: Case, adapter: SimAdapter) -> None:
    await case(adapter, order_of(case))


async def test_stock_shortage_by_rule(adapter: SimAdapter, control: SimulatorControl) -> None:
    """The simulator keeps no stock: a rule says which issue is short."""
    await control.script(FaultRule("locked", order=order_of(case_stock_short), code="STOCK_SHORT"))
    await case_stock_short(adapter, order_of(case_stock_short))


@pytest.mark.parametrize("action", ["timeout_after", "disconnect_after", "error_after"])
async def test_booked_without_an_answer_is_unknown_then_found(
    action: str, adapter: SimAdapter, control: SimulatorControl, order: str
) -> None:
    await control.script(FaultRule(action, order=order, times=1))  # type: ignore[arg-type]
    sent = receipt(order, 1, "10")
    assert (await adapter.post(Document([sent]))).result == "unknown"
    assert (await found(adapter, sent)).result == "accepted"
    again = await adapter.post(Document([sent]))
    assert (again.result, again.duplicate) == ("accepted", True)
    assert net(await adapter.movements([order])) == {("receipt", PART, PART_LOT): Decimal(10)}


@pytest.mark.parametrize("action", ["timeout_before", "disconnect_before"])
async def test_not_booked_without_an_answer_is_unknown_too(
    action: str, adapter: SimAdapter, control: SimulatorControl, order: str
) -> None:
    await control.script(FaultRule(action, order=order, times=1))  # type: ignore[arg-type]
    sent = receipt(order, 1, "10")
    assert (await adapter.post(Document([sent]))).result == "unknown"
    assert (await found(adapter, sent)).result == "not_found"
    assert not (await accepted(adapter, sent)).duplicate


async def test_not_found_right_after_a_timeout_proves_nothing(adapter: SimAdapter, control: SimulatorControl, order: str) -> None:
    await control.script(FaultRule("late_commit", order=order, times=1, delay_ms=TIMEOUT_MS + 600))
    sent = receipt(order, 1, "10")
    assert (await adapter.post(Document([sent]))).result == "unknown"
    assert (await found(adapter, sent)).result == "not_found"

    async def booked() -> bool:
        return (await found(adapter, sent)).result == "accepted"

    await until(booked)


@pytest.mark.parametrize(
    ("rule", "result", "code"),
    [
        (FaultRule("reject", code="PERIOD_CLOSED"), "rejected", "PERIOD_CLOSED"),
        (FaultRule("locked", code="LOCKED"), "retry", "LOCKED"),
        (FaultRule("unavailable"), "retry", "ERP_BUSY"),
    ],
)
async def test_refusals_by_rule(
    rule: FaultRule, result: str, code: str, adapter: SimAdapter, control: SimulatorControl, order: str
) -> None:
    await control.misbehave(Faults(rules=[rule], retry_after_ms=1234))
    sent = receipt(order, 1, "10")
    answer = await adapter.post(Document([sent]))
    assert (answer.result, answer.code) == (result, code)
    assert answer.retry_after_ms == (1234 if result == "retry" else 0)
    assert (await found(adapter, sent)).result == "not_found"


async def test_without_idempotency_a_resend_books_twice(tmp_path: Path) -> None:
    with SimulatorProcess(tmp_path, ["--no-idempotency"]) as process:
        adapter = SimAdapter(process.url, process.token, TIMEOUT_MS, idempotent=False)
        control = SimulatorControl(process.url, process.token)
        await control.script(FaultRule("timeout_after", times=1))
        sent = receipt("1001", 1, "10")
        assert (await adapter.post(Document([sent]))).result == "unknown"
        again = await adapter.post(Document([sent]))
        assert (again.result, again.duplicate) == ("accepted", False)
        assert net(await adapter.movements(["1001"])) == {("receipt", PART, PART_LOT): Decimal(20)}
        statistics = await control.statistics()
        assert (statistics.lines, statistics.postings) == (2, 1)
        await adapter.close()
        await control.close()


async def test_more_calls_than_the_budget_are_told_when_to_come_back(
    adapter: SimAdapter, control: SimulatorControl, order: str
) -> None:
    await control.misbehave(Faults(calls_per_second=20, burst=1))
    answers = await asyncio.gather(*(adapter.post(Document([receipt(order, n, "1")])) for n in range(6)))
    throttled = [answer for answer in answers if answer.code == "ERP_THROTTLED"]
    assert [answer.result for answer in answers].count("accepted") == 6 - len(throttled)
    assert len(throttled) >= 3
    assert all(answer.result == "retry" and 0 < answer.retry_after_ms <= 51 for answer in throttled)
    for n in range(6):
        await accepted(adapter, receipt(order, n, "1"))
    assert net(await adapter.movements([order])) == {("receipt", PART, PART_LOT): Decimal(6)}


@pytest.mark.parametrize(("action", "posted"), [("unavailable", "retry"), ("disconnect_before", "unknown")])
async def test_an_outage_ends(action: str, posted: str, adapter: SimAdapter, control: SimulatorControl, order: str) -> None:
    await control.misbehave(Faults(outages=[Outage(0, 300, action)]))  # type: ignore[arg-type]
    sent = receipt(order, 1, "10")
    assert (await adapter.post(Document([sent]))).result == posted
    assert (await found(adapter, sent)).result == "unknown"
    with pytest.raises(ErpUnavailable):
        await adapter.movements([order])

    async def back() -> bool:
        return (await found(adapter, sent)).result == "not_found"

    await until(back)
    await accepted(adapter, sent)


async def test_latency_is_felt(adapter: SimAdapter, control: SimulatorControl, order: str) -> None:
    await control.misbehave(Faults(latency=Latency(tail_probability=1.0, tail_ms=2 * TIMEOUT_MS)))
    answer = await adapter.post(Document([receipt(order, 1, "10")]))
    assert (answer.result, answer.code) == ("unknown", "ERP_TIMEOUT")


async def test_an_answer_that_trickles_in_times_out(order: str) -> None:
    async def trickle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(b"HTTP/1.1 201 Created\r\n")
            while not writer.is_closing():
                writer.write(b"X-More: to come\r\n")
                await writer.drain()
                await asyncio.sleep(TIMEOUT_MS / 1000 / 10)
        writer.close()

    server = await asyncio.start_server(trickle, "127.0.0.1", 0)
    adapter = SimAdapter(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "token", TIMEOUT_MS)
    async with asyncio.timeout(5 * TIMEOUT_MS / 1000):
        answer = await adapter.post(Document([receipt(order, 1, "10")]))
    assert (answer.result, answer.code) == ("unknown", "ERP_TIMEOUT")
    await adapter.close()
    server.close()


async def test_nobody_there_is_no_unknown(order: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    adapter = SimAdapter(f"http://127.0.0.1:{port}", "token", TIMEOUT_MS)
    sent = receipt(order, 1, "10")
    answer = await adapter.post(Document([sent]))
    assert (answer.result, answer.code) == ("retry", "ERP_UNREACHABLE")
    assert answer.retry_after_ms > 0
    assert (await found(adapter, sent)).result == "unknown"
    with pytest.raises(ErpUnavailable):
        await adapter.movements([order])
    await adapter.close()


@pytest.mark.parametrize(
    "changes", [{"amount": 2**63}, {"scale": 19}, {"document_date": "20260115"}, {"posting_id": "x" * 17}, {"amount": 1.5}]
)
async def test_what_is_malformed_is_refused_at_home(
    changes: dict[str, object], adapter: SimAdapter, control: SimulatorControl, order: str
) -> None:
    before = await control.statistics()
    wrong = replace(machine_time(order, 1, "1"), **changes)  # type: ignore[arg-type]
    answer = await adapter.post(Document([wrong]))
    assert (answer.result, answer.code) == ("rejected", "DOCUMENT_INVALID")
    assert (await control.statistics()).requests == before.requests


async def test_derived_movements_are_not_sent_but_made_and_foreign_ones_shown(
    adapter: SimAdapter, control: SimulatorControl, order: str
) -> None:
    orders, materials = master_data([order])
    await control.provision([replace(orders[0], automatic_receipt=True)], materials)
    sent = receipt(order, 1, "10")
    sent = replace(sent, material=PART, lot=PART_LOT, location="", movements=[replace(m, derived=True) for m in sent.movements])
    await accepted(adapter, sent)
    await control.book_foreign(Foreign(order, [SentMovement("issue", RESIN, 5, 1, "kg", RESIN_LOT)]))
    booked = await adapter.movements([order])
    assert [(m.posting_id, m.type, m.amount, m.location) for m in booked] == [
        ("", "receipt", 10, RECEIPT_LOCATION),
        ("", "issue", 5, ""),
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/documents"), ("GET", "/postings/X"), ("GET", "/movements?order=X"), ("GET", "/requests"),
        ("GET", "/control/statistics"), ("POST", "/control/master"), ("POST", "/control/foreign"),
        ("POST", "/control/faults"), ("POST", "/control/rules"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp4"}])
async def test_without_the_token_nothing_is_done(
    method: str, path: str, headers: dict[str, str], simulator: SimulatorProcess, control: SimulatorControl
) -> None:
    before = await control.statistics()
    async with httpx.AsyncClient(base_url=simulator.url, trust_env=False, headers=headers) as client:
        answer = await client.request(method, path, content=b"{}")
    assert answer.status_code == 401
    assert await control.statistics() == before


async def test_a_wrong_token_rejects_no_posting_for_good(simulator: SimulatorProcess, order: str) -> None:
    adapter = SimAdapter(simulator.url, "wrong", TIMEOUT_MS)
    answer = await adapter.post(Document([receipt(order, 1, "10")]))
    assert (answer.result, answer.code) == ("retry", "ERP_ACCESS")
    await adapter.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{}", 400),
        (b'{"lines": []}', 400),
        (b"\xff", 400),
        (b'{"lines":[],"telemetry":1}', 400),
        (b" " * (4 << 20) + b"x", 413),
    ],
)
async def test_bodies_are_bounded_and_checked(body: bytes, status: int, simulator: SimulatorProcess) -> None:
    headers = {"Authorization": f"Bearer {simulator.token}"}
    async with httpx.AsyncClient(base_url=simulator.url, trust_env=False, headers=headers) as client:
        answer = await client.post("/documents", content=body)
        assert answer.status_code == status, answer.text
        assert answer.json()["code"] == "DOCUMENT_INVALID"
        assert (await client.get("/health")).status_code == 200


async def test_a_resend_has_the_same_request_id(adapter: SimAdapter, control: SimulatorControl, order: str) -> None:
    before = (await control.statistics()).requests
    for number in (1, 1, 2):
        await accepted(adapter, receipt(order, number, "10"))
    headers = [dict(call.headers) async for call in control.requests() if call.id > before]
    ids = [one["Repeatability-Request-ID"] for one in headers]
    assert len(ids) == 3
    assert ids[0] == ids[1] != ids[2]


async def test_a_receipt_makes_its_lot(adapter: SimAdapter, order: str) -> None:
    def out(number: int, lot: str) -> DocumentLine:
        return moved(issue(order, number, "1", lot=lot), material=PART, unit="PC")

    early = await adapter.post(Document([out(1, "LATER")]))
    assert (early.result, early.code) == ("rejected", "LOT_UNKNOWN")
    await accepted(adapter, receipt(order, 2, "10", lot="LATER"))
    await accepted(adapter, out(1, "LATER"))
    await accepted(adapter, out(3, "TOGETHER"), receipt(order, 4, "10", lot="TOGETHER"))


async def test_pages_of_movements_are_put_together(adapter: SimAdapter, order: str) -> None:
    sent = machine_time(order, 1, "1")
    moves = [Movement("receipt", PART, 1, 0, "PC", PART_LOT, RECEIPT_LOCATION)] * 900
    for number in range(5):
        await accepted(adapter, replace(sent, posting_id=f"P{number}", movements=moves))
    booked = await adapter.movements([order])
    assert len(booked) == 4500
    assert net(booked) == {("receipt", PART, PART_LOT): Decimal(4500)}
