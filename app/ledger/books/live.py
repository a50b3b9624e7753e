"""The ledger of a live installation: a snapshot read of the changelogs, and its raw topics as source records. Reads only."""

from collections.abc import Sequence
from typing import Any

from app.kafka.broker import Broker
from app.kafka.configurations import Configurations
from app.ledger.books.collector import Collector
from app.ledger.books.one_moment import Rows, taken
from app.ledger.books.snapshot import Snapshot
from schemas.codec import Codec
from schemas.records import PartitionPosition
from schemas.topics import changelog_of
from streams.clock import clocks_in
from tables.equipment.equipment import fold_journals
from tables.plant.calendar import calendar_of
from tables.row_kinds import ENDPOINT_ROWS, POSITION_ROWS, POSTING_ROWS
from tables.rows import MemoryRows

STAGES = ("equipment", "lots", "orders", "delivery")
SETTLE_SECONDS = 60.0


class NoInstallation(LookupError):
    """There is no ledger under this address and prefix."""

    code = "NO_INSTALLATION"


class PlantUnnamed(ValueError):
    """Several plants are there, and none of them, or another one, was named."""

    code = "WRONG_USE"


def read(broker: Broker, codec: Codec, prefix: str, plant: str = "", wait_s: float = 0.0) -> Snapshot:
    """All rows as they are committed now. `plant`: which of several; empty: the only one. `wait_s`: how long to wait for
    a moment at which all partitions of orders have the same clock. Raises NoInstallation, PlantUnnamed."""
    topics = sorted(broker.admin().list_topics(timeout=10).topics)
    names = {name.removeprefix(prefix) for name in topics if name.startswith(prefix)}
    if not all(changelog_of(stage) in names for stage in STAGES):
        raise NoInstallation(f"{broker.bootstrap} has no lineledger topics under the prefix `{prefix}`; check --prefix")
    intakes = {
        name.removesuffix(".changelog"): name for name in names if name.startswith("intake.") and name.endswith(".changelog")
    }
    collector = Collector(
        broker, codec, prefix, {**intakes, **{stage: changelog_of(stage) for stage in STAGES}}, from_start=False
    )
    try:
        collector.settle(SETTLE_SECONDS)
        collector.check()
        found = plant_named(plants_of(collector), plant)
        posts_at = collector.posts_at(found)
        encoded = taken(lambda: collector.encoded(posts_at), lambda rows: _positions(collector, rows), found, wait_s)
        rows = {stage: of_plant(collector.decoded(encoded[stage]), found) for stage in STAGES}
        rows["intake"] = {
            f"{POSITION_ROWS.prefix}/{name}/{key.rpartition('/')[2]}": row
            for name in intakes
            for key, row in collector.decoded(encoded[name]).items()
            if found in row.configurations
        }
        letters = [letter for letter in collector.exceptions() if letter.plant == found]
        hash_ = in_force([row for key, row in rows["orders"].items() if POSITION_ROWS.has(key)], found)
    finally:
        collector.close()
    configuration = Configurations(broker, codec, prefix).get(hash_)
    equipment = MemoryRows()
    for key, row in rows["equipment"].items():
        equipment.put(key, row)
    fold_journals(equipment, configuration.plant, calendar_of(configuration.plant))
    rows["equipment"] = dict(equipment.scan(""))
    return Snapshot(rows, letters, configuration, {"live": True, "erp": configuration.erp.erp.adapter, "embedded": False}, codec)


def _positions(collector: Collector, rows: Rows) -> dict[str, PartitionPosition]:
    """Of orders: accounts of one plant, whose sums are compared, stand in all of its partitions."""
    prefix = POSITION_ROWS.prefix.encode()
    return collector.decoded({key: value for key, value in rows["orders"].items() if key.startswith(prefix)})


def plants_of(collector: Collector) -> list[str]:
    """Plants that have begun."""
    return sorted({plant for state in collector.positions("orders").values() for plant in state.configurations})


def plant_named(plants: Sequence[str], wanted: str) -> str:
    """The plant that a question is about. `wanted`: what --plant says; empty: the only one. Raises NoInstallation,
    PlantUnnamed."""
    if wanted in plants or (not wanted and len(plants) == 1):
        return wanted or plants[0]
    if not plants:
        raise NoInstallation("no plant has begun here yet; start `lineledger worker intake`")
    raise PlantUnnamed(f"--plant is one of {', '.join(plants)}")


def in_force(positions: list[PartitionPosition], plant: str) -> str:
    """The hash of the configuration that holds: the one of the partition whose clock of the plant is ahead."""
    speaking = [position for position in positions if plant in position.configurations]
    ticks = [max((at for (name, _), at in clocks_in(position.clocks) if name == plant), default=0) for position in speaking]
    return str(speaking[ticks.index(max(ticks))].configurations[plant])


def of_plant(rows: dict[str, Any], plant: str) -> dict[str, Any]:
    """Without the rows of other plants."""

    def belongs(key: str, row: Any) -> bool:
        if POSITION_ROWS.has(key) or ENDPOINT_ROWS.has(key):
            return True
        if POSTING_ROWS.has(key):
            return bool(row.posting.plant == plant)
        return key.split("|", 2)[1] == plant

    return {key: row for key, row in rows.items() if belongs(key, row)}
