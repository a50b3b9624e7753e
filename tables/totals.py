"""Totals of one equipment by destination: what its buckets and declarations give, added up."""

from collections.abc import Iterable

from schemas.records import EquipmentRow, Share, TotalState
from tables.lineage import add_ranges, drop_records


def give(row: EquipmentRow, shares: Iterable[Share]) -> None:
    for share in shares:
        total = row.totals.get(share.destination)
        if total is None:
            total = row.totals[share.destination] = TotalState(0, 0, share.first_at, share.last_at)
        elif total.records == 0:
            total.first_at, total.last_at = share.first_at, share.last_at
        total.amount += share.amount
        total.records += share.records
        total.first_at, total.last_at = min(total.first_at, share.first_at), max(total.last_at, share.last_at)
        add_ranges(total.ranges, share.ranges)
        total.dirty = True


def take_back(row: EquipmentRow, shares: Iterable[Share]) -> None:
    """Undo `give`. Bounds (times, raw ranges) stay as wide as they were: see `shrunk`."""
    for share in shares:
        total = row.totals[share.destination]
        total.amount -= share.amount
        total.records -= share.records
        drop_records(total.ranges, share.ranges)
        total.dirty = True


def shrunk(old: Iterable[Share], new: Iterable[Share]) -> set[str]:
    """Destinations whose bounds in the total may now be too wide, because `new` does not reach as far as `old` did."""
    by_destination = {share.destination: share for share in new}
    return {share.destination for share in old if not _covers(by_destination.get(share.destination), share)}


def _covers(wide: Share | None, narrow: Share) -> bool:
    if wide is None or wide.first_at > narrow.first_at or wide.last_at < narrow.last_at:
        return False
    ranges = {entry.raw_source: entry for entry in wide.ranges}
    return all(
        entry.raw_source in ranges
        and ranges[entry.raw_source].first <= entry.first
        and ranges[entry.raw_source].last >= entry.last
        for entry in narrow.ranges
    )
