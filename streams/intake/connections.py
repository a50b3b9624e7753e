"""Connections of a source that begin with a snapshot: the first reading of a counter in each comes after a gap.

Nobody listened between two connections. What a counter shows at the beginning of the next one was counted unseen, and belongs to
a run only if that run was open at both ends (docs/adr/0008). So a reading without a value is put before it.
"""

from collections.abc import MutableMapping, Sequence
from typing import Any
from zlib import crc32

from schemas.configuration.mapping import Read
from streams.mapping import RawRecord, Reading
from tables.equipment.counter import UNAVAILABLE

MARK = "|"
"""In the names of the marks that stand for connections."""


def with_gaps(items: Sequence[Any], raw: RawRecord, read: Read, marks: MutableMapping[str, int]) -> Sequence[Any]:
    """What a record gives, with a reading without value before each one that a connection begins with. `marks`: what is known of
    the source's counters; kept with the position. A snapshot that restates a reading of the connection before is none that
    nobody saw."""
    if read.connection != "snapshot" or not any(type(item) is Reading for item in items):
        return items
    found: list[Any] = []
    here = crc32(raw.raw_source.encode())
    for item in items:
        if type(item) is Reading and item.value != UNAVAILABLE:
            name = f"{raw.source}{MARK}{item.equipment}{MARK}{item.counter}"
            newest = marks.get(f"{name}{MARK}at", 0)
            if marks.get(name, here) != here and item.occurred_at > newest:
                found.append(item._replace(occurred_at=item.occurred_at - 1, seq=-1, value=UNAVAILABLE))
            marks[name], marks[f"{name}{MARK}at"] = here, max(newest, item.occurred_at)
        found.append(item)
    return found
