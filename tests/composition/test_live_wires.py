"""What `lineledger worker` does, seen from outside (log of the ERP, exit codes, ports). On real servers, with a simulated ERP."""

import asyncio
import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Producer

from app.erp.simulator.control import SimulatorControl
from app.erp.simulator.process import SimulatorProcess
from app.topology import STAGES
from tests.composition.stalling_worker import DIED
from tests.composition.wires import CONFIG, installed, where
from tests.e2e.live_plant import STOP_S, Installation, until

pytestmark = [pytest.mark.kafka, pytest.mark.registry]
PRESSES, OFFICES = "raw.wires.presses", "raw.wires.offices"
RATE, ORDERS = 4, 20
"""Calls per second of erp.yaml, and orders that fall due at once."""


@pytest.fixture
def erp(tmp_path: Path) -> Iterator[SimulatorProcess]:
    with SimulatorProcess(tmp_path / "erp") as process:
        yield process


@pytest.fixture
def plant(kafka_bootstrap: str, registry_url: str, erp: SimulatorProcess, tmp_path: Path) -> Installation:
    connection = installed(kafka_bootstrap, registry_url)
    environ = {"LIVE_ERP_URL": erp.url, "LIVE_ERP_TOKEN": erp.token}
    return Installation(where(connection), connection, tmp_path, environ, CONFIG)


def order(name: str, by: str) -> dict[str, object]:
    return {"type": "order", "po": name, "qty": 1000, "by": by, "id": f"o-{name}"}


def pieces(name: str, count: int) -> dict[str, object]:
    return {"type": "pieces", "po": name, "n": count, "id": f"p-{name}-{count}"}


def aborted(plant: Installation, *records: dict[str, object]) -> None:
    """Records that a transaction wrote and took back."""
    producer = Producer(plant.admin.broker.client(transactional_id=f"{plant.admin.prefix}aborting"))
    producer.init_transactions(20)
    producer.begin_transaction()
    for record in records:
        stated = {"ts": time.time_ns() // 1_000_000, **record}
        producer.produce(f"{plant.admin.prefix}{OFFICES}", json.dumps(stated), partition=0)
    producer.flush(20)
    producer.abort_transaction(20)


def calls(erp: SimulatorProcess) -> list[tuple[float, str]]:
    """(seconds, target) of every request, as the ERP's own log has it."""

    async def asked() -> list[tuple[float, str]]:
        control = SimulatorControl(erp.url, erp.token)
        try:
            return [(request.received_at / 1e6, request.target) async for request in control.requests()]
        finally:
            await control.close()

    return asyncio.run(asked())


def test_a_day_in_the_life(plant: Installation, erp: SimulatorProcess) -> None:
    """Both sources arrive; the budget holds by the ERP's own log; orders waits for the slowest machine; a stop is graceful."""
    with ExitStack() as running:
        workers = {stage: running.enter_context(plant.worker(stage)) for stage in STAGES}
        until(lambda: all(plant.reasons(stage) == [] for stage in STAGES), "five ready stages")
        plant.send(order("C1", "counters"), raw=OFFICES)
        plant.send({"type": "start", "po": "C1", "run": "R1", "id": "r"}, raw=PRESSES)
        plant.send(*({"type": "shots", "n": n, "seq": n, "id": f"s{n}"} for n in (100, 105)), raw=PRESSES)
        until(lambda: plant.received("C1") == 5, "what the counter counted")

        before = len(calls(erp))
        names = [f"D{number}" for number in range(ORDERS)]
        aborted(plant, order("A1", "declarations"), pieces("A1", 7))
        plant.send({"type": "nonsense", "id": "x"}, raw=OFFICES)
        plant.send(*(order(name, "declarations") for name in names), *(pieces(name, 7) for name in names), raw=OFFICES)
        until(lambda: plant.received(names[-1]) == 7 and plant.received(names[0]) == 7, "what people declared")
        until(lambda: all(plant.received(name) == 7 for name in names), "all of it")
        assert plant.received("A1") == 0, "what was aborted was never said"
        assert [letter.source for letter in plant.content("exceptions")] == ["offices"], "what cannot be mapped is a dead letter"
        posted = sorted(at for at, path in calls(erp)[before:] if path.endswith("/documents"))
        assert len(posted) == ORDERS
        assert posted[-1] - posted[0] >= (ORDERS - 1) / RATE * 0.9, "no faster than the budget"
        for first, at in enumerate(posted):
            within = [other for other in posted[first:] if other - at < 0.9]
            assert len(within) <= RATE, f"{len(within)} calls in a second, {RATE} are allowed"

        workers["equipment"].send_signal(signal.SIGSTOP)
        try:
            plant.send(order("W1", "declarations"), pieces("W1", 3), raw=OFFICES)
            stopped = time.monotonic()
            until(lambda: time.monotonic() - stopped > 6, "three cuts of the clock")
            assert plant.received("W1") == 0, "a machine that is behind may still have something to say about that time"
        finally:
            workers["equipment"].send_signal(signal.SIGCONT)
        until(lambda: plant.received("W1") == 3, "the posting, when the slowest one has caught up")
        for process in workers.values():
            process.send_signal(signal.SIGTERM)
        assert {stage: process.wait(STOP_S) for stage, process in workers.items()} == dict.fromkeys(STAGES, 0)


def test_nothing_leaves_before_its_commit(plant: Installation, erp: SimulatorProcess) -> None:
    with ExitStack() as running:
        for stage in ("intake", "equipment", "lots", "orders"):
            running.enter_context(plant.worker(stage))
        stalling = running.enter_context(replace(plant, module="tests.composition.stalling_worker").worker("delivery"))
        until(lambda: all(plant.reasons(stage) == [] for stage in STAGES), "five ready stages")
        plant.send(order("S1", "declarations"), pieces("S1", 9), raw=OFFICES)
        assert stalling.wait(90) == DIED
        assert [path for _, path in calls(erp) if path.endswith("/documents")] == [], "the dispatch was never committed"
        running.enter_context(plant.worker("delivery"))
        until(lambda: plant.received("S1") == 9, "its successor sends it")


def test_a_service_that_crashes_ends_its_process(plant: Installation) -> None:
    with replace(plant, module="tests.composition.crashing_worker").worker("delivery") as process:
        assert process.wait(40) == 81
    log = plant.log("delivery")
    assert "SERVICE_CRASHED" in log
    assert "it had ***" in log and plant.environ["LIVE_ERP_TOKEN"] not in log, "what a library tells is told without secrets"


def test_a_process_is_ready_when_its_partitions_are_and_not_before(plant: Installation) -> None:
    with plant.worker("orders"):
        seen: set[bool] = set()

        def ready() -> bool:
            reasons = plant.reasons("orders")
            seen.add(bool(reasons))
            return reasons == []

        until(ready, "a ready stage")
        assert True in seen, "while it starts it says what it waits for"
