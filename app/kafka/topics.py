"""Makes the catalog's topics on a broker: creates what is missing, refuses what differs. Nothing is altered, ever."""

import time
from collections.abc import Iterable

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from app.kafka.broker import Broker, BrokerUnavailable
from app.kafka.topic_plan import Change, FoundTopic, WantedTopic, compare, wanted_topics
from schemas.catalog import Catalog

REQUEST_TIMEOUT_S = 15.0
VISIBLE_TIMEOUT_S = 30.0


class TopicDrift(RuntimeError):
    """Topics exist but differ from the catalog; an operator decides (partition counts never change within a log epoch)."""

    code = "TOPIC_DRIFT"

    def __init__(self, changes: list[Change]) -> None:
        self.changes = [change for change in changes if change.action == "drift"]
        super().__init__("; ".join(f"{change.topic}: {', '.join(change.reasons)}" for change in self.changes))


def admin_client(bootstrap: str) -> AdminClient:
    """An admin client of a broker that lets everybody in. Connects on first use."""
    return Broker(bootstrap).admin()


def plan(
    admin: AdminClient,
    catalog: Catalog,
    prefix: str,
    raw_topics: Iterable[str],
    *,
    replication: int = 1,
    min_insync: int = 0,
    recorded: bool = False,
) -> list[Change]:
    """What `apply` would do, one Change per topic (arguments: wanted_topics). Changes nothing.

    Raises BrokerUnavailable, TopicNameInvalid.
    """
    wanted = wanted_topics(catalog, prefix, raw_topics, replication=replication, min_insync=min_insync, recorded=recorded)
    return compare(wanted, _found(admin, wanted))


def apply(
    admin: AdminClient,
    catalog: Catalog,
    prefix: str,
    raw_topics: Iterable[str],
    *,
    replication: int = 1,
    min_insync: int = 0,
    recorded: bool = False,
) -> list[Change]:
    """Create what is missing; returns the plan that was carried out, when every topic is there as wanted.

    Raises TopicDrift before anything is created if an existing topic differs, and afterwards if somebody else made one otherwise
    meanwhile. Raises BrokerUnavailable, TopicNameInvalid.
    """
    wanted = wanted_topics(catalog, prefix, raw_topics, replication=replication, min_insync=min_insync, recorded=recorded)
    planned = _settled(admin, wanted)
    _refuse_drift(planned)
    missing = _missing(wanted, planned)
    if missing:
        _create(admin, missing)
        _await_visible(admin, wanted)
    return planned


def _refuse_drift(changes: list[Change]) -> None:
    if any(change.action == "drift" for change in changes):
        raise TopicDrift(changes)


def _missing(wanted: list[WantedTopic], changes: list[Change]) -> list[WantedTopic]:
    names = {change.topic for change in changes if change.action == "create"}
    return [topic for topic in wanted if topic.name in names]


def _settled(admin: AdminClient, wanted: list[WantedTopic]) -> list[Change]:
    """The comparison, once the metadata shows every wanted topic that the controller has.

    A broker's metadata follows the controller with a delay: without asking the controller, a topic made a moment ago looks
    missing, and its drift would be noticed only after the others were created. Asking (validate_only) also finds what the
    controller would refuse, before anything is made.
    """
    deadline = time.monotonic() + VISIBLE_TIMEOUT_S
    while True:
        changes = compare(wanted, _found(admin, wanted))
        missing = _missing(wanted, changes)
        if not missing or not _create(admin, missing, validate_only=True):
            return changes
        _pause(deadline)


def _await_visible(admin: AdminClient, wanted: list[WantedTopic]) -> None:
    """Wait until the metadata shows what was created. Raises TopicDrift if somebody else's topic came first."""
    deadline = time.monotonic() + VISIBLE_TIMEOUT_S
    while True:
        changes = compare(wanted, _found(admin, wanted))
        _refuse_drift(changes)
        if not _missing(wanted, changes):
            return
        _pause(deadline)


def _pause(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise BrokerUnavailable(f"a topic exists but is not visible after {VISIBLE_TIMEOUT_S} s")
    time.sleep(0.1)


def _create(admin: AdminClient, topics: list[WantedTopic], *, validate_only: bool = False) -> set[str]:
    """Create topics, or only ask whether it would work; returns those that exist already (two processes may apply at once)."""
    requests = [
        NewTopic(t.name, num_partitions=t.partitions, replication_factor=t.replication, config=dict(t.config)) for t in topics
    ]
    existing = set()
    answers = admin.create_topics(requests, operation_timeout=REQUEST_TIMEOUT_S, validate_only=validate_only)
    for name, future in answers.items():
        try:
            future.result(REQUEST_TIMEOUT_S)
        except KafkaException as exc:
            if exc.args[0].code() == KafkaError.INVALID_REPLICATION_FACTOR:
                raise BrokerUnavailable(f"{name}: {exc.args[0].str()}; with fewer brokers give --replication") from exc
            if exc.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise BrokerUnavailable(f"{name}: {exc}") from exc
            existing.add(name)
        except TimeoutError as exc:
            raise BrokerUnavailable(f"{name}: no answer to create topics") from exc
    return existing


def _found(admin: AdminClient, wanted: list[WantedTopic]) -> dict[str, FoundTopic]:
    """The wanted topics that exist, by name."""
    try:
        metadata = admin.list_topics(timeout=REQUEST_TIMEOUT_S)
    except KafkaException as exc:
        raise BrokerUnavailable(str(exc)) from exc
    names = [topic.name for topic in wanted if topic.name in metadata.topics and metadata.topics[topic.name].error is None]
    configs = _configs(admin, names)
    return {
        name: FoundTopic(
            partitions=len(metadata.topics[name].partitions),
            replication=min(len(partition.replicas) for partition in metadata.topics[name].partitions.values()),
            config=configs[name],
        )
        for name in names
        if name in configs
    }


def _configs(admin: AdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    """Effective settings by topic. A topic that is deleted meanwhile is left out."""
    if not names:
        return {}
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
    configs: dict[str, dict[str, str]] = {}
    for resource, future in admin.describe_configs(resources, request_timeout=REQUEST_TIMEOUT_S).items():
        try:
            entries = future.result(REQUEST_TIMEOUT_S)
        except KafkaException as exc:
            if exc.args[0].code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise BrokerUnavailable(str(exc)) from exc
        except TimeoutError as exc:
            raise BrokerUnavailable("no answer to describe configs") from exc
        else:
            configs[resource.name] = {key: entry.value for key, entry in entries.items() if entry.value is not None}
    return configs
