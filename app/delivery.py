"""Delivery's process: the stage's app with the executor beside it, and its lease."""

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

from mode import Service
from prometheus_client import REGISTRY

from app.engine.stage import StageApp
from app.erp.adapters import adapter_for
from app.erp.budget import Budget
from app.erp.executor import Executor, ExecutorSettings
from app.erp.metrics import ErpMetrics
from app.erp.outcomes import OutcomeProducer
from schemas.catalog import catalog
from schemas.configuration import Configuration
from schemas.records import PostingRow
from streams.delivery import DeliveryStage
from tables.maintenance import ends_at

if TYPE_CHECKING:
    from app.topology import Plant

ENDPOINT = "erp"


def with_executor(app: StageApp, stage: DeliveryStage, plant: "Plant") -> list[Any]:
    """Services of delivery. Without an adapter (`adapter: none`) postings stay queued and there is no executor."""
    if plant.wanted is None:
        raise ValueError("delivery needs a configuration (--config)")
    adapter = adapter_for(plant.wanted.erp, os.environ)
    if adapter is None:
        return [app]
    return [app, ErpCalls(app, adapter, plant)]


class ErpCalls(Service):
    """Runs the executor while the stage runs, and renews its lease with commits and heartbeats."""

    def __init__(self, app: StageApp, adapter: Any, plant: "Plant") -> None:
        super().__init__()
        assert plant.wanted is not None
        endpoint, settings = plant.wanted.erp.erp, plant.settings
        self._app = app
        self._renewed = 0.0
        self._outcomes = OutcomeProducer(
            settings.broker.client(), plant.codec, f"{settings.prefix}delivery.inbox", catalog().endpoints[ENDPOINT], ENDPOINT
        )
        self._executor = Executor(
            adapter,
            Budget(endpoint.calls_per_second, endpoint.concurrency),
            ExecutorSettings(settings.session_timeout),
            send=self._outcomes.send,
            peek=self._peek,
            configuration=plant.installation.configuration,
            last_good=lambda: max(self._renewed, app.last_commit_boottime),
            maintenance=lambda: self._seconds_of_maintenance(plant.wanted, settings.recorded),
            metrics=ErpMetrics(REGISTRY),
        )
        app.on_released = self._executor.accept
        app.observers.append(self._executor)

    @staticmethod
    def _seconds_of_maintenance(configuration: Configuration | None, recorded: bool) -> float:
        """Recorded input is posted whatever the wall clock shows: its own times say nothing about the ERP's windows."""
        if recorded or configuration is None:
            return 0.0
        now = int(time.time() * 1_000_000)
        return max(0, ends_at(configuration.erp.erp.maintenance, configuration.plant.plant.zone, now) - now) / 1_000_000

    def _peek(self, posting_id: str) -> PostingRow | None:
        part = next((part for tp, part in self._app.tables.parts.items() if tp.partition == catalog().endpoints[ENDPOINT]), None)
        return part.rows.get(f"p|{posting_id}") if part is not None and part.ready else None

    async def on_start(self) -> None:
        self._executor.start()

    async def on_stop(self) -> None:
        await self._executor.close()
        self._outcomes.close()

    @Service.task
    async def _renew(self) -> None:
        while not self.should_stop:
            await asyncio.sleep(self._app.settings.session_timeout / 8)
            if any(part.ready for part in self._app.tables.parts.values()) and await self._app.consumer.confirm_membership():
                self._renewed = time.clock_gettime(time.CLOCK_BOOTTIME)
