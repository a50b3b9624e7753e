"""What an ERP may still be sent by its quotas. It is taken out here, in delivery's state, before it is used: who has it may die.

Time is cut into slices, SLICES of a span, but none shorter than a commit may take. What is taken out is used one to two
slices ahead, and comes free one late: for clocks that differ, and for what an ERP logs late.
"""

from collections.abc import Mapping

from schemas.records import QuotaAsked, QuotaLimit, QuotaRow, QuotaUse, QuotaWindow
from tables.delivery.outbox import Granted

SLICES, FEWEST = 60, 12
LEAST_US = 5_000_000
"""Of a slice, unless the span is shorter than FEWEST of them."""

Uses = dict[int, tuple[int, int]]
"""End of use -> requests and microseconds."""


def slice_us(per_us: int) -> int:
    return max(-(-per_us // SLICES), min(-(-per_us // FEWEST), LEAST_US))


def use_until(now: int, per_us: int) -> int:
    """By when it is used what is taken out now, of the shortest span of all."""
    length = slice_us(per_us)
    return (now // length + 2) * length


def take_out(row: QuotaRow | None, asked: QuotaAsked) -> tuple[QuotaRow, Granted]:
    """The row afterwards, and what the executor gets: all, a part, or nothing. Corrections are taken in whatever limits say."""
    known = {window.per_us: window for window in row.windows} if row is not None else {}
    books = [(limit, _still_counted(known, limit.per_us, asked.at)) for limit in asked.limits]
    for limit, uses in books:
        for use in asked.corrections:
            _add(uses, limit.per_us, use)
    calls, processing_us = asked.calls, asked.processing_us
    calls_again = processing_again = 0
    for limit, uses in books:
        used = [sum(use[of] for use in uses.values()) for of in (0, 1)]
        calls, later = _room(calls, limit.calls, used[0], _free_from(uses, 0, limit))
        processing_us, later_us = _room(processing_us, limit.processing_us, used[1], _free_from(uses, 1, limit))
        calls_again, processing_again = max(calls_again, later), max(processing_again, later_us)
    for limit, uses in books:
        _add(uses, limit.per_us, QuotaUse(asked.until, calls, processing_us))
    kept = {limit.per_us: uses for limit, uses in books}
    for per_us in known.keys() - kept.keys():  # of a span that is not stated any more, as long as any of it counts
        kept[per_us] = _still_counted(known, per_us, asked.at)
    windows = [QuotaWindow(per_us, _listed(kept[per_us])) for per_us in sorted(kept) if any(map(any, kept[per_us].values()))]
    granted = Granted(asked.owner, asked.number, asked.until, calls, processing_us, calls_again, processing_again)
    return QuotaRow(windows), granted


def _listed(uses: Uses) -> list[QuotaUse]:
    return [QuotaUse(until, *use) for until, use in sorted(uses.items()) if any(use)]


def _room(asked: int, limit: int, used: int, free_from: int) -> tuple[int, int]:
    """How much of it there is, and from when there is more; 0: there is enough."""
    room = max(0, limit - used)
    return (asked, 0) if not limit or asked <= room else (room, free_from)


def _free_from(uses: Uses, of: int, limit: QuotaLimit) -> int:
    """When the oldest use comes free; 0: there is none."""
    oldest = min((until for until, use in uses.items() if use[of] > 0), default=None)
    return 0 if oldest is None else oldest + limit.per_us + slice_us(limit.per_us)


def _still_counted(known: Mapping[int, QuotaWindow], per_us: int, at: int) -> Uses:
    """Of a span that is new what the next longer one knows, or else the longest."""
    nearest = min((one for one in known if one >= per_us), default=max(known, default=0))
    uses: Uses = {}
    for use in known[nearest].uses if nearest else ():
        if use.until + per_us + slice_us(per_us) > at:
            _add(uses, per_us, use)
    return uses


def _add(uses: Uses, per_us: int, use: QuotaUse) -> None:
    """At the end of its slice. Of what came free meanwhile nothing is given back."""
    length = slice_us(per_us)
    until = -(-use.until // length) * length
    calls, processing_us = uses.get(until, (0, 0))
    uses[until] = max(0, calls + use.calls), max(0, processing_us + use.processing_us)
