"""What one partition of orders keeps in memory: indices over its rows, all of them derived from the rows alone."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from schemas.records import AccountRow, MaterialRow, OrderRow, PlantRow
from streams.orders import rest
from streams.orders.rest import named_by
from streams.orders.waking import Waking
from streams.waiting_records import Waiting
from tables.due_index import DueIndex
from tables.orders import order as orders
from tables.orders.account import BASIS, row_key, stops
from tables.orders.cut_off import left_behind
from tables.orders.order_state import unanswered
from tables.orders.plant_rules import PlantRules
from tables.row_kinds import ACCOUNT_ROWS, AT_REST_ROWS, LEFT_ROWS, MATERIAL_ROWS, OLD_MARK_ROWS, ORDER_ROWS
from tables.rows import RowStore, nothing
from tables.tally import Tally

MOST_MARKED = 2_000
"""Orders that a take-over looks at for marks that they lack."""


class OrdersMemory:
    """Rebuilt at each take-over."""

    def __init__(self, rows: RowStore) -> None:
        self.waiting = Waiting(rows)
        self._rows = rows
        self._accounts: dict[str, set[str]] = defaultdict(set)
        """Order row key -> row keys of its accounts; not of those that sleep."""
        self._of_material: dict[tuple[str, str], set[str]] = defaultdict(set)
        """(plant, material) -> row keys of accounts; not of those that sleep."""
        self._asleep: set[str] = set()
        """Row keys of orders that were at rest at the take-over and of which nothing was read since."""
        self._resting: dict[tuple[str, str], set[str]] = defaultdict(set)
        """(plant, material) -> row keys of the orders at rest that have accounts of it."""
        self._waking = Waking(rows)
        self._marks: dict[str, str] = {}
        """Row key of an order at rest -> key of its mark."""
        self.due = DueIndex()
        self.plants: dict[str, PlantRules] = {}
        """Of this partition: another one may not have heard of a material yet."""
        self.unanswered = DueIndex()
        """Orders that the MES has neither taken nor refused, by the time of their release, until the alarm was given."""
        self.figures_due: dict[str, set[str]] = defaultdict(set)
        """Plant -> row keys of the orders whose key figures have to be told again."""
        self.silent: dict[str, set[str]] = defaultdict(set)
        """Plant -> upstreams of which it was told that they are silent."""
        self.now = 0
        """The clock of the plant whose tick is folded."""
        self.forget = DueIndex()
        """Orders and materials by the time at which they may be forgotten."""
        self.left: dict[str, set[str]] = defaultdict(set)
        """Plant -> row keys of the accounts of which the ERP does not have everything: what the close of a period tells."""
        self._coded: dict[str, set[str]] = defaultdict(set)
        """Plant -> row keys of accounts with a reason to wait."""
        self.parked: Tally[tuple[str, str]] = Tally()
        """(plant, code) of the accounts that are parked; one that also holds a unit which nobody converts counts in both."""
        self.touched: set[str] = set()
        """Row keys of orders to which something happened at this tick; empty between ticks."""

    def remember(self) -> Iterator[None]:
        """Build everything from the rows; yields where others may run. Of orders at rest no more is read than their marks."""
        yield from self.waiting.remember()
        for page in self._rows.pages(AT_REST_ROWS.prefix, nothing):
            for mark, _ in page:
                plant, name, at, materials = rest.marked_by(mark)
                self.forget.put(plant, name, at)
                self._asleep.add(name)
                self._marks[name] = mark
                for material in materials:
                    self._resting[plant, material].add(name)
            yield
        self._waking.remember()
        for mark in self._rows.names(OLD_MARK_ROWS.prefix):
            self._rows.delete(mark)
        for page in self._rows.pages(LEFT_ROWS.prefix, nothing):
            for mark, _ in page:
                account = rest.account_of(mark)
                self.left[named_by(account).plant].add(account)
            yield
        unmarked: list[tuple[str, OrderRow]] = []
        for page in self._rows.pages(ORDER_ROWS.prefix, lambda key: key not in self._asleep):
            for key, order in page:
                if order is not None:
                    self.note(key, order)
                    self.forget.put(order.plant, key, order.forget_at or None)
                    if rest.is_at_rest(order):  # a row of a version that knew no marks, or others
                        unmarked.append((key, order))
            yield
        for page in self._rows.pages(MATERIAL_ROWS.prefix):
            for key, material in page:
                self.told(key, material)
            yield
        for page in self._rows.pages(ACCOUNT_ROWS.prefix, past=self._sleeping):
            for key, row in page:
                self.know(key, row)
                self.settled(key, row)
                self.due.put(row.plant, key, row.due_at)
            yield
        for key, order in unmarked[:MOST_MARKED]:
            self.rest(key, order)
            yield

    def _sleeping(self, account: str) -> str:
        """What the row keys of all accounts of this order begin with, when it sleeps."""
        beginning = account[: account.index("|", account.index("|", 2) + 1) + 1]
        order = named_by(account).order if "%" in beginning else ORDER_ROWS.key(ACCOUNT_ROWS.bare(beginning)[:-1])
        return beginning if order in self._asleep else ""

    def accounts_of(self, order: str) -> set[str]:
        """Row keys of all accounts of the order, by its row key."""
        if order in self._asleep:
            self._asleep.discard(order)
            for key in self._rows.names(rest.accounts_prefix(order)):
                self._accounts[order].add(key)
                names = named_by(key)
                self._of_material[names.plant, names.material].add(key)
                self.settled(key, self._rows.get(key))  # a reason that somebody dropped may fall with a new configuration
        return self._accounts.get(order) or set()

    def uses(self, plant: str, material: str) -> bool:
        """Does an account have the material?"""
        return bool(self._of_material.get((plant, material)) or self._resting.get((plant, material)))

    def concerned(self, plant: str, material: str) -> set[str]:
        """Master data of the material changed: row keys of its accounts, but of orders at rest. Those follow, see `woken`."""
        self._waking.put(plant, material)
        return {key for key in self._of_material.get((plant, material), ()) if named_by(key).order not in self._marks}

    def woken(self, plant: str, most: int | None) -> set[str]:
        """Row keys of the accounts of the next orders at rest that changed master data concerns; None: of all."""
        return {
            key
            for order, material in self._waking.take(
                plant, lambda plant, material: self._resting.get((plant, material), ()), most
            )
            for key in self.accounts_of(order)
            if named_by(key).material == material
        }

    def wakes(self, plant: str) -> bool:
        """Are orders at rest still to be looked at for changed master data?"""
        return self._waking.waits(plant)

    def asleep(self, order: str) -> bool:
        """Was the order, by its row key, at rest at the take-over and not read since?"""
        return order in self._asleep

    def coded(self, plant: str) -> set[str]:
        """Row keys of accounts that have a reason to wait, of orders that are not over."""
        return {key for key in self._coded[plant] if self.forget.next_of(plant, named_by(key).order) is None}

    def active(self, plant: str) -> list[str]:
        """Row keys of the accounts of all orders that are not over, in their order."""
        return sorted(
            key
            for order, keys in self._accounts.items()
            if order.startswith(ORDER_ROWS.under(plant)) and self.forget.next_of(plant, order) is None
            for key in keys
        )

    def know(self, key: str, row: AccountRow) -> None:
        order = orders.row_key(row.plant, row.order)
        self.accounts_of(order)
        self._accounts[order].add(key)
        self._of_material[row.plant, row.material].add(key)

    def told(self, key: str, row: MaterialRow) -> None:
        """Master data came. A row that does not say when is older than this retention and stays until it is told again."""
        if row.told_at:
            self.forget.put(row.plant, key, row.told_at + MATERIAL_ROWS.keep_us)

    def let_go(self, key: str, order: OrderRow, accounts: Iterable[AccountRow]) -> None:
        """The order's rows are gone."""
        self._accounts.pop(key, None)
        for row in accounts:
            name = row_key(row)
            keys = self._of_material[row.plant, row.material]
            keys.discard(name)
            if not keys:
                del self._of_material[row.plant, row.material]
            self.due.put(row.plant, name, None)
            self.left[row.plant].discard(name)
            self._coded[row.plant].discard(name)
            for place in _places(name):
                self.parked.put(place, None)
        self.unanswered.put(order.plant, key, None)
        self.figures_due[order.plant].discard(key)

    def settled(self, key: str, row: AccountRow) -> None:
        """Count the account where it is."""
        coded = bool(row.code or row.apart)
        (self._coded[row.plant].add if coded else self._coded[row.plant].discard)(key)
        codes = sorted({one.code for one in stops(row)}) if coded else []
        for name, code in zip_longest(_places(key), codes[:2]):
            self.parked.put(name, (row.plant, code) if code else None)
        self.taken(key, row)

    def taken(self, key: str, row: AccountRow) -> None:
        """Does the ERP have everything of the account? It may have heard so after the order came to rest."""
        if row.kind != BASIS and any(left_behind(row)):
            self.left[row.plant].add(key)
        elif key in self.left[row.plant]:
            self.left[row.plant].discard(key)
            self._rows.delete(rest.left_key(key))

    def note(self, key: str, order: OrderRow) -> None:
        """Keep in mind what is waited for: an answer of the MES, the next full hour."""
        waits_for_answer = unanswered(order) and not order.overdue
        self.unanswered.put(order.plant, key, order.released_at if waits_for_answer else None)
        if order.figures_due:
            self.figures_due[order.plant].add(key)
        else:
            self.figures_due[order.plant].discard(key)

    # -- orders at rest

    def rest(self, key: str, order: OrderRow) -> None:
        """Put the marks of the order, once nothing of it is waited for: neither its figures at the next full hour nor an answer,
        and nothing of it is parked."""
        self.stir(key, order.plant)  # a mark of before: of other materials, when more of them came since
        accounts = self.accounts_of(key)
        if not rest.is_at_rest(order) or any(name in self.parked for one in accounts for name in _places(one)):
            return
        materials = sorted({named_by(one).material for one in accounts})
        self._marks[key] = rest.mark_key(rest.Marked(order.plant, key, order.forget_at, materials))
        for material in materials:
            self._resting[order.plant, material].add(key)
        for name in (self._marks[key], *self._left_marks(order.plant, accounts)):
            self._rows.put(name, PlantRow(order.plant, order.forget_at))

    def stir(self, key: str, plant: str) -> None:
        """Something happened to the order, or it goes: its marks go."""
        mark = self._marks.pop(key, None)
        if mark is not None:
            for material in rest.marked_by(mark).materials:
                self._resting[plant, material].discard(key)
            for name in (mark, *self._left_marks(plant, self.accounts_of(key))):
                self._rows.delete(name)

    def _left_marks(self, plant: str, accounts: set[str]) -> list[str]:
        return [rest.left_key(one) for one in accounts & self.left[plant]]


def _places(key: str) -> tuple[str, str]:
    """Under which names an account is counted: its own code, and that of the units which stand apart."""
    return key, f"{key}|apart"
