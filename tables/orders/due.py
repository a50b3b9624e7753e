"""When an account becomes a posting: decided from its state, its rule and the clock in the log."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from schemas.configuration import PostRule
from schemas.configuration.triggers import AtOnce, Cut, EveryQuantity, Interval
from schemas.records import AccountRow, OrderRow
from tables.orders.account import unposted
from tables.orders.order import is_completed
from tables.plant.calendar import Calendar
from tables.plant.periods import PostingPeriods
from tables.plant.units import UnitTable
from tables.quantity import fraction
from tables.refusal import Refusal


@dataclass(slots=True, frozen=True)
class Timetable:
    """The times of one plant at which something may be due. All in microseconds."""

    calendar: Calendar
    units: UnitTable
    sweep_every_us: int = 0
    """0: no sweep."""
    periods: PostingPeriods | None = None
    sweep_before_us: int = 0
    """How long before the close of its period an account is swept out."""

    def next_sweep(self, business_date: str, now: int) -> int | None:
        """The first sweep at or after `now`: the regular one, or the one before the close of the period that the account is
        posted in."""
        found = [_ceiling(now, self.sweep_every_us)] if self.sweep_every_us else []
        if self.periods is not None:
            before_close = self._last_sweep(self.periods, business_date, now)
            found += [before_close] if before_close >= now else []
        return min(found, default=None)

    def is_closing(self, business_date: str, now: int) -> bool:
        """Is it between the last sweep and the close of the period that it is posted in? Then no minimum holds."""
        if self.periods is None or now < self.periods.closes_at(business_date[:7]) - self.sweep_before_us:
            return False
        return now >= self._last_sweep(self.periods, business_date, now)

    def _last_sweep(self, periods: PostingPeriods, business_date: str, now: int) -> int:
        """Of its own period, or, after the close of that, of the one that is open."""
        period = business_date[:7]
        if now >= periods.closes_at(period):
            period = periods.open_period(now)
        return periods.closes_at(period) - self.sweep_before_us


def due_time(account: AccountRow, rule: PostRule, order: OrderRow, times: Timetable, now: int) -> int | None:
    """Log time at which the account is to be issued; `now`: at once; None: nothing waits, or nothing ever will."""
    if unposted(account) == 0:
        return None
    found = [time for trigger in rule.when if (time := trigger_time(trigger, account, order, times, now)) is not None]
    sweep = times.next_sweep(account.business_date, now)
    return min(found if sweep is None else [*found, sweep], default=None)


def trigger_time(trigger: object, account: AccountRow, order: OrderRow, times: Timetable, now: int) -> int | None:
    """When this trigger alone makes the account due; None: not as things are."""
    match trigger:
        case Cut(tag="shift_end"):
            return times.calendar.next_cut(now - 1)
        case Cut(tag="order_completed"):
            return now if order.completed else None
        case Cut(tag="operation_completed"):
            return now if is_completed(order, account.operation) else None
        case Interval(interval_us=interval):
            return _ceiling(now, interval)
        case EveryQuantity(amount=amount, unit=unit):
            step = times.units.convert(Fraction(amount), unit, account.unit, account.material)
            reached = not isinstance(step, Refusal) and abs(fraction(unposted(account), account.scale)) >= step
            return now if reached else None
        case AtOnce():
            return now if account.at_once else None
    return None


def above_at_once(account: AccountRow, rule: PostRule, grown: Fraction, unit: str, units: UnitTable) -> bool:
    """Is what one source grew by above the rule's `above Q at once`? Both ways: a large reversal is as urgent."""
    for trigger in rule.when:
        if isinstance(trigger, AtOnce):
            most = units.convert(Fraction(trigger.amount), trigger.unit, unit, account.material)
            if not isinstance(most, Refusal) and abs(grown) > most:
                return True
    return False


def without_effect(rule: PostRule, unit: str, material: str, units: UnitTable) -> list[str]:
    """The amounts of the rule, as rules.yaml has them, that nothing converts into the unit of an account of this material:
    `at_least` holds nothing back, and a quantity triggers nothing."""
    stated = [(str(one), one.unit) for one in rule.when if isinstance(one, EveryQuantity | AtOnce)]
    stated += [(f"at_least: {rule.at_least}", rule.at_least.unit)] if rule.at_least is not None else []
    return [text for text, other in stated if isinstance(units.factor(other, unit, material), Refusal)]


class Look(NamedTuple):
    """One look at an account."""

    now: int
    """Microseconds."""
    due_at: int | None
    """Since when it is due."""
    final: bool = False
    """At the end of recorded input."""


def enough(account: AccountRow, rule: PostRule, order: OrderRow, times: Timetable, look: Look) -> bool:
    """Is it worth a posting? Completion, a sweep since it is due, and the end of recorded input post what is there."""
    if rule.at_least is None or is_completed(order, account.operation) or look.final:
        return True
    if times.is_closing(account.business_date, look.now):
        return True
    if look.due_at is not None:
        sweep = times.next_sweep(account.business_date, look.due_at)
        if sweep is not None and sweep <= look.now:
            return True
    least = times.units.convert(Fraction(rule.at_least.amount), rule.at_least.unit, account.unit, account.material)
    return isinstance(least, Refusal) or abs(fraction(unposted(account), account.scale)) >= least


def _ceiling(now: int, interval_us: int) -> int:
    return -(-now // interval_us) * interval_us
