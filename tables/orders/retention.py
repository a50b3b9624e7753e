"""When an order is forgotten, and what must not be taken for new afterwards. Times are log time, in microseconds."""

from collections.abc import Iterable, Sequence

from schemas.records import AccountRow, OrderRow, Total
from tables.delivery.posting_state import ACCEPTED, CANCELLED
from tables.orders.account import BASIS, stops, unposted
from tables.orders.order import OVER

ERA = 1 << 16
"""Births of accounts: log epoch + era x ERA. An era ends when something that was born in it is forgotten."""
ASK_AGAIN_US = 86_400_000_000
"""How long an order whose time has come waits when the ERP has not taken everything."""


def is_over(order: OrderRow) -> bool:
    """Nothing more is expected of it: the ERP closed it, or it is complete; or nobody knows it (any more), and no lot of it is
    on hold: a wrong name, or what was told of an order that was forgotten."""
    nobodys = not order.known and not order.held_lots
    return nobodys or order.status in OVER or order.completed or order.handed_over


def is_settled(accounts: Iterable[tuple[AccountRow, bool]]) -> bool:
    """Nothing waits: all that may be posted was issued, and nobody has to decide. (account, does a rule post it?)"""
    for row, posts in accounts:
        if row.kind == BASIS or row.covered:
            continue
        if stops(row) or row.due_at is not None or (posts and unposted(row)):
            return False
    return True


def is_taken(accounts: Iterable[AccountRow]) -> bool:
    """Every posting of it came to its end in delivery."""
    return all(posting.status in (ACCEPTED, CANCELLED, "closed") for row in accounts for posting in row.issued)


def next_era(accounts: Sequence[AccountRow], era: int) -> int:
    """The era after these accounts are forgotten: what is born from now on is no birth of theirs. Else the first posting of an
    account that comes again would bear the id of the first one that it ever had."""
    return max([era, *(row.born_epoch // ERA + 1 for row in accounts)])


def born_epoch(log_epoch: int, era: int) -> int:
    return log_epoch + era * ERA


def is_of_the_forgotten(total: Total, order: OrderRow | None, now: int, keep_us: int) -> bool:
    """Of an account that has no row: does the total begin before what is kept? Then it may repeat what was posted and
    forgotten. `order`: its row; one that was there all the time has forgotten nothing."""
    since = order.released_at if order is not None and order.known else now
    return 0 < total.first_at <= since - keep_us
