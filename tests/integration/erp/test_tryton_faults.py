"""Tryton when things go wrong: killed, locked, restarted, unreachable. What `post` and `find` say has to be true."""

import asyncio
import sqlite3
from contextlib import closing
from decimal import Decimal

import pytest

from app.erp.port import Answer, Document, ErpUnavailable
from app.erp.tryton.adapter import TrytonAdapter
from app.erp.tryton.rpc import TrytonRpc
from app.erp.tryton.server import DATABASE, TrytonServer
from tests.integration.erp.contract import PART, PART_LOT, RESIN, RESIN_LOT, accepted, found, issue, net, receipt, settle

pytestmark = pytest.mark.tryton


async def test_killed_in_a_stream_of_postings(tryton: TrytonServer, order: str) -> None:
    """SIGKILL while four senders post: every accepted one is there, every other one is there whole or not at all, and
    sending all again books each exactly once."""
    documents = [Document([receipt(order, 2 * n, "10"), issue(order, 2 * n + 1, "0.319")]) for n in range(24)]
    adapter = tryton.adapter(call_timeout_ms=60_000)
    answers: list[Answer] = []
    enough = asyncio.Event()

    async def send(part: list[Document]) -> None:
        for document in part:
            answers.append(await settle(adapter, document) if not enough.is_set() else await adapter.post(document))
            if len(answers) >= 10:
                enough.set()

    async def kill() -> None:
        await enough.wait()
        await tryton.kill()

    async with asyncio.timeout(120):
        await asyncio.gather(*(send(documents[n::4]) for n in range(4)), kill())
    assert {a.result for a in answers} >= {"accepted"}
    assert len([a for a in answers if a.result != "accepted"]) > 0, "the kill came too late to test anything"
    await tryton.start()
    first = {document.lines[0].posting_id for document in documents}
    accepted_documents = {a.erp_document for a in answers if a.result == "accepted"}
    seen = set()
    for document in documents:
        both = [await found(adapter, line) for line in document.lines]
        assert len({(a.result, a.erp_document) for a in both}) == 1, "one document, one truth"
        seen.add(both[0].erp_document)
    assert accepted_documents <= seen, "what was accepted is there after the crash"
    await asyncio.gather(*(accepted(adapter, *document.lines) for document in documents))
    booked = await adapter.movements([order])
    assert len([m for m in booked if m.posting_id in first]) == len(documents)
    assert net(booked) == {
        ("receipt", PART, PART_LOT): Decimal(240),
        ("issue", RESIN, RESIN_LOT): Decimal("7.656"),
    }
    await adapter.close()


async def test_no_answer_in_time_proves_nothing(tryton: TrytonServer, order: str) -> None:
    """With the database locked the call times out (unknown) and is not found; it commits after all when the lock goes.
    Sending it again is safe."""
    patient, hasty = tryton.adapter(call_timeout_ms=60_000), tryton.adapter(call_timeout_ms=2_000)
    sent = receipt(order, 1, "10")
    await accepted(hasty, receipt(order, 2, "1"))  # logged in before the lock
    await accepted(patient, receipt(order, 3, "1"))
    database = tryton.directory / f"{DATABASE}.sqlite"
    with closing(sqlite3.connect(database, isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        answer = await hasty.post(Document([sent]))
        assert (answer.result, answer.code) == ("unknown", "ERP_NO_ANSWER"), answer
        assert (await found(patient, sent)).result == "not_found"
        lock.execute("ROLLBACK")
    async with asyncio.timeout(60):
        while (await found(patient, sent)).result != "accepted":
            await asyncio.sleep(0.05)
    assert (await accepted(patient, sent)).duplicate
    assert net(await patient.movements([order])) == {("receipt", PART, PART_LOT): Decimal(12)}
    await hasty.close()
    await patient.close()


async def test_a_lost_session_is_renewed(tryton: TrytonServer, order: str) -> None:
    rpc = tryton.posting_rpc()
    adapter = TrytonAdapter(rpc)
    await accepted(adapter, receipt(order, 1, "1"))
    rpc._session = "bm9ib2R5OjE6eA=="
    assert not (await accepted(adapter, receipt(order, 2, "1"))).duplicate
    await adapter.close()


async def test_a_refused_login_loses_no_posting(tryton: TrytonServer, order: str) -> None:
    adapter = TrytonAdapter(TrytonRpc(tryton.url, DATABASE, "nobody", "not-the-password"))
    answer = await adapter.post(Document([receipt(order, 1, "1")]))
    assert (answer.result, answer.code) == ("retry", "ERP_LOGIN_REFUSED"), answer
    assert "not-the-password" not in repr(answer)
    await adapter.close()


async def test_nobody_listens(tryton: TrytonServer, order: str) -> None:
    """Refused connections: definitely not booked, and back to work after the restart with the same session."""
    adapter = tryton.adapter()
    await accepted(adapter, receipt(order, 1, "1"))
    await tryton.stop()
    try:
        answer = await adapter.post(Document([receipt(order, 2, "1")]))
        assert (answer.result, answer.code) in {("retry", "ERP_UNREACHABLE"), ("unknown", "ERP_NO_ANSWER")}, answer
        answer = await adapter.post(Document([receipt(order, 2, "1")]))
        assert (answer.result, answer.code) == ("retry", "ERP_UNREACHABLE"), answer
        assert (await found(adapter, receipt(order, 2, "1"))).result == "unknown"
        with pytest.raises(ErpUnavailable):
            await adapter.movements([order])
    finally:
        await tryton.start()
    await accepted(adapter, receipt(order, 2, "1"))
    await adapter.close()
