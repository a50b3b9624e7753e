"""The catalog: every topic with its key, records, owner and retention, and the fixed schema ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CATALOG_FILE = Path(__file__).parent / "catalog.yaml"


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
class Catalog:
    topics: Mapping[str, Topic]
    schema_ids: Mapping[str, int]
    endpoints: Mapping[str, int]
    compatibility: str

    def partitions(self, topic: str) -> int:
        """Partitions of a topic; the topics of single sources follow `raw`."""
        return self.topics[topic if topic in self.topics else "raw"].partitions


@cache
def catalog() -> Catalog:
    """The catalog of this version of the program."""
    content: dict[str, Any] = yaml.safe_load(CATALOG_FILE.read_text(encoding="utf-8"))
    topics = {
        name: Topic(name=name, **{**entry, "records": tuple(entry["records"])}) for name, entry in content["topics"].items()
    }
    return Catalog(topics, content["schema_ids"], content["endpoints"], content["compatibility"])
