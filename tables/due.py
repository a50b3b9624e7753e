"""When an account becomes a posting: decided from its state, its rule and the clock in the log."""

from fractions import Fraction

from schemas.configuration import PostRule
from schemas.configuration.triggers import AtOnce, Cut, EveryQuantity, Interval
from schemas.records import AccountRow, OrderRow
from tables.account import unposted
from tables.calendar import Calendar
from tables.quantity import fraction
from tables.rejected import Rejected
from tables.units import UnitTable


def due_time(account: AccountRow, rule: PostRule, order: OrderRow, calendar: Calendar, units: UnitTable, now: int) -> int | None:
    """Log time at which the account is to be issued; `now`: at once; None: nothing waits, or nothing ever will."""
    if unposted(account) == 0:
        return None
    if account.kind == "yield" and account.target < 0 <= account.posted:
        return None  # scrap that arrived before its counts: a negative yield waits (domain rule 6)
    times = [_time(trigger, account, order, calendar, units, now) for trigger in rule.when]
    known = [time for time in times if time is not None]
    return min(known, default=None)


def _time(trigger: object, account: AccountRow, order: OrderRow, calendar: Calendar, units: UnitTable, now: int) -> int | None:
    match trigger:
        case Cut(tag="shift_end"):
            return calendar.next_cut(now - 1)
        case Cut(tag="order_completed"):
            return now if order.completed else None
        case Cut(tag="operation_completed"):
            return now if order.completed or account.operation in order.completed_operations else None
        case Interval(interval_us=interval):
            return -(-now // interval) * interval
        case EveryQuantity(amount=amount, unit=unit):
            return now if _reaches(account, amount, unit, units, 0) else None
        case AtOnce(amount=amount, unit=unit):
            return now if _reaches(account, amount, unit, units, 1) else None
    return None


def _reaches(account: AccountRow, amount: str, unit: str, units: UnitTable, more: int) -> bool:
    step = units.convert(Fraction(amount), unit, account.unit, account.material)
    if isinstance(step, Rejected):
        return False
    return abs(fraction(unposted(account) - (more if unposted(account) > 0 else -more), account.scale)) >= step


def enough(account: AccountRow, rule: PostRule, order: OrderRow, units: UnitTable, final: bool) -> bool:
    """Is it worth a posting? Completion and the end of recorded input post what is there."""
    if rule.at_least is None or order.completed or final:
        return True
    least = units.convert(Fraction(rule.at_least.amount), rule.at_least.unit, account.unit, account.material)
    return isinstance(least, Rejected) or abs(fraction(unposted(account), account.scale)) >= least
