"""Every request of every adapter passes one place: logins, master data and repeated calls have no budget of their own."""

import asyncio
import itertools
import json
import random
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from typing import Any

import httpx
import pytest

from app.erp.budget import Budget
from app.erp.documents import document_for
from app.erp.doorway import CALL, CallPass, Doorway, Passage
from app.erp.endpoint import doorway_of
from app.erp.pace import WINDOW_NS
from app.erp.port import ErpUnavailable
from app.erp.sim.adapter import SimAdapter
from app.erp.timebase import SystemTime
from app.erp.traffic import Traffic
from app.erp.tryton.adapter import TrytonAdapter
from app.erp.tryton.rpc import TrytonRpc
from app.observability.secrets import Secrets
from schemas.records import ErpHeld, PostingRow
from tables.delivery.outbox import Dispatch, HeldUntil
from tests.integration.erp.hostile_erp import HostileErp
from tests.unit.erp.delivery_line import DeliveryLine, LineTime
from tests.unit.erp.executor_bench import Bench, FakeTime
from tests.unit.streams.quality_bench import Bench as FoldBench
from tests.unit.streams.quality_bench import S, configuration, posting

BOOKED = {"documents": {"P1": 7}, "duplicate": False}
LIMIT = Fraction(4)


class HttpTryton:
    """Answers by method; `sessions`: how many calls a login is good for."""

    def __init__(self, time: FakeTime, sessions: int = 1_000) -> None:
        self.time, self.sessions, self.left = time, sessions, 0
        self.times: list[int] = []
        self.methods: list[str] = []
        self.throttles: dict[str, str] = {}
        """Method -> Retry-After of its next call; empty: none is named."""

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        method = json.loads(request.content)["method"]
        self.times.append(self.time.now_ns)
        self.methods.append(method)
        if method in self.throttles:
            after = self.throttles.pop(method)
            return httpx.Response(429, headers={"Retry-After": after} if after else {})
        if method == "common.db.login":
            self.left = self.sessions
            return httpx.Response(200, json={"result": [1, "token", None]})
        if method.endswith("get_preferences"):
            return httpx.Response(200, json={"result": {"company": 1}})
        if self.left <= 0:
            return httpx.Response(401)
        self.left -= 1
        return httpx.Response(200, json={"result": BOOKED if method.endswith("post") else []})


class Door:
    def __init__(self, sessions: int = 1_000) -> None:
        self.time = FakeTime()
        self.erp = HttpTryton(self.time, sessions)
        self.doorway = Doorway(Budget(LIMIT, 4), self.time)
        self.held: list[int] = []
        self.doorway.on_hold = lambda: self.held.append(self.doorway.budget.held_until)
        rpc = TrytonRpc(
            "http://erp", "db", "anna", "secret",
            transport=httpx.MockTransport(self.erp), traffic=Traffic(Secrets(["secret"]), doorway=self.doorway),
        )  # fmt: skip
        self.adapter = TrytonAdapter(rpc)


@pytest.fixture
async def door() -> AsyncIterator[Callable[..., Door]]:
    doors: list[Door] = []

    def make(*args: Any) -> Door:
        doors.append(Door(*args))
        return doors[-1]

    yield make
    for one in doors:
        await one.adapter.close()


def document(name: str = "P1") -> Any:
    return document_for([PostingRow(posting(name), "dispatched", 1, stock_type="unrestricted")], configuration())


async def passed(door: Door, calls: Any, seconds: float) -> Any:
    """The result of something that waits for its turn, while time goes on."""
    task = asyncio.ensure_future(calls)
    await door.time.advance(seconds)
    assert task.done()
    return await task


def distances(times: list[int]) -> list[float]:
    return [(later - earlier) / 1e9 for earlier, later in itertools.pairwise(times)]


async def test_a_login_and_its_repeated_call_wait_for_their_turn(door: Callable[..., Door]) -> None:
    """One posting after an expired session was six requests at once."""
    made = door(1)

    async def twice() -> None:
        for _ in range(2):
            budget, now = made.doorway.budget, made.time.now_ns
            await made.time.advance((budget.wait_ns(now) or 0) / 1e9)
            CALL.set(CallPass(lambda: True, budget.started(made.time.now_ns)))
            assert (await made.adapter.post(document())).result == "accepted"
            budget.unused()

    await twice_under(made, twice)
    assert len(made.erp.methods) == 7
    assert min(distances(made.erp.times)) >= 0.25
    assert made.doorway.budget.in_flight == 0


async def twice_under(made: Door, calls: Callable[[], Any]) -> None:
    """Time goes on as far as anything sleeps."""
    task = asyncio.ensure_future(calls())
    while not task.done():
        await made.time.settle()
        due = min((at for at, _ in made.time._sleepers), default=0)
        if due:
            await made.time.advance((due - made.time.now_ns) / 1e9)
    await task


