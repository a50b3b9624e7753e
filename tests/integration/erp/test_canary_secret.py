"""A canary in place of the ERP's password, through every failure of every adapter: it is in nothing that leaves the process."""

import asyncio
import contextlib
import io
import logging
import sys
import threading
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from app.erp.adapters import adapter_for
from app.erp.budget import Budget
from app.erp.canary import find_leaks
from app.erp.executor import Executor, ExecutorSettings
from app.erp.master_poller import MasterPoller
from app.erp.metrics import ErpMetrics
from app.erp.own_erp import ErpIdentity, OwnErp
from app.erp.port import ErpAdapter, ErpUnavailable
from app.observability import logs
from app.observability.secrets import Secrets
from schemas.codec import Codec
from schemas.records import AttemptEnded, PostingRow
from tables.delivery.outbox import Dispatch, ReadBack
from tests.integration.erp.hostile_erp import FAILURES, HostileErp
from tests.unit.streams.quality_bench import configuration, posting

CANARY = "canary-of-the-erp-password-4711"
ENVIRON = {"ERP_BRN1": CANARY}
PATIENCE_S = 10.0


class Hurried(Budget):
    """No pause after a take-over: each case has an executor of its own."""

    def pause(self, now: int) -> None:
        """Nobody called before."""


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook, logging.raiseExceptions)
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    stream = io.StringIO()
    logs.start(Secrets.of(ENVIRON, named=["ERP_BRN1"]), stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook, logging.raiseExceptions = hooks
    logging.captureWarnings(False)
    structlog.reset_defaults()


def endpoint(adapter: str, port: int, failure: str) -> dict[str, Any]:
    scheme = "https" if failure == "no tls" else "http"
    path = "anna@127.0.0.1:{}/plant" if adapter == "tryton" else "127.0.0.1:{}"
    return {
        "adapter": adapter,
        "url": f"{scheme}://{path.format(port)}",
        "secret": "erp-brn1",
        "timeout": "1 s" if failure in ("silent", "no tls") else "5 s",
    }


async def attempts(adapter: ErpAdapter, config: Any) -> tuple[list[Any], str]:
    """What the executor tells of a posting and of a read-back, and its metrics."""
    registry, sent = CollectorRegistry(), []  # type: ignore[var-annotated]
    common = {"stock_type": "unrestricted", "configuration": config.hash}
    rows = {
        "P1": PostingRow(posting("P1"), "dispatched", 1, **common),
        "P2": PostingRow(posting("P2", order="O2"), "unknown", 1, **common),
    }
    known = {config.hash: config}.__getitem__
    executor = Executor(
        adapter,
        Hurried(Fraction(1000), 4),
        ExecutorSettings(10.0),
        send=sent.append,
        peek=rows.get,
        configuration=known,
        own=OwnErp(ErpIdentity.of(config.erp, {}), {}, known, lambda plant: config.hash),
        last_good=lambda: float("inf"),
        metrics=ErpMetrics(registry),
    )
    executor.taken_over(0)
    executor.start()
    executor.accept(0, [Dispatch("P1", 1), ReadBack("P2", 1)])
    async with asyncio.timeout(PATIENCE_S):
        while {one.posting_id for one in sent if isinstance(one, AttemptEnded)} != {"P1", "P2"}:
            await asyncio.sleep(0.01)
    await executor.close()
    return sent, generate_latest(registry).decode()


async def questions(adapter: ErpAdapter) -> str:
    """What a person is shown whose question gets no answer."""
    shown = []
    for question in (adapter.movements(["O1"]), adapter.confirmations(["O1"]), adapter.master_data("")):
        try:
            shown.append(repr(await question))
        except ErpUnavailable as error:
            shown.append(f"{error} {error.code} {error.detail} {error!r}")
        except Exception as defect:  # an answer that no adapter expects: the command line makes a line of it
            logging.getLogger("lineledger").critical("a defect ended the command", exc_info=True)
            shown.append(type(defect).__name__)
    return "\n".join(shown)


class MemoryLog:
    def until(self) -> str:
        return ""

    def write(self, lines: list[bytes]) -> None:
        """Nothing is pulled from an ERP that only fails."""


async def pulled(adapter: ErpAdapter) -> None:
    poller = MasterPoller(adapter, MemoryLog, lambda: True, 60)  # type: ignore[arg-type]
    task = asyncio.create_task(poller.run())
    await asyncio.sleep(0.05)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(("adapter", "at_login"), [("sim", True), ("tryton", True), ("tryton", False)])
async def test_the_password_leaves_the_process_in_nothing(adapter: str, at_login: bool, failure: str, told: io.StringIO) -> None:
    async with HostileErp(failure, at_login=at_login).listening() as erp:
        config = configuration(erp={"erp": endpoint(adapter, erp.port, failure)})
        made = adapter_for(config.erp, ENVIRON)
        asking = adapter_for(config.erp, ENVIRON)
        assert made is not None
        assert asking is not None
        sent, metrics = await attempts(made, config)
        answers = await questions(asking)
        await pulled(asking)
        await asking.close()
    codec = Codec()
    left = [told.getvalue().encode(), metrics.encode(), answers.encode(), *(codec.encode(one) for one in sent)]
    assert find_leaks(left, [CANARY, "5e55101-of-this-user"]) == []
    assert {one.result for one in sent if isinstance(one, AttemptEnded)} <= {"rejected", "retry", "unknown", "not_found"}, (
        "nothing was booked"
    )
    if failure != "no tls":
        assert CANARY.encode() in erp.heard, "the ERP was sent it: what it repeats is hidden on the way back"
