"""Rights in Kafka: who may do what, from the catalog and the installation's document. Pure; the broker is in acls.py.

Only what is needed stands here: READ and WRITE imply DESCRIBE, and an idempotent producer needs no right of its own.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from app.kafka.topic_plan import RAW
from schemas.catalog import Catalog
from schemas.topics import CONFIG, INTAKE_CHANGELOG, changelog_of, inbox_of

Kind = Literal["topic", "group", "transactional_id"]
Operation = Literal["read", "write", "describe", "describe_configs"]
GIVEN = "acls.given"
"""A group that nobody ever joins. Who may see it has rights of this installation, and behind a point which raw topics there were:
so a later document knows what an earlier one gave."""
SIMULATIONS = "lineledger-simulation-"
"""Groups of `rules simulate --from-topic`: each has a name of its own."""


class Right(NamedTuple):
    """`prefixed`: of all names that begin so. `identity`: without `User:`."""

    identity: str
    kind: Kind
    name: str
    operation: Operation
    prefixed: bool = False

    def __str__(self) -> str:
        return f"{self.identity}: {self.operation} {self.kind} {self.name}{'*' if self.prefixed else ''}"


class Resource(NamedTuple):
    """What a right is about. `prefixed`: all names that begin so."""

    kind: str
    name: str
    prefixed: bool = False


@dataclass(slots=True, frozen=True)
class PlantRights:
    """Of one plant. Raw topics without prefix."""

    intake: str
    """Identity of its intake."""
    network: str
    """Identity of what sends its records; empty: nobody."""
    sent: frozenset[str]
    """Raw topics of sources."""
    of_people: frozenset[str]
    """Raw topics that decisions and replays go to."""
    pulled: frozenset[str]
    """Raw topics of master data that delivery pulls."""

    @property
    def raw(self) -> frozenset[str]:
        return self.sent | self.of_people | self.pulled


@dataclass(slots=True, frozen=True)
class Identified:
    """Identities of the installation; of `readers` and `operators` empty: nobody."""

    stages: Mapping[str, str]
    """Stage -> identity, without intake, which each plant has for itself."""
    readers: str
    operators: str


def wanted_rights(catalog: Catalog, prefix: str, who: Identified, plants: Iterable[PlantRights]) -> list[Right]:
    """Every right of an installation, each once, in the order of identities and names."""
    plants = list(plants)
    found: set[Right] = set()
    for stage, identity in who.stages.items():
        found |= set(_of_stage(catalog, prefix, stage, stage, inbox_of(stage), identity))
        for raw in {name for plant in plants for name in plant.raw}:  # how many intakes there are (app/kafka/raw_topics.py)
            found.add(Right(identity, "topic", prefix + raw, "describe"))
    for plant in plants:
        for raw in plant.raw:
            found |= set(_of_stage(catalog, prefix, "intake", f"intake.{raw}", raw, plant.intake))
            found.add(Right(plant.intake, "topic", prefix + raw, "describe_configs"))  # it demands the broker's append time
        for raw in plant.sent if plant.network else ():
            found.add(Right(plant.network, "topic", prefix + raw, "write"))
        for raw in plant.of_people if who.operators else ():
            found.add(Right(who.operators, "topic", prefix + raw, "write"))
        for raw in plant.pulled:
            found |= set(_of_pulls(f"{prefix}{raw}", who.stages["delivery"]))
    for asking in filter(None, {who.readers, who.operators}):
        found |= set(_of_questions(catalog, prefix, asking, who, plants))
    return sorted(found)


def marks(prefix: str, wanted: Iterable[Right], plants: Iterable[PlantRights]) -> list[Right]:
    """Of each identity that has rights of this installation, and of each raw topic; the first identity stands for the topics."""
    identities = sorted({right.identity for right in wanted})
    raw = sorted({name for plant in plants for name in plant.raw})
    groups = [(identity, f"{prefix}{GIVEN}") for identity in identities]
    groups += [(identities[0], f"{prefix}{GIVEN}.{name}") for name in raw if identities]
    return [Right(identity, "group", group, "describe") for identity, group in groups]


def once_given(prefix: str, found: Iterable[tuple[str, str]]) -> tuple[set[str], set[str]]:
    """Identities and raw topics of earlier documents and of this one. `found`: (identity, group) of rights to groups."""
    identities, raw, mark = set(), set(), f"{prefix}{GIVEN}"
    for identity, group in found:
        if group == mark:
            identities.add(identity)
        elif group.startswith(f"{mark}."):
            raw.add(group.removeprefix(f"{mark}."))
    return identities, raw


def own_resources(catalog: Catalog, prefix: str, who: Identified, plants: Iterable[PlantRights]) -> frozenset[Resource]:
    """All that rights of this installation can be about, of any identity: what `wanted_rights` names if each plant did
    everything and somebody asked. An installation with another prefix has none of it, also where one prefix begins with the
    other. What every installation names alike is no one's own."""
    anybody = Identified(who.stages, readers="-", operators="-")
    everything = [PlantRights("-", "-", plant.raw, plant.raw, plant.raw) for plant in plants]
    rights = wanted_rights(catalog, prefix, anybody, everything)
    found = {Resource(right.kind, right.name, right.prefixed) for right in [*rights, *marks(prefix, rights, everything)]}
    return frozenset(found - {Resource("group", SIMULATIONS, True)})


def _of_stage(catalog: Catalog, prefix: str, stage: str, app: str, inbox: str, identity: str) -> Iterator[Right]:
    """`app`: the Faust app's name, which is its group; what a partition's producer is called begins with it
    (app/engine/partition.py)."""
    changelog = prefix + changelog_of(app)
    for topic in (prefix + inbox, changelog, prefix + CONFIG):
        yield Right(identity, "topic", topic, "read")
    for topic in (changelog, *(prefix + name for name in catalog.writes[stage])):
        yield Right(identity, "topic", topic, "write")
    for other in catalog.feeds:  # their counts of partitions are compared with the document's
        yield Right(identity, "topic", prefix + inbox_of(other), "describe")
    partitions = f"{prefix}{app}.{app}.{prefix}{inbox}."
    yield Right(identity, "transactional_id", partitions, "write", prefixed=True)
    yield Right(identity, "group", partitions, "read", prefixed=True)
    yield Right(identity, "group", prefix + app, "read")
    yield Right(identity, "group", f"{prefix}{CONFIG}.reader", "read")


def _of_pulls(topic: str, delivery: str) -> Iterator[Right]:
    """app/erp/master_poller.py"""
    yield Right(delivery, "topic", topic, "read")
    yield Right(delivery, "topic", topic, "write")
    yield Right(delivery, "group", f"{topic}.master", "read")
    yield Right(delivery, "transactional_id", f"{topic}.master", "write")


def _of_questions(catalog: Catalog, prefix: str, asking: str, who: Identified, plants: Iterable[PlantRights]) -> Iterator[Right]:
    raw = {name for plant in plants for name in plant.raw}
    topics = {name for name in catalog.topics if name not in (RAW, INTAKE_CHANGELOG)}
    for topic in topics | raw | {changelog_of(f"intake.{name}") for name in raw}:
        yield Right(asking, "topic", prefix + topic, "read")
    for group in ("collector", "trace", "books", f"{CONFIG}.reader"):
        yield Right(asking, "group", prefix + group, "read")
    for group in (*who.stages, *(f"intake.{name}" for name in raw)):
        yield Right(asking, "group", prefix + group, "describe")  # to read from it would take a worker's partitions away
    yield Right(asking, "group", SIMULATIONS, "read", prefixed=True)
