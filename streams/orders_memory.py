"""What one partition of orders keeps in memory: indices over its rows, all of them derived from the rows alone."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

from schemas.configuration import Configuration
from schemas.configuration.rules import RuleAt
from schemas.records import AccountRow, MaterialRow, OrderRow, PlantRow
from streams.equipment import calendar_of
from streams.waiting import Waiting
from tables import order as orders
from tables.account import row_key, unescaped, waits
from tables.due import Timetable
from tables.due_index import DueIndex
from tables.order_state import unanswered
from tables.periods import Periods
from tables.row_kinds import ACCOUNT_ROWS, AT_REST_ROWS, MATERIAL_ROWS, ORDER_ROWS
from tables.rows import RowStore, nothing
from tables.tally import Tally
from tables.units import UnitTable

MAX_ANSWERS = 50_000
"""Winning rules kept; then they are looked up again."""


@dataclass(slots=True)
class Plant:
    """A plant's configuration, ready for use."""

    configuration: Configuration
    times: Timetable
    _rules: dict[tuple[str, ...], RuleAt | None] = field(default_factory=dict)

    @property
    def units(self) -> UnitTable:
        return self.times.units

    def rule_for(self, row: AccountRow, order: OrderRow | None) -> RuleAt | None:
        """The posting rule that wins for the account; asked for each change of it, so answers are kept."""
        key = (row.kind, row.order, row.operation, row.material, order.order_type if order is not None else "")
        if key not in self._rules:
            if len(self._rules) >= MAX_ANSWERS:
                self._rules.clear()
            self._rules[key] = self.configuration.rule_for(*key)
        return self._rules[key]


class Memory:
    """Rebuilt at each take-over."""

    def __init__(self, rows: RowStore) -> None:
        self.waiting = Waiting(rows)
        self.accounts: dict[str, set[str]] = defaultdict(set)
        """Order row key -> row keys of its accounts."""
        self.of_material: dict[tuple[str, str], set[str]] = defaultdict(set)
        """(plant, material) -> row keys of accounts."""
        self.due = DueIndex()
        self.plants: dict[str, Plant] = {}
        """Of this partition: another one may not have heard of a material yet."""
        self.unanswered: dict[str, set[str]] = defaultdict(set)
        """Plant -> row keys of the orders that the MES has neither taken nor refused."""
        self.figures_due: dict[str, set[str]] = defaultdict(set)
        """Plant -> row keys of the orders whose key figures have to be told again."""
        self.silent: dict[str, set[str]] = defaultdict(set)
        """Plant -> upstreams of which it was told that they are silent."""
        self.now = 0
        """The clock of the plant whose tick is folded."""
        self.forget = DueIndex()
        """Orders and materials by the time at which they may be forgotten."""
        self.parked: Tally[tuple[str, str]] = Tally()
        """(plant, code) of the accounts that are parked; one that also holds a unit which nobody converts counts in both."""
        self.touched: set[str] = set()
        """Row keys of orders to which something happened at this tick; empty between ticks."""

    def remember(self, rows: RowStore) -> Iterator[None]:
        """Build everything from the rows; yields where others may run.

        Of an order that only waits to be forgotten (`mark_at_rest`) nothing is due: it is known by its mark, its accounts by
        their keys, and none of them is read.
        """
        yield from self.waiting.remember()
        at_rest: set[str] = set()
        for page in rows.pages(AT_REST_ROWS.prefix, nothing):
            for mark, _ in page:
                plant, key, at = _at_rest(mark)
                self.forget.put(plant, key, at)
                at_rest.add(key)
            yield
        for page in rows.pages(ORDER_ROWS.prefix, lambda key: key not in at_rest):
            for key, order in page:
                if order is not None:
                    self.note(key, order)
                    self.forget.put(order.plant, key, order.forget_at or None)
            yield
        for page in rows.pages(MATERIAL_ROWS.prefix):
            for key, material in page:
                self.told(key, material)
            yield
        for page in rows.pages(ACCOUNT_ROWS.prefix, lambda key: named_by(key).order not in at_rest):
            for key, row in page:
                names = named_by(key)
                self.accounts[names.order].add(key)
                self.of_material[names.plant, names.material].add(key)
                if row is not None:
                    self.settled(key, row)
                    self.due.put(row.plant, key, row.due_at)
            yield

    def know(self, key: str, row: AccountRow) -> None:
        self.accounts[orders.row_key(row.plant, row.order)].add(key)
        self.of_material[row.plant, row.material].add(key)

    def told(self, key: str, row: MaterialRow) -> None:
        """Master data came. A row that does not say when is older than this retention and stays until it is told again."""
        if row.told_at:
            self.forget.put(row.plant, key, row.told_at + MATERIAL_ROWS.keep_us)

    def let_go(self, key: str, order: OrderRow, accounts: Iterable[AccountRow]) -> None:
        """The order's rows are gone."""
        self.accounts.pop(key, None)
        for row in accounts:
            name = row_key(row)
            keys = self.of_material[row.plant, row.material]
            keys.discard(name)
            if not keys:
                del self.of_material[row.plant, row.material]
            self.due.put(row.plant, name, None)
            for place in _places(name):
                self.parked.put(place, None)
        self.unanswered[order.plant].discard(key)
        self.figures_due[order.plant].discard(key)

    def settled(self, key: str, row: AccountRow) -> None:
        """Count the account where it is."""
        codes = sorted({one.code for one in waits(row) if not one.dropped}) if row.code or row.apart else []
        for name, code in zip_longest(_places(key), codes[:2]):
            self.parked.put(name, (row.plant, code) if code else None)

    def note(self, key: str, order: OrderRow) -> None:
        """Keep in mind what is waited for: an answer of the MES, the next full hour."""
        if unanswered(order) and not order.overdue:
            self.unanswered[order.plant].add(key)
        else:
            self.unanswered[order.plant].discard(key)
        if order.figures_due:
            self.figures_due[order.plant].add(key)
        else:
            self.figures_due[order.plant].discard(key)

    def of_account(self, row: AccountRow) -> set[str]:
        """Row keys of all accounts of the same order."""
        return self.accounts[orders.row_key(row.plant, row.order)]


