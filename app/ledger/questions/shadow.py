"""The plant posts nothing; what it would have posted is compared with what another interface booked (docs/domain.md,
Shadow mode), and each difference per order, material and lot gets its cause, as far as the figures tell it.

A cause is stated only when it gives the difference exactly; else the difference is listed as unexplained.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from app.ledger.books.erp_book import ErpBook
from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import order_of
from app.ledger.proof.net_movements import Key, Net, compare
from schemas.records import AccountRow
from tables.orders.account import BASIS
from tables.orders.order import receives
from tables.quantity import exact_text, fraction
from tables.row_kinds import ACCOUNT_ROWS

UNEXPLAINED = "unexplained"
KIND_OF = {"receipt": "yield", "issue": "consumption", "scrap": "scrap"}
"""Movement type -> kind of the accounts that cause it."""


@dataclass(slots=True)
class Difference:
    """One key where the interface booked something else than the ledger would have."""

    key: Key
    ledger: Fraction
    erp: Fraction
    cause: str
    documents: list[str]

    def sentence(self) -> str:
        where = f" (document {', '.join(self.documents)})" if self.documents else ""
        return f"{self.key}: ledger {self.ledger}, ERP {self.erp}{where}: {self.cause}"


NOT_IN_SHADOW = "  the plant is not in shadow mode (`shadow: true` in plant.yaml): these bookings are lineledger's own"


@dataclass(slots=True)
class Comparison:
    agreeing: int
    differences: list[Difference]
    in_shadow: bool = True
    """The plant says `shadow: true`: what the ERP has, another interface booked."""

    @property
    def unexplained(self) -> int:
        return sum(difference.cause == UNEXPLAINED for difference in self.differences)


def compare_shadow(snapshot: Snapshot, book: ErpBook) -> Comparison:
    """Stock movements only: how another interface confirms operations is its own affair."""
    nets = {key: net for key, net in compare(snapshot, book, issued).items() if not key.confirmation}
    accounts: defaultdict[tuple[str, str, str, str], list[AccountRow]] = defaultdict(list)
    names = snapshot.configuration.erp.identifiers
    for row in snapshot.of(ACCOUNT_ROWS):
        if row.kind != BASIS:
            accounts[names.order.erp(row.order), names.material.erp(row.material), row.lot, row.kind].append(row)
    found = []
    for key, net in nets.items():
        if net.difference:
            case = Case(snapshot, key, net, nets, accounts, book)
            found.append(Difference(key, net.ledger, net.total, case.cause(), net.documents))
    return Comparison(len(nets) - len(found), found, snapshot.configuration.plant.shadow)


def issued(snapshot: Snapshot) -> Iterator[tuple[AccountRow, list[Fraction]]]:
    """Each account with everything that it issued: in shadow mode none of it went out."""
    for account in snapshot.of(ACCOUNT_ROWS):
        if account.issued and account.kind != BASIS:
            yield account, [fraction(posting.amount, account.scale) for posting in account.issued]


@dataclass(slots=True)
class Case:
    """One difference and everything that may explain it."""

    snapshot: Snapshot
    key: Key
    net: Net
    nets: Mapping[Key, Net]
    accounts: Mapping[tuple[str, str, str, str], list[AccountRow]]
    book: ErpBook

    def cause(self) -> str:
        """The first cause that gives the difference exactly."""
        causes: tuple[Callable[[], str], ...] = (
            self._unknown,
            self._other_lots,
            self._waiting,
            self._booked_twice,
            self._gross,
            self._other_operations,
            self._carry,
            self._missing,
        )
        return next((cause for explain in causes if (cause := explain())), UNEXPLAINED)

    @property
    def _rows(self) -> list[AccountRow]:
        kind = KIND_OF.get(self.key.type, self.key.type)
        return self.accounts.get((self.key.order, self.key.material, self.key.lot, kind), [])

    def _unknown(self) -> str:
        """The floor recorded nothing of this order and material at all."""
        if any(key[:2] == (self.key.order, self.key.material) and rows for key, rows in self.accounts.items()):
            return ""
        return "nothing of it was recorded on the shop floor" if not self.net.ledger else ""

    def _other_lots(self) -> str:
        """The same quantity, under other lots."""
        same = {key: net for key, net in self.nets.items() if key._replace(lot="") == self.key._replace(lot="")}
        if len(same) < 2 or sum((net.difference for net in same.values()), Fraction(0)):
            return ""
        others = sorted(key.lot or "-" for key, net in same.items() if net.difference and key != self.key)
        return f"the same quantity is booked under other lots ({', '.join(others)})"

    def _waiting(self) -> str:
        """The ledger would post it, but not yet, or not without somebody's decision."""
        for row in self._rows:
            if row.parked and self.net.difference == fraction(row.parked, row.scale):
                return f"parked {row.code} in the ledger, booked by the interface"
        pending = sum((fraction(row.target - row.posted - row.parked, row.scale) for row in self._rows), Fraction(0))
        if pending and self.net.difference == pending:
            return "not due in the ledger yet, booked earlier by the interface"
        return ""

    def _booked_twice(self) -> str:
        """One quantity of the interface stands there more than once, and without the repetition both agree."""
        seen: defaultdict[Fraction, list[str]] = defaultdict(list)
        for movement in self.book.movements:
            if (movement.order, movement.material, movement.lot, movement.type) == self.key[:4]:
                seen[fraction(movement.amount, movement.scale)].append(movement.erp_document)
        for quantity, documents in seen.items():
            if len(documents) > 1 and quantity and self.net.difference == quantity * (len(documents) - 1):
                return f"booked {len(documents)} times by the interface (documents {', '.join(documents)})"
        return ""

    def _gross(self) -> str:
        """The interface receives what the counter says, scrap and rework included."""
        if self.key.type != "receipt":
            return ""
        bad = self._recorded("scrap", True) + self._recorded("rework", True)
        return f"the interface books gross: scrap and rework of {bad} are not subtracted" if bad == self.net.difference else ""

    def _other_operations(self) -> str:
        """The interface receives at operations that only confirm."""
        if self.key.type != "receipt":
            return ""
        elsewhere = self._recorded("yield", False)
        operations = sorted({row.operation for row in self._of_order("yield") if not self._receives(row)})
        if elsewhere and elsewhere == self.net.difference:
            return f"the interface also receives at operation {', '.join(operations)}"
        return ""

    def _carry(self) -> str:
        step = max((Fraction(1, 10**row.scale) for row in self._rows), default=Fraction(0))
        return "rounding: less than one step of the ERP's unit" if abs(self.net.difference) < step else ""

    def _missing(self) -> str:
        return "the interface booked nothing" if not self.net.total else ""

    def _of_order(self, kind: str) -> Iterable[AccountRow]:
        wanted = (self.key.order, self.key.material, kind)
        return [
            row for (order, material, _, of), rows in self.accounts.items() if (order, material, of) == wanted for row in rows
        ]

    def _receives(self, row: AccountRow) -> bool:
        return receives(order_of(self.snapshot, row), row.operation)

    def _recorded(self, kind: str, receiving: bool) -> Fraction:
        rows = [row for row in self._of_order(kind) if row.lot in ("", self.key.lot) and self._receives(row) == receiving]
        return sum((fraction(row.target, row.scale) for row in rows), Fraction(0))


def as_json(found: Comparison) -> dict[str, Any]:
    return {
        "agreeing": found.agreeing,
        "unexplained": found.unexplained,
        "differences": [
            {
                "order": difference.key.order,
                "material": difference.key.material,
                "lot": difference.key.lot,
                "type": difference.key.type,
                "ledger": exact_text(difference.ledger),
                "erp": exact_text(difference.erp),
                "cause": difference.cause,
                "documents": difference.documents,
            }
            for difference in found.differences
        ],
    }


def lines_of(found: Comparison) -> list[str]:
    total = found.agreeing + len(found.differences)
    verdict = "AGREES" if not found.differences else f"{len(found.differences)} DIFFERENCES, {found.unexplained} unexplained"
    booked = "as the other interface booked them" if found.in_shadow else "as the ERP has them"
    head = f"Shadow: {found.agreeing} of {total} order, material, lot and movement {booked}    {verdict}"
    return [
        head,
        *([] if found.in_shadow else [NOT_IN_SHADOW]),
        *(f"  {difference.sentence()}" for difference in found.differences),
    ]
