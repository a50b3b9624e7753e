"""Ranges of raw records: what a quantity was summed from."""

from collections.abc import Iterable

from schemas.records import RawRange

MAX_RANGES = 64
"""Sources of one total. A plant has a handful; beyond this the widest entry swallows the rest, and trace says so."""


def add_range(ranges: list[RawRange], raw_source: str, first: int, last: int, records: int) -> None:
    """Join [first, last] of a source into `ranges` (one entry per source, sorted by name)."""
    for known in ranges:
        if known.raw_source == raw_source:
            known.first, known.last = min(known.first, first), max(known.last, last)
            known.records += records
            return
    ranges.append(RawRange(raw_source, first, last, records))
    ranges.sort(key=lambda entry: entry.raw_source)
    del ranges[MAX_RANGES:]


def add_ranges(ranges: list[RawRange], more: Iterable[RawRange]) -> None:
    for entry in more:
        add_range(ranges, entry.raw_source, entry.first, entry.last, entry.records)


def drop_records(ranges: list[RawRange], fewer: Iterable[RawRange]) -> None:
    """Take records out again; an entry without records goes. Its bounds may then be too wide: see totals.loosened."""
    counts = {entry.raw_source: entry.records for entry in fewer}
    for known in list(ranges):
        known.records -= counts.get(known.raw_source, 0)
        if known.records <= 0:
            ranges.remove(known)
