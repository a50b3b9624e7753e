"""Adapter for the ERP simulator: JSON over HTTP with OASIS repeatability headers."""

import asyncio
import hashlib
import ssl
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from app.erp.master import MasterChanges
from app.erp.port import (
    NOT_SENT,
    NOT_SENT_DETAIL,
    NOT_SENT_RETRY_MS,
    Answer,
    BookedConfirmation,
    BookedMovement,
    Capabilities,
    Document,
    DocumentLine,
    ErpUnavailable,
)
from app.erp.retry_after import DEFAULT_RETRY_MS, retry_after_ms
from app.erp.simulator.messages import (
    MAX_BODY_BYTES,
    Booked,
    ConfirmationPage,
    FoundPosting,
    MovementPage,
    RefusedCall,
    SentDocument,
    SentLine,
    SentMovement,
)
from app.erp.tls import cause_of
from app.erp.traffic import FIND, MASTER, POST, QUESTION, CountedTransport, Traffic, marked
from app.observability.secrets import Secrets
from schemas.configuration.adapters import ADAPTERS
from tables.delivery.posting_state import DOUBLE
from tables.delivery.scopes import ENDPOINT, LANE, LOAD, scope_of

ORDERS_PER_CALL = 50
MAX_PAGES = 10_000
MAX_PATIENCE_MS = 30_000
MAX_DETAIL = 500
ACCESS_RETRY_MS = 30_000
"""Wrong credentials reject nothing for good: somebody renews them."""
SCOPES = {423: LANE, 429: LOAD, 503: ENDPOINT, 507: ENDPOINT}
"""How far the refusal of a call reaches; a lock (423) as its code says, where that knows more."""
MAX_REMEMBERED = 4096
"""First-sent stamps kept; one that is forgotten (or lost in a crash) starts again, the request id does not."""

Content = TypeVar("Content")
Page = TypeVar("Page", MovementPage, ConfirmationPage)


