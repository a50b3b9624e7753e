"""Whose ticks a stage waits for: the stages that feed it, by the catalog, and each of their partitions."""

from collections.abc import Callable, Mapping

from schemas.catalog import catalog
from schemas.topics import inbox_of
from streams.step import sender


def upstreams_of(stage: str, raw: Mapping[str, int], partitions: Callable[[str], int]) -> list[str]:
    """Senders in the order of the catalog. `raw`: raw topics of the plant with their partitions; `partitions`: of an inbox.

    Raises KeyError for a stage that nobody feeds.
    """
    found = []
    for feeder in catalog().feeds[stage]:
        topics = raw if feeder == "intake" else {inbox_of(feeder): partitions(inbox_of(feeder))}
        found += [sender(feeder, topic, partition) for topic, count in topics.items() for partition in range(count)]
    return found
