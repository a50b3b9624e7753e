"""Bodies in, answers out: the simulator's JSON over HTTP."""

from typing import Any, TypeVar

import msgspec
from aiohttp import web

from app.erp.simulator.messages import Booked, RefusedCall
from tables.refusal import Refusal

STATUS = {"POSTING_MISMATCH": 409, "STORE_FULL": 507}
"""HTTP status of a refusal; 422 for every other code."""

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