class SimAdapter:
    """app.erp.port.ErpAdapter on the simulator at `url`.

    `timeout_ms` bounds a call from first to last byte; half of it is for getting a connection. `idempotent` and
    `commit_horizon_ms` are what the simulator was started with, it cannot be asked. `client_id` names this sender in
    the repeatability headers.
    """

    def __init__(
        self,
        url: str,
        token: str,
        timeout_ms: int = 10_000,
        *,
        idempotent: bool = True,
        commit_horizon_ms: int = 0,
        client_id: str = "lineledger",
        concurrency: int = 16,
        verify: ssl.SSLContext | bool = True,
        traffic: Traffic | None = None,
    ) -> None:
        self._capabilities = Capabilities.of(
            ADAPTERS["sim"], timeout_ms, idempotent=idempotent, commit_horizon_ms=commit_horizon_ms
        )
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={b"Authorization": f"Bearer {token}".encode(), b"Repeatability-Client-ID": client_id.encode()},
            timeout=httpx.Timeout(timeout_ms / 1000, connect=timeout_ms / 2000, pool=timeout_ms / 2000),
            transport=CountedTransport(
                httpx.AsyncHTTPTransport(
                    verify=verify,
                    limits=httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency),
                    trust_env=False,
                ),
                traffic or Traffic(Secrets([token])),
            ),
            trust_env=False,
        )
        self._first_sent: OrderedDict[str, str] = OrderedDict()

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

    async def post(self, document: Document) -> Answer:
        try:
            body = msgspec.json.encode(_sent(document))
        except (ValueError, TypeError, OverflowError) as wrong:
            return Answer("rejected", code="DOCUMENT_INVALID", detail=str(wrong)[:MAX_DETAIL])
        if len(body) > MAX_BODY_BYTES:
            return Answer("rejected", code="DOCUMENT_INVALID", detail=f"{len(body)} bytes are too many.")
        headers = {"Content-Type": "application/json", **self._repeatability(document)}
        said = marked(POST, [line.posting_id for line in document.lines])
        answer = await self._call("POST", "/documents", content=body, headers=headers, extensions=said)
        if isinstance(answer, Answer):
            return answer
        if answer.status_code not in (200, 201):
            return _refusal(answer)
        booked = _decoded(answer, Booked)
        if booked is None or not booked.document:
            return Answer("unknown", code="BAD_ANSWER", detail=f"HTTP {answer.status_code} without a document.")
        return Answer("accepted", booked.document, duplicate=booked.duplicate)

    async def find(self, posting_id: str, content_hash: str) -> Answer:
        """As the port says; `unknown` with retry_after_ms when the ERP did not say anything about the posting."""
        answer = await self._call("GET", f"/postings/{quote(posting_id, safe='')}", extensions=marked(FIND))
        if isinstance(answer, Answer):
            return replace(answer, result="unknown")
        if answer.status_code == 404:
            # A 404 of something in between is no statement of the ERP.
            refused = _decoded(answer, RefusedCall)
            if refused is not None and refused.code == "NOT_FOUND":
                return Answer("not_found")
        found = _decoded(answer, FoundPosting) if answer.status_code == 200 else None
        if found is None or not found.documents:
            return replace(_refusal(answer), result="unknown")
        if found.content_hash != content_hash:
            detail = f"{posting_id} is booked in document {found.documents[0]} with other content."
            return Answer("rejected", found.documents[0], code="POSTING_MISMATCH", detail=detail)
        if len(found.documents) > 1:
            detail = f"{posting_id} is in documents {', '.join(found.documents)}"
            return Answer("accepted", found.documents[0], code=DOUBLE, detail=detail)
        return Answer("accepted", found.documents[0])

    async def movements(self, orders: Sequence[str]) -> list[BookedMovement]:
        """As the port says. One question may take several calls: between them it waits as the ERP asks (429), at most
        MAX_PATIENCE_MS in all. Raises ErpUnavailable when the ERP gives no list: a part of it would prove nothing."""
        return [
            BookedMovement(
                m.document, m.posting_id, m.type, m.order, m.material, m.lot, m.location, m.amount, m.scale, m.unit, m.origin
            )
            for page in await self._all("/movements", MovementPage, orders)
            for m in page.movements
        ]

    async def confirmations(self, orders: Sequence[str]) -> list[BookedConfirmation]:
        """As the port says; raises ErpUnavailable as `movements` does."""
        return [
            BookedConfirmation(c.document, c.posting_id, c.order, c.operation, c.kind, c.amount, c.scale, c.unit, c.origin)
            for page in await self._all("/confirmations", ConfirmationPage, orders)
            for c in page.confirmations
        ]

    async def master_data(self, since: str) -> MasterChanges:
        """As the port says; one call has everything."""
        answer = await self._call("GET", "/changes", params={"after": since or "0"}, extensions=marked(MASTER))
        if isinstance(answer, Answer):
            raise ErpUnavailable(answer.code, answer.detail)
        found = _decoded(answer, MasterChanges) if answer.status_code == 200 else None
        if found is None:
            refusal = _refusal(answer)
            raise ErpUnavailable(refusal.code, refusal.detail)
        return found

    async def close(self) -> None:
        await self._client.aclose()

    async def _all(self, path: str, kind: type[Page], orders: Sequence[str]) -> list[Page]:
        wanted = list(dict.fromkeys(orders))
        pages: list[Page] = []
        for start in range(0, len(wanted), ORDERS_PER_CALL):
            pages += await self._all_pages(path, kind, wanted[start : start + ORDERS_PER_CALL])
        return pages

    async def _all_pages(self, path: str, kind: type[Page], orders: Sequence[str]) -> list[Page]:
        pages: list[Page] = []
        after, patience_ms = 0, MAX_PATIENCE_MS
        for _ in range(MAX_PAGES):
            asked = {"order": list(orders), "after": after}
            answer = await self._call("GET", path, params=asked, extensions=marked(QUESTION))
            if isinstance(answer, Answer):
                raise ErpUnavailable(answer.code, answer.detail)
            page = _decoded(answer, kind) if answer.status_code == 200 else None
            if page is None:
                refusal = _refusal(answer)
                wait_ms = max(refusal.retry_after_ms, 1)
                if answer.status_code != 429 or wait_ms > patience_ms:
                    raise ErpUnavailable(refusal.code, refusal.detail)
                patience_ms -= wait_ms
                await asyncio.sleep(wait_ms / 1000)
                continue
            pages.append(page)
            after = page.next
            if not after:
                return pages
        raise ErpUnavailable("BAD_ANSWER", f"More than {MAX_PAGES} pages of {path}.")

    async def _call(self, method: str, path: str, **content: Any) -> httpx.Response | Answer:
        """The ERP's response, or what a call without one means."""
        try:
            # httpx bounds single steps: an answer that trickles in would never time out.
            async with asyncio.timeout(self._capabilities.call_timeout_ms / 1000):
                return await self._client.request(method, path, **content)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            # No connection, so not a byte of the document left.
            return Answer("retry", code="ERP_UNREACHABLE", detail=cause_of(error), retry_after_ms=DEFAULT_RETRY_MS)
        except (httpx.TimeoutException, TimeoutError) as error:
            return Answer("unknown", code="ERP_TIMEOUT", detail=type(error).__name__)
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol):
            return Answer("retry", code=NOT_SENT, detail=NOT_SENT_DETAIL, retry_after_ms=NOT_SENT_RETRY_MS)
        except httpx.RequestError as error:
            return Answer("unknown", code="CONNECTION_LOST", detail=type(error).__name__)

    def _repeatability(self, document: Document) -> Mapping[str, str]:
        """The same id for the same postings, also after a restart: it is made of them."""
        ids = "\n".join(f"{line.posting_id} {line.content_hash}" for line in document.lines)
        request_id = str(uuid.UUID(bytes=hashlib.sha256(ids.encode()).digest()[:16], version=4))
        first_sent = self._first_sent.setdefault(request_id, format_datetime(datetime.now(UTC), usegmt=True))
        if len(self._first_sent) > MAX_REMEMBERED:
            self._first_sent.popitem(last=False)
        return {"Repeatability-Request-ID": request_id, "Repeatability-First-Sent": first_sent}


