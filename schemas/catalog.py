"""The catalog: every topic with its key, records, owner and retention, every kind of row, and the fixed schema ids."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

import yaml

CATALOG_FILE = Path(__file__).parent / "catalog.yaml"
DAY_US = 86_400_000_000
ENDPOINT = "erp"
"""Where the postings of a plant go whose erp.yaml names no endpoint. `Catalog.endpoints` says at which partition."""


@dataclass(slots=True, frozen=True)
class Topic:
    """A topic as the catalog wants it. `retention`: `compact`, `forever` or days like `7d`."""

    name: str
    key: str
    records: tuple[str, ...]
    owner: str
    retention: str
    partitions: int
    append_time: bool = False
    public: bool = False


@dataclass(slots=True, frozen=True)
class CatalogRows:
    """Rows of one prefix in a stage's table. `keep`: days like `90d` after what `after` says; empty: not by time."""

    record: str
    key: str
    keep: str
    after: str

    @property
    def keep_us(self) -> int:
        """Microseconds of log time. Raises ValueError where it is not by time."""
        return int(self.keep.removesuffix("d")) * DAY_US


@dataclass(slots=True, frozen=True)
class Catalog:
    topics: Mapping[str, Topic]
    rows: Mapping[str, Mapping[str, CatalogRows]]
    """Stage -> prefix of the row's key -> what it is and how long it is kept."""
    feeds: Mapping[str, tuple[str, ...]]
    """Stage -> the stages that feed it."""
    writes: Mapping[str, tuple[str, ...]]
    """Stage -> topics that it writes beside its own changelog."""
    schema_ids: Mapping[str, int]
    endpoints: Mapping[str, int]
    """ERP endpoint -> its partition of delivery's inbox."""
    compatibility: str
    raw_partitions: Mapping[str, int] = field(default_factory=dict)
    """Raw topics of single sources whose count an installation states."""

    def partitions(self, topic: str) -> int:
        """Partitions of a topic when it is made; the topics of single sources follow `raw` unless their count is stated."""
        if topic in self.topics:
            return self.topics[topic].partitions
        return self.raw_partitions.get(topic, self.topics["raw"].partitions)

    def in_one_partition(self) -> "Catalog":
        """Each topic has one partition: what is posted does not depend on their number."""
        topics = {name: replace(topic, partitions=1) for name, topic in self.topics.items()}
        return replace(self, topics=topics, raw_partitions={})

    def of_one_plant(self, endpoint: str) -> Self:
        """For a run: it has one plant, and an ERP of its own under whatever name the plant gives to it."""
        return replace(self, endpoints={endpoint: 0})


@cache
def catalog() -> Catalog:
    """The catalog of this version of the program. Counts and retentions in it are what holds where no installation.yaml says
    otherwise (schemas/configuration/installation.py)."""
    content: dict[str, Any] = yaml.safe_load(CATALOG_FILE.read_text(encoding="utf-8"))
    topics = {
        name: Topic(name=name, **{**entry, "records": tuple(entry["records"])}) for name, entry in content["topics"].items()
    }
    rows = {stage: {prefix: CatalogRows(**entry) for prefix, entry in kinds.items()} for stage, kinds in content["rows"].items()}
    feeds = {stage: tuple(feeders) for stage, feeders in content["feeds"].items()}
    writes = {stage: tuple(names) for stage, names in content["writes"].items()}
    return Catalog(topics, rows, feeds, writes, content["schema_ids"], content["endpoints"], content["compatibility"])
