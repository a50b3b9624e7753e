"""Why something waits for a person or for master data: every reason for which an account, or a part of it, is parked."""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from schemas.configuration import Configuration
from schemas.records import AccountRow, MaterialRow, OrderRow
from tables.decisions import DROP, EVERYTHING, deducted, standing
from tables.orders import order as orders
from tables.orders import rework
from tables.orders.account import TIMES, account_key
from tables.orders.components import children_of, component_of, components_for, known_revision, pinned
from tables.orders.conversions import of_account, of_its_time
from tables.orders.pieces import LOWER, MADE
from tables.plant.periods import PostingPeriods
from tables.plant.units import UnitTable
from tables.quantity import fraction, round_half_away
from tables.refusal import Refusal

NOT_OPEN = {"locked": "ORDER_LOCKED", "closed": "ORDER_CLOSED"}
OVER = frozenset({"ORDER_CLOSED", "ORDER_TECHNICALLY_COMPLETE"})
"""Of what no rule posts the end of the order stops nothing, and nobody has to decide about it."""


OVER_DELIVERY = "OVER_DELIVERY"


class Excess(NamedTuple):
    """A part of an account that has to wait. `steps`: of the account's smallest step."""

    why: Refusal
    steps: int


def park(row: AccountRow, why: Refusal, steps: int | None = None) -> None:
    """`steps`: how much of it; None: all that is not posted."""
    row.code, row.detail = why.code, why.detail
    row.parked = row.target - row.posted if steps is None else steps
    without = next((known for known in standing(row, why.code) if known.decision == DROP and known.steps is None), None)
    row.dropped = without is not None or row.parked == deducted(row) != 0


def unpark(row: AccountRow) -> None:
    row.code, row.detail, row.parked, row.dropped = "", "", 0, False


def beyond(goal: int, rest: int, through: int | None) -> int:
    """How much of `goal` steps still waits when without any decision `rest` would be left, and a person let `through` pass."""
    if through is None:
        return goal - rest
    if through == EVERYTHING:
        return 0
    low, high = sorted((rest, through))
    return goal - min(max(goal, low), high)


# -- the whole account


def reasons(
    configuration: Configuration,
    order: OrderRow,
    material: MaterialRow | None,
    account: AccountRow,
    periods: PostingPeriods | None = None,
    now: int = 0,
) -> Iterator[Refusal]:
    """Why the whole account must wait, the weightiest first; a person may let it pass one of them and not the next. They stop
    this account only (docs/domain.md, Parking and decisions)."""
    if not order.known:
        yield Refusal("UNKNOWN_ORDER", f"order {order.order} has not been released")
        return
    if order.status in NOT_OPEN:
        yield Refusal(NOT_OPEN[order.status], f"order {order.order} is {order.status}")
    if order.status == "technically_complete" and not _technically_allowed(configuration, order, account):
        yield Refusal("ORDER_TECHNICALLY_COMPLETE", f"order {order.order} is technically complete")
    if orders.operation_of(order, account.operation) is None:
        yield Refusal("UNKNOWN_OPERATION", f"order {order.order} has no operation `{account.operation}`")
        return
    if periods is not None and configuration.erp.periods.late == "park" and not periods.is_open(account.business_date, now):
        yield Refusal("PERIOD_CLOSED", f"the period of {account.business_date} is closed")
    if account.kind in TIMES:
        return
    if not account.material:
        yield _no_material(account)
        return
    if configuration.rules.yield_.late_scrap.after_close == "park" and any(source.late for source in account.sources.values()):
        yield Refusal("LATE_SCRAP", f"scrap of {account.business_date} came after its period was closed")
    if account.kind == "consumption":
        yield from _consumption_problems(configuration, order, material, account)
        return
    item = orders.item_of(order, account.material)
    if item is None and orders.receives(order, account.operation):
        yield Refusal("MATERIAL_NOT_IN_ORDER", f"order {order.order} does not make {account.material}")
    if (item is not None and item.batch_managed) or (material is not None and material.batch_managed):
        yield from _long_lot(configuration, account)
        if not account.lot:
            yield from _missing_lot(configuration, account)


def _no_material(account: AccountRow) -> Refusal:
    """Of a consumption: the position was empty. Of pieces: the run makes several materials, or nobody said what it makes."""
    if account.kind == "consumption":
        where = f" at position {account.place}" if account.place else ""
        return Refusal("NOTHING_LOADED", f"nothing is loaded{where} as far as anybody said, and the record names no material")
    return Refusal("MATERIAL_AMBIGUOUS", "the record names no material, and its run states none or several")


def _technically_allowed(configuration: Configuration, order: OrderRow, account: AccountRow) -> bool:
    """post_corrections: what was made before the completion, however late it is told; nothing that was made after it."""
    answer = configuration.rules.order.technically_completed
    before = [source for source in account.sources.values() if source.first_at <= order.technically_complete_at]
    return answer == "post" or (answer == "post_corrections" and (bool(before) or account.sequence > 0))


