"""When an output lot was made on an equipment: for holds on a time of it (docs/adr/0093)."""

from schemas.records import EquipmentRow, RunState, TotalState
from tables.equipment.attribution import END_OF_TIME, end_of, segments_of
from tables.equipment.destination import Destination
from tables.equipment.runs import Changed

MADE = ("gross", "good", "scrap", "rework")
"""Kinds of totals that say that there were pieces of a lot."""
NEVER = Changed(1, 0)


def made_between(row: EquipmentRow, destination: Destination, total: TotalState, run: RunState | None) -> Changed:
    """From when to when the lot was on the machine, both included: from the start of what the run says of its output to the end
    of that, and all that was counted. A run that goes on has no end; one that nobody ended goes on until the next one starts.
    Pieces are made before a reading shows them, so that the first reading alone would be too late."""
    if not total.records and not total.amount:
        return NEVER
    first, last = total.first_at, total.last_at
    if run is None or run.started_at is None or run.voided:
        return Changed(first, last)
    end, segments = end_of(run, row), segments_of(run)
    if end == END_OF_TIME:
        others = [one.started_at for one in row.runs if one.started_at is not None and not one.voided]
        end = min((start for start in others if start > run.started_at), default=END_OF_TIME)
    starts = [max(segment.from_at, run.started_at) for segment in segments]
    for index, segment in enumerate(segments):
        if any((output.material, output.lot) == (destination.material, destination.lot) for output in segment.outputs):
            until = starts[index + 1] if index + 1 < len(segments) else END_OF_TIME
            first, last = min(first, starts[index]), max(last, min(until, end))
    return Changed(first, last)
