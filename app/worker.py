"""One worker process: the stages that it was asked to run, on one event loop, until it is told to stop."""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prometheus_client import REGISTRY

from app.engine.fatal import Exit, die
from app.engine.stage import StageApp
from app.observability.heartbeat import Heartbeat
from app.observability.logs import of_a_worker
from app.observability.port import serve
from app.observability.secrets import Secrets
from app.observability.stage_metrics import StageMetrics
from app.secret import PRIVATE_KEY, revealed
from app.settings import Settings
from app.topology import Plant
from schemas.codec import Codec
from schemas.configuration import Configuration

CRASH_POLL_SECONDS = 0.2


def run(
    stages: Sequence[str], settings: Settings, wanted: Configuration | None, codec: Codec, metrics_host: str = "127.0.0.1"
) -> None:
    """Blocks until SIGTERM or SIGINT; a graceful stop drains, checkpoints, closes. Failures end the process."""
    named = [wanted.erp.erp.secret, wanted.plant.private_key or PRIVATE_KEY] if wanted is not None else []
    secrets = revealed(os.environ, named)
    with of_a_worker(Secrets.of({**os.environ, **secrets}, settings.broker.security, named=secrets)):
        Path(settings.datadir).mkdir(parents=True, exist_ok=True)
        asyncio.run(_run(stages, settings, wanted, codec, metrics_host))


async def _run(stages: Sequence[str], settings: Settings, wanted: Configuration | None, codec: Codec, metrics_host: str) -> None:
    stop = asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    services = Plant(settings, wanted, codec).apps(stages)
    heartbeat = Heartbeat()
    beating = asyncio.create_task(heartbeat.beat(), name="heartbeat")
    if settings.metrics_port:
        _watch(services, heartbeat, settings.metrics_port, metrics_host)
    for service in services:
        if isinstance(service, StageApp):
            service.finalize()
        await service.maybe_start()
    await _until(stop, services, settings.recorded)
    for service in reversed(services):
        await service.stop()
    beating.cancel()


async def _until(stop: asyncio.Event, services: Sequence[Any], orphan_stops: bool) -> None:
    """A service that crashed ends the process: Faust alone would linger, half alive and consuming nothing."""
    supervisor = os.getppid() if orphan_stops else 0
    while not stop.is_set():
        if supervisor and os.getppid() != supervisor:
            return  # a run's worker has nothing to do without it
        for service in services:
            if service.crashed:
                die(Exit.SERVICE_CRASHED, f"{service}: {service.crash_reason!r}")
        try:
            await asyncio.wait_for(stop.wait(), CRASH_POLL_SECONDS)
        except TimeoutError:
            continue


def _watch(services: Sequence[Any], heartbeat: Heartbeat, port: int, host: str) -> None:
    metrics = StageMetrics(REGISTRY)
    for service in services:
        if isinstance(service, StageApp):
            metrics.watch(service)
    serve(host, port, REGISTRY, metrics.unready, heartbeat.hangs_for)
