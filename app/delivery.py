"""Delivery's process: the stage's app with an executor per ERP endpoint beside it, and its lease."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import structlog
from mode import Service
from prometheus_client import REGISTRY

from app.engine.stage import StageApp
from app.erp.adapters import adapter_for
from app.erp.doorway import Doorway
from app.erp.endpoint import OwnedLog, doorway_of, endpoint_of
from app.erp.endpoint_plan import EndpointPlan
from app.erp.executor import Executor
from app.erp.master_poller import MasterLog, MasterPoller
from app.erp.metrics import ErpMetrics
from app.erp.outcomes import OutcomeProducer
from app.erp.own_erp import OwnErp
from app.erp.port import ErpAdapter
from app.erp.traffic import Sink, TrafficJournal
from app.observability.secrets import Changing
from app.secret import SecretInUse
from app.settings import Settings
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.configuration.erp_source import erp_topic
from schemas.records import PartitionPosition, PostingRow
from schemas.topics import DELIVERY_INBOX
from streams.announcements import CONFIGURED
from streams.delivery.stage import DeliveryStage
from streams.step import Topology
from tables.delivery.maintenance import ends_at
from tables.delivery.outbox import Entry
from tables.delivery.posting_state import FOREIGN
from tables.refusal import RefusedValue
from tables.row_kinds import POSTING_ROWS

FOLLOW_SECONDS = 0.25
"""How often an endpoint looks whether the log has another configuration for it."""


class Composed(Protocol):
    """What delivery takes from the process that it is composed in (app/topology.py)."""

    settings: Settings
    codec: Codec
    learn: Callable[[Changing], None]
    """Told each secret that the log's configurations name: what logs must never show, now and when it changes."""

    @property
    def known(self) -> Sequence[Configuration]:
        """Of the plants that this process was started with."""
        ...

    @property
    def installation(self) -> Topology: ...


def with_executor(app: StageApp, stage: DeliveryStage, plant: Composed) -> list[Any]:
    """Services of delivery: an executor for each endpoint, which calls while the process owns its partition. Where one posts is
    said by the configurations in the log. Those that the process was started with hold until the log has spoken, and are
    checked here: raises Refusal.

    A run has one plant; without an adapter (`adapter: none`) its postings stay queued.
    """
    settings = plant.settings
    if settings.recorded and all(one.erp.erp.entry is None for one in plant.known):
        return [app]
    places = [EndpointPlace(*one) for one in sorted(settings.catalog.endpoints.items())]
    metrics, journal = ErpMetrics(REGISTRY, places[0].name), settings.erp_journal
    written = [TrafficJournal(Path(journal))] if journal else []
    calls = [ErpCalls(app, place, plant, metrics.of(place.name), written) for place in places]
    by_partition = {one.place.partition: one for one in calls}

    def released(partition: int, entries: Sequence[Entry]) -> None:
        if partition in by_partition:
            by_partition[partition].accept(entries)

    app.on_released = released
    app.observers += calls
    return [app, *calls]


class EndpointPlace(NamedTuple):
    name: str
    partition: int
    """Of delivery's inbox."""


class MasterPull(Service):
    """Pulls a plant's master data where delivery owns its endpoint (docs/adr/0029)."""

    def __init__(
        self,
        adapter: ErpAdapter,
        configuration: Configuration,
        settings: Settings,
        owning: Callable[[str], bool],
        doorway: Doorway | None,
    ) -> None:
        """`owning`: may be pulled for this plant now. `doorway`: the adapter's."""
        super().__init__()
        plant = configuration.plant.plant.id
        topic = f"{settings.prefix}{erp_topic(plant)}"
        self._adapter, self._hash, self._doorway = adapter, configuration.hash, doorway
        self._poller = MasterPoller(
            adapter,
            lambda: MasterLog(settings.broker.client(), topic),
            lambda: owning(plant),
            configuration.erp.erp.pull_every_us / 1_000_000,
        )

    def is_for(self, configuration: Configuration, doorway: Doorway | None) -> bool:
        return self._hash == configuration.hash and self._doorway is doorway

    @Service.task
    async def _pull(self) -> None:
        await self._poller.run()

    async def on_stop(self) -> None:
        await self._adapter.close()


