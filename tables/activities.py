"""Activities of runs: machine and setup time as the union of state intervals within the run, in whole milliseconds."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.records import EquipmentRow, TotalState
from tables.attribution import Ownership, end_of
from tables.destination import Destination
from tables.lineage import add_range

KIND_OF_STATE = {"running": "machine_time", "setup": "setup_time"}
ORIGIN = "states"
UNIT = "ms"


@dataclass(slots=True)
class Measured:
    """Time of one destination in microseconds, and the state records that begin and end its intervals."""

    micros: int = 0
    first: int = 2**62
    last: int = 0
    told_by: set[tuple[str, int]] = field(default_factory=set)


class Interval(NamedTuple):
    start: int
    end: int
    kind: str
    told_by: tuple[tuple[str, int], ...]
    """Raw source and offset of the records that say so."""


def spans_of(row: EquipmentRow, now: int) -> list[Interval]:
    """The intervals that count; the last one is open and reaches to `now`."""
    found = []
    for index, span in enumerate(row.states):
        following = row.states[index + 1 : index + 2]
        end = min(following[0].from_at, now) if following else now
        if span.state in KIND_OF_STATE and span.from_at < end:
            told_by = tuple((told.raw_source, told.raw_offset) for told in (span, *following))
            found.append(Interval(span.from_at, end, KIND_OF_STATE[span.state], told_by))
    return found


def measure(row: EquipmentRow, ownership: Ownership, now: int) -> dict[str, Measured]:
    """Every activity up to `now`, by destination."""
    sums: dict[str, Measured] = defaultdict(Measured)
    for start, end, kind, told_by in spans_of(row, now):
        while start < end:
            span = ownership.at(start)
            stop = min(end, span.end)
            if span.run is not None and start <= end_of(span.run, row.stops):  # grace is for counts, not for time
                order = span.run.order or next((output.order for output in span.outputs if output.order), "")
                run, date = span.run, span.business_date
                key = Destination(
                    ORIGIN, run.run, order, run.operation, "", "", kind, "", "", "", "", date, UNIT, 0, "counters"
                ).key()
                entry = sums[key]
                entry.micros += stop - start
                entry.first, entry.last = min(entry.first, start), max(entry.last, stop)
                entry.told_by.update(told_by)
            start = stop
    return sums


def apply(row: EquipmentRow, ownership: Ownership, now: int) -> None:
    """Bring the row's activity totals to `now`. A destination that lost its time goes to zero."""
    measured = measure(row, ownership, now)
    runs = {run.run for run in row.runs}  # the time of a run that is forgotten stays
    known = [key for key in row.totals if key.startswith(ORIGIN + "\x1f") and Destination.parse(key).run in runs]
    for key in sorted({*measured, *known}):
        found = measured.get(key) or Measured(first=0)
        total = row.totals.get(key)
        if total is None:
            total = row.totals[key] = TotalState(0, 0, found.first, found.last)
        amount = found.micros // 1000
        if (amount, len(found.told_by)) != (total.amount, total.records):
            total.amount, total.first_at, total.last_at, total.dirty = amount, found.first, found.last, True
            total.ranges, total.records = [], len(found.told_by)
            for raw_source, raw_offset in sorted(found.told_by):
                add_range(total.ranges, raw_source, raw_offset, raw_offset, 1)
    row.activity_dirty = False
