"""Loads, states and log-ins are entries that can be stated again and voided, like runs: of each the newest version holds."""

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from schemas.records import EntryVoided, Stated
from tables.order_of_telling import Place, Told, place


class Entry(Told, Protocol):
    @property
    def entry(self) -> str: ...

    @property
    def event_id(self) -> str: ...

    @property
    def version(self) -> int: ...


E = TypeVar("E", bound=Entry)


def name_of(entry: Entry) -> str:
    """What it is named by later statements; without a name, its event id."""
    return entry.entry or entry.event_id


def _rank(told: Entry | Stated) -> tuple[int, Place]:
    return told.version, place(told)


def find(known: Iterable[E], name: str) -> E | None:
    return next((entry for entry in known if name_of(entry) == name), None)


def restate(known: list[E], fresh: E) -> bool:
    """Put `fresh` in the place of an older version. False: it says nothing new. The order of `known` is the caller's."""
    same = find(known, name_of(fresh))
    if same is not None:
        if same.event_id == fresh.event_id or _rank(same) >= _rank(fresh):
            return False
        known[:] = [entry for entry in known if entry is not same]
    known.append(fresh)
    return True


def void(voids: dict[str, Stated], event: EntryVoided) -> bool:
    """False: it says nothing new. It may come before what it voids."""
    told = Stated(
        event.version,
        True,
        event.occurred_at,
        event.event_id,
        event.raw_source,
        event.raw_offset,
        event.source_seq,
        event.raw_part,
    )
    known = voids.get(event.entry)
    if known is not None and (known.event_id == told.event_id or _rank(known) >= _rank(told)):
        return False
    voids[event.entry] = told
    return True


def standing(known: Iterable[E], voids: Mapping[str, Stated]) -> list[E]:
    """Without what was voided after its newest version was told."""
    if not voids:
        return list(known)
    return [entry for entry in known if (told := voids.get(name_of(entry))) is None or _rank(told) < _rank(entry)]


def still_needed(voids: Mapping[str, Stated], keep_from: int, *kept: Iterable[Entry]) -> dict[str, Stated]:
    """Voids that something kept may still need, or that something late may."""
    names = {name_of(entry) for entries in kept for entry in entries}
    return {name: told for name, told in voids.items() if told.at >= keep_from or name in names}
