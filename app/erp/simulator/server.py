"""The HTTP side of the simulator: who may call, what is recorded, when it misbehaves, and how it answers."""

import asyncio
import contextlib
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from sqlite3 import Connection
from typing import Any

import msgspec
from aiohttp import web

from app.erp.master import MasterChanges
from app.erp.simulator import records
from app.erp.simulator.answers import BOOKED_FIRST, ODD_ANSWERS, answered, body_of, number_of, odd_answer, refused, shown
from app.erp.simulator.booking import lots_made
from app.erp.simulator.faults import FaultRule, Faults, Misbehaving, Misbehaviour, Operation, Subject
from app.erp.simulator.messages import MAX_BODY_BYTES, Booked, Foreign, Master, RecordedRequest, SentDocument
from app.erp.simulator.store import Store
from tables.refusal import Refusal

MAX_LATE_COMMITS = 1000
MAX_ORDERS_PER_QUERY = 200
SECRET_HEADERS = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"x-csrf-token"})


@dataclass(slots=True, frozen=True)
class SimSettings:
    """`token`: what callers present as `Authorization: Bearer ...`, on every path but /health."""

    store: Path
    token: str
    ways: records.Ways
    faults: Faults


class Simulator:
    """One simulated ERP. `application()` gives what aiohttp serves."""

    def __init__(self, settings: SimSettings) -> None:
        self._settings = settings
        self._store = Store(settings.store)
        self._master = self._store.now(records.stored_master)
        self._misbehaving = Misbehaving(settings.faults, time.monotonic())
        self._calls = 0
        self._late: set[asyncio.Task[object]] = set()
        self._stopping = asyncio.Event()

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._guarded], client_max_size=MAX_BODY_BYTES)
        app.add_routes(
            [
                web.get("/health", self._health),
                web.post("/documents", self._recorded("post", self._post)),
                web.get("/postings/{id}", self._recorded("find", self._find)),
                web.get("/movements", self._recorded("movements", self._listing(records.movements))),
                web.get("/confirmations", self._recorded("movements", self._listing(records.confirmations))),
                web.get("/changes", self._recorded("movements", self._changes)),
                web.get("/requests", self._requests),
                web.get("/control/statistics", self._statistics),
                web.post("/control/master", self._add_master),
                web.post("/control/changes", self._plan),
                web.post("/control/foreign", self._foreign),
                web.post("/control/faults", self._set_faults),
                web.post("/control/rules", self._add_rule),
            ]
        )
        app.cleanup_ctx.append(self._running)
        app.on_shutdown.append(self._stop)
        return app

    async def _running(self, _: web.Application) -> AsyncIterator[None]:
        writer = asyncio.create_task(self._store.run())
        yield
        for task in (*self._late, writer):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._store.close()

    async def _stop(self, _: web.Application) -> None:
        self._stopping.set()

    # Who may call

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if request.path != "/health" and not hmac.compare_digest(given, f"Bearer {self._settings.token}".encode()):
            return refused(401, "ERP_ACCESS", "A valid bearer token is required.")
        try:
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            return refused(413, "DOCUMENT_INVALID", f"The body exceeds {MAX_BODY_BYTES} bytes.")
        except web.HTTPException as error:
            return refused(error.status, "BAD_REQUEST", error.reason)
        except msgspec.MsgspecError as error:
            return refused(400, "DOCUMENT_INVALID", str(error)[:500])

    # What an ERP is asked

    def _recorded(
        self, operation: Operation, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """`handler` behind the recording, the budget and the slowness of this ERP."""

        async def recorded(request: web.Request) -> web.StreamResponse:
            call = RecordedRequest(
                id=0,
                received_at=time.time_ns() // 1000,
                method=request.method,
                target=request.raw_path.encode("utf-8", "surrogateescape").decode("latin-1"),
                headers=[
                    (name.decode("latin-1"), "removed" if name.lower() in SECRET_HEADERS else value.decode("latin-1"))
                    for name, value in request.raw_headers
                ],
                body=await request.read(),
            )
            kept = await self._store.do(lambda db: records.record(db, call))
            if isinstance(kept, Refusal):
                return answered(kept)
            now = time.monotonic()
            outage = self._misbehaving.outage(now)
            if outage is not None:
                return await self._unanswered(request, outage)
            early_ms = self._misbehaving.throttled_ms(now)
            if early_ms:
                return refused(429, "ERP_THROTTLED", "Too many calls.", early_ms)
            self._calls += 1
            await asyncio.sleep(self._misbehaving.latency_ms(self._calls) / 1000)
            return await handler(request)

        recorded.__name__ = f"{operation}_recorded"
        return recorded

    async def _post(self, request: web.Request) -> web.StreamResponse:
        document = await body_of(request, SentDocument)
        wrong = self._misbehaving.of(
            "post", [Subject(line.order, line.material, line.kind, line.posting_id) for line in document.lines]
        )
        action = "" if wrong is None else wrong.action
        if wrong is not None and action == "late_commit":
            if len(self._late) >= MAX_LATE_COMMITS:
                return refused(503, "ERP_BUSY", "Too many late commits are waiting.", self._retry_after_ms())
            late = asyncio.create_task(self._book_late(document, wrong.delay_ms))
            self._late.add(late)
            late.add_done_callback(self._late.discard)
        if wrong is not None and action not in BOOKED_FIRST:
            return await self._unanswered(request, wrong)
        outcome = await self._book(document, again=action == "second_document")
        if wrong is not None and action in ODD_ANSWERS and isinstance(outcome, Booked):
            return await odd_answer(request, wrong, outcome)
        if wrong is not None and action in BOOKED_FIRST - ODD_ANSWERS:
            return await self._unanswered(request, wrong)
        return answered(outcome)

    async def _find(self, request: web.Request) -> web.Response:
        posting_id = request.match_info["id"]
        wrong = self._misbehaving.of("find", [Subject(posting_id=posting_id)])
        if wrong is not None:
            return await self._unanswered(request, wrong)
        found = await self._store.do(lambda db: records.find(db, posting_id))
        if self._misbehaving.hides(posting_id, time.monotonic()):
            found = None
        return refused(404, "NOT_FOUND", "") if found is None else shown(found)

    def _listing(self, page: Callable[[Connection, Sequence[str], int], Any]) -> Callable[[web.Request], Awaitable[web.Response]]:
        """A handler that shows what `page` reads of the orders that are asked for."""

        async def listing(request: web.Request) -> web.Response:
            orders = request.query.getall("order", [])
            if not 0 < len(orders) <= MAX_ORDERS_PER_QUERY:
                return refused(400, "BAD_REQUEST", f"Ask for 1 to {MAX_ORDERS_PER_QUERY} orders.")
            wrong = self._misbehaving.of("movements", [Subject(order=order) for order in orders])
            if wrong is not None:
                return await self._unanswered(request, wrong)
            after = number_of(request, "after")
            return shown(await self._store.do(lambda db: page(db, orders, after)))

        return listing

    async def _changes(self, request: web.Request) -> web.Response:
        after = number_of(request, "after")
        return shown(await self._store.do(lambda db: records.changes(db, after)))

    # How it books and fails

    async def _book(self, document: SentDocument, *, again: bool = False) -> Booked | Refusal:
        """`again`: and once more, under a second document."""
        ways = self._settings.ways
        outcome: Booked | Refusal = await self._store.do(lambda db: records.book(db, document, self._master, ways))
        if isinstance(outcome, Booked):
            self._master.lots |= lots_made(document.lines)
            self._misbehaving.booked([line.posting_id for line in document.lines], time.monotonic())
            if again:
                forgetful = replace(ways, idempotent=False)
                await self._store.do(lambda db: records.book(db, document, self._master, forgetful))
        return outcome

    async def _book_late(self, document: SentDocument, delay_ms: int) -> None:
        await asyncio.sleep(delay_ms / 1000)
        await self._book(document)

    async def _unanswered(self, request: web.Request, wrong: Misbehaviour) -> web.Response:
        """Everything but the answer that the caller hopes for."""
        match wrong.action:
            case "unavailable":
                return refused(503, wrong.code or "ERP_BUSY", "The ERP is not available.", self._retry_after_ms())
            case "throttled":
                return refused(429, wrong.code or "ERP_THROTTLED", "Too many calls.", self._retry_after_ms())
            case "throttled_silently":
                return refused(429, wrong.code or "ERP_THROTTLED", "Too many calls.")
            case "locked":
                return refused(423, wrong.code or "ERP_BUSY", "Try again.", self._retry_after_ms())
            case "reject":
                return refused(422, wrong.code or "ERP_REFUSED", "Refused by rule.")
            case "error_in_answer":
                return refused(200, wrong.code or "ERP_ERROR", "Something went wrong.")
            case "error_after":
                return refused(500, "ERP_ERROR", "Something went wrong.")
            case "disconnect_before" | "disconnect_after":
                pass
            case _:
                await self._hang(request)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _hang(self, request: web.Request) -> None:
        """Keep the connection without a word, until the caller leaves, the server stops or hang_ms are over."""
        until = time.monotonic() + self._misbehaving.faults.hang_ms / 1000
        while request.transport is not None and not request.transport.is_closing() and time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), 0.05)
                return

    def _retry_after_ms(self) -> int:
        return self._misbehaving.faults.retry_after_ms

    # What a test asks

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def _requests(self, request: web.Request) -> web.Response:
        after = number_of(request, "after")
        return shown(await self._store.do(lambda db: records.requests(db, after)))

    async def _statistics(self, _: web.Request) -> web.Response:
        return shown(await self._store.do(lambda db: records.statistics(db, len(self._late))))

    async def _add_master(self, request: web.Request) -> web.Response:
        master = await body_of(request, Master)
        refusal = self._master.add(master)
        if refusal is not None:
            return answered(refusal)
        await self._store.do(lambda db: records.keep_master(db, master))
        return web.json_response({})

    async def _plan(self, request: web.Request) -> web.Response:
        planned = await body_of(request, MasterChanges)
        await self._store.do(lambda db: records.keep_changes(db, planned))
        return web.json_response({})

    async def _foreign(self, request: web.Request) -> web.Response:
        foreign = await body_of(request, Foreign)
        return answered(await self._store.do(lambda db: records.book_foreign(db, foreign)))

    async def _set_faults(self, request: web.Request) -> web.Response:
        self._misbehaving = Misbehaving(await body_of(request, Faults), time.monotonic())
        return web.json_response({})

    async def _add_rule(self, request: web.Request) -> web.Response:
        if not self._misbehaving.add(await body_of(request, FaultRule)):
            return refused(422, "TOO_MANY_RULES", "Set the faults anew first.")
        return web.json_response({})
