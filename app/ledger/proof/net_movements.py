"""What an ERP that books the ledger exactly must show, and how what it does show differs (docs/domain.md, Expected movements).

The expectation is worked out from the accounts' accepted quantities and the flags of the orders alone. What a posting says
about its own movements is not asked: a ledger that sends a receipt for every operation would say so in each of them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from app.ledger.books.erp_book import ErpBook
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import ACCEPTED, order_of, units_of
from schemas.records import AccountRow, Component, OrderRow
from tables.orders.account import BASIS
from tables.orders.components import mode_of
from tables.orders.order import item_of
from tables.quantity import fraction, round_half_away
from tables.refusal import Refusal
from tables.row_kinds import ACCOUNT_ROWS, MATERIAL_ROWS, POSTING_ROWS

ORIGINS = ("sent", "derived", "foreign")


class Key(NamedTuple):
    """What is compared, as the ERP writes it. `type` of a confirmation is its kind, `material` then its operation."""

    order: str
    material: str
    lot: str
    type: str
    confirmation: bool = False

    def __str__(self) -> str:
        if self.confirmation:
            return f"order {self.order} operation {self.material} confirmed {self.type}"
        return f"order {self.order} material {self.material} lot {self.lot or '-'} {self.type}"


@dataclass(slots=True)
class Net:
    """One key: what the ledger expects, and what the ERP has by origin. All exact, in one unit."""

    ledger: Fraction = Fraction(0)
    erp: dict[str, Fraction] = field(default_factory=lambda: dict.fromkeys(ORIGINS, Fraction(0)))
    documents: list[str] = field(default_factory=list)
    """Foreign documents."""

    @property
    def total(self) -> Fraction:
        return sum(self.erp.values(), Fraction(0))

    @property
    def difference(self) -> Fraction:
        return self.total - self.ledger

    def cause(self) -> str:
        """Why the ERP has something else, as far as the figures tell."""
        sent, derived, foreign = (self.erp[origin] for origin in ORIGINS)
        if foreign and self.difference == foreign:
            return f"booked by somebody else (document {', '.join(self.documents)})"
        if sent and derived and self.difference in (sent, derived):
            return "booked twice: sent by the ledger and derived by the ERP"
        if not self.ledger and sent and not foreign and not derived:
            return "sent although nothing is to be booked here"
        if not self.ledger and derived and not foreign and not sent:
            return "derived by the ERP although nothing is expected"
        if not self.total and self.ledger:
            return "not in the ERP"
        return "other quantity"

    def sentence(self, key: Key) -> str:
        parts = ", ".join(f"{origin} {value}" for origin, value in self.erp.items() if value)
        return f"{key}: ledger {self.ledger}, ERP {self.total} ({parts or 'nothing'}): {self.cause()}"


Posted = Iterator[tuple[AccountRow, list[Fraction]]]


def compare(snapshot: Snapshot, book: ErpBook, posted: Callable[[Snapshot], Posted] | None = None) -> dict[Key, Net]:
    """Every key that either side has, expectation and booking side by side. `posted`: the accounts with the quantities that
    the ERP should have; by default what it accepted."""
    found: dict[Key, Net] = defaultdict(Net)
    names = snapshot.configuration.erp.identifiers
    for account, quantities in (posted or accepted)(snapshot):
        order = order_of(snapshot, account)
        number = names.order.erp(account.order)
        for material, lot, type_, quantity in _stock(snapshot, order, account, quantities):
            found[Key(number, names.material.erp(material), lot, type_)].ledger += quantity
        for operation, kind, quantity in _confirmed(order, account, quantities, book.derives):
            found[Key(number, names.operation.erp(operation), "", kind, True)].ledger += quantity
    _booked(snapshot, book, found)
    return {key: net for key, net in sorted(found.items()) if net.ledger or any(net.erp.values())}


def accepted(snapshot: Snapshot) -> Posted:
    """Each account with the quantities of its accepted postings, in the account's ERP unit."""
    states = {row.posting.posting_id: row.state for row in snapshot.of(POSTING_ROWS)}
    for account in snapshot.of(ACCOUNT_ROWS):
        issued = [p for p in account.issued if states.get(p.posting_id, p.status) == ACCEPTED]
        if issued and account.kind != BASIS:
            yield account, [fraction(posting.amount, account.scale) for posting in issued]


def _stock(
    snapshot: Snapshot, order: OrderRow, account: AccountRow, quantities: list[Fraction]
) -> Iterator[tuple[str, str, str, Fraction]]:
    """(material, lot, type, quantity): one receipt per order, each component once."""
    configuration, total = snapshot.configuration, sum(quantities, Fraction(0))
    receiving = next((entry.operation for entry in order.operations if entry.receipt), None)
    match account.kind:
        case "yield":
            if account.operation == receiving and configuration.erp.booking("yield").receipt != "none":
                yield account.material, account.lot, "receipt", total
            item = item_of(order, account.material)
            main = item is None or item.role == "main"
            for component in _backflushed(snapshot, order, account, receiving) if main else ():
                # An ERP rounds each confirmation by itself.
                needs = (_need(snapshot, component, quantity) for quantity in quantities)
                yield component.material, "", "issue", sum(needs, Fraction(0))
        case "consumption":
            component_ = _component(order, account)
            if account.reason or component_ is None or mode_of(configuration, component_, account) != "erp_backflush":
                yield account.material, account.lot, "issue", total
        case "scrap":
            output = configuration.erp.booking("scrap").by == "production_output"
            if (account.place == "stock" or output) and account.operation == receiving:
                yield account.material, account.lot, "scrap", total


