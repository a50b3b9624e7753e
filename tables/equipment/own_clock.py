"""An equipment's own clock: what late is measured against. It goes with the newest label, and stands while something is missing.

What a source or an intake could not deliver comes later, at once and in any order: a spool of two weeks, counter by counter.
Against the newest label all of it would be too late. So the clock stands where the plant's slowest intake is, if that one is
behind the others, and where a source that is expected to speak (`sources.X.expect`) was heard last, until it has told of what it
missed.
"""

from typing import NamedTuple

from schemas.configuration import PlantConfig
from schemas.configuration.mapping import Expect
from schemas.records import EquipmentRow, JournalRow, SourceHeard
from tables.equipment.attribution import END_OF_TIME, reigns

DAY_US = 86_400_000_000
"""A source that tells of the last day is back. For one day more its equipment waits for the rest: nothing says in which order
it comes."""
STANDS_AT_MOST_US = 30 * DAY_US
"""State is bounded: what comes later than this and the late horizon is too late."""
NOBODY_BEHIND = END_OF_TIME


class Silence(NamedTuple):
    """A source that is expected to speak of an equipment fell silent, or spoke again."""

    source: str
    silent: bool


def late_clock(row: EquipmentRow) -> int:
    """What late is measured against, microseconds."""
    return row.standing or row.clock


def reach_us(config: PlantConfig) -> int:
    """How old a record may be by its own label (microseconds) and still be in time for its equipment: where a source is expected
    to speak, the clock of an equipment may stand."""
    return config.attribution.late_horizon_us + (STANDS_AT_MOST_US if config.expected else 0)


def seen(row: EquipmentRow, label: int, behind: int) -> None:
    """A label came. `behind`: how far the slowest intake of the plant is, if it is behind the others."""
    before = late_clock(row)
    if label > row.clock:
        row.clock = label
    if row.sources or row.standing or behind != NOBODY_BEHIND:
        stands = min((heard.stands_at for heard in row.sources.values() if heard.stands_at), default=NOBODY_BEHIND)
        may_go = max(min(stands, behind), row.clock - STANDS_AT_MOST_US)
        standing = max(before, min(row.clock, may_go))
        row.standing = standing if standing < row.clock else 0


def listen(row: EquipmentRow, config: PlantConfig, label: int, source: str = "", at: int = 0) -> list[Silence]:
    """A label came, with a record of `source` that tells of the moment `at` (without: time passed). Returns whose silence began
    to be an alarm or ended."""
    expected = config.expected
    changes, known = _fallen_silent(row, config, label), row.sources.get(source)
    if known is None:
        if source in expected:
            row.sources[source] = SourceHeard(label, min(at, label))
        return changes
    if known.silent:
        changes.append(Silence(source, False))
    known.silent, known.label, known.at = False, max(known.label, label), max(known.at, min(at, label))
    if known.label - known.at <= DAY_US:
        known.back_at = known.back_at or (known.label if known.stands_at else 0)
        known.next_back_at = known.next_back_at or (known.label if known.next_stands_at else 0)
    return changes


def _fallen_silent(row: EquipmentRow, config: PlantConfig, label: int) -> list[Silence]:
    found, expected, horizon_us = [], config.expected, config.attribution.late_horizon_us
    for name, known in sorted(row.sources.items()):
        if name not in expected:
            del row.sources[name]  # a new configuration expects nothing of it
            continue
        while known.back_at and label > known.back_at + DAY_US:
            known.stands_at, known.back_at = known.next_stands_at, known.next_back_at
            known.next_stands_at = known.next_back_at = 0
        if not known.silent and _misses(row, known, expected[name], label, horizon_us):
            known.silent = True
            if not known.stands_at:
                known.stands_at = known.label
            elif known.back_at:  # again: each silence is waited for, but none longer because others follow
                known.next_stands_at, known.next_back_at = known.next_stands_at or known.label, 0
            found.append(Silence(name, True))
            row.tally["silences"] = row.tally.get("silences", 0) + 1
    return found


def restored(row: EquipmentRow, journal: JournalRow) -> None:
    """The journal says it as it was last."""
    row.clock, row.standing, row.sources = max(row.clock, journal.clock), journal.standing, journal.sources or row.sources


def lowered(row: EquipmentRow, at: int) -> None:
    """A repair of the clock: nothing was heard later than `at`."""
    row.clock = min(row.clock, at)
    row.standing = row.standing if row.standing < row.clock else 0
    for known in row.sources.values():
        known.label, known.at = min(known.label, at), min(known.at, at)
        known.stands_at, known.back_at = min(known.stands_at, at), min(known.back_at, at)
        known.next_stands_at, known.next_back_at = min(known.next_stands_at, at), min(known.next_back_at, at)


def _misses(row: EquipmentRow, heard: SourceHeard, expect: Expect, label: int, horizon_us: int) -> bool:
    if label - heard.label <= expect.every_us:
        return False
    return expect.while_ == "always" or _open(row, heard.label, label, horizon_us) > expect.every_us


def _open(row: EquipmentRow, since: int, until: int, horizon_us: int) -> int:
    """For how long of this time a run was open, microseconds."""
    found, reached = 0, since
    for reign in reigns(row, horizon_us):
        begin, end = max(reign.start, reached), min(reign.end, until)
        if end > begin:
            found, reached = found + end - begin, end
    return found