def _consumption_problems(
    configuration: Configuration, order: OrderRow, material: MaterialRow | None, account: AccountRow
) -> Iterator[Refusal]:
    pin = pinned(account)
    if configuration.rules.order.bom == "revision_of_run" and not known_revision(order, pin.revision):
        yield Refusal("BOM_MISMATCH", f"the run used revision {pin.revision}, order {order.order} has {order.bom_revision}")
    components = components_for(configuration, order, pin, account)
    component = component_of(components, account)
    if component is None:
        yield Refusal("MATERIAL_NOT_IN_BOM", f"{account.material} is no component of order {order.order}")
        return
    if component.phantom:
        if not children_of(components, component):
            yield Refusal("PHANTOM", f"{account.material} is a phantom: it has no stock")
        return
    if configuration.erp.booking("consumption").reservation == "required" and not component.item:
        yield Refusal("RESERVATION_MISSING", f"component {account.material} of order {order.order} has no reservation item")
    now = component_of(order.components, account) or component  # how a material is managed is a matter of today
    managed = now.batch_managed or (material is not None and material.batch_managed)
    if managed and not account.lot:
        yield from _missing_lot(configuration, account)
    elif managed:
        yield from _long_lot(configuration, account)


def _missing_lot(configuration: Configuration, account: AccountRow) -> Iterator[Refusal]:
    if configuration.plant.lots.missing != "ignore":
        yield Refusal("LOT_MISSING", f"{account.material} is managed in batches and nobody named the lot")


def _long_lot(configuration: Configuration, account: AccountRow) -> Iterator[Refusal]:
    limit = configuration.plant.lots.erp_max_length
    if limit and len(account.lot) > limit:
        yield Refusal("LOT_TOO_LONG", f"lot {account.lot} has more than {limit} characters")


# -- a part of it


def beyond_gross(row: AccountRow, missing: Fraction | None) -> Excess | None:
    """Scrap and open rework of which no pieces were counted wait, and a yield below zero with them (docs/domain.md, Scrap finds
    its pieces). `missing`: how much of the account has no pieces."""
    if row.kind == "yield":
        lowered = any(source.kind in LOWER and source.numerator for source in row.sources.values())
        steps = min(row.target, 0)
    else:
        lowered, steps = True, round_half_away(missing, row.scale) if missing else 0
    where = f"{row.material} of operation {row.operation}"
    if lowered:
        why = Refusal("SCRAP_EXCEEDS_GROSS", f"{where}: more scrap and rework than was counted")
    else:
        why = Refusal("BELOW_ZERO", f"{where}: more was taken back than was made")
    return Excess(why, steps) if steps else None


def beyond_taken(row: AccountRow, quantity: Fraction | None) -> Excess | None:
    """What gives back more than the order took waits for a person. `quantity`: how much of the account does."""
    steps = round_half_away(quantity, row.scale) if quantity else 0
    if not steps:
        return None
    return Excess(Refusal("BELOW_ZERO", f"more of {row.material} was taken back than order {row.order} took"), -steps)


def rework_excess(row: AccountRow, accounts: Sequence[AccountRow], units: UnitTable) -> Excess | None:
    """What came back from rework that was never open waits until it is declared (docs/domain.md, Rework). `accounts`: all of
    the order, in key order."""
    if row.kind not in rework.KINDS:
        return None
    steps = round_half_away(rework.beyond(row, accounts, units), row.scale)
    why = Refusal("REWORK_EXCEEDED", f"more rework of {row.material} came back than was open")
    return Excess(why, steps) if steps else None


def over_delivery(
    configuration: Configuration,
    order: OrderRow,
    row: AccountRow,
    accounts: Sequence[AccountRow],
    units: UnitTable,
    stands_for: Callable[[AccountRow], int],
) -> Excess | None:
    """Of the account that receives: what is beyond the order's limit; the rest is posted. The excess is what was made last, so
    older accounts have their room also while they are not due (docs/domain.md, Over-delivery). `stands_for`: steps."""
    if row.kind != "yield" or not orders.receives(order, row.operation):
        return None
    most = orders.limit(configuration, order, row.material)
    item = orders.item_of(order, row.material)
    if most is None or item is None:
        return None
    unit, room = item.quantity.unit, Fraction(most)
    age = made_at(row)
    if age[0] < order.began_at:
        return None  # of the order that had the number before
    for other in accounts:
        same = (other.kind, other.material, other.operation) == (row.kind, row.material, row.operation)
        if not same or other is row or made_at(other)[0] < order.began_at:
            continue
        older = made_at(other) < age
        steps = max(other.posted, stands_for(other) - deducted(other)) if older else other.posted
        taken = of_account(other, fraction(steps, other.scale), unit, units)
        room -= Fraction(0) if isinstance(taken, Refusal) else taken
    left = units.convert(room, unit, row.unit, row.material, of_its_time(row, units))
    if isinstance(left, Refusal):
        return None
    allowed = max(0, int(left * 10**row.scale))
    goal = row.target - deducted(row)
    excess = goal - max(allowed, min(row.posted, goal))
    if goal <= allowed or not excess:
        return None
    detail = f"order {order.order} may receive {most} {item.quantity.unit} of {row.material}"
    return Excess(Refusal(OVER_DELIVERY, detail), excess)


def made_at(row: AccountRow) -> tuple[int, str]:
    """When the first pieces of the account were made; what is greater is younger."""
    pieces = [source.first_at for source in row.sources.values() if source.kind in MADE and source.numerator]
    return min(pieces, default=0), account_key(row)
