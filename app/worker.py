"""One worker process: the stages that it was asked to run, on one event loop, until it is told to stop."""

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException
from prometheus_client import REGISTRY

from app.cycles import OF_A_WORKER, seldom_looked_for
from app.engine.stage import StageApp
from app.fatal import Exit, die
from app.kafka.broker import BrokerRefused, BrokerUnavailable
from app.kafka.connection import ConnectionInvalid
from app.kafka.waiting import PendingReasons
from app.observability.heartbeat import Heartbeat
from app.observability.logs import of_a_worker
from app.observability.port import serve
from app.observability.secrets import Secrets
from app.observability.stage_metrics import StageMetrics
from app.secret import PRIVATE_KEY, SecretInUse, revealed
from app.settings import Settings
from app.topology import PlantProcess, ProcessPart
from schemas.configuration import Configuration
from tables.refusal import RefusedValue

CRASH_POLL_SECONDS = 0.2
STOP_SECONDS, UNREACHABLE_SECONDS = 6.0, 2.0
"""A stop that takes longer than STOP_SECONDS goes on only while the broker answers: without it nothing can be committed."""
CORRECTED_BY_PEOPLE = (RefusedValue, ConnectionInvalid)


def run(
    stages: Sequence[str],
    settings: Settings,
    wanted: Configuration | None,
    metrics_host: str = "127.0.0.1",
    others: Sequence[tuple[Configuration, bytes]] = (),
) -> None:
    """Blocks until SIGTERM or SIGINT; a graceful stop drains, checkpoints, closes. Failures end the process. `wanted` and
    `others` are those of Plant.

    Raises ConnectionInvalid, ValueError (no such stage, or no configuration).
    """
    known = [*([wanted] if wanted is not None else []), *(configuration for configuration, _ in others)]
    erps = [each.erp.erp for each in known]
    named = [name for erp in erps for name in (erp.secret, erp.key_secret)]
    named += [each.plant.private_key or PRIVATE_KEY for each in known]
    secrets = revealed(os.environ, named)
    in_use = [SecretInUse(erp.secret, os.environ) for erp in erps if erp.secret]
    hidden = Secrets.of({**os.environ, **secrets}, settings.connection.secrets(), named=secrets, in_use=in_use)
    with of_a_worker(hidden):
        Path(settings.datadir).mkdir(parents=True, exist_ok=True)
        with seldom_looked_for(OF_A_WORKER):
            asyncio.run(_run(stages, PlantProcess(settings, wanted, others, hidden.learn), metrics_host))


@dataclass(slots=True)
class Running:
    """Services of this process: those that run, in the order of their start, and what the others wait for."""

    services: list[Any] = field(default_factory=list)
    waits: PendingReasons = field(default_factory=PendingReasons)
    one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Faust keeps the app that starts in a place of the whole process."""


async def _run(stages: Sequence[str], plant: PlantProcess, metrics_host: str) -> None:
    plant.parts(stages)  # a stage that does not exist is said at once
    stop, running, metrics = asyncio.Event(), Running(), StageMetrics(REGISTRY)
    _end_on_signals(stop, plant)
    heartbeat = Heartbeat()
    beating = asyncio.create_task(heartbeat.beat(), name="heartbeat")
    if port := plant.settings.metrics_port:
        serve(metrics_host, port, REGISTRY, lambda: running.waits.reasons() + metrics.unready(), heartbeat.hangs_for)
    starting = asyncio.create_task(_start(stages, plant, running, metrics))
    failure = await _until(stop, starting, running, plant.settings.recorded)
    waited = starting.cancel()
    for service in reversed(running.services):
        await service.stop()
    beating.cancel()
    if failure is not None:
        raise failure
    if waited:
        os._exit(0)  # what waits in a thread is left behind: it may take its time


def _end_on_signals(stop: asyncio.Event, plant: PlantProcess) -> None:
    """SIGTERM and SIGINT stop gracefully. What cannot stop because it waits for a broker that is away is ended: nothing of it
    can be committed, and the next owner folds it again."""
    loop = asyncio.get_running_loop()

    def in_time() -> None:
        time.sleep(STOP_SECONDS)
        while True:
            try:
                plant.settings.broker.reach(UNREACHABLE_SECONDS)
            except (BrokerUnavailable, BrokerRefused) as exc:
                die(Exit.BROKER_TIMEOUT, f"told to stop, and nothing can be committed: {exc}")
            time.sleep(1.0)

    def told(signum: int, frame: object) -> None:
        if not plant.ending.is_set():
            plant.ending.set()
            loop.call_soon_threadsafe(stop.set)
            threading.Thread(target=in_time, name="stopping", daemon=True).start()

    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, told)


async def _start(stages: Sequence[str], plant: PlantProcess, running: Running, metrics: StageMetrics) -> None:
    """Every part by itself: a raw topic that nobody made yet holds up none of the others."""
    process = "+".join(stages)
    running.waits.tell(process, "is starting")
    await plant.prepare(lambda reason: running.waits.tell(process, reason or "is starting"))
    parts = plant.parts(stages)
    for part in parts:
        running.waits.tell(part.name, "is starting")
    running.waits.tell(process, "")
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(_start_part(part, running, metrics))


async def _start_part(part: ProcessPart, running: Running, metrics: StageMetrics) -> None:
    services = await part.build(lambda reason: running.waits.tell(part.name, reason or "is starting"))
    async with running.one_by_one:
        for service in services:
            if isinstance(service, StageApp):
                metrics.watch(service)
                service.finalize()
            running.services.append(service)
            await service.maybe_start()
    running.waits.tell(part.name, "")


async def _until(stop: asyncio.Event, starting: asyncio.Task[None], running: Running, orphan_stops: bool) -> Exception | None:
    """Until the process is told to stop. Returns what a person must correct before it can start.

    A service that crashed ends the process: Faust alone would linger, half alive and consuming nothing.
    """
    supervisor = os.getppid() if orphan_stops else 0
    while not stop.is_set():
        if supervisor and os.getppid() != supervisor:
            return None  # a run's worker has nothing to do without it
        failure = _cause(starting.exception()) if starting.done() else None
        if isinstance(failure, CORRECTED_BY_PEOPLE):
            return failure
        if isinstance(failure, BrokerUnavailable | KafkaException):
            die(Exit.BROKER_TIMEOUT, f"start: {failure}")
        if failure is not None:
            die(Exit.SERVICE_CRASHED, f"start: {failure!r}")
        for service in running.services:
            if service.crashed:
                die(Exit.SERVICE_CRASHED, f"{service}: {service.crash_reason!r}")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), CRASH_POLL_SECONDS)
    return None


def _cause(error: BaseException | None) -> BaseException | None:
    """The first error in a group of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
