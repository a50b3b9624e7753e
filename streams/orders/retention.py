"""What orders forgets: an order with all its accounts, at once, when it is over and nothing of it waits; master data that nobody
uses. By the clock in the log, the oldest first, and never more at one tick than the loop can bear."""

from collections.abc import Iterable

from schemas.catalog import DAY_US
from schemas.records import AccountRow, MaterialRow, OrderRow, PartitionPosition, Quantity, Total
from streams import boundary
from streams.boundary import Concern, Original
from streams.orders import public_state as order_state
from streams.orders.memory import OrdersMemory
from streams.step import Step
from tables.clock_times import lowered
from tables.orders import order as orders
from tables.orders import retention
from tables.orders.account import accounts_of, row_key
from tables.orders.plant_rules import PlantRules
from tables.row_kinds import MATERIAL_ROWS, ORDER_ROWS

MOST_PER_TICK = 50
"""Orders that go at one tick; with their accounts some hundred rows."""
_ERA = "era|"
PAST_RETENTION = "PAST_RETENTION"


def keep_us(plant: PlantRules) -> int:
    """After the last change of an order that is over. A piece may bear a time up to the horizon before its record."""
    return ORDER_ROWS.keep_us + plant.configuration.plant.attribution.late_horizon_us


def born_epoch(state: PartitionPosition, plant: str) -> int:
    """What an account that is born now bears in the ids of its postings."""
    return retention.born_epoch(state.log_epoch, state.marks.get(_ERA + plant, 0))


def judge(step: Step, memory: OrdersMemory, plant: PlantRules, touched: Iterable[str], now: int) -> None:
    """Orders to which something happened: from when on they may be forgotten, as things are."""
    for key in sorted(touched):
        order: OrderRow | None = step.rows.get(key)
        if order is None:
            continue
        may = retention.is_over(order) and _settled(plant, order, _accounts(step, memory, key))
        _forget_at(step, memory, key, order, now + keep_us(plant) if may else 0)


def forget(step: Step, memory: OrdersMemory, plant: PlantRules, name: str, now: int) -> None:
    """Let go what is due. What the ERP has not taken yet is asked again a day later."""
    for key in memory.forget.take(name, now, MOST_PER_TICK):
        row: OrderRow | MaterialRow = step.rows.get(key)
        if isinstance(row, MaterialRow):
            _material(step, memory, key, row, now)
            continue
        accounts = _accounts(step, memory, key)
        if not _settled(plant, row, accounts):
            _forget_at(step, memory, key, row, 0)
        elif not retention.is_taken(accounts):
            _forget_at(step, memory, key, row, now + retention.ASK_AGAIN_US)
        else:
            _let_go(step, memory, key, row, accounts)


def repair(step: Step, memory: OrdersMemory, plant: PlantRules, name: str, at: int) -> None:
    """The clock was right until `at`: nothing happened later. Of orders at rest it reads those that are kept for too long."""
    most = at + keep_us(plant)
    wrong = set(memory.forget.later_than(name, most))
    for key in sorted(key for key in wrong if MATERIAL_ROWS.has(key)):
        material: MaterialRow = step.rows.get(key)
        if lowered(material, at):
            step.rows.put(key, material)
            memory.told(key, material)
            memory.plants.pop(name, None)  # when its conversions were told is another time now
    found = [
        (key, order)
        for page in step.rows.pages(ORDER_ROWS.under(name), lambda key: key in wrong or not memory.asleep(key))
        for key, order in page
        if order is not None
    ]
    for key, order in found:
        late = lowered(order, at)
        if key in wrong:
            for account, row in zip(sorted(memory.accounts_of(key)), _accounts(step, memory, key), strict=True):
                if lowered(row, at):
                    step.rows.put(account, row)
            _forget_at(step, memory, key, order, most)
        if late:
            step.rows.put(key, order)
            memory.note(key, order)


def refused(step: Step, stage: str, total: Total, now: int, original: Original) -> bool:
    """Is the total of something that was forgotten? Then it is a dead letter with its quantity: posting it could post again
    what was posted before, and nobody knows any more. `original`: the record that it came with."""
    known: OrderRow | None = step.rows.get(orders.row_key(total.plant, total.order))
    keep = ORDER_ROWS.keep_us
    if not retention.is_of_the_forgotten(total, known, now, keep):
        return False
    if step.rows.get(row_key(accounts_of(total, 0)[0])) is not None:
        return False
    if total.numerator:
        concern = Concern(total.plant, total.kind, _decimal(total), total.source_key)
        detail = f"{total.kind} of {total.material} for order {total.order} that began more than {keep // DAY_US} days ago"
        boundary.refuse(step, stage, PAST_RETENTION, detail, original, concern)
    return True


def _decimal(total: Total) -> Quantity | None:
    """The quantity of the dead letter; None: it has no end as a decimal."""
    for scale in range(10):
        steps, rest = divmod(total.numerator * 10**scale, total.denominator)
        if not rest:
            return Quantity(steps, scale, total.unit)
    return None


def _settled(plant: PlantRules, order: OrderRow, accounts: list[AccountRow]) -> bool:
    return retention.is_settled((row, plant.rule_for(row, order) is not None) for row in accounts)


def _forget_at(step: Step, memory: OrdersMemory, key: str, order: OrderRow, at: int) -> None:
    if order.forget_at != at:
        memory.stir(key, order.plant)
        order.forget_at = at
        step.rows.put(key, order)
        memory.rest(key, order)
    memory.forget.put(order.plant, key, at or None)


def _let_go(step: Step, memory: OrdersMemory, key: str, order: OrderRow, accounts: list[AccountRow]) -> None:
    mark = _ERA + order.plant
    era = retention.next_era(accounts, step.state.marks.get(mark, 0))
    if accounts:
        step.state.marks[mark] = era
    memory.stir(key, order.plant)
    order_state.retire(step, order, accounts)
    for row in accounts:
        step.rows.delete(row_key(row))
    step.rows.delete(key)
    memory.let_go(key, order, accounts)


def _material(step: Step, memory: OrdersMemory, key: str, row: MaterialRow, now: int) -> None:
    """A material that an account has counts as told anew."""
    if memory.uses(row.plant, row.material):
        row.told_at = now
        step.rows.put(key, row)
        memory.told(key, row)
    else:
        step.rows.delete(key)
        memory.plants.pop(row.plant, None)  # its conversions go


def _accounts(step: Step, memory: OrdersMemory, key: str) -> list[AccountRow]:
    return [step.rows.get(one) for one in sorted(memory.accounts_of(key))]
