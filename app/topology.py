"""The composition root: which stages there are, who feeds whom, and the Faust app of each. The only place that builds apps."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from math import inf
from typing import Any, NamedTuple

from app import delivery
from app.engine.credentials import credentials_of
from app.engine.stage import StageApp, StageSettings
from app.fatal import Exit, die
from app.idle_clock import IdleClock
from app.kafka import log_epoch
from app.kafka.broker_clock import BrokerClock
from app.kafka.configurations import TOPIC as CONFIG_TOPIC
from app.kafka.configurations import Configurations
from app.kafka.raw_topics import RawCounts, require_append_time
from app.kafka.waiting import WAIT_SECONDS, Tell, await_codec, await_topics
from app.observability.secrets import Changing
from app.settings import Settings
from schemas.catalog import catalog
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.topics import CLOCK_PROBE, DELIVERY_INBOX, changelog_of, inbox_of
from streams.delivery.stage import DeliveryStage
from streams.equipment.stage import EquipmentStage
from streams.intake.stage import IntakeStage
from streams.lots.stage import LotsStage
from streams.orders.stage import OrdersStage
from streams.stage import Fold
from streams.upstreams import upstreams_of

STAGES = ("intake", "equipment", "lots", "orders", "delivery")


def raw_topics(configuration: Configuration, recorded: bool) -> list[str]:
    """Raw topics that carry the plant."""
    if recorded:
        return [f"raw.{configuration.plant.plant.id.lower()}"]
    return sorted({source.read.topic for source in configuration.plant.sources.values() if source.read.topic})


class InstalledTopology:
    """streams.step.Topology of this installation: from its partition counts and the configurations in the log.

    `counts`: topic without prefix -> its partitions. Of a recorded raw topic one carries the plant, so that its order is one.
    """

    def __init__(
        self,
        configurations: Configurations,
        recorded: bool,
        counts: Callable[[str], int],
        require: Callable[[Mapping[str, int]], None] = lambda raw: None,
        endpoints: Mapping[str, int] | None = None,
    ) -> None:
        """`endpoints`: ERP endpoint -> partition of delivery's inbox; None: those of the catalog.
        `require`: told the raw topics, with their counts, whose intakes a stage is going to wait for."""
        self._configurations, self._recorded, self._counts, self._require = configurations, recorded, counts, require
        self._upstreams: dict[tuple[str, str], Sequence[str]] = {}
        self.endpoints = catalog().endpoints if endpoints is None else endpoints

    def configuration(self, hash_: str) -> Configuration:
        return self._configurations.get(hash_)

    def upstreams(self, stage: str, configuration: Configuration) -> Sequence[str]:
        key = (stage, configuration.hash)
        if key not in self._upstreams:
            names = raw_topics(configuration, self._recorded)
            raw = {name: 1 if self._recorded else self.partitions(name) for name in names}
            if not self._recorded and "intake" in catalog().feeds[stage]:
                self._require(raw)
            self._upstreams[key] = upstreams_of(stage, raw, self.partitions)
        return self._upstreams[key]

    def partitions(self, topic: str) -> int:
        return self._counts(topic)


def host_clock() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


class ProcessPart(NamedTuple):
    """What one stage (intake: one raw topic) of a process consists of: built when what it needs is there."""

    name: str
    build: Callable[[Tell], Awaitable[list[Any]]]
    """Services, in the order of their start. Waits; takes whom to tell what for."""


class PlantProcess:
    """Composes a process from its settings: codec, configurations, stages. The only place that does.

    `wanted`: the plant's configuration, for intake. `others`: further plants of which this process runs the intakes, each with
    the key of its private values. `learn`: told each secret that the configurations in the log name. Raises ConnectionInvalid.
    """

    def __init__(
        self,
        settings: Settings,
        wanted: Configuration | None = None,
        others: Sequence[tuple[Configuration, bytes]] = (),
        learn: Callable[[Changing], None] = lambda secret: None,
    ) -> None:
        self.learn = learn
        self.settings = settings
        self.wanted = wanted
        self.others = others
        self.credentials = credentials_of(settings.broker)
        self.epoch = log_epoch.FIRST
        self.ending = threading.Event()
        """Set when the process is told to end: what waits on its loop gives up."""
        self.codec: Codec
        self.configurations: Configurations
        self.installation: InstalledTopology

    @property
    def known(self) -> Sequence[Configuration]:
        """Of the plants that it was started with."""
        return [*([] if self.wanted is None else [self.wanted]), *(configuration for configuration, _ in self.others)]

    async def prepare(self, tell: Tell = lambda reason: None) -> None:
        """What every part needs: the codec, the topic of configurations, the log epoch. (A run's topics are its own and never
        recreated.) Waits for broker and registry."""
        settings = self.settings
        await await_topics(settings.broker, [settings.prefix + CONFIG_TOPIC], tell)
        self.codec = await await_codec(settings.connection, tell)
        self.configurations = Configurations(settings.broker, self.codec, settings.prefix, self.ending)
        raw = RawCounts(settings.broker, settings.prefix, self.ending)
        counts = settings.catalog.partitions
        self.installation = InstalledTopology(
            self.configurations, settings.recorded, counts, raw.require, settings.catalog.endpoints
        )
        if not settings.recorded:
            self.epoch = await asyncio.to_thread(log_epoch.current, settings.broker, self.codec, settings.prefix)

    def parts(self, stages: Sequence[str]) -> list[ProcessPart]:
        """Of these stages, for a prepared plant. Each is built by itself: what one waits for holds up no other."""
        return [part for name in stages for part in self._parts(name)]

    async def apps(self, stages: Sequence[str]) -> list[Any]:
        """All services of these stages, when everything that they need is there. For a process that has nothing else to do."""
        await self.prepare()
        return [service for part in self.parts(stages) for service in await part.build(lambda reason: None)]

    def _parts(self, stage: str) -> list[ProcessPart]:
        match stage:
            case "intake":
                if self.wanted is None:
                    raise ValueError("intake needs a configuration (--config)")
                return [
                    ProcessPart(f"intake.{topic}", partial(self._intake, configuration, key, topic))
                    for configuration, key in ((self.wanted, self.settings.private_key), *self.others)
                    for topic in raw_topics(configuration, self.settings.recorded)
                ]
            case "equipment":
                return [ProcessPart(stage, partial(self._stage, EquipmentStage))]
            case "lots":
                return [ProcessPart(stage, self._lots)]
            case "orders":
                return [ProcessPart(stage, partial(self._stage, OrdersStage))]
            case "delivery":
                return [ProcessPart(stage, self._delivery)]
        raise ValueError(f"{stage} is no stage; stages are {', '.join(STAGES)}")

    async def _stage(self, stage: Callable[[InstalledTopology], Fold], tell: Tell) -> list[Any]:
        fold = stage(self.installation)
        return [await self._app(fold, inbox_of(fold.name), tell)]

    async def _lots(self, tell: Tell) -> list[Any]:
        stage = LotsStage(self.installation, self.settings.recorded)
        return [await self._app(stage, inbox_of(stage.name), tell)]

    async def _intake(self, wanted: Configuration, key: bytes, topic: str, tell: Tell) -> list[Any]:
        # Before the log names it: other stages read it by its hash.
        await asyncio.to_thread(self.configurations.publish, wanted)
        settings, recorded = self.settings, self.settings.recorded
        stage = IntakeStage(self.installation, topic, wanted, recorded, key, None if recorded else host_clock)
        app = await self._app(stage, topic, tell, patience=inf)  # somebody may make the topic of a source much later
        if recorded:
            return [app]
        await await_topics(settings.broker, [settings.prefix + CLOCK_PROBE], tell)
        await asyncio.to_thread(require_append_time, settings.broker, [settings.prefix + topic])
        return [app, IdleClock(app, stage, BrokerClock(settings.broker, settings.prefix))]

    async def _delivery(self, tell: Tell) -> list[Any]:
        stage = DeliveryStage(self.installation, self.settings.recorded)
        return list(delivery.with_executor(await self._app(stage, DELIVERY_INBOX, tell), stage, self))

    async def _app(self, fold: Fold, inbox: str, tell: Tell, *, patience: float = WAIT_SECONDS) -> StageApp:
        settings = self.settings
        changelog = changelog_of(fold.name)
        names = [settings.prefix + name for name in (inbox, changelog)]
        counts, ids = await await_topics(settings.broker, names, tell, patience=patience)
        if len(set(counts.values())) != 1:
            die(Exit.TOPIC_MISMATCH, f"inbox and changelog have different partition counts: {counts}")
        # Ticks go to as many partitions as the installation says, and are waited for from as many: others would never post, or
        # post before they know everything.
        inboxes = {settings.prefix + name: name for name in (inbox, *map(inbox_of, catalog().feeds))}
        counts |= (await await_topics(settings.broker, list(inboxes), tell, patience=patience)).partitions
        for full, name in inboxes.items():
            if counts[full] != (wanted := self.installation.partitions(name)):
                die(Exit.TOPIC_MISMATCH, f"{full} has {counts[full]} partitions, the installation says {wanted}")
        return StageApp(
            fold,
            [inbox],
            self.codec,
            StageSettings(
                broker=settings.broker,
                credentials=self.credentials,
                prefix=settings.prefix,
                datadir=settings.datadir,
                instance=f"{settings.prefix}{fold.name}.{settings.instance}" if settings.instance else None,
                checkpoint_interval=settings.interval(fold.name.partition(".")[0]),
                session_timeout=settings.session_timeout,
                log_epoch=self.epoch,
                topic_ids=ids,
                partitions=counts[names[0]],
            ),
        )