async def test_pulls_of_master_data_wait_like_everything_else(door: Callable[..., Door]) -> None:
    made = door()

    async def pulls() -> None:
        for _ in range(3):
            with pytest.raises(TypeError):  # the fake's answer is no list of changes; that it was asked is what counts
                await made.adapter.master_data("")

    await twice_under(made, pulls)
    assert made.erp.methods[0] == "common.db.login"
    assert len(made.erp.methods) == 5
    assert min(distances(made.erp.times)) >= 0.25


@pytest.mark.parametrize(("after", "seconds"), [("7", 7), ("1", 1), ("30", 30), ("", 1)])
@pytest.mark.parametrize("method", ["common.db.login", "model.lineledger.master.changes"])
async def test_retry_after_of_any_call_holds_for_all(door: Callable[..., Door], method: str, after: str, seconds: int) -> None:
    made = door()
    made.erp.throttles[method] = after

    async def pull() -> None:
        with pytest.raises(ErpUnavailable):
            await made.adapter.master_data("")

    await twice_under(made, pull)
    told = made.erp.times[-1]
    assert made.doorway.budget.wait_ns(told) == seconds * 1_000_000_000
    assert made.held == [told + seconds * 1_000_000_000]


async def test_a_call_whose_place_others_took_while_it_stalled_waits(door: Callable[..., Door]) -> None:
    made = door()
    call, times = CallPass(lambda: True, made.doorway.budget.started(made.time.now_ns)), list[int]()
    made.time.now_ns += 2 * WINDOW_NS

    async def requests() -> None:
        for n in range(5):
            CALL.set(call if n == 4 else None)
            passage = await made.doorway.let_out(document=True)
            times.append(made.time.now_ns)
            made.doorway.gone(passage)
            made.doorway.came_back(passage, httpx.Response(200))

    await twice_under(made, requests)
    assert times[4] - times[0] >= WINDOW_NS > times[3] - times[0]


async def test_a_document_that_waited_and_is_not_wanted_any_more_stays(door: Callable[..., Door]) -> None:
    made = door()
    call = CallPass(lambda: False, made.doorway.budget.started(made.time.now_ns))

    async def post() -> None:
        CALL.set(call)
        await made.adapter.post(document())

    await twice_under(made, post)
    assert call.withheld
    assert not any(method.endswith("document.post") for method in made.erp.methods)


async def test_an_outsider_gets_its_turn_while_the_executor_has_a_backlog(door: Callable[..., Door]) -> None:
    made = door()
    budget = made.doorway.budget
    made.doorway.budget.outsiders += 1
    now = made.time.now_ns
    assert budget.wait_ns(now) == budget.interval_ns
    assert budget.outsider_wait_ns(now, own_place=True) == 0


async def test_what_the_erp_asked_for_is_in_the_log_and_holds_for_a_successor() -> None:
    fold, bench = FoldBench(configuration()), Bench()
    bench.executor.held()
    assert bench.sent == [], "the pause of a take-over concerns nobody else"
    bench.budget.hold(bench.time.now_ns + 20_000_000_000)
    bench.executor.held()
    bench.executor.held()
    (held,) = bench.sent
    assert isinstance(held, ErpHeld)
    fold.fold(held, ErpHeld(held.until - 5_000_000))
    assert fold.crash() == [HeldUntil(held.until)]
    await bench.executor.close()
    successor = Bench()
    successor.row("P1")
    successor.executor.accept(0, [*fold.taken(), HeldUntil(held.until), Dispatch("P1", 1)])
    await successor.time.advance(19.5)
    assert successor.erp.posted == []
    await successor.time.advance(1.5)
    assert len(successor.erp.posted) == 1
    await successor.executor.close()


def test_all_adapters_of_a_process_share_the_doorway() -> None:
    stated = {"adapter": "sim", "calls_per_second": 3, "concurrency": 2}
    made = doorway_of(configuration(erp={"erp": stated}))
    assert (made.budget.rate, made.budget.calls, made.budget.quota) == (3, 2, None)
    assert doorway_of(configuration(erp={"erp": {**stated, "quota": {"calls": 9}}})).budget.quota is not None


MS = 1_000_000


class StallingTime(LineTime):
    """With `stalls`, it may jump at every switch between tasks: the process had no CPU."""

    def __init__(self, seed: int, stalls: float) -> None:
        super().__init__()
        self.chance, self.stalls = random.Random(seed), stalls

    async def settle(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0)
            if self.chance.random() < self.stalls:
                self.now_ns += int(self.chance.expovariate(1 / 150) * MS)


