"""Where a lot came from and where it went, as a tree with quantities, postings, holds and deliveries; and the recall list:
everything that left and contains it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import prove
from app.ledger.questions.export import quantity_text
from app.ledger.questions.genealogy import Genealogy, LotName
from app.ledger.questions.moments import iso
from app.ledger.questions.trace import Found
from schemas.records import LotRow, Quantity, Shipment
from tables.orders.account import BASIS, account_key
from tables.quantity import decimal_text
from tables.row_kinds import ACCOUNT_ROWS

UP, DOWN = "up", "down"
MADE, CONSUMED = "yield", "consumption"
Amounts = dict[str, Fraction]
"""Unit -> quantity."""


@dataclass(slots=True)
class LotBook:
    """What the ledger has of one lot, by order."""

    made: dict[str, Amounts] = field(default_factory=dict)
    consumed: dict[str, Amounts] = field(default_factory=dict)
    postings: list[str] = field(default_factory=list)


class LotTrace:
    """Genealogy with what was recorded of each lot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.graph = Genealogy(snapshot)
        self._books: dict[LotName, LotBook] = {}
        balances = prove(snapshot).accounts
        for row in snapshot.of(ACCOUNT_ROWS):
            if row.kind == BASIS or not row.lot:
                continue
            book = self._books.setdefault(LotName(row.material, row.lot), LotBook())
            book.postings += [entry.posting_id for entry in row.issued]
            side = {MADE: book.made, CONSUMED: book.consumed}.get(row.kind)
            if side is not None:
                amounts = side.setdefault(row.order, {})
                amounts[row.unit] = amounts.get(row.unit, Fraction(0)) + balances[account_key(row)].recorded

    def of(self, name: LotName) -> LotBook:
        return self._books.get(name, LotBook())

    def known(self, name: LotName) -> bool:
        return name in self._books or self.graph.knows(name)

    def orders_between(self, parent: LotName, child: LotName) -> list[dict[str, Any]]:
        """Orders that consumed the one and made the other, with both quantities. An order that made several lots does not say
        how much of the parent each got. None: a split, a merge, or quantities that came without an order."""
        consumed, made = self.of(parent).consumed, self.of(child).made
        return [
            {"order": order, "consumed": _texts(consumed[order]), "made": _texts(made[order])}
            for order in sorted(consumed.keys() & made.keys())
        ]

    def entry(self, name: LotName) -> dict[str, Any]:
        """All that is known of one lot by itself."""
        row, book = self.graph.row(name), self.of(name)
        return {
            "lot": str(name),
            "made": {order: _texts(amounts) for order, amounts in sorted(book.made.items())},
            "consumed": {order: _texts(amounts) for order, amounts in sorted(book.consumed.items())},
            "holds": list(self.graph.quality(name).holds),
            "held": self.graph.quality(name).held,
            "location": row.location if row is not None else "",
            "postings": book.postings,
            "shipments": [_shipment(one) for one in shipments_of(row)],
        }


def shipments_of(row: LotRow | None) -> list[Shipment]:
    """Oldest first. A row of an older program has deliveries without times and quantities."""
    if row is None:
        return []
    told = {one.delivery for one in row.shipments}
    older = [Shipment("", 0, delivery) for delivery in row.deliveries if delivery not in told]
    return [*older, *sorted(row.shipments, key=lambda one: (one.shipped_at, one.event_id))]


def _shipment(one: Shipment) -> dict[str, Any]:
    amount, unit = _quantity(one.quantity)
    return {"delivery": one.delivery, "at": iso(one.shipped_at) if one.shipped_at else "", "quantity": amount, "unit": unit}


def _quantity(quantity: Quantity | None) -> tuple[str, str]:
    return ("", "") if quantity is None else (decimal_text(quantity.amount, quantity.scale), quantity.unit)


def _texts(amounts: Amounts) -> str:
    return ", ".join(f"{quantity_text(amount)} {unit}" for unit, amount in sorted(amounts.items()))


