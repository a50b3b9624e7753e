"""The simulator as a process of its own: what it keeps when it is ended, kindly or not."""

import asyncio
import base64
import json
import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from app.erp.canary import find_leaks
from app.erp.port import Document, DocumentLine
from app.erp.sim.adapter import SimAdapter
from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.process import SimulatorProcess
from tests.integration.erp.contract import (
    PART,
    accepted,
    found,
    issue,
    master_data,
    moved,
    receipt,
)

TIMEOUT_MS = 400
LONG_S = 20.0


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition; the bound turns a hang into a failure."""
    async with asyncio.timeout(LONG_S):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_recorded_calls_survive_and_tell_no_secret(tmp_path: Path) -> None:
    """I7: what was planted in one call is found in the recording of a later process, what was not is not."""
    name, value = "IMM-07.Zylinder.Temp", "918273645546"
    sent = receipt("1001", 1, "10")
    leaking = replace(receipt("1001", 2, "1"), reason=base64.b64encode(f"{name}={value}".encode()).decode())
    with SimulatorProcess(tmp_path) as process:
        adapter = SimAdapter(process.url, process.token, TIMEOUT_MS)
        await accepted(adapter, sent)
        await accepted(adapter, leaking)
        await found(adapter, sent)
        await adapter.close()
        process.kill()
    with SimulatorProcess(tmp_path) as process:
        control = SimulatorControl(process.url, process.token)
        calls = [call async for call in control.requests()]
        await control.close()
        assert [(call.method, call.target) for call in calls] == [
            ("POST", "/documents"), ("POST", "/documents"), ("GET", f"/postings/{sent.posting_id}"),
        ]  # fmt: skip
        assert json.loads(calls[0].body)["lines"][0]["amount"] == 10
        names = {header.lower() for header, _ in calls[0].headers}
        assert {"repeatability-request-id", "repeatability-first-sent", "repeatability-client-id"} <= names
        raw = [call.raw() for call in calls]
        assert not any(process.token.encode() in one for one in raw)
        assert {(leak.request, leak.canary) for leak in find_leaks(raw, [name, value])} == {(1, name), (1, value)}
        assert find_leaks(raw[:1] + raw[2:], [name, value]) == []


async def test_kill_during_posts_loses_no_acknowledged_document(tmp_path: Path) -> None:
    """kill -9 under four senders: whatever was answered accepted is found afterwards, the rest tells the truth."""
    acknowledged: dict[str, tuple[DocumentLine, str]] = {}
    open_ends: dict[str, DocumentLine] = {}

    async def send(adapter: SimAdapter, sender: int) -> None:
        for number in range(10_000):
            line = receipt(f"K{sender}", number, "1")
            answer = await adapter.post(Document([line]))
            if answer.result != "accepted":
                assert answer.result in ("unknown", "retry"), answer
                open_ends[line.posting_id] = line
                return
            acknowledged[line.posting_id] = (line, answer.erp_document)

    with SimulatorProcess(tmp_path) as process:
        adapter = SimAdapter(process.url, process.token, 5_000)
        senders = [asyncio.create_task(send(adapter, sender)) for sender in range(4)]

        async def enough() -> bool:
            return len(acknowledged) >= 100

        await until(enough)
        os.kill(process.pid, signal.SIGKILL)
        await asyncio.gather(*senders)
        await adapter.close()
        process.kill()
    assert open_ends
    with SimulatorProcess(tmp_path) as process:
        adapter = SimAdapter(process.url, process.token, 5_000)
        for line, document in acknowledged.values():
            seen = await found(adapter, line)
            assert (seen.result, seen.erp_document) == ("accepted", document)
        for line in open_ends.values():
            before = await found(adapter, line)
            again = await accepted(adapter, line)
            assert again.duplicate is (before.result == "accepted")
        total = sum(m.amount for m in await adapter.movements([f"K{sender}" for sender in range(4)]))
        assert total == len(acknowledged) + len(open_ends)
        await adapter.close()


async def test_master_data_and_lots_survive_a_restart(tmp_path: Path) -> None:
    orders, materials = master_data(["1001"])
    with SimulatorProcess(tmp_path) as process:
        control, adapter = SimulatorControl(process.url, process.token), SimAdapter(process.url, process.token)
        await control.provision(orders, materials)
        await accepted(adapter, receipt("1001", 1, "10", lot="MADE"))
        await control.close()
        await adapter.close()
    with SimulatorProcess(tmp_path) as process:
        adapter = SimAdapter(process.url, process.token)
        out = moved(issue("1001", 2, "1", lot="MADE"), material=PART, unit="PC")
        await accepted(adapter, out)
        unknown = await adapter.post(Document([receipt("1002", 3, "1")]))
        assert (unknown.result, unknown.code) == ("rejected", "ORDER_UNKNOWN")
        await adapter.close()
