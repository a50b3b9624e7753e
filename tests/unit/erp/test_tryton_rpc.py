"""What each failure of the wire means, on a transport that fails to order."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.erp.port import Answer, Document, DocumentLine
from app.erp.tryton.adapter import TrytonAdapter
from app.erp.tryton.rpc import MAX_DETAIL_CHARS, TrytonRpc, decode, fault
from schemas.records import Movement

LINE = DocumentLine(
    posting_id="P1", content_hash="h", kind="consumption", order="O1", operation="0010", material="M", lot="L",
    reason="", location="LINE", reservation_item="1", amount=-39873, scale=3, unit="kg",
    document_date="2026-01-15", posting_date="2026-01-16",
    movements=[Movement("issue", "M", -39873, 3, "kg", "L", "LINE"), Movement("receipt", "D", 1, 0, "PC", derived=True)],
)  # fmt: skip
BOOKED = {"document": 7, "documents": {"P1": 7}, "duplicate": False}
Handler = Callable[[httpx.Request], httpx.Response]


class Erp:
    """Answers logins; every other call goes to `handler`. Keeps what it was asked."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.calls: list[dict[str, Any]] = []
        self.logins = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        call = json.loads(request.content)
        if call["method"] == "common.db.login":
            self.logins += 1
            return ok([1, f"token{self.logins}", None])
        if call["method"] == "model.res.user.get_preferences":
            return ok({"company": 5, "language": "en", "theme": "x"})
        self.calls.append(call)
        return self.handler(request)


def ok(result: Any) -> httpx.Response:
    return httpx.Response(200, json={"id": 0, "result": result})


def error(*parts: Any) -> Handler:
    return lambda _: httpx.Response(200, json={"id": 0, "error": list(parts)})


def status(code: int, **headers: str) -> Handler:
    return lambda _: httpx.Response(code, headers={k.replace("_", "-"): v for k, v in headers.items()})


def raising(error: type[httpx.TransportError]) -> Handler:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("it failed", request=request)

    return handler


async def posted(handler: Handler, line: DocumentLine = LINE) -> tuple[Answer, Erp]:
    erp = Erp(handler)
    rpc = TrytonRpc("http://erp.invalid", "db", "user", "s3cret-word", transport=httpx.MockTransport(erp))
    adapter = TrytonAdapter(rpc)
    answer = await adapter.post(Document([line]))
    await adapter.close()
    return answer, erp


@pytest.mark.parametrize(
    ("handler", "result", "code", "retry_after_ms"),
    [
        (raising(httpx.ConnectError), "retry", "ERP_UNREACHABLE", 1000),
        (raising(httpx.ConnectTimeout), "retry", "ERP_UNREACHABLE", 1000),
        (raising(httpx.PoolTimeout), "retry", "ERP_UNREACHABLE", 1000),
        (raising(httpx.LocalProtocolError), "retry", "REQUEST_NOT_SENT", 30_000),
        (raising(httpx.UnsupportedProtocol), "retry", "REQUEST_NOT_SENT", 30_000),
        (raising(httpx.ReadTimeout), "unknown", "ERP_NO_ANSWER", 0),
        (raising(httpx.WriteTimeout), "unknown", "ERP_NO_ANSWER", 0),
        (raising(httpx.ReadError), "unknown", "ERP_NO_ANSWER", 0),
        (raising(httpx.RemoteProtocolError), "unknown", "ERP_NO_ANSWER", 0),
        (status(500), "unknown", "ERP_NO_ANSWER", 0),
        (status(502), "unknown", "ERP_NO_ANSWER", 0),
        (status(503), "retry", "ERP_BUSY", 200),
        (status(503, Retry_After="7"), "retry", "ERP_BUSY", 7000),
        (status(429, Retry_After="2"), "retry", "ERP_THROTTLED", 2000),
        (status(429, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), "retry", "ERP_THROTTLED", 1000),
        (status(403), "retry", "ERP_ACCESS", 30_000),
        (status(413), "rejected", "ERP_REFUSED", 0),
        (lambda _: httpx.Response(200, text="<html>"), "unknown", "ERP_NO_ANSWER", 0),
        (lambda _: httpx.Response(200, json=[1]), "unknown", "ERP_NO_ANSWER", 0),
        (lambda _: httpx.Response(200, json={"id": 0}), "unknown", "ERP_NO_ANSWER", 0),
        (error("UserError", ["ORDER_UNKNOWN", "O1", None]), "rejected", "ORDER_UNKNOWN", 0),
        (error("UserError", ["STOCK_SHORT", "M lot L", None]), "retry", "STOCK_SHORT", 60_000),
        (error("UserError", ["LOT_RACE: send again.", "", None]), "retry", "LOT_RACE", 50),
        (error("UserError", ["POSTING_DUPLICATE: send again.", "", None]), "retry", "POSTING_DUPLICATE", 50),
        (error("UserError", ["The value is not valid.", "", {}]), "rejected", "ERP_REFUSED", 0),
        (error("UserError", ["A value", "", {}]), "rejected", "ERP_REFUSED", 0),
        (error("UserWarning", ["n", "Really?", ""]), "rejected", "ERP_WARNING", 0),
        (error("ConcurrencyException", ["x"]), "retry", "ERP_BUSY", 200),
        (error("cannot convert between Weight and Units", ""), "rejected", "ERP_FAULT", 0),
    ],
)
async def test_failures(handler: Handler, result: str, code: str, retry_after_ms: int) -> None:
    answer, _ = await posted(handler)
    assert (answer.result, answer.code, answer.retry_after_ms) == (result, code, retry_after_ms)


