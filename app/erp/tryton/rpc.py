"""Tryton's JSON-RPC over httpx: sessions, exact decimals, and what each failure says about the transaction behind it."""

import asyncio
import base64
import datetime
import itertools
import json
import re
import ssl
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from app.erp.port import NOT_SENT, NOT_SENT_DETAIL, NOT_SENT_RETRY_MS
from app.erp.retry_after import retry_after_ms
from app.erp.tls import cause_of
from app.erp.traffic import LOGIN, OTHER, CountedTransport, Traffic, marked
from app.observability.secrets import Secrets
from tables.delivery.scopes import ENDPOINT, LANE

MAX_DETAIL_CHARS = 500
"""Domain errors of Tryton carry kilobytes of field descriptions."""
MAX_ANSWER_BYTES = 64 << 20
LOGIN_RETRY_MS = 30_000
BUSY_RETRY_MS = 200
_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+(?=:|$)")


@dataclass(slots=True)
class Failure(Exception):
    """A call without a result.

    booked: no       the transaction behind the call is not committed (refused, rolled back, never sent)
            unknown  it may be committed, now or later
    again: True when the same call may succeed later; `retry_after_ms` says when to try.
    scope: how far it reaches (tables/delivery/scopes.py); empty: as the code says.
    """

    booked: str
    again: bool
    code: str
    detail: str = ""
    retry_after_ms: int = 0
    scope: str = ""


def refused(code: str, detail: str) -> Failure:
    return Failure("no", False, code, cut(detail))


def later(code: str, detail: str, retry_after_ms: int, scope: str = "") -> Failure:
    return Failure("no", True, code, cut(detail), retry_after_ms, scope)


def unknown(detail: str) -> Failure:
    return Failure("unknown", True, "ERP_NO_ANSWER", cut(detail))


def cut(text: str) -> str:
    return text if len(text) <= MAX_DETAIL_CHARS else text[: MAX_DETAIL_CHARS - 3] + "..."


def encode(value: Any) -> dict[str, Any]:
    """`default` of json.dumps: Decimal and date as Tryton writes them. A float never gets here by design of json, so
    callers give quantities as Decimal."""
    if isinstance(value, Decimal):
        return {"__class__": "Decimal", "decimal": str(value)}
    if isinstance(value, datetime.date):
        return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}
    raise TypeError(f"{type(value).__name__} does not travel to Tryton")


def _object(value: dict[str, Any]) -> Any:
    match value.get("__class__"):
        case "Decimal":
            return Decimal(value["decimal"])
        case "date":
            return datetime.date(value["year"], value["month"], value["day"])
    return value


def decode(text: str) -> Any:
    """The JSON of an answer; numbers with a fraction are Decimal. Raises ValueError."""
    return json.loads(text, object_hook=_object, parse_float=Decimal)


def fault(error: Any) -> Failure:
    """Failure for the `error` of an answer (the transaction was rolled back). Only the class of the error and codes in
    front of its message count: Tryton's texts differ with database and language."""
    kind, args = (error[0], error[1]) if isinstance(error, list) and len(error) == 2 else ("", error)
    texts = [str(part) for part in args[:2] if part] if isinstance(args, list) else [str(args)]
    message = texts[0] if texts else ""
    detail = " ".join(texts[1:]) or message
    if kind == "UserError":
        match = _CODE.match(message)
        if match is None:
            return refused("ERP_REFUSED", " ".join(texts))
        return refused(match[0], detail)
    if kind == "UserWarning":
        return refused("ERP_WARNING", " ".join(texts))
    if kind == "LoginException":
        return later("ERP_LOGIN_REFUSED", "the ERP wants another login", LOGIN_RETRY_MS)
    if kind == "ConcurrencyException":
        return later("ERP_BUSY", "another transaction changed the same record", BUSY_RETRY_MS, LANE)
    return refused("ERP_FAULT", f"{kind} {detail}".strip())


