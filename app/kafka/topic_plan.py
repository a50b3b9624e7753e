"""What the topics should look like, and how what is there differs: pure, the broker is in topics.py."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from schemas.catalog import Catalog, Topic
from schemas.codec import MAX_MESSAGE_BYTES
from schemas.topics import INTAKE_CHANGELOG

RAW = "raw"
"""Patterns: one topic per raw topic."""
DAY_MS = 24 * 3600 * 1000
# A local store older than half of this is dropped and restored cold: a tombstone that it missed may be gone.
DELETE_RETENTION_MS = 7 * DAY_MS
# A record at the codec's limit, with its key, headers and batch header.
MAX_BATCH_BYTES = MAX_MESSAGE_BYTES + (64 << 10)
_ANY_AGE_MS = (1 << 63) - 1
_COPIES = re.compile(r"replication is (\d+), wanted (\d+)")
_LEGAL_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")


class TopicNameInvalid(ValueError):
    """A topic name that Kafka refuses, or that would stand for two things."""

    code = "TOPIC_NAME_INVALID"


@dataclass(slots=True, frozen=True)
class WantedTopic:
    """A topic with its full name (prefix included) and the broker settings that matter to lineledger."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(slots=True, frozen=True)
class FoundTopic:
    """A topic as the broker has it. `config`: effective values, defaults included. `replication`: of its worst partition."""

    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(slots=True, frozen=True)
class Change:
    """One line of a plan. `reasons` says what differs and is empty unless action is `drift`."""

    topic: str
    action: Literal["create", "ok", "drift"]
    reasons: tuple[str, ...] = ()


def wanted_topics(
    catalog: Catalog, prefix: str, raw_topics: Iterable[str], *, replication: int = 1, min_insync: int = 0, recorded: bool = False
) -> list[WantedTopic]:
    """Every topic of an installation, by name. `catalog`: with its counts and retentions.

    `prefix` is put before each name as it stands (it brings its own separator). `raw_topics`: the topics of plant.yaml's sources,
    without prefix; each follows the catalog's entry `raw` and its intake app's changelog the entry `intake.changelog`: both are
    patterns and no topics themselves. `min_insync`, `recorded`: see topic_config.
    Raises TopicNameInvalid.
    """
    declared = {name: topic for name, topic in catalog.topics.items() if name not in (RAW, INTAKE_CHANGELOG)}
    for raw in raw_topics:
        if raw in catalog.topics and raw != RAW:
            raise TopicNameInvalid(f"raw topic {raw} has the name of a topic of the catalog")
        count = catalog.partitions(raw)
        declared[raw] = replace(catalog.topics[RAW], partitions=count)
        declared[f"intake.{raw}.changelog"] = replace(catalog.topics[INTAKE_CHANGELOG], partitions=count)
    wanted = []
    for name, topic in sorted(declared.items()):
        full = f"{prefix}{name}"
        if not _LEGAL_NAME.fullmatch(full) or full in {".", ".."}:
            raise TopicNameInvalid(f"{full!r} is no Kafka topic name (1 to 249 of A-Z a-z 0-9 . _ -)")
        config = topic_config(topic, replication, recorded, min_insync)
        wanted.append(WantedTopic(full, topic.partitions, replication, config))
    return wanted


def topic_config(topic: Topic, replication: int, recorded: bool, min_insync: int = 0) -> dict[str, str]:
    """Broker settings of one topic. `min_insync` 0: 2 of 3 copies and more, else 1.

    Live, raw topics carry the broker's append time: it is the clock of the plant. `recorded` is for input that was recorded
    earlier and keeps its own timestamps: years old, so nothing may be refused or deleted for its age, in any topic.
    """
    config = {
        "cleanup.policy": "compact" if topic.retention == "compact" else "delete",
        "max.message.bytes": str(MAX_BATCH_BYTES),
        "message.timestamp.type": "LogAppendTime" if topic.append_time and not recorded else "CreateTime",
        "min.insync.replicas": str(min_insync or (2 if replication >= 3 else 1)),
        "unclean.leader.election.enable": "false",
    }
    if topic.retention == "compact":
        # Small segments, because the active one is never compacted and a cold restore reads all of it.
        config |= {
            "segment.ms": str(3600 * 1000),
            "min.cleanable.dirty.ratio": "0.2",
            "max.compaction.lag.ms": str(DAY_MS),
            "delete.retention.ms": str(DELETE_RETENTION_MS),
        }
    else:
        config["retention.ms"] = str(retention_ms(topic.retention))
    if recorded:
        config |= {
            "retention.ms": "-1",
            "message.timestamp.before.max.ms": str(_ANY_AGE_MS),
            "message.timestamp.after.max.ms": str(_ANY_AGE_MS),
        }
    return config


def retention_ms(retention: str) -> int:
    """`forever` (-1) or days like `7d`, in milliseconds. Raises ValueError for anything else."""
    if retention == "forever":
        return -1
    if not re.fullmatch(r"[1-9][0-9]*d", retention):
        raise ValueError(f"retention {retention!r} is neither compact, forever nor days like 7d")
    return int(retention[:-1]) * DAY_MS


def compare(wanted: Iterable[WantedTopic], found: Mapping[str, FoundTopic]) -> list[Change]:
    """One change per wanted topic, in its order. Topics that nobody wants are not mentioned."""
    changes = []
    for topic in wanted:
        existing = found.get(topic.name)
        if existing is None:
            changes.append(Change(topic.name, "create"))
        else:
            reasons = tuple(differences(topic, existing))
            changes.append(Change(topic.name, "drift" if reasons else "ok", reasons))
    return changes


def copies_hint(changes: Iterable[Change]) -> str:
    """What to state where existing topics have another number of copies than was asked for; empty: they have not, or not one
    number."""
    found = [match for change in changes for reason in change.reasons if (match := _COPIES.fullmatch(reason))]
    if len({match[1] for match in found}) != 1:
        return ""
    there, asked = found[0][1], found[0][2]
    return (
        f"{len(found)} topics have replication {there}, and {asked} was asked for (`lineledger up` makes 1): "
        f"`--replication {there}`, or `topics: {{replication: {there}}}` of installation.yaml, wants what is there"
    )


def differences(wanted: WantedTopic, found: FoundTopic) -> list[str]:
    """What differs, each as `setting is X, wanted Y`."""
    pairs = [
        ("partitions", str(found.partitions), str(wanted.partitions)),
        ("replication", str(found.replication), str(wanted.replication)),
        *((key, found.config.get(key, "unset"), value) for key, value in sorted(wanted.config.items())),
    ]
    return [f"{key} is {is_now}, wanted {value}" for key, is_now, value in pairs if not _same(is_now, value)]


def _same(left: str, right: str) -> bool:
    """Numbers by value (a broker may answer 0.20 for 0.2), lists in any order (compact,delete), anything else as text."""
    try:
        return float(left) == float(right) if "." in left + right else int(left) == int(right)
    except ValueError:
        return sorted(left.split(",")) == sorted(right.split(","))
