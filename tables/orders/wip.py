"""Work in process between the operations of an order (docs/domain.md, Work in process)."""

import itertools
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from schemas.records import AccountRow, OrderRow
from tables.orders.order import item_of


class Wip(NamedTuple):
    """Pieces that the operation gave and the next one has not taken. Negative: the next one took more than there was."""

    operation: str
    unit: str
    quantity: Fraction


def work_in_process(order: OrderRow, accounts: Iterable[AccountRow]) -> list[Wip]:
    """WIP(op n) = yield(n) - (yield + scrap + rework)(n+1), for operations of which something was recorded, by unit.
    Co- and by-products and scrap from stock leave the line where they are made."""
    made: dict[tuple[str, str], Fraction] = {}
    taken: dict[tuple[str, str], Fraction] = {}
    for row in accounts:
        item = item_of(order, row.material)
        if (item is not None and item.role != "main") or row.kind not in ("yield", "scrap", "rework") or row.place == "stock":
            continue
        key, quantity = (row.operation, row.unit), Fraction(row.recorded_numerator, row.recorded_denominator)
        taken[key] = taken.get(key, Fraction(0)) + quantity
        if row.kind == "yield":
            made[key] = made.get(key, Fraction(0)) + quantity
    names = [operation.operation for operation in order.operations]
    following = dict(itertools.pairwise(names))
    return [
        Wip(operation, unit, quantity - taken.get((following[operation], unit), Fraction(0)))
        for (operation, unit), quantity in sorted(made.items())
        if operation in following
    ]
