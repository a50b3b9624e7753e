"""installation.yaml: what belongs to the installation and to no plant. Owner: the platform team. Secrets by reference only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field, field_validator, model_validator

from schemas.catalog import DAY_US, Catalog, Topic, catalog
from schemas.configuration.values import Duration, Name, OneOrMany, SecretName, Section, Whole
from schemas.topics import DELIVERY_INBOX

MAX_PARTITIONS = 512
"""Of one topic when it is made. Each partition of an inbox costs a transactional producer and a tick per second."""
_RAW, _INBOX, _CHANGELOG = "raw", ".inbox", ".changelog"
Count = Annotated[Whole, Field(ge=1, le=MAX_PARTITIONS)]


class Kafka(Section):
    bootstrap: Annotated[list[str], OneOrMany] = Field(default_factory=list)
    """host:port of some of the brokers."""
    client_config: str = ""
    """File of key=value settings for TLS, SASL and the registry, from the folder of installation.yaml."""


class SchemaRegistry(Section):
    url: str = ""
    secret: SecretName = ""
    """Name of the secret `user:password`; empty: what the file of `kafka.client_config` says."""


class Partitions(Section):
    """How many when a topic is made. They never change within a log epoch. A stage's inbox and changelog have the same."""

    default: Count = catalog().topics[_RAW].partitions
    intake: Count | None = None
    """Of raw topics and of what intake keeps of them."""
    equipment: Count | None = None
    lots: Count | None = None
    orders: Count | None = None
    delivery: Count | None = None
    topics: dict[str, Count] = Field(default_factory=dict)
    """Single topics: a source's raw topic, or one of the catalog that is no stage's own."""

    @field_validator("topics")
    @classmethod
    def _of_no_stage(cls, topics: dict[str, int]) -> dict[str, int]:
        for name in topics:
            if name.endswith((_INBOX, _CHANGELOG)) or name == _RAW:
                raise ValueError(f"`{name}` is a stage's own; give the count of the stage, beside `topics`")
        return topics

    def of(self, topic: str) -> int:
        """Of a topic of the catalog (without prefix), or of a source's raw topic."""
        if topic in self.topics:
            return self.topics[topic]
        stage = topic.partition(".")[0] if topic.endswith((_INBOX, _CHANGELOG)) else ""
        if topic == _RAW or topic not in catalog().topics:
            stage = "intake"
        return (getattr(self, stage) if stage else None) or self.default


class Copies(NamedTuple):
    """Of each partition of a topic that is made."""

    replication: int
    min_insync: int
    """That a write waits for; 0: 2 of 3 and more, else 1."""


class TopicSettings(Section):
    partitions: Partitions = Field(default_factory=Partitions)
    replication: Annotated[Whole, Field(ge=1, le=15)] = 3
    """Copies of each partition."""
    min_insync: Annotated[Whole, Field(ge=0, le=15)] = 0
    """Copies that a write waits for; 0: 2 of 3 and more, else 1."""
    retention: dict[str, Duration] = Field(default_factory=dict)
    """`raw`, `inbox` (of every stage), or a topic of the catalog that is kept for days -> how long instead, in whole days."""

    @field_validator("retention")
    @classmethod
    def _in_days(cls, retention: dict[str, int]) -> dict[str, int]:
        there = catalog().topics
        known = {"inbox", *(name for name, topic in there.items() if _by_days(topic) and not name.endswith(_INBOX))}
        for name, time_us in retention.items():
            if name not in known:
                raise ValueError(f"`{name}` is not kept for a time; write one of {', '.join(sorted(known))}")
            if time_us < DAY_US or time_us % DAY_US:
                raise ValueError(f"`{name}` is kept for whole days, at least one")
        return retention

    @model_validator(mode="after")
    def _fewer_than_copies(self) -> TopicSettings:
        if self.min_insync > self.replication:
            raise ValueError(f"min_insync {self.min_insync} of {self.replication} copies: nothing could be written")
        return self

    def copies(self, asked: int = 0) -> Copies:
        """`asked`: how many copies an option wants, which holds before the document; 0: none does."""
        return Copies(asked or self.replication, min(self.min_insync, asked or self.replication))


def _identity(value: str) -> str:
    if value == "*" or value.startswith("User:") or value != value.strip():
        raise ValueError(f"`{value}` is no user of Kafka; write its name, without `User:`")
    return value


Identity = Annotated[str, AfterValidator(_identity)]
"""A SCRAM user, or what the broker makes of a client certificate."""


class Identities(Section):
    """Who is who in Kafka. A process of several stages has one name; give it to each of them."""

    equipment: Identity = "lineledger-equipment"
    lots: Identity = "lineledger-lots"
    orders: Identity = "lineledger-orders"
    delivery: Identity = "lineledger-delivery"
    readers: Identity = ""
    """Who asks: `trace`, `status`, `reconcile`; empty: nobody."""
    operators: Identity = ""
    """Who decides and replays, and asks; empty: nobody."""


class InstalledPlant(Section):
    configuration: str
    """Folder with plant.yaml, rules.yaml and erp.yaml, from the folder of installation.yaml."""
    intake: Identity = ""
    """Of the plant's intake in Kafka; empty: `lineledger-intake-PLANT` in small letters."""
    network: Identity = ""
    """Of what sends the plant's records: it writes the raw topics of its sources and nothing else; empty: nobody."""


class InstallationConfig(Section):
    """The default is what a program without an installation.yaml goes by."""

    prefix: str = ""
    """Before every topic name, as it stands."""
    kafka: Kafka = Field(default_factory=Kafka)
    registry: SchemaRegistry = Field(default_factory=SchemaRegistry)
    topics: TopicSettings = Field(default_factory=TopicSettings)
    identities: Identities = Field(default_factory=Identities)
    endpoints: dict[Name, Annotated[Whole, Field(ge=0)]] = Field(default_factory=lambda: dict(catalog().endpoints))
    """ERP endpoint, as erp.yaml names it -> its partition of delivery's inbox: one worker posts to it."""
    plants: dict[Name, InstalledPlant] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _a_partition_each(self) -> InstallationConfig:
        count, taken = self.topics.partitions.of(DELIVERY_INBOX), dict[int, str]()
        if not self.endpoints:
            raise ValueError("`endpoints` names at least one; leave it out for `erp: 0`")
        for name, partition in self.endpoints.items():
            if partition in taken:
                raise ValueError(f"endpoints: `{name}` and `{taken[partition]}` both have partition {partition}")
            if partition >= count:
                many = f"{count} partitions (topics.partitions.delivery), counted from 0"
                raise ValueError(f"endpoints: `{name}` has partition {partition}, delivery has {many}")
            taken[partition] = name
        return self

    def catalog(self) -> Catalog:
        """The catalog with the counts and retentions of this installation."""
        wanted = self.topics
        topics = {
            name: replace(topic, partitions=wanted.partitions.of(name), retention=_retention(topic, wanted.retention))
            for name, topic in catalog().topics.items()
        }
        return replace(catalog(), topics=topics, raw_partitions=_raw(wanted.partitions.topics), endpoints=self.endpoints)


def _raw(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if name not in catalog().topics}


def _by_days(topic: Topic) -> bool:
    return topic.retention.endswith("d")


def _retention(topic: Topic, stated: Mapping[str, int]) -> str:
    time_us = stated.get("inbox" if topic.name.endswith(_INBOX) else topic.name)
    return topic.retention if time_us is None else f"{time_us // DAY_US}d"
