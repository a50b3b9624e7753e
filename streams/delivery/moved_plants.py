"""A plant that names another endpoint: what was issued for the old one stays there, under the last configuration that named
it."""

from collections.abc import Sequence

from schemas.records import PartitionPosition, PendingConfig
from streams.step import Topology


def remember_erp(
    state: PartitionPosition, plant: str, before: str, announced: Sequence[PendingConfig], topology: Topology, endpoint: str
) -> None:
    """After another configuration of the plant came into force: keep which one the plant's postings at `endpoint` are sent under.

    `before`: the hash that held until now; `announced`: of the plant and due by now. More than one may have passed at one tick.
    """

    def names_it(hash_: str) -> bool:
        return topology.configuration(hash_).erp.erp.endpoint == endpoint

    if names_it(state.configurations[plant]):
        state.posted_under.pop(plant, None)
        return
    passed = [one for one in announced if names_it(one.hash)]
    if passed:
        state.posted_under[plant] = max(passed, key=lambda one: (one.at, one.started_at, one.hash)).hash
    elif names_it(before):
        state.posted_under[plant] = before