class ErpCalls(Service):
    """One endpoint: runs its executor while the process has its partition, renews the lease with commits and heartbeats, and
    follows the configurations in the log."""

    def __init__(
        self, app: StageApp, place: EndpointPlace, plant: Composed, metrics: ErpMetrics, written: Sequence[Sink]
    ) -> None:
        """`written`: sinks beside the metrics. Raises Refusal."""
        super().__init__()
        self.place, self.pulls = place, dict[str, MasterPull]()
        """Of which plant master data is pulled."""
        self._app, self._plant, self._metrics, self._sinks = app, plant, metrics, [metrics, *written]
        self._renewed = 0.0
        self._outcomes: OutcomeProducer | None = None
        self._executor: Executor | None = None
        self._own: OwnErp | None = None
        self._doorway: Doorway | None = None
        self._plan: EndpointPlan | None = None
        self._running = self._taken_over = False
        self._waiting: list[Entry] = []
        """Committed entries, while there is no executor yet."""
        self._wrong = ""
        """Why nothing can be called, as it was told."""
        self._foreign: dict[str, str] = {}
        self._learned = set[str]()
        """Names of the secrets that logs do not show."""
        known = {one.plant.plant.id: one for one in plant.known if one.erp.erp.endpoint == place.name}
        plan = EndpointPlan.of(known, {}, os.environ)
        if plan is not None:
            self._compose(plan)
            self.pulls = {name: self._pull_of(one) for name, one in known.items() if self._is_pulled(one)}

    # -- from the stage

    def taken_over(self, partition: int) -> None:
        if partition == self.place.partition:
            self._taken_over = True
            if self._executor is not None:
                self._executor.taken_over(partition)

    def left(self, partition: int) -> None:
        if partition == self.place.partition:
            self._taken_over = False
            self._waiting.clear()
            if self._executor is not None:
                self._executor.left(partition)

    def accept(self, entries: Sequence[Entry]) -> None:
        """Committed outbox entries of its partition (StageApp.on_released)."""
        if self._executor is not None:
            self._executor.accept(self.place.partition, entries)
        else:
            self._waiting += entries

    # -- whom to call

    def _compose(self, plan: EndpointPlan) -> None:
        """An executor for what the plan says; it takes over what waits with the one before. Raises Refusal: nothing changed."""
        erp, settings, app, before = plan.configuration.erp, self._plant.settings, self._app, self._executor
        doorway = doorway_of(plan.configuration)
        adapter = adapter_for(erp, os.environ, *self._sinks, doorway=doorway)
        for name in sorted({erp.erp.secret, erp.erp.key_secret} - self._learned - {""}):
            self._plant.learn(SecretInUse(name, os.environ))
            self._learned.add(name)
        self._outcomes = self._outcomes or OutcomeProducer(
            settings.broker.client(), self._plant.codec, settings.prefix + DELIVERY_INBOX, self.place.partition, self.place.name
        )
        log = OwnedLog(
            send=self._outcomes.send,
            peek=self._peek,
            configuration=self._plant.installation.configuration,
            active=self._active,
            last_good=lambda: max(self._renewed, app.last_commit_boottime),
        )
        self._executor, self._own = endpoint_of(
            plan.configuration,
            adapter,
            os.environ,
            doorway,
            log,
            self._metrics,
            settings.session_timeout,
            lambda: self._seconds_of_maintenance(self._plan, settings.recorded),
        )
        self._plan, self._doorway = plan, doorway
        if before is not None:
            self._executor.go_on(before)
        elif self._taken_over:
            self._executor.taken_over(self.place.partition)

    async def _change(self, plan: EndpointPlan) -> None:
        """Calls of the executor before end first. A secret or an address that is missing here stops this endpoint: nothing of it
        goes out, and the others go on."""
        if self._executor is not None and self._running:
            self._running = False
            await self._executor.close()
        try:
            self._compose(plan)
        except RefusedValue as wrong:
            self._plan = None
            self._tell(wrong, "")
            return
        self._wrong = ""
        self._begin()

    def _tell(self, wrong: RefusedValue, plant: str) -> None:
        """Once, however often it is tried."""
        detail = f"endpoint `{self.place.name}`: {wrong.refusal.detail}"
        if detail != self._wrong:
            structlog.get_logger(__name__).error("erp_not_called", code=wrong.refusal.code, plant=plant, detail=detail)
        self._wrong = detail

    def _begin(self) -> None:
        assert self._executor is not None
        self._executor.start()
        self._running = True
        entries, self._waiting = self._waiting, []
        self._executor.accept(self.place.partition, entries)

    async def _look(self) -> None:
        """Call whom the log says."""
        part = self._part()
        posting = {} if part is None else self._posting_here(part.state)
        if part is None or not posting:
            return
        since = {plant: part.state.marks.get(CONFIGURED + plant, 0) for plant in posting}
        plan = EndpointPlan.of(posting, since, os.environ, None if self._own is None else self._own.identity)
        if plan is None:
            return
        if self._plan is None or plan.configuration.erp.erp != self._plan.configuration.erp.erp:
            await self._change(plan)
        if self._plan is not None:
            self._plan = plan
            active = part.state.configurations
            await self._pull({name: one for name, one in posting.items() if active.get(name) == one.hash})
        self._tell_foreign(posting)

    def _posting_here(self, state: PartitionPosition) -> dict[str, Configuration]:
        """Plant -> the configuration that its postings at this endpoint are sent under."""
        hashes = {**state.configurations, **state.posted_under}
        found = {plant: self._plant.installation.configuration(hash_) for plant, hash_ in hashes.items()}
        return {plant: one for plant, one in found.items() if one.erp.erp.endpoint == self.place.name}

    @staticmethod
    def _seconds_of_maintenance(plan: EndpointPlan | None, recorded: bool) -> float:
        """Recorded input is posted at any wall time: its own times say nothing about the ERP's windows."""
        if recorded or plan is None:
            return 0.0
        now = int(time.time() * 1_000_000)
        return max(0, *(ends_at(windows, zone, now) - now for zone, windows in plan.zones)) / 1_000_000

    def _part(self) -> Any:
        """The endpoint's partition, when this process has it and it is ready; else None."""
        wanted = self.place.partition
        part = next((part for tp, part in self._app.tables.parts.items() if tp.partition == wanted), None)
        return part if part is not None and part.ready else None

    def _peek(self, posting_id: str) -> PostingRow | None:
        part = self._part()
        return part.rows.get(POSTING_ROWS.key(posting_id)) if part is not None else None

    def _active(self, plant: str) -> str:
        part = self._part()
        return "" if part is None else part.state.posted_under.get(plant) or part.state.configurations.get(plant, "")

    def _tell_foreign(self, posting: Mapping[str, Configuration]) -> None:
        """Which plants mean another ERP by this endpoint: a gauge, and a line when it changes."""
        own = self._own
        there = [plant for plant, one in posting.items() if one.erp.erp.entry is not None] if own is not None else []
        foreign = {plant: own.foreign(plant) for plant in there if own is not None}
        for plant in foreign.keys() | self._foreign.keys():
            self._metrics.foreign.labels(plant).set(bool(foreign.get(plant)))
        for plant, why in foreign.items():
            if why and why != self._foreign.get(plant):
                structlog.get_logger(__name__).error(FOREIGN, code=FOREIGN, plant=plant, detail=why)
        self._foreign = foreign

    # -- master data

    def _is_pulled(self, configuration: Configuration) -> bool:
        master, erp = configuration.plant.master_data, configuration.erp.erp
        return master.pulled and erp.entry is not None and not self._plant.settings.recorded

    def _pull_of(self, configuration: Configuration) -> MasterPull:
        """Raises Refusal."""
        pulling = adapter_for(configuration.erp, os.environ, *self._sinks, doorway=self._doorway)
        assert pulling is not None
        return MasterPull(pulling, configuration, self._plant.settings, self._pulls_for, self._doorway)

    def _pulls_for(self, plant: str) -> bool:
        """The endpoint is owned here, and its ERP is the plant's."""
        return self._part() is not None and self._own is not None and not self._own.foreign(plant)

    async def _pull(self, plants: Mapping[str, Configuration]) -> None:
        """Master data of the plants that say so, each under its configuration that is in force, through the one doorway."""
        wanted = {name: one for name, one in plants.items() if self._is_pulled(one)}
        for name, pull in list(self.pulls.items()):
            if name not in wanted or not pull.is_for(wanted[name], self._doorway):
                del self.pulls[name]
                await pull.stop()
        for name, one in wanted.items():
            if name not in self.pulls and self._pulls_for(name):
                try:
                    self.pulls[name] = self._pull_of(one)
                except RefusedValue as wrong:
                    self._tell(wrong, name)
            if name in self.pulls:
                await self.pulls[name].maybe_start()

    # -- while the process runs

    async def on_start(self) -> None:
        if self._executor is not None:
            self._begin()

    async def on_stop(self) -> None:
        for pull in self.pulls.values():
            await pull.stop()
        if self._executor is not None and self._running:
            await self._executor.close()
        if self._outcomes is not None:
            self._outcomes.close()

    @Service.task
    async def _follow(self) -> None:
        while not self.should_stop:
            await self._look()
            await asyncio.sleep(FOLLOW_SECONDS)

    @Service.task
    async def _renew(self) -> None:
        while not self.should_stop:
            await asyncio.sleep(self._app.settings.session_timeout / 8)
            if self._part() is not None and await self._app.consumer.confirm_membership():
                self._renewed = time.clock_gettime(time.CLOCK_BOOTTIME)
