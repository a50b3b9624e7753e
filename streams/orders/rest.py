"""Orders at rest: over, and waiting for nothing but to be forgotten. A take-over reads nothing of them but their marks.

The marks are rows of their own, made when the order comes to rest, deleted when something happens to it. All is in their keys:

    r|plant|order|time|material|...    when it is forgotten, and of what it has accounts: master data changes them, too
    u|account                          of which the ERP does not have everything: the close of a period tells it
"""

from typing import NamedTuple

from schemas.records import OrderRow
from tables.orders import order as orders
from tables.orders.account import escaped, unescaped
from tables.orders.order_state import unanswered
from tables.row_kinds import ACCOUNT_ROWS, AT_REST_ROWS, LEFT_ROWS


class AccountNames(NamedTuple):
    """What an account's row key says: plant, row key of its order, material."""

    plant: str
    order: str
    material: str


class Marked(NamedTuple):
    """What a mark says: plant, row key of the order, log time at which it is forgotten, materials of its accounts."""

    plant: str
    order: str
    at: int
    materials: list[str]


def is_at_rest(order: OrderRow) -> bool:
    return bool(order.forget_at) and not order.figures_due and (order.overdue or not unanswered(order))


def named_by(account: str) -> AccountNames:
    """From the key alone."""
    _, plant, order, _, material, _ = account.split("|", 5)
    if "%" in account:
        plant, order, material = unescaped(plant), unescaped(order), unescaped(material)
    return AccountNames(plant, orders.row_key(plant, order), material)


def mark_key(marked: Marked) -> str:
    parts = (marked.plant, marked.order.split("|", 2)[2], f"{marked.at:020d}", *marked.materials)
    return AT_REST_ROWS.key(*(escaped(part) for part in parts))


def marked_by(mark: str) -> Marked:
    plant, order, at, *materials = AT_REST_ROWS.bare(mark).split("|")
    if "%" in mark:
        plant, order, materials = unescaped(plant), unescaped(order), [unescaped(one) for one in materials]
    return Marked(plant, orders.row_key(plant, order), int(at), materials)


def left_key(account: str) -> str:
    """`account`: its row key."""
    return LEFT_ROWS.key(ACCOUNT_ROWS.bare(account))


def account_of(mark: str) -> str:
    """Row key of the account that `left_key` named."""
    return ACCOUNT_ROWS.key(LEFT_ROWS.bare(mark))


def accounts_prefix(order: str) -> str:
    """What the row keys of all accounts of the order begin with. `order`: its row key."""
    _, plant, name = order.split("|", 2)
    return ACCOUNT_ROWS.under(escaped(plant), escaped(name))
