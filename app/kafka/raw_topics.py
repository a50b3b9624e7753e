"""What a worker demands of raw topics. Where it reads them: the broker's append time, which is the clock of the plant. Where it
waits for their intakes: as many partitions as the installation says."""

import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from threading import Event, Thread

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from app.fatal import Exit, die
from app.kafka.broker import Broker, BrokerRefused, BrokerUnavailable
from app.kafka.metadata import existing_count

SETTING, WANTED = "message.timestamp.type", "LogAppendTime"
REQUEST_SECONDS = 15.0
LOOK_SECONDS, PAUSE_SECONDS = 2.0, 0.5
REFUSED_SECONDS, WAIT_SECONDS = 5.0, 60.0
"""How long a broker that has just started may refuse or not answer."""


def require_append_time(broker: Broker, topics: Iterable[str]) -> None:
    """Full names. Ends the process (APPEND_TIME_MISSING): with times that producers state, one wrong clock would close every
    shift. Raises KafkaException when the broker does not answer."""
    admin = broker.admin()
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in topics]
    for resource, future in admin.describe_configs(resources, request_timeout=REQUEST_SECONDS).items():
        found = future.result(REQUEST_SECONDS)[SETTING].value
        if found != WANTED:
            die(
                Exit.APPEND_TIME_MISSING,
                f"{resource.name} has {SETTING}={found}; `kafka-configs --alter --topic {resource.name} "
                f"--add-config {SETTING}={WANTED}`, then start again",
            )


class RawCounts:
    """Counts of raw topics by which a stage knows from how many intakes ticks come, compared with the broker's. A stage that
    waits for fewer than there are would post before it knows everything. A topic that nobody made yet is compared once it is
    there."""

    def __init__(self, broker: Broker, prefix: str, ending: Event) -> None:
        """`ending`: set when the process is told to end."""
        self._broker, self._prefix, self._ending = broker, prefix, ending
        self._known: set[str] = set()

    def require(self, stated: Mapping[str, int]) -> None:
        """Topics without prefix with their partitions. Blocks for the first look at a topic. Ends the process: TOPIC_MISMATCH,
        BROKER_AUTH without the right to describe one of them, BROKER_TIMEOUT."""
        new = {self._prefix + name: count for name, count in stated.items() if name not in self._known}
        self._known |= stated.keys()
        if missing := {name: count for name, count in new.items() if not self._compared(name, count)}:
            Thread(target=self._watch, args=(missing,), name="raw-counts", daemon=True).start()

    @cached_property
    def _admin(self) -> AdminClient:
        return self._broker.admin()

    def _compared(self, name: str, count: int) -> bool:
        """False: there is no such topic."""
        began = time.monotonic()
        while True:
            try:
                return self._agrees(name, count)
            except BrokerRefused as exc:
                if time.monotonic() - began > REFUSED_SECONDS:
                    die(Exit.BROKER_AUTH, f"comparing partitions: {exc}")
            except (BrokerUnavailable, KafkaException) as exc:
                if time.monotonic() - began > WAIT_SECONDS or self._ending.is_set():
                    die(Exit.BROKER_TIMEOUT, f"comparing partitions of {name}: {exc}")
            self._ending.wait(PAUSE_SECONDS)

    def _agrees(self, name: str, count: int) -> bool:
        found = existing_count(self._admin, name, LOOK_SECONDS)
        if found is not None and found != count:
            die(Exit.TOPIC_MISMATCH, f"{name} has {found} partitions, the installation says {count}")
        return found is not None

    def _watch(self, missing: Mapping[str, int]) -> None:
        """In a thread of its own: a fold must not stand still whenever it is time for a look."""
        while missing and not self._ending.wait(LOOK_SECONDS):
            still = {}
            for name, count in missing.items():
                try:
                    if self._agrees(name, count):
                        continue
                except (BrokerRefused, BrokerUnavailable, KafkaException):
                    pass  # the stage itself meets it, too, and says so
                still[name] = count
            missing = still
