"""A hand-written ERP behind the port and a clock that is moved by hand."""

import asyncio
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from prometheus_client import CollectorRegistry

from app.erp.budget import Budget
from app.erp.executor import Executor, ExecutorSettings
from app.erp.metrics import ErpMetrics
from app.erp.own_erp import ErpIdentity, OwnErp
from app.erp.port import Answer, BookedMovement, Capabilities, Document
from schemas.records import PostingRow
from tests.unit.streams.quality_bench import configuration, posting

SESSION_TIMEOUT = 10.0
CONFIG = configuration(erp={"erp": {"adapter": "sim", "commit_horizon": "20 s"}})


class FakeTime:
    def __init__(self) -> None:
        self.now_ns = 1_000_000_000_000
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def monotonic_ns(self) -> int:
        return self.now_ns

    def boottime(self) -> float:
        return self.now_ns / 1e9

    async def wait(self, event: asyncio.Event, seconds: float | None) -> None:
        timer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if seconds is not None:
            # Rounded up: a sleeper never wakes before its time.
            self._sleepers.append((self.now_ns + int(seconds * 1e9) + 1, timer))
        woken = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait({woken, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
            timer.cancel()
            self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[1] is not timer]

    async def advance(self, seconds: float) -> None:
        """Move on, waking each sleeper at its own time."""
        until = self.now_ns + int(seconds * 1e9)
        await self.settle()
        while due := min((at for at, _ in self._sleepers if at <= until), default=0):
            self.now_ns = max(self.now_ns, due)
            for at, timer in self._sleepers:
                if at <= self.now_ns and not timer.done():
                    timer.set_result(None)
            await self.settle()
        self.now_ns = until

    async def settle(self) -> None:
        """Until every task waits for time or for an answer."""
        for _ in range(25):
            await asyncio.sleep(0)


class FakeErp:
    """Answers from a list, else `accepted`; `gate` holds answers back until it is opened."""

    def __init__(self, time: FakeTime, capabilities: Capabilities) -> None:
        self.time, self.capabilities = time, capabilities
        self.answers: list[Answer | Exception] = []
        self.found: list[Answer] = []
        self.posted: list[tuple[int, Document]] = []
        self.finds: list[int] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = False

    async def post(self, document: Document) -> Answer:
        self.posted.append((self.time.now_ns, document))
        answer = self.answers.pop(0) if self.answers else Answer("accepted", f"D{len(self.posted)}")
        await self.gate.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def find(self, posting_id: str, content_hash: str) -> Answer:
        self.finds.append(self.time.now_ns)
        return self.found.pop(0) if self.found else Answer("not_found")

    async def movements(self, orders: Sequence[str]) -> list[BookedMovement]:
        return []

    async def close(self) -> None:
        self.closed = True


class Bench:
    def __init__(
        self,
        rate: Fraction = Fraction(10),
        concurrency: int = 4,
        *,
        idempotent: bool = True,
        config: Any = CONFIG,
        others: Sequence[Any] = (),
    ) -> None:
        self.time = FakeTime()
        stock_types = frozenset({"unrestricted", "blocked"})
        self.erp = FakeErp(self.time, Capabilities(idempotent, 5_000, 2_000, stock_types))
        self.rows: dict[str, PostingRow] = {}
        self.sent: list[Any] = []
        self.good_at: Callable[[], float] = self.time.boottime
        self.fatal: list[str] = []
        self.closed_until = 0.0
        self.registry = CollectorRegistry()
        self.budget, self.config = Budget(rate, concurrency), config
        known = {one.hash: one for one in (config, *others)}.__getitem__
        self.active = config.hash
        self.executor = Executor(
            self.erp,
            self.budget,
            ExecutorSettings(SESSION_TIMEOUT),
            send=self.sent.append,
            peek=self.rows.get,
            configuration=known,
            own=OwnErp(ErpIdentity.of(config.erp, {}), {}, known, lambda plant: self.active),
            last_good=lambda: self.good_at(),
            maintenance=lambda: max(0.0, self.closed_until - self.time.boottime()),
            metrics=ErpMetrics(self.registry),
            time=self.time,
            fatal=self.fatal.append,
        )
        self.executor.taken_over(0)
        self.executor.start()

    def row(self, name: str, state: str = "dispatched", attempts: int = 1, **fields: Any) -> PostingRow:
        values = {"stock_type": "unrestricted", "configuration": self.config.hash, **fields}
        self.rows[name] = PostingRow(posting(name), state, attempts, **values)
        return self.rows[name]

    def results(self) -> list[tuple[str, str, str]]:
        return [(one.posting_id, one.result, one.code) for one in self.sent]

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, {"endpoint": "erp", **labels}) or 0.0
