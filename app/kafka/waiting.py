"""What a process waits for at its start: broker, rights, topics, registry. Asynchronous, so that a signal ends it at once."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from app.fatal import Exit, die
from app.kafka.broker import Broker
from app.kafka.connection import Connection
from app.kafka.metadata import FORBIDDEN
from app.kafka.registry import RegistryError, RegistryUnavailable, SchemaNotRegistered
from schemas.codec import Codec

WAIT_SECONDS = 120.0
"""How long a start waits for what others must bring: a broker, topics, schemas."""
REFUSED_SECONDS = 5.0
"""A broker that refuses its clients this long means it: one that has just started may not know them yet."""
ATTEMPT_SECONDS, LONGEST_PAUSE_SECONDS, TOLD_SECONDS = 2.0, 5.0, 30.0
_LOG = logging.getLogger("start")


class PendingReasons:
    """What the parts of a process still wait for, in words: `/ready` shows it; the log has each new reason at once."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}
        self._told: dict[str, tuple[str, float]] = {}

    def tell(self, part: str, reason: str) -> None:
        """`reason` empty: the part waits for nothing any more."""
        if not reason:
            self._reasons.pop(part, None)
            return
        self._reasons[part] = reason
        before, at = self._told.get(part, ("", 0.0))
        if reason != before or time.monotonic() - at > TOLD_SECONDS:
            self._told[part] = (reason, time.monotonic())
            code, colon, _ = reason.partition(":")
            _LOG.warning("%s waits: %s", part, reason, extra={"stage": part, "code": code if colon and code.isupper() else ""})

    def reasons(self) -> list[str]:
        return [f"{part}: {reason}" for part, reason in sorted(self._reasons.items())]


Tell = Callable[[str], None]
"""Takes the reason of waiting, in words; empty: it is over."""


class Topics(NamedTuple):
    """Partition counts and Kafka's ids, by topic name."""

    partitions: dict[str, int]
    ids: dict[str, str]


@dataclass(slots=True)
class _Look:
    """One look at the broker: what was found, or why not."""

    found: Topics | None = None
    reason: str = ""
    answered: bool = False
    forbidden: bool = False


def _nobody_asks(reason: str) -> None:
    """Nobody asks what is waited for."""


async def await_topics(
    broker: Broker, names: Sequence[str], tell: Tell = _nobody_asks, *, patience: float = WAIT_SECONDS
) -> Topics:
    """Waits with back-off until the broker has the topics (full names).

    Ends the process: BROKER_AUTH when the broker lets it not in or not at these topics, BROKER_TIMEOUT when none answers for
    WAIT_SECONDS, or topics are missing for `patience` (seconds; infinite: they may come whenever they come).
    """
    admin, pause = broker.admin(), 0.1
    silent_since = began = time.monotonic()
    refused_since: float | None = None
    while True:
        look = await asyncio.to_thread(_look, admin, broker, names)
        now = time.monotonic()
        if look.found is not None:
            tell("")
            return look.found
        tell(look.reason)
        silent_since = now if look.answered else silent_since
        refused = look.forbidden or (not look.answered and bool(broker.hearing.refusal))
        refused_since = (now if refused_since is None else refused_since) if refused else None
        if refused_since is not None and now - refused_since >= REFUSED_SECONDS:
            die(Exit.BROKER_AUTH, f"{broker.bootstrap}: {look.reason}")
        if now - silent_since > WAIT_SECONDS or now - began > patience:
            die(Exit.BROKER_TIMEOUT, f"{broker.bootstrap}: {look.reason}")
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _look(admin: AdminClient, broker: Broker, names: Sequence[str]) -> _Look:
    found: dict[str, int] = {}
    try:
        for name in names:
            topic = admin.list_topics(name, timeout=ATTEMPT_SECONDS).topics[name]
            broker.hearing.refusal = ""
            if topic.error is not None and topic.error.code() in FORBIDDEN:
                return _Look(reason=f"no right to use {name} ({topic.error.str()})", answered=True, forbidden=True)
            found[name] = len(topic.partitions)
        missing = [name for name, count in found.items() if not count]
        if missing:
            return _Look(reason=f"TOPIC_MISSING: {', '.join(missing)}; run `lineledger topics apply`", answered=True)
        return _Look(Topics(found, {} if broker.embedded else _topic_ids(admin, names)), answered=True)
    except KafkaException as exc:
        admin.poll(0)  # calls `hearing`
        return _Look(reason=broker.hearing.refusal or f"no broker answers ({exc.args[0]})")


def _topic_ids(admin: AdminClient, names: Sequence[str]) -> dict[str, str]:
    described = admin.describe_topics(TopicCollection(list(names)), request_timeout=ATTEMPT_SECONDS)
    return {name: str(future.result().topic_id) for name, future in described.items()}


async def await_codec(connection: Connection, tell: Tell = _nobody_asks) -> Codec:
    """The codec of the installation, once the registry answers and has this version's schemas. Ends the process with
    REGISTRY_FAILED when it refuses, or when both did not come within WAIT_SECONDS."""
    deadline, pause = time.monotonic() + WAIT_SECONDS, 0.2
    while True:
        try:
            codec = await asyncio.to_thread(connection.codec, retries=0)
        except (RegistryUnavailable, SchemaNotRegistered) as exc:
            tell(f"{exc.code}: {exc}")
            if time.monotonic() > deadline:
                die(Exit.REGISTRY_FAILED, f"{exc.code}: {exc}")
        except RegistryError as exc:
            die(Exit.REGISTRY_FAILED, f"{exc.code}: {exc}")
        else:
            tell("")
            return codec
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
