"""Activities of runs: machine and setup time as the union of state intervals within the run, in whole milliseconds."""

from collections import defaultdict

from schemas.records import EquipmentRow, TotalState
from tables.attribution import Ownership, end_of
from tables.destination import Destination

KIND_OF_STATE = {"running": "machine_time", "setup": "setup_time"}
ORIGIN = "states"
UNIT = "ms"


def spans_of(row: EquipmentRow, now: int) -> list[tuple[int, int, str]]:
    """(from, to, kind) of the intervals that count; the last one is open and reaches to `now`."""
    found = []
    for index, span in enumerate(row.states):
        end = row.states[index + 1].from_at if index + 1 < len(row.states) else now
        if span.state in KIND_OF_STATE and span.from_at < end:
            found.append((span.from_at, min(end, now), KIND_OF_STATE[span.state]))
    return found


def measure(row: EquipmentRow, ownership: Ownership, now: int) -> dict[str, tuple[int, int, int]]:
    """Destination -> (microseconds, first, last) of every activity up to `now`."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 2**62, 0])
    for start, end, kind in spans_of(row, now):
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
                entry[0] += stop - start
                entry[1], entry[2] = min(entry[1], start), max(entry[2], stop)
            start = stop
    return {key: (micros, first, last) for key, (micros, first, last) in sums.items()}


def apply(row: EquipmentRow, ownership: Ownership, now: int) -> None:
    """Bring the row's activity totals to `now`. A destination that lost its time goes to zero."""
    measured = measure(row, ownership, now)
    runs = {run.run for run in row.runs}  # the time of a run that is forgotten stays
    known = [key for key in row.totals if key.startswith(ORIGIN + "\x1f") and Destination.parse(key).run in runs]
    for key in {*measured, *known}:
        micros, first, last = measured.get(key, (0, 0, 0))
        total = row.totals.get(key)
        if total is None:
            total = row.totals[key] = TotalState(0, 1, first, last)
        amount = micros // 1000
        if amount != total.amount:
            total.amount, total.first_at, total.last_at, total.dirty = amount, first, last, True
    row.activity_dirty = False
