"""The accounts of an order added up once more from re-read records, as of a cut: what a posting must come to.

The rules of an account (what counts in it, units, the limit of an order) are those of `tables`; the sums are made here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from app.ledger.books.rereading import Reread
from app.ledger.proof.recount import Recounted, RecountedPart, recount
from app.ledger.proof.summands import Summand, summands
from schemas.configuration import Configuration
from schemas.records import (
    AccountRow,
    IssuedPosting,
    OperatorDecision,
    OrderChanged,
    OrderClosed,
    OrderReleased,
    OrderRow,
    RawRange,
    SourceTotal,
    Total,
    TotalState,
)
from streams.equipment.totals import total_record
from streams.orders.declarations import totals_of
from tables.canonical import DECLARATIONS
from tables.decisions import deducted, let_through
from tables.equipment.destination import UNATTRIBUTED, Destination
from tables.lineage import add_ranges
from tables.orders import account as ledger
from tables.orders import order as orders
from tables.orders import pieces, taken
from tables.orders.account import STOCK, row_key
from tables.orders.backflush import MAX_PHANTOM_LEVELS, Derived, derive, places
from tables.orders.carry import age, carried
from tables.orders.carry import steps as carried_steps
from tables.orders.conversions import as_of, of_account, of_its_time, renewed, with_conversions
from tables.orders.late_scrap import received
from tables.orders.parking import beyond, made_at
from tables.orders.plant_rules import plant_rules
from tables.plant.calendar import calendar_of
from tables.plant.units import UnitTable
from tables.quantity import decimal_text, fraction, round_half_away
from tables.refusal import Refusal

_EPOCH = 1
MAX_COUNTED = 512
"""Equipment at a cut that is kept counted: postings of one cut follow each other."""


@dataclass(slots=True, frozen=True)
class ReAdded:
    """What the records say of an account at a cut."""

    cumulative: int | None
    """Steps to have been posted then; None: no unit leads to the account's (see `note`)."""
    steps: int
    """Of it by this cut's postings."""
    note: str
    summands: list[Summand]
    """Of the account at the posting's cut: of all its postings so far together."""
    records: int
    ranges: list[RawRange]


