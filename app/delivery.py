"""Delivery's process: the stage's app with the executor beside it, and its lease."""

import asyncio
import os
import time
from pathlib import Path
from typing import Any, Protocol

import structlog
from mode import Service
from prometheus_client import REGISTRY

from app.engine.stage import StageApp
from app.erp.adapters import adapter_for
from app.erp.doorway import Doorway
from app.erp.endpoint import OwnedLog, doorway_of, endpoint_of
from app.erp.master_poller import MasterLog, MasterPoller
from app.erp.metrics import ErpMetrics
from app.erp.outcomes import OutcomeProducer
from app.erp.own_erp import OwnErp
from app.erp.port import ErpAdapter
from app.erp.traffic import TrafficJournal
from app.settings import Settings
from schemas.catalog import ENDPOINT, catalog
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.configuration.erp_source import erp_topic
from schemas.records import PostingRow
from schemas.topics import DELIVERY_INBOX
from streams.delivery.stage import DeliveryStage
from streams.step import Topology
from tables.delivery.maintenance import ends_at
from tables.delivery.posting_state import FOREIGN
from tables.row_kinds import POSTING_ROWS


class Composed(Protocol):
    """What delivery takes from the process that it is composed in (app/topology.py)."""

    settings: Settings
    wanted: Configuration | None
    codec: Codec

    @property
    def installation(self) -> Topology: ...


def with_executor(app: StageApp, stage: DeliveryStage, plant: Composed) -> list[Any]:
    """Services of delivery. Without an adapter (`adapter: none`) postings of the plant stay queued; the executor then refuses
    those of other plants. A run has one plant."""
    if plant.wanted is None:
        raise ValueError("delivery needs a configuration (--config)")
    metrics, journal = ErpMetrics(REGISTRY), plant.settings.erp_journal
    sinks = [metrics, *([TrafficJournal(Path(journal))] if journal else [])]
    doorway = doorway_of(plant.wanted)
    adapter = adapter_for(plant.wanted.erp, os.environ, *sinks, doorway=doorway)
    if adapter is None and plant.settings.recorded:
        return [app]
    calls = ErpCalls(app, adapter, doorway, plant, metrics)
    services: list[Any] = [app, calls]
    if adapter is not None and plant.wanted.plant.master_data.pulled and not plant.settings.recorded:
        pulling = adapter_for(plant.wanted.erp, os.environ, *sinks, doorway=doorway)
        assert pulling is not None
        services.append(MasterPull(app, pulling, plant, calls.own))
    return services


def _owned(app: StageApp) -> Any:
    """The endpoint's partition, when this process has it and it is ready; else None."""
    wanted = catalog().endpoints[ENDPOINT]
    part = next((part for tp, part in app.tables.parts.items() if tp.partition == wanted), None)
    return part if part is not None and part.ready else None


class MasterPull(Service):
    """Pulls master data where delivery owns the endpoint (docs/adr/0029)."""

    def __init__(self, app: StageApp, adapter: ErpAdapter, plant: Composed, own: OwnErp) -> None:
        """`own`: nothing is pulled for a plant that has moved to another ERP."""
        super().__init__()
        assert plant.wanted is not None
        settings, configuration = plant.settings, plant.wanted
        topic = f"{settings.prefix}{erp_topic(configuration.plant.plant.id)}"
        self._adapter = adapter
        self._poller = MasterPoller(
            adapter,
            lambda: MasterLog(settings.broker.client(), topic),
            lambda: _owned(app) is not None and not own.foreign(configuration.plant.plant.id),
            configuration.erp.erp.pull_every_us / 1_000_000,
        )

    @Service.task
    async def _pull(self) -> None:
        await self._poller.run()

    async def on_stop(self) -> None:
        await self._adapter.close()


class ErpCalls(Service):
    """Runs the executor while the stage runs, and renews its lease with commits and heartbeats."""

    def __init__(self, app: StageApp, adapter: ErpAdapter | None, doorway: Doorway, plant: Composed, metrics: ErpMetrics) -> None:
        super().__init__()
        assert plant.wanted is not None
        settings = plant.settings
        self._app = app
        self._renewed = 0.0
        self._outcomes = OutcomeProducer(
            settings.broker.client(), plant.codec, settings.prefix + DELIVERY_INBOX, catalog().endpoints[ENDPOINT], ENDPOINT
        )
        self._metrics = metrics
        self._foreign: dict[str, str] = {}
        log = OwnedLog(
            send=self._outcomes.send,
            peek=self._peek,
            configuration=plant.installation.configuration,
            active=self._active,
            last_good=lambda: max(self._renewed, app.last_commit_boottime),
        )
        self._executor, self.own = endpoint_of(
            plant.wanted,
            adapter,
            os.environ,
            doorway,
            log,
            self._metrics,
            settings.session_timeout,
            lambda: self._seconds_of_maintenance(plant.wanted, settings.recorded),
        )
        app.on_released = self._executor.accept
        app.observers.append(self._executor)

    @staticmethod
    def _seconds_of_maintenance(configuration: Configuration | None, recorded: bool) -> float:
        """Recorded input is posted at any wall time: its own times say nothing about the ERP's windows."""
        if recorded or configuration is None:
            return 0.0
        now = int(time.time() * 1_000_000)
        return max(0, ends_at(configuration.erp.erp.maintenance, configuration.plant.plant.zone, now) - now) / 1_000_000

    def _peek(self, posting_id: str) -> PostingRow | None:
        part = _owned(self._app)
        return part.rows.get(POSTING_ROWS.key(posting_id)) if part is not None else None

    def _active(self, plant: str) -> str:
        part = _owned(self._app)
        return part.state.configurations.get(plant, "") if part is not None else ""

    def _tell_foreign(self) -> None:
        """Which plants of the log post to another ERP: a gauge, and a line when it changes."""
        part = _owned(self._app)
        plants = list(part.state.configurations) if part is not None else []
        foreign = {plant: self.own.foreign(plant) for plant in plants}
        for plant in foreign.keys() | self._foreign.keys():
            self._metrics.foreign.labels(plant).set(bool(foreign.get(plant)))
        for plant, why in foreign.items():
            if why and why != self._foreign.get(plant):
                structlog.get_logger(__name__).error(FOREIGN, code=FOREIGN, plant=plant, detail=why)
        self._foreign = foreign

    async def on_start(self) -> None:
        self._executor.start()

    async def on_stop(self) -> None:
        await self._executor.close()
        self._outcomes.close()

    @Service.task
    async def _renew(self) -> None:
        while not self.should_stop:
            await asyncio.sleep(self._app.settings.session_timeout / 8)
            self._tell_foreign()
            if any(part.ready for part in self._app.tables.parts.values()) and await self._app.consumer.confirm_membership():
                self._renewed = time.clock_gettime(time.CLOCK_BOOTTIME)