def _component(order: OrderRow, account: AccountRow) -> Component | None:
    return next((entry for entry in order.components if entry.material == account.material), None)


def _backflushed(snapshot: Snapshot, order: OrderRow, account: AccountRow, receiving: str | None) -> Iterable[Component]:
    """Components that the ERP issues by itself with a confirmation of this operation (docs/domain.md, Consumption
    modes)."""
    if not order.backflush:
        return
    confirmed = [account.operation, *_before(order, account.operation)]
    for component in order.components:
        if component.phantom:
            continue
        operation = component.operation or receiving
        if operation in confirmed and (component.operation or account.operation == receiving):
            probe = AccountRow(
                account.plant, account.order, component.operation or account.operation, component.material, "", "consumption",
                "", component.position, account.business_date, account.born_epoch,
            )  # fmt: skip
            if mode_of(snapshot.configuration, component, probe) == "erp_backflush":
                yield component


def _need(snapshot: Snapshot, component: Component, made: Fraction) -> Fraction:
    material = snapshot.rows.get("orders", {}).get(MATERIAL_ROWS.key(snapshot.configuration.plant.plant.id, component.material))
    quantity = component.quantity
    scale = material.decimals if material is not None and material.unit == quantity.unit else quantity.scale
    exact = made * fraction(quantity.amount, quantity.scale) / component.base
    return fraction(round_half_away(exact, scale), scale)


def _confirmed(
    order: OrderRow, account: AccountRow, quantities: list[Fraction], derives: bool
) -> Iterator[tuple[str, str, Fraction]]:
    """(operation, kind, quantity). A milestone's yield stands for the operations before it: what these counted
    themselves is no confirmation (docs/domain.md, Milestones)."""
    if account.kind == "consumption":
        return
    total = sum(quantities, Fraction(0))
    places = [entry.operation for entry in order.operations]
    if account.kind != "yield" or not derives or account.operation not in places:
        yield account.operation, account.kind, total
        return
    by = next((entry.operation for entry in order.operations if account.operation in _before(order, entry.operation)), None)
    if by is None:
        yield account.operation, account.kind, total
    for before in _before(order, account.operation):
        yield before, account.kind, total


def _before(order: OrderRow, operation: str) -> list[str]:
    """The operations that the ERP confirms with this one: of a milestone those since the milestone before it."""
    found: list[str] = []
    for entry in order.operations:
        if entry.operation == operation:
            return found if entry.confirm == "milestone" else []
        found = [] if entry.confirm == "milestone" else [*found, *([entry.operation] if entry.confirm != "none" else [])]
    return []


def _booked(snapshot: Snapshot, book: ErpBook, found: dict[Key, Net]) -> None:
    """The ERP's side; quantities in the unit that the material master keeps."""
    units = units_of(snapshot)
    names = snapshot.configuration.erp.identifiers
    kept = {names.material.erp(row.material): (row.material, row.unit) for row in snapshot.of(MATERIAL_ROWS)}
    plant_unit = {erp: plant for plant, erp in names.unit.items()}
    for movement in book.movements:
        net = found[Key(movement.order, movement.material, movement.lot, movement.type)]
        quantity, unit = fraction(movement.amount, movement.scale), plant_unit.get(movement.unit, movement.unit)
        material, wanted = kept.get(movement.material, (movement.material, unit))
        converted = units.convert(quantity, unit, wanted, material)
        net.erp[movement.origin] += quantity if isinstance(converted, Refusal) else converted
        if movement.origin == "foreign" and movement.erp_document not in net.documents:
            net.documents.append(movement.erp_document)
    for confirmed in book.confirmations:
        net = found[Key(confirmed.order, confirmed.operation, "", confirmed.kind, True)]
        net.erp[confirmed.origin] += fraction(confirmed.amount, confirmed.scale)


def summary(nets: Mapping[Key, Net]) -> dict[str, Any]:
    """For reports: how many orders agree, what differs in sentences, and what others booked on our orders."""
    differences = [net.sentence(key) for key, net in nets.items() if net.difference]
    wrong = {key.order for key, net in nets.items() if net.difference}
    orders = {key.order for key in nets}
    foreign = [
        f"{key}: {net.erp['foreign']} in document {', '.join(net.documents)}" for key, net in nets.items() if net.documents
    ]
    sums = {origin: sum(1 for key, net in nets.items() if not key.confirmation and net.erp[origin]) for origin in ORIGINS}
    return {
        "orders": len(orders), "agreeing": len(orders - wrong), "differences": differences, "foreign": foreign, "origins": sums,
    }  # fmt: skip


__all__ = ["Key", "Net", "accepted", "compare", "summary"]