class ReAddition:
    """All accounts of all orders at any cut. What was counted for a cut is kept while the cut stays the same."""

    def __init__(self, records: Reread, configuration: Configuration) -> None:
        self._records, self._configuration = records, configuration
        self._calendar = calendar_of(configuration.plant)
        self._periods = plant_rules(configuration, UnitTable(configuration.plant.units)).times.periods
        self._counted: dict[tuple[str, int], Recounted] = {}
        self._added: tuple[str, int, dict[str, AccountRow], dict[tuple[str, str], tuple[Destination, RecountedPart]]] | None = (
            None
        )
        """Order and cut that were added up last."""
        self._kinds: tuple[str, int, list[str]] | None = None
        """Order and cut that were asked for last, and what counters had counted for it."""
        self._issued: Sequence[AccountRow] = ()
        """Accounts of that order: what they had posted before a close was in stock."""

    @property
    def complete(self) -> bool:
        return self._records.complete

    def equipment(self, name: str, cut: int) -> Recounted:
        known = self._counted.get((name, cut))
        if known is None:
            if len(self._counted) >= MAX_COUNTED:
                self._counted.clear()
            records = self._records.equipment[name]
            known = self._counted[name, cut] = recount(
                name, records, self._records.people, self._configuration.plant, self._calendar, cut
            )
        return known

    def order(self, plant: str, name: str, cut: int) -> OrderRow:
        """The order as its own events say up to the cut; as the ledger has it where its release is not among what was read. What
        its counters count is what they had counted then."""
        told = [(one.event, one.label) for one in self._records.orders.get(name, ()) if one.known_at <= cut]
        known = self._records.order_rows.get(name)
        row = OrderRow(plant, name)
        if known is not None and not any(isinstance(event, OrderReleased) for event, _ in told):
            row, told = replace(known), []
        for event, label in told:
            if isinstance(event, OrderReleased | OrderChanged):
                orders.released(row, event)
            elif isinstance(event, OrderClosed):
                orders.set_status(row, event.status, label)
        if self._kinds is None or self._kinds[:2] != (name, cut):
            self._kinds = name, cut, self._counted_kinds(name, cut)
        row.counted = self._kinds[2]
        return row

    def _counted_kinds(self, name: str, cut: int) -> list[str]:
        """Operation and kind of all pieces that counters counted for the order."""
        found = (to for one in self._records.equipment for to in self.equipment(one, cut).parts if to.order == name)
        return sorted({f"{to.operation}|{to.kind}" for to in found if to.kind in pieces.MADE and to.authority == "counters"})

    def units(self, cut: int) -> UnitTable:
        units = UnitTable(self._configuration.plant.units)
        told = [one for one in self._records.materials if one.known_at <= cut]
        first: dict[str, int] = {}
        for one in told:
            first.setdefault(one.event.material, one.label)
        known = {  # what was told before the first record that was read
            row.material: as_of(row, min(cut, first.get(row.material, cut + 1) - 1)) for row in self._records.material_rows
        }
        for one in told:
            known[one.event.material] = renewed(known.get(one.event.material), one.event, one.label)
        for row in known.values():
            units = with_conversions(units, row)
        return units

    def account(self, wanted: AccountRow, cut: int) -> tuple[Fraction, list[Summand], AccountRow]:
        """What the account holds at the cut in its ERP unit, of what, and with which lineage."""
        order = self.order(wanted.plant, wanted.order, cut)
        rows, parts = self._accounts(wanted.plant, order, cut)
        row = rows.get(row_key(wanted)) or AccountRow(
            wanted.plant, wanted.order, wanted.operation, wanted.material, wanted.lot, wanted.kind,
            wanted.reason, wanted.place, wanted.business_date, wanted.born_epoch,
        )  # fmt: skip
        counts, units = self.weights(order, row), self.units(cut)
        amount = ledger.recorded(row, counts, wanted.unit, units)
        found = [
            summand
            for key, source in sorted(row.sources.items())
            if counts[key] and source.numerator
            for summand in summands(source, parts.get((row_key(row), key)), counts[key], wanted, units)
        ]
        return amount, found, row

    def posting(self, account: AccountRow, posting: IssuedPosting, siblings: Iterable[AccountRow]) -> "ReAdded":
        """What the account's postings of this cut must come to: round(cumulative), within the order's limit, minus what was
        issued before. (A cut gives several where a correction takes postings back, or shares go to several reservation items.)

        `siblings`: all accounts of the order (what they had posted by then counts against the limit).
        """
        cut, siblings = posting.cut, list(siblings)
        self._issued = siblings
        amount, found, row = self.account(account, cut)
        order, units = self.order(account.plant, account.order, cut), self.units(cut)
        records, ranges = ledger.lineage(row, self.weights(order, row))
        steps = self._steps(order, account, siblings, cut)
        before = sum(entry.amount for entry in account.issued if entry.cut < cut)
        known = self._as_decided(account, cut)
        gone = deducted(known)
        goal, note = steps - gone, f"{decimal_text(gone, account.scale)} {account.unit} dropped" * bool(gone)
        code, held = pieces.SCRAP_EXCEEDS_GROSS, 0
        if account.kind == "yield":
            held = min(goal, 0)
        elif account.kind in pieces.LOWER:
            held = round_half_away(self._missing(order, account, cut), account.scale)
        elif account.kind == "consumption" and amount < 0 and not orders.comes_back(self._configuration, order, row):
            code, held = taken.BELOW_ZERO, -round_half_away(self._beyond(order, account, siblings, cut), account.scale)
        room = _allowed(self._configuration, order, account, units, self._others(order, row, account, siblings, cut))
        if not held and room is not None and goal > room:
            code, held = "OVER_DELIVERY", goal - max(room, min(before, goal))
        waits = beyond(goal, goal - held, let_through(known, code)) if held else 0
        if waits:
            note = f"{decimal_text(waits, account.scale)} {account.unit} not posted ({code})"
        steps = goal - waits
        return ReAdded(steps, steps - before, note, found, records, ranges)

    def _steps(self, order: OrderRow, account: AccountRow, siblings: Sequence[AccountRow], cut: int) -> int:
        """What the account stands for at the cut, with the carry of the older ones."""
        older = [row for row in siblings if carried(row) == carried(account) and age(row) < age(account)]
        return carried_steps(self._amounts(order, older, cut), self._amounts(order, [account], cut), account.scale)

    def _others(
        self, order: OrderRow, row: AccountRow, account: AccountRow, siblings: Sequence[AccountRow], cut: int
    ) -> list[tuple[AccountRow, Fraction]]:
        """What other lots and days take of the item's limit: what was posted, and what older ones are. `row`: at the cut."""
        rows, found = self._accounts(order.plant, order, cut)[0], list[tuple[AccountRow, Fraction]]()
        for other in siblings:
            key = row_key(other)
            same = (other.kind, other.material, other.operation) == ("yield", account.material, account.operation)
            if not same or key == row_key(account) or (key in rows and made_at(rows[key])[0] < order.began_at):
                continue
            posted = sum(entry.amount for entry in other.issued if (entry.cut, key) < (cut, row_key(account)))
            if key in rows and made_at(rows[key]) < made_at(row):
                dropped = deducted(self._as_decided(other, cut))
                posted = max(posted, self._steps(order, other, siblings, cut) - dropped)
            found.append((other, fraction(posted, other.scale)))
        return found

    def _beyond(self, order: OrderRow, account: AccountRow, siblings: Iterable[AccountRow], cut: int) -> Fraction:
        """How much the account gives back beyond what the order took, in its unit."""
        units = self.units(cut)

        def holds(row: AccountRow) -> Fraction:
            found = of_account(row, self._amounts(order, [row], cut), account.unit, units)
            return Fraction(0) if isinstance(found, Refusal) else found

        rows = [row for row in siblings if taken.same_component(row, account) and not row.covered]
        found = {row_key(row): quantity for row, quantity in taken.beyond(rows, holds)}
        return found.get(row_key(account), Fraction(0))

    def _amounts(self, order: OrderRow, accounts: Iterable[AccountRow], cut: int) -> Fraction:
        """What these accounts of one order and unit hold together at the cut."""
        rows, units = self._accounts(order.plant, order, cut)[0], self.units(cut)
        known = [row for one in accounts if (row := rows.get(row_key(one))) is not None]
        unit = {row_key(one): one.unit for one in accounts}
        return sum((ledger.recorded(row, self.weights(order, row), unit[row_key(row)], units) for row in known), Fraction(0))

    def _as_decided(self, account: AccountRow, cut: int) -> AccountRow:
        """The account with what people had decided by then."""
        told = self._records.orders.get(account.order, ())
        events = {one.event.event_id for one in told if one.known_at <= cut and isinstance(one.event, OperatorDecision)}
        return replace(account, decisions=[one for one in account.decisions if one.event_id in events])

    def weights(self, order: OrderRow, row: AccountRow) -> dict[str, int]:
        return orders.weights_of(self._configuration, order, row)

    def _accounts(
        self, plant: str, order: OrderRow, cut: int
    ) -> tuple[dict[str, AccountRow], dict[tuple[str, str], tuple[Destination, RecountedPart]]]:
        if self._added is not None and self._added[:2] == (order.order, cut):
            return self._added[2:]
        rows: dict[str, AccountRow] = {}
        parts: dict[tuple[str, str], tuple[Destination, RecountedPart]] = {}
        for name in sorted(self._records.equipment):
            counted = self.equipment(name, cut)
            revisions = {run.run: run.bom_revision for run in counted.row.runs}
            for destination, part in counted.parts.items():
                if destination.order == order.order and destination.kind != UNATTRIBUTED:
                    state = TotalState(part.amount, part.records, part.first_at, part.last_at, part.ranges)
                    total = total_record(plant, name, destination, state, _EPOCH)
                    total.bom_revision = revisions.get(destination.run, "")
                    for key in self._receive(rows, total, name, destination, cut):
                        parts[key, total.source_key] = destination, part
        for told in self._records.orders.get(order.order, ()):
            if told.known_at <= cut and type(told.event) in DECLARATIONS:
                date = self._calendar.shift_at(told.event.occurred_at).business_date
                for total in totals_of(told.event, date, _EPOCH, told.arrival):
                    _enter(rows, total)
        self._posted(rows)
        self._derive(order, rows, self.units(cut))
        self._added = order.order, cut, rows, parts
        return rows, parts

    def _posted(self, rows: Mapping[str, AccountRow]) -> None:
        """What was posted of them: it keeps its conversions."""
        for one in self._issued:
            if (row := rows.get(row_key(one))) is not None:
                row.issued = one.issued

    def _unit_of(self, yields: Sequence[AccountRow]) -> str:
        """The unit in which pieces move: of the first account."""
        own = (one.unit for one in self._issued if one.unit and row_key(one) == row_key(yields[0]))
        return next(own, "") or _first_unit(yields)

    def _match(self, order: OrderRow, rows: dict[str, AccountRow], units: UnitTable) -> None:
        """Scrap and rework find their pieces (docs/domain.md, Scrap finds its pieces)."""
        for group in {group for row in rows.values() if row.kind == "yield" and (group := pieces.group_of(row)) is not None}:
            yields = _yields(rows, group)
            for one in pieces.moves(yields, self._holds(order, units, unit := self._unit_of(yields)), unit):
                rows[row_key(one.account)].sources[one.source_key] = _source(one)

    def _holds(self, order: OrderRow, units: UnitTable, unit: str, moved: bool = False) -> pieces.Holds:
        return lambda row: pieces.held(row, self.weights(order, row), unit, units, moved)

    def _missing(self, order: OrderRow, wanted: AccountRow, cut: int) -> Fraction:
        """How much of the account has no pieces at the cut, in its unit."""
        group = pieces.group_of(wanted)
        if group is None:
            return Fraction(0)
        rows, _ = self._accounts(wanted.plant, order, cut)
        lowering = [row for row in rows.values() if row.kind in pieces.LOWER and pieces.group_of(row) == group]
        yields, units = _yields(rows, group), self.units(cut)
        rest = self._holds(order, units, self._unit_of(yields) if yields else wanted.unit, moved=True)
        own = self._holds(order, units, wanted.unit, moved=True)
        found = {row_key(row): quantity * own(row) / rest(row) for row, quantity in pieces.waiting(yields, lowering, rest)}
        return found.get(row_key(wanted), Fraction(0))

    def _receive(self, rows: dict[str, AccountRow], total: Total, name: str, destination: Destination, cut: int) -> list[str]:
        """Scrap that grew after its period had closed is scrap from stock (docs/domain.md, Late scrap)."""
        date = total.business_date
        if total.kind != "scrap" or total.position == STOCK or not self._periods or self._periods.is_open(date, cut):
            return _enter(rows, total)
        before = self.equipment(name, self._periods.closes_at(date[:7]) - 1).parts.get(destination)
        known = replace(total, numerator=before.amount if before is not None else 0)
        scrap = ledger.accounts_of(known, _EPOCH)[0]
        ledger.receive(scrap, known)
        in_stock = received(self._issued, total, self._periods.closes_at(date[:7]), self.units(cut))
        kept, late = ledger.late_split(scrap, total, in_stock)
        return [*_enter(rows, kept), *(_enter(rows, late, late=True) if late.numerator else [])]

    def _derive(self, order: OrderRow, rows: dict[str, AccountRow], units: UnitTable) -> None:
        """Consumption that follows from other accounts, phantoms within phantoms included."""
        if not order.known:
            return
        self._match(order, rows, units)
        for _ in range(MAX_PHANTOM_LEVELS):
            grew = False
            for operation, date in places(order, rows.values()):
                accounts = [row for _, row in sorted(rows.items())]
                for one in derive(self._configuration, order, operation, date, accounts, units):
                    known = rows.get(row_key(one.account))
                    source = known.sources.get(one.source_key) if known is not None else None
                    if one.amount != (Fraction(source.numerator, source.denominator) if source is not None else 0):
                        rows.setdefault(row_key(one.account), one.account).sources[one.source_key] = _source(one)
                        grew = True
            if not grew:
                return
            self._posted(rows)