class TrytonRpc:
    """Calls of one user to one database. Concurrent calls are allowed; the session is shared and renewed on 401."""

    def __init__(
        self,
        url: str,
        database: str,
        user: str,
        password: str,
        *,
        call_timeout_ms: int = 10_000,
        connections: int = 8,
        verify: ssl.SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        """`url`: scheme, host, port. `transport`: for tests of failures that no real server can be asked for. `traffic`: where
        requests are told."""
        self._user, self._password = user, password
        self._path = f"/{database}/rpc/"
        self._timeout_s = call_timeout_ms / 1000
        self._http = httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(self._timeout_s, connect=min(5.0, self._timeout_s)),
            transport=CountedTransport(
                transport
                or httpx.AsyncHTTPTransport(verify=verify, limits=httpx.Limits(max_connections=connections), trust_env=False),
                traffic or Traffic(Secrets([password])),
            ),
            trust_env=False,
        )
        self._ids = itertools.count(1)
        self._session = ""
        self._context: dict[str, Any] = {}
        self._login_lock = asyncio.Lock()

    async def call(
        self, model: str, method: str, *params: Any, context: dict[str, Any] | None = None, mark: dict[str, Any] | None = None
    ) -> Any:
        """Result of `model.<model>.<method>`. Raises Failure. A refused session is renewed once: it was refused before
        any transaction began. `mark`: what the call is for (app.erp.traffic)."""
        for attempt in (1, 2):
            session = await self._logged_in()
            try:
                full = {**self._context, **(context or {})}
                return await self._send(f"model.{model}.{method}", [*params, full], session, mark or marked(OTHER))
            except Failure as failure:
                if failure.code != "ERP_SESSION" or attempt == 2:
                    raise
                if self._session == session:
                    self._session = ""
        raise AssertionError("the second attempt returns or raises")

    async def version(self) -> str:
        """Series of the server, e.g. `8.2`: its readiness. Needs no login. Raises Failure."""
        return str(await self._send("common.server.version", [], "", marked(LOGIN), path="/rpc/"))

    async def close(self) -> None:
        await self._http.aclose()

    async def _logged_in(self) -> str:
        async with self._login_lock:
            if not self._session:
                login = await self._login()
                token = base64.b64encode(f"{self._user}:{login[0]}:{login[1]}".encode()).decode()
                preferences = await self._send("model.res.user.get_preferences", [True, {}], token, marked(LOGIN))
                self._context = {k: v for k, v in preferences.items() if k in ("company", "language", "employee")}
                self._session = token
            return self._session

    async def _login(self) -> list[Any]:
        wrong = later("ERP_LOGIN_REFUSED", f"user {self._user}", LOGIN_RETRY_MS)
        try:
            login = await self._send("common.db.login", [self._user, {"password": self._password}, "en"], "", marked(LOGIN))
        except Failure as failure:
            if failure.code == "ERP_SESSION":
                raise wrong from failure
            raise
        if not isinstance(login, list) or len(login) < 2:
            raise wrong
        return login

    async def _send(self, method: str, params: list[Any], session: str, mark: dict[str, Any], path: str = "") -> Any:
        body = json.dumps({"id": next(self._ids), "method": method, "params": params}, default=encode)
        headers = {"Content-Type": "application/json"}
        if session:
            headers["Authorization"] = f"Session {session}"
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._http.post(path or self._path, content=body, headers=headers, extensions=mark)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise later("ERP_UNREACHABLE", cause_of(error), 1000) from error
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
            raise later(NOT_SENT, NOT_SENT_DETAIL, NOT_SENT_RETRY_MS) from error
        except (TimeoutError, httpx.TransportError) as error:
            raise unknown(f"{type(error).__name__} in {method}") from error
        _check_status(answer)
        if len(answer.content) > MAX_ANSWER_BYTES:
            raise unknown(f"{len(answer.content)} bytes of answer to {method}")
        try:
            content = decode(answer.text)
        except ValueError as error:
            raise unknown(f"no JSON in answer to {method}") from error
        if not isinstance(content, dict) or ("result" not in content and "error" not in content):
            raise unknown(f"neither result nor error in answer to {method}")
        if content.get("error") is not None:
            raise fault(content["error"])
        return content["result"]


def _check_status(answer: httpx.Response) -> None:
    status = answer.status_code
    if status == 200:
        return
    after_ms = retry_after_ms(answer) if "Retry-After" in answer.headers else 0
    if status == 401:
        raise later("ERP_SESSION", "the session is not known (any more)", LOGIN_RETRY_MS)
    if status == 429:
        raise later("ERP_THROTTLED", "too many calls", after_ms or 1000)
    if status == 503 and not after_ms:
        # Tryton's own: it found the rows of the order locked, again and again. It names no time; a proxy before it does.
        raise later("ERP_BUSY", "a lock in the database", BUSY_RETRY_MS, LANE)
    if status == 503:
        raise later("ERP_BUSY", "HTTP 503", after_ms, ENDPOINT)
    if status in (403, 404):
        # Set-up, not content (module or rights missing): no posting is lost over it.
        raise later("ERP_ACCESS", f"HTTP {status}", LOGIN_RETRY_MS)
    if 400 <= status < 500:
        raise refused("ERP_REFUSED", f"HTTP {status}")
    raise unknown(f"HTTP {status}")
