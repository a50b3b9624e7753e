"""Accounts by themselves (I1): what they hold, what follows from the order's flags, and the chain of their postings."""

from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import counts_of, order_of, units_of
from schemas.records import AccountRow
from tables.orders import account as ledger
from tables.orders import order as orders
from tables.orders import pieces
from tables.orders.account import BASIS, MOVED, account_key
from tables.orders.backflush import derive, places
from tables.orders.posting_id import posting_id
from tables.plant.units import UnitTable
from tables.row_kinds import ACCOUNT_ROWS


def differences(snapshot: Snapshot) -> Iterator[str]:
    units = units_of(snapshot)
    for key, row in sorted(snapshot.rows.get("orders", {}).items()):
        if ACCOUNT_ROWS.has(key):
            if key[2:] != account_key(row):
                yield f"{key[2:]}: its row is of account {account_key(row)}"
            if row.kind != BASIS:
                yield from _account(snapshot, row, units)
    yield from _derived(snapshot, units)


def _account(snapshot: Snapshot, row: AccountRow, units: UnitTable) -> Iterator[str]:
    key, order = account_key(row), order_of(snapshot, row)
    apart = {one.unit for one in row.apart}
    amount = ledger.recorded(row, counts_of(snapshot.configuration, order, row), row.unit, units, apart)
    noted = Fraction(row.recorded_numerator, row.recorded_denominator)
    if noted != amount:
        yield f"{key}: its sources come to {amount} {row.unit}, it notes {noted}"
    if row.parked and not row.code:
        yield f"{key}: {row.parked} steps are parked without a code"
    if row.covered != orders.covered(snapshot.configuration, order, row):
        word = "is" if row.covered else "is not"
        yield f"{key}: it {word} marked as covered by another posting, the order's flags say otherwise"
    yield from _chain(row, key)


def _chain(row: AccountRow, key: str) -> Iterator[str]:
    """Sequences without a gap, cumulative quantities that add up, ids that follow from them."""
    total = 0
    for place, posting in enumerate(row.issued, 1):
        total += posting.amount
        if posting.sequence != place:
            yield f"{key}: posting {posting.posting_id} has sequence {posting.sequence}, it is number {place}"
        if posting.cumulative != total:
            yield f"{key}: posting {posting.posting_id} says {posting.cumulative} cumulative, postings add up to {total}"
        revision = len(posting.replaced_ids)
        if posting.posting_id != posting_id(row.plant, key, row.born_epoch, posting.sequence, revision):
            yield f"{key}: {posting.posting_id} is not the id of its sequence {posting.sequence}"
        if sum(entry.records for entry in posting.ranges) != posting.records:
            yield f"{key}: posting {posting.posting_id} names {posting.records} records, its ranges hold others"
    if row.sequence != len(row.issued):
        yield f"{key}: it issued {row.sequence} postings and knows {len(row.issued)}"


def _derived(snapshot: Snapshot, units: UnitTable) -> Iterator[str]:
    """Backflushed consumption is what follows from the pieces, and phantoms are their components."""
    by_order: dict[tuple[str, str], list[AccountRow]] = {}
    for row in snapshot.of(ACCOUNT_ROWS):
        by_order.setdefault((row.plant, row.order), []).append(row)
    for rows in by_order.values():
        order = order_of(snapshot, rows[0])
        known = {account_key(row): row for row in rows}
        yield from _moved(rows) if order.known else ()
        for operation, date in places(order, rows) if order.known else ():
            for one in derive(snapshot.configuration, order, operation, date, rows, units):
                account = known.get(account_key(one.account))
                source = account.sources.get(one.source_key) if account is not None else None
                held = Fraction(source.numerator, source.denominator) if source is not None else Fraction(0)
                if held != one.amount:
                    yield f"{account_key(one.account)}: {one.amount} {one.unit} follows from the pieces, it holds {held}"


def _moved(rows: list[AccountRow]) -> Iterator[str]:
    """What an account gave to others of its operation and material, these have; and a yield below zero has none to take from."""
    sums: dict[pieces.Group, Fraction] = defaultdict(Fraction)
    for row in rows:
        group = pieces.group_of(row)
        for source in row.sources.values():
            if group is not None and source.kind == MOVED:
                sums[group] += Fraction(source.numerator, source.denominator)
    for group, quantity in sorted(sums.items()):
        if quantity:
            yield f"{rows[0].order} {group.material} of operation {group.operation}: moves of pieces come to {quantity}"
