"""Totals of one equipment by destination: what its buckets and declarations give, added up."""

from collections.abc import Callable, Iterable

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


def replace(row: EquipmentRow, old: Iterable[Share], new: Iterable[Share]) -> None:
    """Take `old` back and give `new`. Bounds (times, raw ranges) stay as wide as they were: see `loosened`.

    A destination that is left with nothing, and of which nobody was told, is forgotten: which ones were passed through depends
    on the order of arrival.
    """
    come, gone = list(new), list[Share]()
    for share in old:
        if share in come:
            come.remove(share)  # what stays is not told again
        else:
            gone.append(share)
    for share in gone:
        total = row.totals[share.destination]
        total.amount -= share.amount
        total.records -= share.records
        drop_records(total.ranges, share.ranges)
        total.dirty = True
    give(row, come)
    for share in gone:
        left = row.totals.get(share.destination)
        if left is not None and not (left.records or left.amount or left.sent or left.made_from):
            del row.totals[share.destination]


def loosened(row: EquipmentRow, old: Iterable[Share], new: Iterable[Share]) -> set[str]:
    """Destinations whose bounds in the total may be too wide once `new` stands for `old`: `old` is at an edge of the total,
    and `new` does not reach as far."""
    by_destination = {share.destination: share for share in new}
    return {
        share.destination
        for share in old
        if _at_edge(row.totals[share.destination], share) and not _covers(by_destination.get(share.destination), share)
    }


def tighten(row: EquipmentRow, destinations: Iterable[str], shares_since: Callable[[int], Iterable[Share]]) -> None:
    """Bounds only ever widen; after quantity was moved they are rebuilt from what is left.

    shares_since: all shares in which something counted at that time or later can be.
    """
    rebuilt = {key: row.totals[key] for key in destinations if key in row.totals}
    if not rebuilt:
        return
    first_at = min(total.first_at for total in rebuilt.values())
    for total in rebuilt.values():
        total.ranges, total.records, total.first_at, total.last_at = [], 0, 2**62, 0
    for share in shares_since(first_at):
        known = rebuilt.get(share.destination)
        if known is not None:
            known.records += share.records
            known.first_at, known.last_at = min(known.first_at, share.first_at), max(known.last_at, share.last_at)
            add_ranges(known.ranges, share.ranges)
    for total in rebuilt.values():
        total.first_at = min(total.first_at, total.last_at)


def _at_edge(total: TotalState, share: Share) -> bool:
    if share.first_at <= total.first_at or share.last_at >= total.last_at:
        return True
    ranges = {entry.raw_source: entry for entry in total.ranges}
    return any(
        entry.raw_source in ranges
        and (entry.first <= ranges[entry.raw_source].first or entry.last >= ranges[entry.raw_source].last)
        for entry in share.ranges
    )


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
