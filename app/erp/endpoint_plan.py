"""What an endpoint calls: of the configurations in the log that name it, one ERP with its limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from app.erp.own_erp import ErpIdentity
from schemas.configuration import Configuration
from schemas.configuration.erp import ErpQuota
from tables.refusal import RefusedValue


@dataclass(slots=True, frozen=True)
class EndpointPlan:
    configuration: Configuration
    """Whose `erp:` the adapter is made of, with the smallest limits of all plants of this ERP."""
    plants: tuple[str, ...]
    """All that post here, of this ERP or (they wait) of another one."""
    zones: tuple[tuple[str, tuple[str, ...]], ...]
    """Time zone and maintenance windows of each."""

    @classmethod
    def of(
        cls,
        plants: Mapping[str, Configuration],
        since: Mapping[str, int],
        environ: Mapping[str, str],
        before: ErpIdentity | None = None,
    ) -> Self | None:
        """`plants`: of which plant which configuration is posted under. `since`: from when it holds (microseconds). `before`: the
        ERP that is called now. None: no plant has an ERP.

        Two plants that mean different ERPs by one name are somebody's mistake: what most of them mean holds, then what is called
        already, then what was said first. So one plant cannot take the ERP of another one away, and nothing reaches a wrong one.
        """
        posting = {name: one for name, one in sorted(plants.items()) if one.erp.erp.entry is not None}
        if not posting:
            return None
        meant: dict[ErpIdentity | None, list[str]] = {}
        for name in sorted(posting, key=lambda name: (since.get(name, 0), name)):
            meant.setdefault(_identity(posting[name], environ), []).append(name)
        known: list[ErpIdentity | None] = [identity for identity in meant if identity is not None]
        chosen = max(known or [None], key=lambda identity: (len(meant[identity]), identity == before))
        alike = [posting[name] for name in meant[chosen]]
        limits = {
            "calls_per_second": min(one.erp.erp.calls_per_second for one in alike),
            "concurrency": min(one.erp.erp.concurrency for one in alike),
            "quota": _quotas([quota for one in alike for quota in one.erp.erp.quota]),
        }
        first = alike[0]
        erp = first.erp.model_copy(update={"erp": first.erp.erp.model_copy(update=limits)})
        zones = tuple((one.plant.plant.zone, tuple(one.erp.erp.maintenance)) for one in alike)
        return cls(replace(first, erp=erp), tuple(posting), zones)


def _quotas(stated: Sequence[ErpQuota]) -> list[ErpQuota]:
    """Of each span the smallest; 0 is none."""
    smallest: dict[int, ErpQuota] = {}
    for one in stated:
        before = smallest.get(one.per_us, one)
        least = {name: _least(getattr(before, name), getattr(one, name)) for name in ("calls", "processing_us")}
        smallest[one.per_us] = one.model_copy(update=least)
    return [smallest[per] for per in sorted(smallest)]


def _least(one: int, other: int) -> int:
    return min(one, other) or max(one, other)


def _identity(configuration: Configuration, environ: Mapping[str, str]) -> ErpIdentity | None:
    """None: its address cannot be told here."""
    try:
        return ErpIdentity.of(configuration.erp, environ)
    except RefusedValue:
        return None
