"""Bodies in, answers out: the simulator's JSON over HTTP."""

import asyncio
import contextlib
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from app.erp.simulator.faults import Misbehaviour
from app.erp.simulator.messages import Booked, RefusedCall
from tables.refusal import Refusal

STATUS = {"POSTING_MISMATCH": 409, "STORE_FULL": 507}
"""HTTP status of a refusal; 422 for every other code."""

ODD_ANSWERS = frozenset({"cut_answer", "slow_answer", "wrong_document", "second_document"})
BOOKED_FIRST = ODD_ANSWERS | {"timeout_after", "disconnect_after", "error_after"}
"""Actions of app/erp/simulator/faults.py."""
WRONG_DOCUMENT = "990000"
"""Put before a number that is not the document's own."""

Sent = TypeVar("Sent")


async def body_of(request: web.Request, kind: type[Sent]) -> Sent:
    return msgspec.json.decode(await request.read(), type=kind)


def number_of(request: web.Request, name: str) -> int:
    text = request.query.get(name, "0")
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise web.HTTPBadRequest(reason=f"{name} is no number.")
    return int(text)


def shown(content: Any, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(content), status=status, content_type="application/json")


def answered(outcome: Booked | Refusal) -> web.Response:
    if isinstance(outcome, Refusal):
        return refused(STATUS.get(outcome.code, 422), outcome.code, outcome.detail)
    answer = shown(outcome, 200 if outcome.duplicate else 201)
    answer.headers["Repeatability-Result"] = "accepted"
    return answer


def refused(status: int, code: str, detail: str, retry_after_ms: int = 0) -> web.Response:
    """Retry-After counts whole seconds; the header beside it says the same in milliseconds."""
    answer = shown(RefusedCall(code, detail), status)
    if retry_after_ms:
        answer.headers["Retry-After"] = str(-(-retry_after_ms // 1000))
        answer.headers["Retry-After-Ms"] = str(retry_after_ms)
    return answer


async def odd_answer(request: web.Request, wrong: Misbehaviour, booked: Booked) -> web.StreamResponse:
    """What is booked, told in a way that the caller does not expect."""
    if wrong.action == "wrong_document":
        return answered(Booked(WRONG_DOCUMENT + booked.document, booked.duplicate))
    if wrong.action == "second_document":
        return answered(booked)
    body = msgspec.json.encode(booked)
    answer = web.StreamResponse(status=201, headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
    await answer.prepare(request)
    if wrong.action == "cut_answer":
        await answer.write(body[: len(body) // 2])
        if request.transport is not None:
            request.transport.abort()
        return answer
    with contextlib.suppress(ConnectionResetError):  # nobody waits for the rest
        for byte in body:
            await asyncio.sleep(wrong.delay_ms / 1000 / len(body))
            await answer.write(bytes([byte]))
        await answer.write_eof()
    return answer