def tree(snapshot: Snapshot, name: LotName, way: str, depth: int | None) -> Found:
    """The lot with what it went into (`down`) or was made from (`up`), at most `depth` edges away. A lot that several ways lead
    to stands in full where it comes first."""
    traced = LotTrace(snapshot)
    if not traced.known(name):
        return {"ok": False, "code": "NOT_FOUND"}, [f"{name} is no lot of this ledger"]
    graph = traced.graph
    found = (graph.below if way == DOWN else graph.above)([name], depth)
    within = {reached.name: reached.depth for reached in found}
    edges = [
        {"from": str(parent), "to": str(child), "orders": traced.orders_between(parent, child)}
        for parent in within
        for child in graph.children(parent)
        if child in within
    ]
    entries = [{**traced.entry(reached.name), "depth": reached.depth} for reached in found]
    answer = {"ok": True, "lot": str(name), "way": way, "lots": entries, "edges": edges}
    return answer, list(_tree_lines(traced, name, way, within))


def _tree_lines(traced: LotTrace, start: LotName, way: str, within: dict[LotName, int]) -> Iterator[str]:
    """Depth first, with a stack: genealogies are deeper than Python's recursion."""
    near = traced.graph.children if way == DOWN else traced.graph.parents
    seen: set[LotName] = set()
    stack: list[tuple[LotName, LotName | None, int]] = [(start, None, 0)]
    while stack:
        name, before, level = stack.pop()
        through = ""
        if before is not None:
            pair = (before, name) if way == DOWN else (name, before)
            through = "".join(
                f"   order {one['order']}: {one['consumed']} in, {one['made']} out" for one in traced.orders_between(*pair)
            )
        indent = "  " * level
        if name in seen:
            yield f"{indent}{name}{through}   (above)"
            continue
        seen.add(name)
        yield f"{indent}{name}{through}{_about(traced.entry(name))}"
        stack += [(other, name, level + 1) for other in sorted(near(name), reverse=True) if other in within]


def _about(entry: dict[str, Any]) -> str:
    parts = [f"on hold: {', '.join(entry['holds'])}"] if entry["holds"] else []
    parts += [f"at {entry['location']}"] if entry["location"] else []
    for one in entry["shipments"]:
        amount = f"{one['quantity']} {one['unit']} " if one["quantity"] else ""
        parts.append(f"shipped {amount}with {one['delivery'] or 'a delivery without a number'}")
    parts += [f"postings {', '.join(entry['postings'])}"] if entry["postings"] else []
    return "".join(f"   {part}" for part in parts)


RECALL_COLUMNS = (
    "delivery", "shipped_at", "material", "lot", "quantity", "unit", "contains", "steps", "path", "on_hold",
)  # fmt: skip


@dataclass(slots=True)
class Recall:
    """`shipped`: a row per shipment, with RECALL_COLUMNS. `here`: lots that contain it and that no shipment is known of."""

    shipped: list[dict[str, Any]]
    here: list[str]


def recall(snapshot: Snapshot, name: LotName) -> Recall | None:
    """Everything that left and contains the lot, itself too; None: there is no such lot."""
    graph = Genealogy(snapshot)
    if not graph.knows(name):
        return None
    found, paths = Recall([], []), {name: [name]}
    for reached in graph.below([name]):
        at = reached.name
        for child in graph.children(at):
            paths.setdefault(child, [*paths[at], child])
        shipments = shipments_of(graph.row(at))
        if not shipments:
            found.here.append(str(at))
        for one in shipments:
            amount, unit = _quantity(one.quantity)
            found.shipped.append(
                {
                    "delivery": one.delivery,
                    "shipped_at": iso(one.shipped_at) if one.shipped_at else "",
                    "material": at.material,
                    "lot": at.lot,
                    "quantity": amount,
                    "unit": unit,
                    "contains": str(name),
                    "steps": reached.depth,
                    "path": " > ".join(map(str, paths[at])),
                    "on_hold": " ".join(graph.quality(at).holds),
                }
            )
    found.shipped.sort(key=lambda row: (row["delivery"], row["shipped_at"], row["material"], row["lot"]))
    return found
