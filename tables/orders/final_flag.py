"""When an operation is final, and what tells the ERP (docs/domain.md, Final flag)."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from schemas.records import AccountRow, OrderRow
from tables.orders import account as ledger
from tables.orders import order as orders
from tables.orders.carry import age
from tables.orders.parking import OVER_DELIVERY

OPEN = frozenset({"released", "delivered"})
"""An order of another status hears of no final operation any more."""


def final_now(order: OrderRow, accounts: Mapping[str, AccountRow]) -> Iterator[tuple[str, list[AccountRow]]]:
    """Completed operations that were not told as final, of which nothing can follow; with their accounts of yield. An excess that
    nobody may receive excepted: it holds back nothing."""
    if not order.known or not (order.completed or order.completed_operations):
        return
    yields: dict[str, list[AccountRow]] = {}
    for row in accounts.values():
        if row.kind == "yield" and row.operation not in order.final_sent and orders.is_completed(order, row.operation):
            yields.setdefault(row.operation, []).append(row)
    for operation, rows in sorted(yields.items()):
        if not any(follows(row) for row in rows):
            yield operation, rows


def alone(order: OrderRow, yields: Sequence[AccountRow], posts: Callable[[AccountRow], bool]) -> AccountRow | None:
    """The account of which a confirmation of zero carries the flag, when all was posted before: of the main product, posted last.
    None: the order takes no more, or nobody posts the yield."""
    found = [row for row in yields if not row.covered and posts(row)]
    if not found or order.status not in OPEN or orders.operation_of(order, found[0].operation) is None:
        return None

    def rank(row: AccountRow) -> tuple[object, ...]:
        item = orders.item_of(order, row.material)
        return item is not None and item.role == "main", max((one.cut for one in row.issued), default=0), age(row)

    return max(found, key=rank)


def follows(row: AccountRow) -> bool:
    """May another posting of this account follow as things are?"""
    waiting = any(one.quantity and one.code != OVER_DELIVERY and not one.dropped for one in ledger.waits(row))
    return not row.covered and (bool(ledger.unposted(row)) or waiting)