class ReAdditions:
    """The same records added up by the configuration of each posting."""

    def __init__(self, records: Reread) -> None:
        self._records, self._known = records, dict[str, ReAddition]()

    def by(self, configuration: Configuration) -> ReAddition:
        if configuration.hash not in self._known:
            self._known[configuration.hash] = ReAddition(self._records, configuration)
        return self._known[configuration.hash]


def _yields(rows: dict[str, AccountRow], group: pieces.Group) -> list[AccountRow]:
    return [row for _, row in sorted(rows.items()) if row.kind == "yield" and pieces.group_of(row) == group]


def _first_unit(yields: Sequence[AccountRow]) -> str:
    """A unit that the pieces were stated in."""
    return next((source.unit for row in yields for _, source in sorted(row.sources.items())), "")


def _source(one: Derived) -> SourceTotal:
    source = SourceTotal(one.kind, one.authority, one.amount.numerator, one.amount.denominator, one.unit, 0, 0, 0)
    source.bom_revision = one.revision
    source.records = sum(entry.records for entry in one.behind)
    for entry in one.behind:
        add_ranges(source.ranges, entry.ranges)
    return source


def _allowed(
    configuration: Configuration,
    order: OrderRow,
    row: AccountRow,
    units: UnitTable,
    others: Iterable[tuple[AccountRow, Fraction]],
) -> int | None:
    """Most steps that an account of yield may post when `others` (each with a quantity in its unit) were posted elsewhere on its
    item; None: no limit."""
    if row.kind != "yield" or not orders.receives(order, row.operation):
        return None
    most, item = orders.limit(configuration, order, row.material), orders.item_of(order, row.material)
    if most is None or item is None:
        return None
    unit, room = item.quantity.unit, Fraction(most)
    for other, quantity in others:
        posted = of_account(other, quantity, unit, units)
        room -= Fraction(0) if isinstance(posted, Refusal) else posted
    left = units.convert(room, unit, row.unit, row.material, of_its_time(row, units))
    return None if isinstance(left, Refusal) else max(0, int(left * 10**row.scale))


def _enter(rows: dict[str, AccountRow], total: Total, late: bool = False) -> list[str]:
    keys = []
    for fresh in ledger.accounts_of(total, _EPOCH):
        key = row_key(fresh)
        ledger.receive(rows.setdefault(key, fresh), total, late)
        keys.append(key)
    return keys
