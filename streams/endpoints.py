"""Which partition of delivery has which ERP endpoint, and what all of them are told.

A posting goes to the endpoint of its plant. Clocks, configurations and lot states go to every endpoint: a plant may name another
one at any time, and its worker has to know what is on hold.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from schemas.catalog import catalog
from schemas.records import PartitionPosition
from schemas.topics import DELIVERY_INBOX
from streams.step import Step

_TOLD = "endpoint/"
"""Mark, with the endpoint: its partition, plus one, once it was told everything that was there before it."""


def partition_of(endpoints: Mapping[str, int], name: str) -> int:
    """Where postings of an endpoint go. One that the installation does not have: to the first partition, where they wait."""
    return endpoints[name] if name in endpoints else min(endpoints.values())


def name_at(endpoints: Mapping[str, int], partition: int) -> str:
    """Whose partition of delivery this is; empty: nobody's."""
    return next((name for name, at in endpoints.items() if at == partition), "")


def tell_all(step: Step, endpoints: Mapping[str, int], record: Any) -> None:
    """The same record to every endpoint."""
    for name, partition in sorted(endpoints.items()):
        step.emit(DELIVERY_INBOX, name, record, partition)


def newcomers(state: PartitionPosition, endpoints: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Endpoints, with their partitions, that the installation did not have when this partition folded last: they have to be told
    what the others know. Each is named once."""
    first = catalog().endpoints
    for name, partition in sorted(endpoints.items()):
        if state.marks.get(_TOLD + name, first.get(name, -1) + 1) != partition + 1:
            state.marks[_TOLD + name] = partition + 1
            yield name, partition
