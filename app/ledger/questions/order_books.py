"""The books of an order as a controller reads them: what EXACT does not say (docs/domain.md, Books of an order).

EXACT says that what was recorded was posted. Here is asked whether what was recorded and posted can be right. Everything is added
up from the sources and the issued postings again; a question names its code, its order and what differs.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from app.ledger.books.snapshot import Snapshot
from app.ledger.proof.balance import NOT_ACCEPTED, order_of, units_of
from app.ledger.proof.consumption_need import ComponentNeed, needs
from app.ledger.questions.export import quantity_text
from schemas.codes import owner_of
from schemas.configuration import Configuration
from schemas.records import AccountRow, IssuedPosting, OrderRow, PostingRow
from tables.decisions import POST, standing
from tables.orders import order as orders
from tables.orders.account import BASIS, STOCK, is_returned, on_top, recorded_of, stops, unposted
from tables.orders.conversions import in_unit, of_account
from tables.orders.final_flag import follows
from tables.orders.parking import made_at
from tables.orders.pieces import LOWER, MADE, Group, group_of
from tables.orders.wip import work_in_process
from tables.plant.periods import PostingPeriods
from tables.plant.units import UnitTable
from tables.quantity import fraction
from tables.refusal import Refusal
from tables.row_kinds import ACCOUNT_ROWS, POSTING_ROWS


class BooksQuestion(NamedTuple):
    """Something in the books that a person has to explain. `about`: what to trace, an order or a posting."""

    code: str
    order: str
    detail: str
    about: str


@dataclass(slots=True, frozen=True)
class OrderBooks:
    """One order with all of its accounts that are posted or may be, and what became of its postings."""

    configuration: Configuration
    order: OrderRow
    accounts: list[AccountRow]
    units: UnitTable
    periods: PostingPeriods | None
    postings: Mapping[str, PostingRow]

    def question(self, code: str, detail: str, about: str = "") -> BooksQuestion:
        return BooksQuestion(code, self.order.order, detail, about or self.order.order)

    def counts(self, row: AccountRow) -> dict[str, int]:
        return orders.weights_of(self.configuration, self.order, row)

    def booked(self, row: AccountRow) -> Iterator[IssuedPosting]:
        """Its postings that are in the ERP or on their way."""
        for posting in row.issued:
            found = self.postings.get(posting.posting_id)
            if found is not None and found.replaced_by:
                found = self.postings.get(found.replaced_by, found)
            if (found.state if found is not None else posting.status) not in NOT_ACCEPTED:
                yield posting

    def convert(self, amount: Fraction, row: AccountRow, unit: str) -> Fraction:
        """Nothing for what does not convert: it is parked with BAD_UNIT."""
        found = of_account(row, amount, unit, self.units)
        return Fraction(0) if isinstance(found, Refusal) else found


def questions_of(snapshot: Snapshot) -> list[BooksQuestion]:
    """All questions, by order and code."""
    by_order: dict[tuple[str, str], list[AccountRow]] = defaultdict(list)
    for row in snapshot.of(ACCOUNT_ROWS):
        by_order[row.plant, row.order].append(row)
    configuration, units = snapshot.configuration, units_of(snapshot)
    stated, plant = configuration.erp.periods.close, configuration.plant
    periods = PostingPeriods(stated, plant.plant.zone, plant.calendar.days_off) if stated else None
    postings = {row.posting.posting_id: row for row in snapshot.of(POSTING_ROWS)}
    found: list[BooksQuestion] = []
    for rows in by_order.values():
        order = order_of(snapshot, rows[0])
        if order.known:  # what is told of an unknown order is parked
            books = OrderBooks(configuration, order, rows, units, periods, postings)
            found += (question for check in CHECKS for question in check(books))
    return sorted(found)


def gross(books: OrderBooks) -> Iterator[BooksQuestion]:
    """Pieces that were made are yield, scrap or open rework, each once: as recorded, and as it goes to the ERP."""
    groups: dict[Group, list[AccountRow]] = defaultdict(list)
    lowers = {kind for kind in LOWER if kind in books.configuration.rules.yield_.is_}
    for row in books.accounts:
        group = group_of(row)
        if group is not None and row.kind in ("yield", *lowers):
            groups[group].append(row)
    for group, rows in sorted(groups.items()):
        unit = next((row.unit for row in rows if row.kind == "yield"), "")
        changed = books.units.changed(group.material) and any(row.unit != unit for row in rows)
        if not unit or changed or any(row.apart for row in rows):
            continue  # of what was made with several conversions an account in another unit keeps no single one
        made = sum((_made(books, row, lowers, unit) for row in rows if row.kind == "yield"), Fraction(0))
        sums = {kind: Fraction(0) for kind in ("yield", *LOWER)}
        for row in rows:
            sums[row.kind] += books.convert(recorded_of(row), row, unit)
        goes = sum((books.convert(fraction(row.target - row.parked, row.scale), row, unit) for row in rows), Fraction(0))
        where = f"operation {group.operation} of order {books.order.order} made {quantity_text(made)} {unit} {group.material}"
        parts = " + ".join(f"{quantity_text(amount)} {kind}" for kind, amount in sums.items())
        if sum(sums.values()) != made:
            yield books.question("BOOKS_GROSS", f"{where}, the books say {parts}")
        elif goes - made >= Fraction(1, 10 ** max(row.scale for row in rows)) and not _decided(rows):
            yield books.question("BOOKS_GROSS", f"{where}, {quantity_text(goes)} go to the ERP as yield, scrap and rework")


def _made(books: OrderBooks, row: AccountRow, lowers: Iterable[str], unit: str) -> Fraction:
    """What says that pieces were made, and scrap that was made on top of good ones."""
    counts, found = books.counts(row), Fraction(0)
    authority = orders.authority_of(books.configuration, books.order, row.operation)
    top = on_top(row, authority, orders.counted_at(books.order, row.operation))
    for key, source in row.sources.items():
        counted = source.kind in MADE and counts[key] > 0
        beside = source.kind in lowers and key in top and not is_returned(key, source)
        if counted or (beside and not orders.is_check(books.configuration, authority, source)):
            amount = in_unit(row, source, unit, books.units)
            found += Fraction(0) if isinstance(amount, Refusal) else amount
    return found


def in_process(books: OrderBooks) -> Iterator[BooksQuestion]:
    """No operation takes more than the one before it gave."""
    for wip in work_in_process(books.order, books.accounts):
        if wip.quantity < 0:
            where = f"in process after operation {wip.operation} of order {books.order.order}"
            yield books.question("WIP_NEGATIVE", f"{quantity_text(wip.quantity)} {wip.unit} {where}")


def consumption(books: OrderBooks) -> Iterator[BooksQuestion]:
    """What was used is what the pieces need, within the tolerance. Of an order that goes on it may still be declared."""
    tolerance = books.configuration.rules.order.consumption_share
    if tolerance is None or not _is_over(books.order):
        return
    for need in needs(books.configuration, books.order, books.accounts, books.units):
        if abs(need.used - need.needed) > abs(need.needed) * tolerance:
            yield books.question("BOOKS_CONSUMPTION", _of_need(books, need))


def _of_need(books: OrderBooks, need: ComponentNeed) -> str:
    used, needed = quantity_text(need.used), quantity_text(need.needed)
    return (
        f"{used} {need.unit} {need.material} used in operation {need.operation} of order {books.order.order}, "
        f"its pieces need {needed} {need.unit}"
    )


def nets(books: OrderBooks) -> Iterator[BooksQuestion]:
    """Nothing gives back more than it took: receipts by item, issues by component and by reservation."""
    sums: dict[tuple[str, str, str, str], Fraction] = defaultdict(Fraction)
    excused: set[tuple[str, str, str, str]] = set()
    for row in books.accounts:
        if row.kind not in ("yield", "consumption") or row.covered:
            continue
        back = row.kind == "consumption" and orders.comes_back(books.configuration, books.order, row)
        for posting in books.booked(row):
            for key in {(row.kind, row.material, row.unit, ""), (row.kind, row.material, row.unit, posting.reservation_item)}:
                sums[key] += fraction(posting.amount, row.scale)
                excused |= {key} if back or _decided([row]) else set()
    for (kind, material, unit, item), net in sorted(sums.items()):
        if net < 0 and (kind, material, unit, item) not in excused:
            where = f" of reservation {item}" if item else ""
            what = f"{quantity_text(net)} {unit} {kind} of {material}{where} in order {books.order.order}"
            yield books.question("BOOKS_NET_NEGATIVE", f"{what}: more was taken back than there was")


def locations(books: OrderBooks) -> Iterator[BooksQuestion]:
    """From no location more pieces of an order are taken than lie there."""
    lie: dict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for row in books.accounts:
        sign = {"yield": 1, "scrap": -1}.get(row.kind, 0)
        if row.covered or not sign or (row.kind == "scrap" and row.place != STOCK):
            continue
        for posting in books.booked(row):
            lie[row.material, row.unit, posting.location] += sign * fraction(posting.amount, row.scale)
    for (material, unit, location), net in sorted(lie.items()):
        if net < 0 <= sum(one for key, one in lie.items() if key[:2] == (material, unit)):
            where = f"at location {location}" if location else "without a location"
            what = f"{quantity_text(net)} {unit} {material} of order {books.order.order} lie {where}"
            yield books.question("BOOKS_LOCATION", f"{what}: they were received elsewhere")


def periods(books: OrderBooks) -> Iterator[BooksQuestion]:
    """A posting bears its business date if its period is open, else one of the open period."""
    for row in books.accounts:
        for posting in books.booked(row):
            dated, business = posting.posting_date or row.business_date, row.business_date
            if not dated or not business:
                continue
            what = f"posting {posting.posting_id} of order {books.order.order}, made on {business}, is dated {dated}"
            if dated < business:
                yield books.question("BOOKS_PERIOD", f"{what}: before it was made", posting.posting_id)
            elif books.periods is not None and not books.periods.is_open(dated, posting.cut):
                yield books.question("BOOKS_PERIOD", f"{what}: that period was closed", posting.posting_id)
            elif dated[:7] != business[:7] and not posting.replaced_ids and _was_open(books, business, posting):
                yield books.question("BOOKS_PERIOD", f"{what}: its own period was open", posting.posting_id)


def _was_open(books: OrderBooks, business: str, posting: IssuedPosting) -> bool:
    return books.periods is not None and books.periods.is_open(business, posting.cut)


def finals(books: OrderBooks) -> Iterator[BooksQuestion]:
    """The final flag goes once per operation that is complete, with the last of its postings. An order that had the number before
    had flags of its own."""
    order, flagged = books.order, Counter[str]()
    own = [row for row in books.accounts if row.kind == "yield" and not row.covered and made_at(row)[0] >= order.began_at]
    newest: dict[str, int] = {}
    flag_at: dict[str, int] = {}
    for row in own:
        for posting in books.booked(row):
            newest[row.operation] = max(newest.get(row.operation, 0), posting.cut)
            sent = books.postings.get(posting.posting_id)
            if sent is not None and sent.posting.final:
                flagged[row.operation] += 1
                flag_at[row.operation] = max(flag_at.get(row.operation, 0), posting.cut)
    for operation in sorted(newest):
        where = f"operation {operation} of order {order.order}"
        rows = [row for row in own if row.operation == operation]
        if flagged[operation] > 1:
            yield books.question("BOOKS_FINAL", f"{where} bears the final flag {flagged[operation]} times")
        elif operation in flag_at and newest[operation] > flag_at[operation]:
            yield books.question("BOOKS_FINAL", f"{where} has a posting after its final flag")
        elif operation in flag_at and not orders.is_completed(order, operation):
            yield books.question("BOOKS_FINAL", f"{where} bears the final flag and is not complete")
        elif orders.is_completed(order, operation) and operation not in order.final_sent and not any(map(follows, rows)):
            yield books.question("BOOKS_FINAL", f"{where} is complete and posted, the ERP was not told that it is final")


def closed(books: OrderBooks) -> Iterator[BooksQuestion]:
    """An order that is closed has nothing left: not posted, open as rework, or between two operations."""
    if books.order.status != "closed":
        return
    left: dict[str, Fraction] = defaultdict(Fraction)
    for row in books.accounts:
        rule = books.configuration.rule_for(row.kind, row.order, row.operation, row.material, books.order.order_type)
        if row.kind == BASIS or row.covered or rule is None:
            continue
        left[f"{row.unit} {row.kind} not posted"] += fraction(unposted(row), row.scale)
        for one in stops(row):
            left[f"{one.unit} {row.kind} parked"] += one.quantity
        if row.kind == "rework":
            left[f"{row.unit} in open rework"] += recorded_of(row)
    for wip in work_in_process(books.order, books.accounts):
        left[f"{wip.unit} in process after operation {wip.operation}"] += max(wip.quantity, Fraction(0))
    parts = [f"{quantity_text(amount)} {what}" for what, amount in sorted(left.items()) if amount]
    if parts:
        yield books.question("BOOKS_CLOSED_WITH_REST", f"order {books.order.order} is closed with {', '.join(parts)}")


def _decided(rows: Iterable[AccountRow]) -> bool:
    """Did a person let something of it pass?"""
    return any(row.override or any(one.decision == POST for one in standing(row)) for row in rows)


def _is_over(order: OrderRow) -> bool:
    return order.completed or order.status in ("closed", "technically_complete")


def command_of(question: BooksQuestion) -> str:
    """What to type to see it."""
    return f"lineledger trace {question.about}"


def summary_line(found: Sequence[BooksQuestion]) -> str:
    """`Books: 3 questions    lineledger reconcile`."""
    if not found:
        return "Books: no questions"
    return f"Books: {len(found)} question{'s' if len(found) > 1 else ''}    lineledger reconcile"


def lines_of(found: Sequence[BooksQuestion]) -> Iterator[str]:
    """For people: a line per question, with code, owner and what to type."""
    yield f"Books: {len(found) or 'no'} question{'' if len(found) == 1 else 's'}"
    for one in found:
        yield f"  {one.code}: {one.detail}    {owner_of(one.code)}    {command_of(one)}"


def as_json(found: Sequence[BooksQuestion]) -> list[dict[str, str]]:
    return [
        {"code": one.code, "order": one.order, "what": one.detail, "owner": owner_of(one.code), "command": command_of(one)}
        for one in found
    ]


CHECKS: tuple[Callable[[OrderBooks], Iterator[BooksQuestion]], ...] = (
    gross,
    in_process,
    consumption,
    nets,
    locations,
    periods,
    finals,
    closed,
)
