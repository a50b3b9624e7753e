"""Activities of runs in whole milliseconds (docs/domain.md, Machine and setup time).

Machine and setup time are the union of the state's intervals within the run; labour is each person's log-in within the run
times the share of it that this equipment gets. The time of a run of several orders is shared. Sums are exact; each total
is rounded once.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from schemas.records import EquipmentRow, LabourMark, TotalState
from tables.equipment.attribution import Ownership, Span, end_of
from tables.equipment.destination import Destination
from tables.equipment.entries import standing
from tables.equipment.people import Elsewhere, PersonShare, turns
from tables.equipment.working_time import WorkEnds
from tables.lineage import add_range
from tables.quantity import round_half_away

KIND_OF_STATE = {"running": "machine_time", "setup": "setup_time"}
STATES, LABOUR = "states", "labour"
"""Origins of the totals."""
UNIT = "ms"
ToldBy = tuple[tuple[str, int], ...]
"""Raw source and offset of the records that say so."""


@dataclass(slots=True)
class Measured:
    """Time of one destination in microseconds, and the records that begin and end its intervals."""

    micros: Fraction = Fraction(0)
    first: int = 2**62
    last: int = 0
    told_by: set[tuple[str, int]] = field(default_factory=set)

    @property
    def amount(self) -> int:
        """Milliseconds, rounded here and nowhere else."""
        return round_half_away(self.micros / 1000, 0)


class ActivityInterval(NamedTuple):
    start: int
    end: int
    origin: str
    kind: str
    share: Fraction
    told_by: ToldBy


def nobody_elsewhere(person: str) -> Sequence[tuple[str, LabourMark]]:
    """Nobody works at two machines."""
    return ()


def orders_of(span: Span, rule: str) -> dict[str, Fraction]:
    """Order -> its part of the time of a span that a run owns; they add up to one. `rule`: `attribution.shared_time`. By-products
    take no time, and factors of zero alone (all cavities plugged) share equally."""
    assert span.run is not None
    own = span.run.order
    factors: dict[str, int] = {}
    for output in [one for one in span.outputs if one.role != "by"] or span.outputs:
        if order := output.order or own:
            factors[order] = factors.get(order, 0) + output.factor
    if len(factors) < 2 or rule == "first":
        return {own if own and rule == "first" else next(iter(factors), own): Fraction(1)}
    whole = sum(factors.values())
    if rule == "equal" or not whole:
        return dict.fromkeys(factors, Fraction(1, len(factors)))
    return {order: Fraction(factor, whole) for order, factor in factors.items() if factor}


def _turns(row: EquipmentRow, elsewhere: Elsewhere, work_ends: WorkEnds) -> Iterator[list[PersonShare]]:
    """Of each person that ever was here, in the order of the persons."""
    own: dict[str, list[LabourMark]] = defaultdict(list)
    for mark in standing(row.labour, row.voids):
        own[mark.person].append(mark)
    for person, marks in sorted(own.items()):
        yield turns(row.equipment, marks, elsewhere(person), work_ends)


def _reaches_beyond(row: EquipmentRow, now: int, elsewhere: Elsewhere, work_ends: WorkEnds) -> bool:
    """Will there be more at a later moment, without a further record? An interval is open, or was told of in advance (the
    clock of an equipment may be ahead)."""
    states = standing(row.states, row.voids)
    if states and (states[-1].state in KIND_OF_STATE or states[-1].from_at > now):
        return True
    return any(found[-1].share or found[-1].at > now for found in _turns(row, elsewhere, work_ends) if found)


def intervals(row: EquipmentRow, now: int, elsewhere: Elsewhere, work_ends: WorkEnds) -> Iterator[ActivityInterval]:
    """The intervals that count; what is still open reaches to `now`, a log-in no further than its work."""
    states = standing(row.states, row.voids)
    for index, span in enumerate(states):
        following = states[index + 1 : index + 2]
        end = min(following[0].from_at, now) if following else now
        if span.state in KIND_OF_STATE and span.from_at < end:
            told_by = tuple((told.raw_source, told.raw_offset) for told in (span, *following))
            yield ActivityInterval(span.from_at, end, STATES, KIND_OF_STATE[span.state], Fraction(1), told_by)
    for found in _turns(row, elsewhere, work_ends):
        for index, turn in enumerate(found):
            later = found[index + 1 : index + 2]
            end = min(later[0].at, now) if later else now
            if turn.share and turn.at < end:
                told_by = tuple((one.told.raw_source, one.told.raw_offset) for one in (turn, *later))
                yield ActivityInterval(turn.at, end, LABOUR, "labour_time", turn.share, told_by)


def measure(row: EquipmentRow, ownership: Ownership, now: int, elsewhere: Elsewhere = nobody_elsewhere) -> dict[str, Measured]:
    """Every activity up to `now`, by destination."""
    sums: dict[str, Measured] = defaultdict(Measured)
    for interval in intervals(row, now, elsewhere, ownership.work_ends):
        start = interval.start
        while start < interval.end:
            span = ownership.at(start)
            following = min(interval.end, span.end)
            # A run owns counts at its very end and in its grace, but no time there.
            stop = min(following, end_of(span.run, row)) if span.run is not None else start
            if span.run is not None and start < stop:
                for order, part in orders_of(span, ownership.shared_time).items():
                    parts = (interval.origin, span.run.run, order, span.run.operation, "", "", interval.kind)
                    key = Destination(*parts, "", "", "", "", span.business_date, UNIT, 0, "counters").key()
                    entry = sums[key]
                    entry.micros += (stop - start) * interval.share * part
                    entry.first, entry.last = min(entry.first, start), max(entry.last, stop)
                    entry.told_by.update(interval.told_by)
            start = following
    return sums


def apply(row: EquipmentRow, ownership: Ownership, now: int, elsewhere: Elsewhere = nobody_elsewhere) -> None:
    """Bring the row's activity totals to `now`. A destination that lost its time goes to zero.

    Settled business dates stay as they are: runs of theirs are forgotten, and their time would be another run's.
    """
    measured = measure(row, ownership, now, elsewhere)
    runs = {run.run for run in row.runs}  # the time of a run that is forgotten stays
    known = [key for key in row.totals if key.split("\x1f", 1)[0] in (STATES, LABOUR) and Destination.parse(key).run in runs]
    settled = row.activities_from
    for key in sorted({*measured, *known}):
        if Destination.parse(key).business_date < settled:
            continue
        found = measured.get(key) or Measured(first=0)
        total = row.totals.get(key)
        if total is None:
            total = row.totals[key] = TotalState(0, 0, found.first, found.last)
        amount = found.amount
        if (amount, len(found.told_by)) != (total.amount, total.records):
            total.amount, total.first_at, total.last_at, total.dirty = amount, found.first, found.last, True
            total.ranges, total.records = [], len(found.told_by)
            for raw_source, raw_offset in sorted(found.told_by):
                add_range(total.ranges, raw_source, raw_offset, raw_offset, 1)
    row.activity_dirty, row.activity_open = False, _reaches_beyond(row, now, elsewhere, ownership.work_ends)