def _sent(document: Document) -> SentDocument:
    """What travels: nothing but the document. Movements that the ERP derives stay at home. Raises ValueError."""
    content = SentDocument([_sent_line(line) for line in document.lines], document.stock_type)  # type: ignore[arg-type]
    # Encoding does not check; what the ERP would refuse as malformed is told apart from what it refuses as business.
    return msgspec.convert(msgspec.to_builtins(content), SentDocument)


def _sent_line(line: DocumentLine) -> SentLine:
    return SentLine(
        **{name: getattr(line, name) for name in SentLine.__struct_fields__ if name != "movements"},
        movements=[
            SentMovement(m.type, m.material, m.amount, m.scale, m.unit, m.lot, m.location)  # type: ignore[arg-type]
            for m in line.movements
            if not m.derived
        ],
    )


def _refusal(response: httpx.Response) -> Answer:
    """What a response other than success says about the document."""
    status = response.status_code
    body = _decoded(response, RefusedCall)
    code = body.code if body is not None else "ERP_REFUSED" if 400 <= status < 500 else "ERP_ERROR"
    detail = (body.detail if body is not None and body.detail else f"HTTP {status}")[:MAX_DETAIL]
    if status in (401, 403):
        return Answer("retry", code="ERP_ACCESS", detail=detail, retry_after_ms=ACCESS_RETRY_MS)
    if status in SCOPES:
        scope = scope_of("", code) if status == 423 else ""
        return Answer("retry", code=code, detail=detail, retry_after_ms=retry_after_ms(response), scope=scope or SCOPES[status])
    if 400 <= status < 500:
        return Answer("rejected", code=code, detail=detail)
    return Answer("unknown", code=code, detail=detail)


def _decoded(response: httpx.Response, kind: type[Content]) -> Content | None:
    """The body as `kind`, or None: what answers in the ERP's place speaks another language."""
    try:
        return msgspec.json.decode(response.content, type=kind)
    except msgspec.MsgspecError:
        return None
