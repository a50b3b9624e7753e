"""Totals that grew at a tick at which nothing of their order is due: the accounts are served once for many ticks, within one
fold (tables/orders/steady.py says which come out the same). A tick at which nothing happens costs what is sent at it, and not
what there is."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.records import OrderRow, Total
from streams.clock import Advance
from streams.orders.book import Book
from streams.orders.memory import OrdersMemory
from streams.step import Step
from tables.invariant import InvariantBroken
from tables.orders import account as ledger
from tables.orders import order as orders
from tables.orders.plant_rules import PlantRules
from tables.orders.steady import Growth, Signature, SteadyOrder, growth, is_calm, next_moment


@dataclass(slots=True)
class _Kept:
    """What of one order is put off."""

    at: int
    """The last tick of these totals."""
    rules: PlantRules
    signature: Signature
    newest: dict[tuple[str, str], Total] = field(default_factory=dict)
    """By row key of the account and source key."""


class PutOff:
    """Of one partition, within one fold: it has to end with `end`, since rows are complete between two folds."""

    def __init__(self, step: Step, memory: OrdersMemory, endpoints: Mapping[str, int]) -> None:
        self._step, self._memory, self._endpoints = step, memory, endpoints
        self._kept: dict[str, dict[str, _Kept]] = defaultdict(dict)
        """Plant -> row key of the order."""
        self._known: dict[str, SteadyOrder | None] = {}
        """By row key of the order, as long as nothing else happens to it."""
        self._moments: dict[str, tuple[PlantRules, int]] = {}
        """Plant -> its rules, and the next time at which time alone may make something due."""

    def is_calm(self, plant: str, rules: PlantRules, advance: Advance, within_us: int) -> bool:
        """Does nothing become due at this tick but by what is told at it? `within_us`: for the answer of the MES; 0: none."""
        known, moment = self._moments.get(plant, (None, 0))
        if known is not rules or moment <= advance.before:
            moment = next_moment(rules, advance.before)
            self._moments[plant] = rules, moment
        if moment <= advance.now or not advance.before:
            return False
        due, alarm = self._memory.due.first(plant), self._memory.unanswered.first(plant)
        if (due is not None and due <= advance.now) or (within_us and alarm is not None and alarm <= advance.now - within_us):
            return False
        return not self._memory.wakes(plant)

    def take(self, rules: PlantRules, order: str, totals: Sequence[Any], now: int) -> bool:
        """Put off what is told of one order at one tick. `totals`: all of it. False: it has to be served now."""
        steady = self._steady(rules, order)
        if steady is None:
            return False
        plant = steady.order.plant
        kept = self._kept[plant].get(order)
        grown: list[Growth] = []
        for total in totals:
            place = steady.place(total) if type(total) is Total else None
            if place is None:
                return False
            before = kept.newest.get((place.key, total.source_key)) if kept is not None else None
            grew = growth(place, total, before or place.row.sources[total.source_key])
            if grew is None:
                return False
            grown.append(grew)
        signature = steady.signature(grown)
        if signature is None or (kept is not None and (kept.signature != signature or kept.rules is not rules)):
            return False
        kept = kept or self._kept[plant].setdefault(order, _Kept(now, rules, signature))
        kept.at = now
        kept.newest.update(((one.place.key, one.total.source_key), one.total) for one in grown)
        return True

    def up_to_date(self, plant: str, order: str) -> None:
        """Before something else happens to the order: serve what was put off, as of its last tick."""
        self._known.pop(order, None)
        kept = self._kept[plant].pop(order, None)
        if kept is None:
            return
        changed = set()
        for (key, _), total in kept.newest.items():
            row = self._step.rows.get(key)
            ledger.receive(row, total)
            self._step.rows.put(key, row)
            changed.add(key)
        book = Book(self._step, self._memory, kept.rules, plant, kept.at, False)
        book.serve(changed, self._endpoints)
        if book.issued:
            raise InvariantBroken("I2", f"{order}: a total that was put off was due")

    def all_up_to_date(self, plant: str) -> None:
        """Before time or something of the whole plant decides, and at the end of the fold."""
        for order in sorted(self._kept[plant]):
            self.up_to_date(plant, order)
        self._known.clear()

    def end(self) -> None:
        for plant in sorted(self._kept):
            self.all_up_to_date(plant)

    def _steady(self, rules: PlantRules, order: str) -> SteadyOrder | None:
        known = self._known.get(order)
        if order not in self._known or (known is not None and known.rules is not rules):
            row: OrderRow | None = self._step.rows.get(order)
            self._known[order] = None
            if row is not None and is_calm(row) and not self._memory.asleep(order):
                accounts = {key: self._step.rows.get(key) for key in self._memory.accounts_of(order)}
                self._known[order] = SteadyOrder(row, accounts, rules)
        return self._known[order]


def order_of(record: Any) -> str:
    """Row key of the one order that a record is about; empty: it may concern others."""
    order = getattr(record, "order", "")
    return orders.row_key(record.plant, order) if order else ""