def _places(key: str) -> tuple[str, str]:
    """Under which names an account is counted: its own code, and that of the units which stand apart."""
    return key, f"{key}|apart"


def plant_of(configuration: Configuration, units: UnitTable) -> Plant:
    plant, periods = configuration.plant, configuration.erp.periods
    return Plant(
        configuration,
        Timetable(
            calendar_of(plant),
            units,
            configuration.rules.sweep_every,
            Periods(periods.close, plant.plant.zone, plant.calendar.days_off) if periods.close else None,
            periods.sweep_before_us,
        ),
    )


def with_conversions(units: UnitTable, row: MaterialRow) -> UnitTable:
    return units.with_material(row.material, row.conversions) if row.conversions else units


class Names(NamedTuple):
    """What an account's row key says: plant, row key of its order, material."""

    plant: str
    order: str
    material: str


def named_by(account: str) -> Names:
    """From the key alone: at a take-over there may be a million of them."""
    _, plant, order, _, material, _ = account.split("|", 5)
    if "%" in account:
        plant, order, material = unescaped(plant), unescaped(order), unescaped(material)
    return Names(plant, orders.row_key(plant, order), material)


def at_rest_key(order: str, at: int) -> str:
    """Row key of the mark that an order only waits to be forgotten: `order` is its row key."""
    return AT_REST_ROWS.key(ORDER_ROWS.bare(order), f"{at:020d}")


def mark_at_rest(rows: RowStore, key: str, order: OrderRow) -> None:
    """Put the mark, once nothing of the order is waited for: neither its figures at the next full hour nor an answer."""
    if order.forget_at and not order.figures_due and (order.overdue or not unanswered(order)):
        rows.put(at_rest_key(key, order.forget_at), PlantRow(order.plant, order.forget_at))


def _at_rest(mark: str) -> tuple[str, str, int]:
    order, _, at = AT_REST_ROWS.bare(mark).rpartition("|")
    return order.partition("|")[0], ORDER_ROWS.key(order), int(at)
