"""The composition root: which stages there are, who feeds whom, and the Faust app of each. The only place that builds apps."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient
from mode import Service

from app.engine.fatal import Exit, die
from app.engine.stage import Fold, StageApp, StageSettings
from app.kafka import log_epoch
from app.kafka.configurations import TOPIC as CONFIG_TOPIC
from app.kafka.configurations import Configurations
from app.settings import Settings
from schemas.catalog import catalog
from schemas.codec import Codec
from schemas.configuration import Configuration
from streams.delivery import DeliveryStage
from streams.equipment import EquipmentStage
from streams.intake import IntakeStage
from streams.lots import LotsStage
from streams.orders import OrdersStage
from streams.step import sender

STAGES = ("intake", "equipment", "lots", "orders", "delivery")
BROKER_WAIT_SECONDS = 120.0
IDLE_SECONDS = 0.2


def raw_topics(configuration: Configuration, recorded: bool) -> dict[str, int]:
    """Raw topic -> partitions that carry the plant. Recorded input is one partition, so that its order is one order."""
    if recorded:
        return {f"raw.{configuration.plant.plant.id.lower()}": 1}
    topics = {source.read.topic for source in configuration.plant.sources.values() if source.read.topic}
    return {topic: catalog().partitions(topic) for topic in sorted(topics)}


class Installation:
    """streams.step.Topology of this installation: from the catalog and the configurations in the log."""

    def __init__(self, configurations: Configurations, recorded: bool) -> None:
        self._configurations, self._recorded = configurations, recorded
        self._upstreams: dict[tuple[str, str], Sequence[str]] = {}

    def configuration(self, hash_: str) -> Configuration:
        return self._configurations.get(hash_)

    def upstreams(self, stage: str, configuration: Configuration) -> Sequence[str]:
        key = (stage, configuration.hash)
        if key not in self._upstreams:
            self._upstreams[key] = self._find_upstreams(stage, configuration)
        return self._upstreams[key]

    def _find_upstreams(self, stage: str, configuration: Configuration) -> Sequence[str]:
        raw = raw_topics(configuration, self._recorded)
        intake = [sender("intake", topic, partition) for topic, count in raw.items() for partition in range(count)]
        match stage:
            case "equipment":
                return intake
            case "orders" | "lots":
                return intake + self._senders("equipment")
            case "delivery":
                return self._senders("lots") + self._senders("orders")
        raise ValueError(f"{stage} has no upstreams")

    def _senders(self, stage: str) -> list[str]:
        return [sender(stage, f"{stage}.inbox", partition) for partition in range(self.partitions(f"{stage}.inbox"))]

    def partitions(self, topic: str) -> int:
        return catalog().partitions(topic)

    @property
    def endpoints(self) -> Mapping[str, int]:
        return catalog().endpoints


class IdleClock(Service):
    """Lets the wall clock into an idle intake: live, without lag, each second (design section 3).

    The wall clock may run at most twice as fast as monotonic time: one wrong clock must not close every shift.
    """

    def __init__(self, app: StageApp, stage: IntakeStage) -> None:
        super().__init__()
        self._app, self._stage = app, stage
        self._anchor = (time.time(), time.monotonic())

    @Service.task
    async def _tick(self) -> None:
        while not self.should_stop:
            await asyncio.sleep(IDLE_SECONDS)
            now = self._now()
            for tp, part in list(self._app.tables.parts.items()):
                if part.ready and not part.leaving and self._app.consumer.highwater(tp) == part.position:
                    self._stage.idle(self._app.idle_step(part), int(now * 1_000_000))

    def _now(self) -> float:
        wall, monotonic = self._anchor
        elapsed = time.monotonic() - monotonic
        now = min(time.time(), wall + 2 * elapsed)
        self._anchor = (max(now, wall), time.monotonic())
        return now


class Plant:
    """What a process must know to build stages: settings, codec, configurations, and the plant's wanted configuration."""

    def __init__(self, settings: Settings, wanted: Configuration | None = None, codec: Codec | None = None) -> None:
        self.settings = settings
        self.codec = codec or Codec()
        self.configurations = Configurations(settings.broker, self.codec, settings.prefix)
        self.installation = Installation(self.configurations, settings.recorded)
        self.wanted = wanted
        self._epoch: int | None = None

    def apps(self, stages: Sequence[str]) -> list[Any]:
        """Services to run for these stages: one Faust app per stage (intake: per raw topic), and what belongs to it."""
        services: list[Any] = []
        for name in stages:
            match name:
                case "intake":
                    services += self._intake()
                case "equipment":
                    services.append(self._app(EquipmentStage(self.installation), "equipment.inbox"))
                case "lots":
                    services.append(self._app(LotsStage(self.installation), "lots.inbox"))
                case "orders":
                    services.append(self._app(OrdersStage(self.installation), "orders.inbox"))
                case "delivery":
                    services += self._delivery()
                case _:
                    raise ValueError(f"{name} is no stage; stages are {', '.join(STAGES)}")
        return services

    def _log_epoch(self) -> int:
        """Read once, before the first stage starts. A run's topics are its own and never recreated."""
        settings = self.settings
        if self._epoch is None:
            self._epoch = log_epoch.FIRST
            if not settings.recorded:
                await_topics(settings, [settings.prefix + CONFIG_TOPIC])
                self._epoch = log_epoch.current(settings.broker, self.codec, settings.prefix)
        return self._epoch

    def _intake(self) -> list[Any]:
        if self.wanted is None:
            raise ValueError("intake needs a configuration (--config)")
        self.configurations.publish(self.wanted)  # before the log names it: other stages read it by its hash
        services: list[Any] = []
        for topic in raw_topics(self.wanted, self.settings.recorded):
            stage = IntakeStage(self.installation, topic, self.wanted, self.settings.recorded, self.settings.private_key)
            app = self._app(stage, topic)
            services += [app] if self.settings.recorded else [app, IdleClock(app, stage)]
        return services

    def _delivery(self) -> list[Any]:
        from app.delivery import with_executor

        stage = DeliveryStage(self.installation, self.settings.recorded)
        return list(with_executor(self._app(stage, "delivery.inbox"), stage, self))

    def _app(self, fold: Fold, inbox: str) -> StageApp:
        settings = self.settings
        changelog = f"{fold.name}.changelog"
        names = [settings.prefix + name for name in (inbox, changelog)]
        counts, ids = await_topics(settings, names)
        if len(set(counts.values())) != 1:
            die(Exit.TOPIC_MISMATCH, f"inbox and changelog have different partition counts: {counts}")
        return StageApp(
            fold,
            [inbox],
            self.codec,
            StageSettings(
                broker=settings.broker,
                prefix=settings.prefix,
                datadir=settings.datadir,
                instance=f"{settings.prefix}{fold.name}.{settings.instance}" if settings.instance else None,
                checkpoint_interval=settings.interval(fold.name.partition(".")[0]),
                session_timeout=settings.session_timeout,
                log_epoch=self._log_epoch(),
                topic_ids=ids,
                partitions=counts[names[0]],
            ),
        )


def await_topics(settings: Settings, names: Sequence[str]) -> tuple[dict[str, int], dict[str, str]]:
    """Partition counts and Kafka topic ids. Waits for broker and topics with back-off; ends the process after two minutes."""
    admin = AdminClient({**settings.broker.client(), "log_level": 0})
    deadline, pause = time.monotonic() + BROKER_WAIT_SECONDS, 0.1
    while True:
        try:
            found = {name: len(admin.list_topics(name, timeout=5).topics[name].partitions) for name in names}
            if all(found.values()):
                return found, {} if settings.embedded else _topic_ids(admin, names)
        except Exception as exc:
            reason = repr(exc)
        else:
            reason = f"missing topics: {[name for name, count in found.items() if not count]}; run `lineledger topics apply`"
        if time.monotonic() > deadline:
            die(Exit.BROKER_TIMEOUT, f"{settings.bootstrap}: {reason}")
        time.sleep(pause)
        pause = min(pause * 2, 5.0)


def _topic_ids(admin: AdminClient, names: Sequence[str]) -> dict[str, str]:
    described = admin.describe_topics(TopicCollection(list(names)), request_timeout=10)
    return {name: str(future.result().topic_id) for name, future in described.items()}
