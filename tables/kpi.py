"""Key figures of an order and of an endpoint, from rows and log time alone: the same log gives the same figures.

Each figure is a fraction. A figure that cannot be known yet (nothing planned, not started) is left out, not guessed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from schemas.codes import owner_of
from schemas.records import AccountRow, Kpi, OrderRow
from tables.delivery.posting_state import ACCEPTED, PARKED, REJECTED
from tables.orders.account import stops
from tables.orders.wip import work_in_process
from tables.plant.local_time import HOUR_US
from tables.plant.units import UnitTable
from tables.refusal import Refusal

MADE = ("yield", "scrap", "rework")


def hour_passed(before: int, now: int) -> bool:
    """Figures go out when log time passes a full hour; a clock that only begins (0) has passed none."""
    return before > 0 and now // HOUR_US > before // HOUR_US


def of_order(order: OrderRow, accounts: Sequence[AccountRow], units: UnitTable, now: int) -> Iterator[Kpi]:
    """All figures of one order as of `now`."""

    def kpi(name: str, subject: str, value: Fraction | int, unit: str, owner: str = "", code: str = "") -> Kpi:
        exact = Fraction(value)
        return Kpi(order.plant, name, subject, exact.numerator, exact.denominator, unit, now, owner, code)

    for name, begun, ended in (
        ("release_to_dispatch", order.released_at, order.acknowledged_at if order.acknowledged else 0),
        ("schedule_start", order.planned_start, order.started_at),
        ("schedule_end", order.planned_end, order.completed_at),
    ):
        if begun and ended:
            yield kpi(name, order.order, ended - begun, "us")
    for wip in work_in_process(order, accounts):
        yield kpi("wip", f"{order.order}|{wip.operation}", wip.quantity, wip.unit)
    for entry in order.operations:
        actual = cycle(accounts, entry.operation, units)
        if actual is not None:
            yield kpi("cycle", f"{order.order}|{entry.operation}", actual, "ms")
            if entry.planned_cycle_ms:
                share = actual / entry.planned_cycle_ms
                yield kpi("cycle_to_plan", f"{order.order}|{entry.operation}", share, "ratio")
    waiting = [(row.since or now, one.code) for row in accounts for one in stops(row)]
    since, code = min(waiting, default=(now, ""))
    age = now - since
    yield kpi("exception_age", order.order, age, "us", owner_of(code) if code else "", code)


def keys_of_order(order: OrderRow, accounts: Iterable[AccountRow]) -> Iterator[str]:
    """Under which keys `of_order` may ever have told something of it."""
    for name in ("release_to_dispatch", "schedule_start", "schedule_end", "exception_age"):
        yield f"{order.plant}|{name}|{order.order}"
    operations = {entry.operation for entry in order.operations} | {row.operation for row in accounts}
    for name in ("wip", "cycle", "cycle_to_plan"):
        for operation in sorted(operations):
            yield f"{order.plant}|{name}|{order.order}|{operation}"


def cycle(accounts: Sequence[AccountRow], operation: str, units: UnitTable) -> Fraction | None:
    """Machine time per piece made, good or bad, in milliseconds; None: no time or no pieces yet."""
    here = [row for row in accounts if row.operation == operation]
    time = _sum((row for row in here if row.kind == "machine_time"), "ms", units)
    pieces = [row for row in here if row.kind in MADE]
    made = _sum(pieces, min((row.unit for row in pieces), default=""), units)
    return time / made if time and made else None


def posting_success(count: Mapping[str, int], plant: str, endpoint: str, now: int) -> Kpi | None:
    """Accepted of all postings that came to an end; None: none did. `count`: postings by state, 0 where none is named."""
    ended = sum(count.get(state, 0) for state in (ACCEPTED, REJECTED, PARKED))
    if not ended:
        return None
    share = Fraction(count.get(ACCEPTED, 0), ended)
    return Kpi(plant, "posting_success", endpoint, share.numerator, share.denominator, "ratio", now)


def _sum(rows: Iterable[AccountRow], unit: str, units: UnitTable) -> Fraction | None:
    """What the accounts recorded, in `unit`; None: one of them has no conversion to it."""
    total = Fraction(0)
    for row in rows:
        recorded = Fraction(row.recorded_numerator, row.recorded_denominator)
        converted = units.convert(recorded, row.unit, unit, row.material)
        if isinstance(converted, Refusal):
            return None
        total += converted
    return total