async def test_the_request_is_exact_and_leaves_derived_movements_out() -> None:
    answer, erp = await posted(lambda _: ok(BOOKED))
    assert answer == Answer("accepted", "7")
    (call,) = erp.calls
    document, context = call["params"]
    (line,) = document["lines"]
    assert call["method"] == "model.lineledger.document.post"
    assert context == {"company": 5, "language": "en"}
    assert line["quantity"] == {"__class__": "Decimal", "decimal": "-39.873"}
    assert line["posting_date"] == {"__class__": "date", "year": 2026, "month": 1, "day": 16}
    assert [move["material"] for move in line["moves"]] == ["M"]
    assert "float" not in repr({type(v).__name__ for v in line.values()})


async def test_amounts_of_64_bits_keep_every_digit() -> None:
    line = replace(LINE, amount=-(2**63), scale=9, movements=())
    _, erp = await posted(lambda _: ok(BOOKED), line)
    assert erp.calls[0]["params"][0]["lines"][0]["quantity"]["decimal"] == "-9223372036.854775808"


async def test_a_bad_date_is_refused_without_a_call() -> None:
    answer, erp = await posted(lambda _: ok(BOOKED), replace(LINE, document_date="2026-02-30"))
    assert (answer.result, answer.code) == ("rejected", "DOCUMENT_INVALID")
    assert erp.calls == []


async def test_a_session_is_renewed_once() -> None:
    answers = iter([httpx.Response(401), ok(BOOKED)])
    answer, erp = await posted(lambda _: next(answers))
    assert answer.result == "accepted"
    assert erp.logins == 2
    answer, erp = await posted(status(401))
    assert (answer.result, answer.code, erp.logins, len(erp.calls)) == ("retry", "ERP_SESSION", 2, 2)


async def test_details_are_cut_and_secrets_stay_inside(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer, _ = await posted(error("UserError", ["LOT_UNKNOWN", "x" * 5000, {"fields": "y" * 5000}]))
    assert len(answer.detail) == MAX_DETAIL_CHARS
    answer, _ = await posted(raising(httpx.ReadTimeout))
    everything = caplog.text + repr(answer)
    assert "s3cret-word" not in everything
    assert "token1" not in everything


def test_fractions_are_decimals() -> None:
    assert decode('{"a": 0.1, "b": {"__class__": "Decimal", "decimal": "0.30"}}') == {
        "a": Decimal("0.1"), "b": Decimal("0.30"),
    }  # fmt: skip


@pytest.mark.parametrize("error", [None, "text", [], ["UserError"], ["UserError", []], {"x": 1}])
def test_faults_of_no_known_shape_are_refusals(error: Any) -> None:
    failure = fault(error)
    assert (failure.booked, failure.again) == ("no", False)
