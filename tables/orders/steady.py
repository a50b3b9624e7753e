"""When totals that only grew may be put off: nothing that an account keeps of the ticks in between would be another one.

An account that is served once, for the last of several ticks, must come out as if it had been served at each of them. What it
holds does: it follows from the newest totals. Three things remember a tick: since when something waits, what is derived
(ledger_backflush) with the records behind it, and what a rule posts at once. So a total may be put off when its account waits
already, no rule can be due, and what is derived changes at each of the ticks in the same places.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.configuration.triggers import Cut, Interval
from schemas.records import AccountRow, Component, OrderRow, SourceTotal, Total
from tables.orders import order as orders
from tables.orders import retention
from tables.orders.account import BASIS, MOVED, TIMES, accounts_of, row_key, version_of
from tables.orders.backflush import account_of, is_lot_of, lots_of, made_of
from tables.orders.components import basis_of, mode_of
from tables.orders.due import Timetable
from tables.orders.plant_rules import PlantRules
from tables.plant.local_time import HOUR_US

GROWING = frozenset({"gross", BASIS, "consumption", *TIMES})
"""Kinds of totals that may be put off: of one account each, and nothing is decided by the single one."""
_FEED = frozenset({"gross", BASIS})
"""Kinds from which consumption is derived."""


def next_moment(rules: PlantRules, at: int) -> int:
    """The first log time behind `at` at which something may happen because of the time alone: a cut, a rule's interval, a
    sweep, the close of a period, the full hour."""
    times = rules.times
    # Key figures are told at full hours.
    every: set[int] = {HOUR_US, *([times.sweep_every_us] if times.sweep_every_us else ())}
    for rule in rules.configuration.rules.post:
        every.update(trigger.interval_us for trigger in rule.when if isinstance(trigger, Interval))
    return min([times.calendar.next_cut(at), *((at // one + 1) * one for one in every), *_closes(times, at)])


def _closes(times: Timetable, at: int) -> list[int]:
    """Closes of periods and the sweeps before them; a year of periods, since a sweep may come long before."""
    found: list[int] = []
    period = times.periods.open_period(at) if times.periods is not None else ""
    for _ in range(12 if times.periods is not None else 0):
        assert times.periods is not None
        close = times.periods.closes_at(period)
        found += [moment for moment in (close, close - times.sweep_before_us) if moment > at]
        period = times.periods.following(period)
    return found


def is_calm(order: OrderRow | None) -> bool:
    """Is a quantity of the order no news by itself? Known, begun, not over, and its figures are to be told anyhow."""
    return (
        order is not None
        and order.known
        and order.started
        and order.figures_due
        and not (order.forget_at or retention.is_over(order))
    )


class Signature(NamedTuple):
    """From which sources something is derived at a tick, and of which components it also grows without a lot."""

    sources: frozenset[str]
    uncovered: tuple[bool, ...]


@dataclass(slots=True)
class Place:
    """Where the totals of one source go."""

    key: str
    """Row key of the account."""
    row: AccountRow
    pieces: bool
    """Of the operation's gross: what the authority counts, or what was made while a lot was loaded. By-products are none."""


@dataclass(slots=True)
class Growth:
    """What one total says beyond the one before it."""

    place: Place
    total: Total
    steps: int


class _Followed(NamedTuple):
    """A component that follows the pieces of one operation and business date."""

    component: Component
    lots: frozenset[str]
    """Lots whose consumption waits already; an empty name: what no loaded lot covers."""
    uncovered: bool


