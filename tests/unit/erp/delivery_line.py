"""Delivery whole, over an ERP that is told how each order behaves: fold, executor and budget on a clock that is moved by hand."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from prometheus_client import CollectorRegistry

from app.erp.budget import Budget
from app.erp.doorway import Doorway
from app.erp.executor import Executor, ExecutorSettings
from app.erp.metrics import ErpMetrics
from app.erp.own_erp import ErpIdentity, OwnErp
from app.erp.port import Answer, BookedMovement, Capabilities, Document, ErpAdapter
from app.erp.quota import QuotaInHand
from app.erp.timebase import SystemTime, wall_clock_us
from schemas.records import QuotaLimit
from tests.unit.erp.executor_bench import FakeTime
from tests.unit.streams.quality_bench import Bench, S, configuration, posting

LATENCY = 0.05
WALL_US = 1_800_000_000_000_000


class LineTime(FakeTime):
    async def settle(self) -> None:
        for _ in range(60):
            await asyncio.sleep(0)


class OrdersErp:
    """`behaviour`: of an order, what its documents meet; seconds and answer. Everything else is accepted after LATENCY."""

    def __init__(self, time: FakeTime, *, idempotent: bool = True) -> None:
        self.time = time
        self.capabilities = Capabilities(idempotent, 0, 30_000)
        self.behaviour: dict[str, tuple[float, Answer]] = {}
        self.refuses: set[str] = set()
        """Posting ids that make every document refused which they are in."""
        self.away: Callable[[], bool] = lambda: False
        self.refusal = Answer("retry", code="ERP_UNREACHABLE", retry_after_ms=1_000)
        """What everybody is told while it is away."""
        self.calls: list[tuple[float, str, tuple[str, ...]]] = []
        """When, post or find, and the orders or posting ids."""
        self.booked: dict[str, str] = {}
        self.running = self.most_running = 0

    async def post(self, document: Document) -> Answer:
        names = [line.posting_id for line in document.lines]
        self.calls.append((self.time.now_ns / 1e9, "post", tuple(names)))
        order = document.lines[0].order
        seconds, answer = self.behaviour.get(order, (LATENCY, Answer("accepted", f"D{len(self.calls)}")))
        if self.away():
            seconds, answer = 0.001, self.refusal
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        await self.time.wait(asyncio.Event(), seconds)
        self.running -= 1
        if answer.result == "accepted" and not self.refuses.isdisjoint(names):
            return Answer("rejected", code="LOT_UNKNOWN")
        if answer.result == "accepted":
            for name in names:
                assert name not in self.booked, "booked twice"
                self.booked[name] = answer.erp_document
        return answer

    async def find(self, posting_id: str, content_hash: str) -> Answer:
        self.calls.append((self.time.now_ns / 1e9, "find", (posting_id,)))
        if self.away():
            return replace(self.refusal, result="unknown")
        await self.time.wait(asyncio.Event(), LATENCY)
        known = self.booked.get(posting_id)
        return Answer("not_found") if known is None else Answer("accepted", known)

    async def movements(self, orders: Sequence[str]) -> list[BookedMovement]:
        return []

    async def close(self) -> None:
        """Nothing is held."""


class DeliveryLine:
    """`live`: an adapter that goes through the doorway, in `time`; None: in the machine's own. `quota`: shorter spans than a
    plant may state."""

    def __init__(
        self,
        *,
        idempotent: bool = True,
        live: Callable[[Doorway], ErpAdapter] | None = None,
        time: LineTime | None = None,
        quota: Sequence[QuotaLimit] = (),
        **endpoint: Any,
    ) -> None:
        stated = {"adapter": "sim", "concurrency": 4, "calls_per_second": 10, "idempotent": idempotent, **endpoint}
        config = configuration(erp={"erp": stated})
        self.time, self.bench = time or LineTime(), Bench(config)
        self.erp = OrdersErp(self.time, idempotent=idempotent)
        clock = self.time if live is None or time is not None else SystemTime()
        self.registry = CollectorRegistry()
        settings = config.erp.erp
        rate, places = settings.calls_per_second, settings.concurrency
        self.budget = Budget(rate, places, QuotaInHand(quota, rate, places) if quota else QuotaInHand.of(settings))
        self.doorway = Doorway(self.budget, clock)
        adapter: Any = live(self.doorway) if live is not None else self.erp
        self.fatal: list[str] = []
        self._inbox: list[Any] = []
        self._names: dict[str, int] = {}
        self.orders: dict[str, str] = {}
        """Posting id -> order."""
        known = {config.hash: config}.__getitem__
        self.executor = Executor(
            adapter,
            self.budget,
            ExecutorSettings(10.0),
            send=self._send,
            peek=self.bench.row,
            configuration=known,
            own=OwnErp(ErpIdentity.of(config.erp, {}), {}, known, lambda plant: config.hash),
            last_good=clock.boottime,
            metrics=ErpMetrics(self.registry),
            time=clock,
            fatal=self.fatal.append,
            wall_us=wall_clock_us if clock is not self.time else lambda: WALL_US + self.time.now_ns // 1_000,
        )
        self.doorway.on_hold = self.executor.held
        self.executor.taken_over(0)
        self.executor.start()

    def fold(self, *records: Any) -> None:
        if records:
            self.executor.accept(0, self.bench.fold(*records))

    def post(self, *orders: str, lines: int = 1, **fields: Any) -> list[str]:
        """Postings that are due, `lines` of each order; returns their ids."""
        made = []
        for order in orders:
            for _ in range(lines):
                n = self._names[order] = self._names.get(order, 0) + 1
                name = f"{order}.{n}"
                made.append(posting(name, **{"order": order, "account": f"{order}/{n:04}", "cut": 1 * S, **fields}))
                self.orders[name] = order
        self.fold(*made)
        return [one.posting_id for one in made]

    async def kill(self) -> None:
        """The process is gone: what it had in hand, and what it was told and has not sent on."""
        tasks = [self.executor._pump, *self.executor._calls]
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.wait([task for task in tasks if task is not None])
        self._inbox.clear()

    def succeed(self, other: "DeliveryLine") -> None:
        """Take over what the other one's fold has committed."""
        self.bench, self.executor._peek = other.bench, other.bench.row
        self.orders, self._names = other.orders, other._names
        self.executor.accept(0, self.bench.crash())

    def clock(self, at: int) -> None:
        self.executor.accept(0, self.bench.clock(at))

    def _send(self, record: Any) -> None:
        if not self._inbox:
            asyncio.get_running_loop().call_soon(self._drain)
        self._inbox.append(record)

    def _drain(self) -> None:
        records, self._inbox = self._inbox, []
        self.fold(*records)

    def calls_of(self, orders: Callable[[str], bool], since: float = 0.0, kind: str = "") -> int:
        return sum(
            at >= since and kind in ("", what) and orders(self.orders.get(names[0], "")) for at, what, names in self.erp.calls
        )

    def erp_accepted(self) -> int:
        return sum(state == "accepted" for state in self.bench.states().values())

    @property
    def seconds(self) -> float:
        return self.time.now_ns / 1e9
