"""What rounding leaves of an order, in a sentence each: why the ERP shows a little more or less than was recorded.

The balance has the sum of all carries by kind and unit; here each is one of an order, operation, material and unit, as accounts
share it (docs/domain.md, Rounding and carry).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import order_of
from app.ledger.questions.export import quantity_text
from schemas.records import AccountRow
from tables.orders.account import BASIS, recorded_of
from tables.orders.carry import Carried, carried
from tables.orders.order import is_completed
from tables.quantity import exact_text, fraction
from tables.row_kinds import ACCOUNT_ROWS


@dataclass(slots=True, frozen=True)
class LeftByRounding:
    """`recorded` is what the accounts of `what` hold together, `stands_for` what postings can say of it; exact, in its unit."""

    order: str
    what: Carried
    recorded: Fraction
    stands_for: Fraction
    over: bool
    """The operation is complete, or the order is closed: no more is expected that it could go with."""

    @property
    def carry(self) -> Fraction:
        return self.recorded - self.stands_for


def carries_of(snapshot: Snapshot) -> list[LeftByRounding]:
    """Each one that is not zero, by order and what it is of."""
    together: dict[tuple[str, Carried], list[AccountRow]] = defaultdict(list)
    for row in snapshot.of(ACCOUNT_ROWS):
        if row.kind != BASIS:
            together[row.order, carried(row)].append(row)
    found = []
    for (name, what), rows in sorted(together.items()):
        recorded = sum(map(recorded_of, rows), Fraction(0))
        stands_for = fraction(sum(row.target for row in rows), what.scale)
        if recorded != stands_for:
            order = order_of(snapshot, rows[0])
            over = order.status == "closed" or is_completed(order, what.operation)
            found.append(LeftByRounding(name, what, recorded, stands_for, over))
    return found


def sentence(one: LeftByRounding) -> str:
    """What was recorded, what of it is posted in whole steps, and where the rest goes."""
    what, unit = one.what, one.what.unit
    name = f"{what.kind} of {what.material}" if what.material else what.kind
    of = f"{name} in operation {what.operation} of order {one.order}" + " (from stock)" * what.stock
    how = f"rounded to {quantity_text(one.stands_for)} in steps of {quantity_text(Fraction(1, 10**what.scale))}"
    size, less = quantity_text(abs(one.carry)), one.carry > 0
    if one.over:
        rest = f"the ERP gets {size} {unit} {'less' if less else 'more'}, nothing more is expected"
    else:
        rest = f"{size} {unit} {'go with what comes next' if less else 'are ahead and come off what comes next'}"
    return f"{of}: {quantity_text(one.recorded)} {unit} recorded, {how}: {rest}"


def lines_of(found: Sequence[LeftByRounding], most: int | None = None, asked: str = "") -> Iterator[str]:
    """For people, the largest part of a step first. `most`: so many lines; None: all. `asked`: options of the command that tells
    the rest."""
    ordered = sorted(found, key=lambda one: (-abs(one.carry) * 10**one.what.scale, one.order, one.what))
    yield from (f"Carry: {sentence(one)}" for one in ordered[:most])
    if most is not None and len(found) > most:
        yield f"Carry: {len(found) - most} more    lineledger reconcile{asked}"


def as_json(found: Sequence[LeftByRounding]) -> list[dict[str, str]]:
    return [
        {
            "order": one.order,
            "operation": one.what.operation,
            "material": one.what.material,
            "kind": one.what.kind,
            "unit": one.what.unit,
            "recorded": exact_text(one.recorded),
            "carry": exact_text(one.carry),
            "sentence": sentence(one),
        }
        for one in found
    ]