@dataclass(slots=True)
class SteadyOrder:
    """One order as long as its accounts are not served: what of it may be put off."""

    order: OrderRow
    accounts: Mapping[str, AccountRow]
    """All of the order, by row key."""
    rules: PlantRules
    _places: dict[tuple[str, ...], Place | None] = field(default_factory=dict)
    _followed: dict[tuple[str, str], Sequence[_Followed] | None] = field(default_factory=dict)

    def place(self, total: Total) -> Place | None:
        """None: it may not be put off, whatever it says."""
        name = (total.source_key, total.operation, total.material, total.lot, total.kind, total.reason, total.position,
                total.business_date)  # fmt: skip
        if name not in self._places:
            self._places[name] = self._placed(total)
        return self._places[name]

    def _placed(self, total: Total) -> Place | None:
        if total.kind not in GROWING:
            return None
        if total.kind == "gross" and (
            total.authority != "counters" or f"{total.operation}|{total.kind}" not in self.order.counted
        ):
            return None
        key = row_key(accounts_of(total, 0)[0])
        row = self.accounts.get(key)
        if row is None or not self._waits(row) or total.source_key not in row.sources:
            return None
        item = orders.item_of(self.order, row.material)
        if total.kind == "gross" and self._moves(total):
            return None
        pieces = total.kind in _FEED and not (item is not None and item.role == "by")
        if pieces and total.kind == "gross":
            pieces = orders.weights_of(self.rules.configuration, self.order, row)[total.source_key] > 0
        return Place(key, row, pieces)

    def _moves(self, total: Total) -> bool:
        """Do pieces of the operation and material move between lots and days, or are some missing? Then each tick decides."""
        return any(
            row.target < 0 or any(source.kind == MOVED and source.numerator for source in row.sources.values())
            for row in self.accounts.values()
            if (row.kind, row.operation, row.material) == ("yield", total.operation, total.material)
        )

    def signature(self, grown: Iterable[Growth]) -> Signature | None:
        """What is derived from these; None: it would not come out the same."""
        pieces: dict[tuple[str, str], list[Growth]] = {}
        for one in grown:
            if one.total.kind == "consumption" and self._is_exploded:
                return None  # children of a phantom are derived from it
            if one.total.kind in _FEED:
                pieces.setdefault((one.total.operation, one.total.business_date), []).append(one)
        sources, uncovered = set[str](), list[bool]()
        for where, found in sorted(pieces.items()):
            if where not in self._followed:
                self._followed[where] = self._follows(*where)
            followed = self._followed[where]
            if followed is None:
                return None
            if not followed:
                continue
            if any(one.total.denominator != 1 for one in found):
                return None
            gross = sum(one.steps for one in found if one.place.pieces and one.total.kind == "gross")
            sources.update(one.total.source_key for one in found if one.steps)
            for component in followed:
                by_lot = [one for one in found if one.place.pieces and _is_loaded_of(one.total, component.component)]
                covered = sum(one.steps for one in by_lot)
                if any(one.steps and _is_another(one.total, component.component) for one in found):
                    return None
                if any(one.steps and one.total.component_lot not in component.lots for one in by_lot):
                    return None
                if covered != gross and not (component.uncovered and gross > covered):
                    return None
                uncovered.append(covered != gross)
        return Signature(frozenset(sources), tuple(uncovered))

    @property
    def _is_exploded(self) -> bool:
        return bool(self.order.boms) or any(component.phantom for component in self.order.components)

    def _follows(self, operation: str, date: str) -> Sequence[_Followed] | None:
        """The components that follow; None: what they follow can come out otherwise."""
        configuration, order, units = self.rules.configuration, self.order, self.rules.units
        if self._is_exploded:
            return None
        if any(entry.confirm == "milestone" for entry in order.operations):
            return None
        here = [row for row in self.accounts.values() if (row.operation, row.business_date) == (operation, date)]
        found = [
            component
            for component in order.components
            if orders.operation_of_component(order, component, operation) == operation
            and component.quantity.amount
            and mode_of(configuration, component, account_of(here[0], component, "")) == "ledger_backflush"
        ]
        if not found:
            return ()
        made, yield_share = made_of(configuration, order, here, units)
        if len(made) != 1 or not _one_unit(order, here):
            return None
        (pieces,) = made.values()
        followed = []
        for component in found:
            lots = lots_of(pieces, component)
            rest = pieces.gross - sum(count for lot, count in lots.items() if lot)
            over = sum(count for place, count in pieces.by_lot.items() if is_lot_of(place, component)) > pieces.gross
            if over or rest < 0 or (yield_share != 1 and basis_of(configuration, component, operation) == "yield"):
                return None
            derived = {lot: self.accounts.get(row_key(account_of(here[0], component, lot))) for lot in lots}
            wait = frozenset(lot for lot, row in derived.items() if row is not None and self._waits(row))
            followed.append(_Followed(component, wait, rest > 0 and "" in wait))
        return followed

    def _waits(self, row: AccountRow) -> bool:
        """Does something of the account wait already, and can only the time make it due? (The order is not completed: see
        `is_calm`.)"""
        rule_at = self.rules.rule_for(row, self.order)
        if not row.since or orders.is_completed(self.order, row.operation):
            return False
        return rule_at is None or all(isinstance(trigger, Cut | Interval) for trigger in rule_at.rule.when)


def growth(place: Place, total: Total, before: Total | SourceTotal) -> Growth | None:
    """`before`: what is known of the source. None: the total is no newer one of the same kind, or it fell: what grows again
    after that would have another lineage than if each had been served."""
    same = (total.unit, total.denominator, total.bom_revision) == (before.unit, before.denominator, before.bom_revision)
    if not same or version_of(total) <= version_of(before) or total.numerator < before.numerator:
        return None
    return Growth(place, total, total.numerator - before.numerator)


def _one_unit(order: OrderRow, here: Iterable[AccountRow]) -> bool:
    """Do pieces and what they are planned in have one unit? Then they add up as they are."""
    units = set[str]()
    for row in here:
        if row.kind in ("yield", BASIS):
            item = orders.item_of(order, row.material)
            units.update(source.unit for source in row.sources.values())
            units.update([item.quantity.unit] if item is not None else [])
    return len(units) == 1


def _is_loaded_of(total: Total, component: Component) -> bool:
    return total.kind == BASIS and is_lot_of((total.position, total.component_material, total.component_lot), component)


def _is_another(total: Total, component: Component) -> bool:
    """Made while something else was loaded in the component's place."""
    return (
        total.kind == BASIS
        and bool(total.component_material)
        and total.position == component.position
        and total.component_material != component.material
    )
