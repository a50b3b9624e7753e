"""Every request of every adapter passes one place: logins, master data and repeated calls have no budget of their own."""

import itertools
import json
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from typing import Any

import httpx
import pytest

from app.erp.budget import Budget
from app.erp.documents import document_for
from app.erp.doorway import CALL, CallPass, Doorway
from app.erp.endpoint import doorway_of
from app.erp.port import ErpUnavailable
from app.erp.traffic import Traffic
from app.erp.tryton.adapter import TrytonAdapter
from app.erp.tryton.rpc import TrytonRpc
from app.observability.secrets import Secrets
from schemas.records import ErpHeld, PostingRow
from tables.delivery.outbox import Dispatch, HeldUntil
from tests.unit.erp.executor_bench import Bench, FakeTime
from tests.unit.streams.quality_bench import Bench as FoldBench
from tests.unit.streams.quality_bench import configuration, posting

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
    import asyncio

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
            budget.started(made.time.now_ns)
            CALL.set(CallPass(lambda: True))
            assert (await made.adapter.post(document())).result == "accepted"
            budget.unused()

    await twice_under(made, twice)
    assert len(made.erp.methods) == 7
    assert min(distances(made.erp.times)) >= 0.25
    assert made.doorway.budget.in_flight == 0


async def twice_under(made: Door, calls: Callable[[], Any]) -> None:
    """Time goes on as far as anything sleeps."""
    import asyncio

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


async def test_a_document_that_waited_and_is_not_wanted_any_more_stays(door: Callable[..., Door]) -> None:
    made = door()
    call = CallPass(lambda: False)

    async def post() -> None:
        CALL.set(call)
        made.doorway.budget.started(made.time.now_ns)
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
    made = doorway_of(configuration(erp={"erp": {"adapter": "sim", "calls_per_second": 3, "concurrency": 2}}))
    assert (made.budget.rate, made.budget.calls) == (3, 2)
