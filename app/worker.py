"""One worker process: the stages that it was asked to run, on one event loop, until it is told to stop."""

from collections.abc import Sequence

from mode import Worker
from prometheus_client import REGISTRY

from app.engine.stage import StageApp
from app.observability.port import serve
from app.observability.stage_metrics import StageMetrics
from app.settings import Settings
from app.topology import Plant
from schemas.codec import Codec
from schemas.configuration import Configuration


def run(
    stages: Sequence[str], settings: Settings, wanted: Configuration | None, codec: Codec, metrics_host: str = "127.0.0.1"
) -> None:
    """Blocks until SIGTERM or SIGINT; a graceful stop drains, checkpoints, closes. Failures end the process."""
    services = Plant(settings, wanted, codec).apps(stages)
    apps = [service for service in services if isinstance(service, StageApp)]
    metrics = StageMetrics(REGISTRY)
    for app in apps:
        metrics.watch(app)
    if settings.metrics_port:
        serve(metrics_host, settings.metrics_port, REGISTRY, lambda: metrics.unready(apps))
    worker = Worker(*services, loglevel="INFO", redirect_stdouts=False, override_logging=True, daemon=True)
    raise SystemExit(worker.execute_from_commandline())