class LoggingErp(httpx.AsyncBaseTransport):
    """Logs a request up to 30 ms after its bytes have left, and answers within 20 ms. `deaf`: it stalls, too, and logs then.
    Documents of orders that begin with D get no answer."""

    def __init__(self, time: StallingTime, deaf: bool) -> None:
        self.time, self.deaf = time, deaf
        self.log: list[int] = []
        self.dead = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        chance = self.time.chance
        for _ in range(chance.randrange(6)):  # a place in the pool, a connection
            await asyncio.sleep(0)
        at = self.time.now_ns + chance.randrange(30 * MS)
        if self.deaf and at % (3 * WINDOW_NS) < 600 * MS:
            at += 600 * MS - at % (3 * WINDOW_NS)
        self.log.append(at)
        await asyncio.sleep(0)
        if (traced := request.extensions.get("trace")) is not None:
            await traced("http11.send_request_body.complete", {})
        if b'"order":"D' in await request.aread():
            self.dead += 1
            await self.time.wait(asyncio.Event(), 5)
            raise httpx.ReadTimeout("")
        answered = at + chance.randrange(5 * MS, 20 * MS)
        while (left := answered - self.time.now_ns) > 0:
            await self.time.wait(asyncio.Event(), left / 1e9)
        if request.url.path.startswith("/postings"):
            return httpx.Response(404, json={"code": "NOT_FOUND", "detail": ""})
        return httpx.Response(201, json={"document": f"D{len(self.log)}", "duplicate": False})


async def logged_under_backlog(erp: LoggingErp, limit: int, seconds: int, dead: int = 0) -> list[int]:
    """When the ERP logged the requests of a delivery with a backlog and of pulls of master data beside it. `dead`: orders that
    come first and get no answer."""
    time = erp.time

    def adapter(doorway: Doorway) -> SimAdapter:
        made = SimAdapter("http://erp", "secret", traffic=Traffic(Secrets(["secret"]), doorway=doorway))
        made._client._transport._inner = erp  # type: ignore[attr-defined]
        return made

    line = DeliveryLine(live=adapter, time=time, lines_per_document=1, concurrency=32, calls_per_second=limit)
    line.clock(10 * S)
    line.post(*(f"D{n}" for n in range(dead)), lines=10)
    line.post(*(f"G{n}" for n in range(64)), lines=2 + 2 * limit * seconds // 64)
    pulling, pulls = adapter(line.doorway), set[asyncio.Task[Any]]()
    ends = time.now_ns + seconds * WINDOW_NS
    while time.now_ns < ends:
        pulls.add(asyncio.ensure_future(pulling._client.get("/changes")))
        await time.advance(1)
    closing = asyncio.ensure_future(line.executor.close())
    await time.advance(5)
    await closing
    for pull in pulls:
        pull.cancel()
    await asyncio.gather(*pulls, return_exceptions=True)
    await pulling.close()
    assert line.fatal == []
    return sorted(erp.log)


def most_in_a_second(times: list[int]) -> int:
    return max((bisect_left(times, first + WINDOW_NS) - at for at, first in enumerate(times)), default=0)


async def test_a_real_transport_tells_when_the_bytes_are_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Passage] = []
    monkeypatch.setattr(Doorway, "gone", lambda self, passage: told.append(passage))
    async with HostileErp("reset", at_login=False).listening() as erp:
        doorway = Doorway(Budget(Fraction(50), 4), SystemTime())
        traffic = Traffic(Secrets(["secret"]), doorway=doorway)
        adapter = SimAdapter(f"http://127.0.0.1:{erp.port}", "secret", traffic=traffic)
        await adapter.post(document())
        await adapter.find("P1", "h")
        await adapter.close()
    assert len(told) == erp.calls == 2


@pytest.mark.parametrize("deaf", [False, True], ids=["it stalls", "the ERP stalls, too"])
@pytest.mark.parametrize(("limit", "seconds"), [(2, 20), (10, 8), (50, 4), (200, 2)])
@pytest.mark.parametrize("seed", range(2))
async def test_wherever_the_process_stalls_no_second_of_the_erps_log_has_more(
    limit: int, seconds: int, seed: int, deaf: bool
) -> None:
    erp = LoggingErp(StallingTime(seed, min(0.02, 0.2 / limit)), deaf)
    logged = await logged_under_backlog(erp, limit, seconds)
    assert most_in_a_second(logged) <= limit
    assert len(logged) >= limit * seconds // 4


@pytest.mark.parametrize(("limit", "seconds"), [(2, 20), (10, 8), (50, 4), (200, 2)])
async def test_where_nothing_stalls_nine_tenths_are_used(limit: int, seconds: int) -> None:
    logged = await logged_under_backlog(LoggingErp(StallingTime(limit, 0), deaf=False), limit, seconds)
    assert most_in_a_second(logged) <= limit
    used = (len(logged) - 1) * WINDOW_NS / (logged[-1] - logged[0]) / limit
    assert used >= 0.9, f"{used:.1%} of {limit}/s"


@pytest.mark.parametrize(("limit", "seconds"), [(2, 60), (10, 40)])
async def test_who_gets_no_answer_holds_up_nobody_for_long(limit: int, seconds: int) -> None:
    erp = LoggingErp(StallingTime(limit, 0), deaf=False)
    logged = await logged_under_backlog(erp, limit, seconds, dead=8)
    assert most_in_a_second(logged) <= limit
    assert erp.dead > 8
    late = sum(at > logged[-1] - 20 * WINDOW_NS for at in logged)
    assert late >= 0.9 * limit * 20 - 1
