"""What orders tells the world of each order: to the MES, its public state, the alarm when the MES is silent, and key figures."""

from collections.abc import Iterable
from typing import Any

from schemas.configuration.values import duration_text
from schemas.records import AccountRow, LotQuality, OrderRow, QualityState, Tick
from schemas.topics import MES_ORDERS, ORDERS_STATE, PRODUCTION_KPIS
from streams import boundary
from streams.boundary import Concern, Original
from streams.clock import Advance
from streams.orders.memory import OrdersMemory
from streams.step import Step
from tables import kpi
from tables.orders import order as orders
from tables.orders import order_state as states
from tables.orders.account import stops
from tables.orders.plant_rules import PlantRules


def publish(step: Step, memory: OrdersMemory, order: OrderRow, now: int) -> None:
    """The order changed: keep it, and tell its public state."""
    key = orders.row_key(order.plant, order.order)
    order.figures_due = order.known
    step.rows.put(key, order)
    memory.note(key, order)
    memory.touched.add(key)
    step.emit(ORDERS_STATE, f"{order.plant}|{order.order}", states.state_of(order, _accounts(step, memory, key), now))


def to_the_mes(step: Step, plant: PlantRules, order: OrderRow, now: int) -> None:
    step.emit(MES_ORDERS, f"{order.plant}|{order.order}", states.for_the_mes(order, plant.configuration, now))


def judged(step: Step, memory: OrdersMemory, record: QualityState, now: int) -> None:
    """A lot of an order was held, freed, inspected or staged."""
    key = orders.row_key(record.plant, record.order)
    order: OrderRow = step.rows.get(key) or OrderRow(record.plant, record.order)
    quality = LotQuality(record.held, record.open_inspections, record.staged)
    if states.judged(order, f"{record.material}|{record.lot}", quality):
        publish(step, memory, order, now)


def recorded(step: Step, memory: OrdersMemory, changed: Iterable[str], now: int) -> None:
    """Quantities came: orders that have begun, and figures that are to be told again."""
    rows: list[AccountRow | None] = [step.rows.get(key) for key in changed]
    for key in sorted({orders.row_key(row.plant, row.order) for row in rows if row is not None}):
        order: OrderRow | None = step.rows.get(key)
        if order is None or not order.known:
            continue
        if not order.started and states.begun(order, _accounts(step, memory, key)):
            publish(step, memory, order, now)
        elif not order.figures_due:
            order.figures_due = True
            step.rows.put(key, order)
            memory.note(key, order)


def watch(step: Step, memory: OrdersMemory, plant: PlantRules, stage: str, name: str, now: int) -> None:
    """The alarm for orders that the MES has neither taken nor refused in time: once each, as an exception of no record."""
    within = plant.configuration.plant.mes.acknowledge_within_us
    for key in sorted(memory.unanswered.take(name, now - within)) if within else ():
        order: OrderRow = step.rows.get(key)
        order.overdue = True
        detail = f"order {order.order} was released {duration_text(within)} ago, and the MES neither took nor refused it"
        boundary.refuse(step, stage, "ORDER_NOT_ACKNOWLEDGED", detail, Original(), Concern(plant=name, part=order.order))
        publish(step, memory, order, now)


def figures(step: Step, memory: OrdersMemory, plant: PlantRules, tick: Tick, advance: Advance) -> None:
    """Key figures of the orders that changed or wait for somebody, each full hour of log time and at the end of the input."""
    now = advance.now
    if not (tick.final or kpi.hour_passed(advance.before, now)):
        return
    for key in sorted(memory.figures_due.get(tick.plant, ())):
        order: OrderRow = step.rows.get(key)
        accounts = _accounts(step, memory, key)
        for figure in kpi.of_order(order, accounts, plant.units, now):
            step.emit(PRODUCTION_KPIS, f"{figure.plant}|{figure.kpi}|{figure.subject}", figure)
        order.figures_due = any(stops(row) for row in accounts)  # what waits grows older
        step.rows.put(key, order)
        memory.note(key, order)
        memory.rest(key, order)


def retire(step: Step, order: OrderRow, accounts: Iterable[AccountRow]) -> None:
    """The order is forgotten here: so it is in the public topics that are kept by key."""
    for topic in (ORDERS_STATE, MES_ORDERS):
        step.retire(topic, f"{order.plant}|{order.order}")
    for key in kpi.keys_of_order(order, accounts):
        step.retire(PRODUCTION_KPIS, key)


def _accounts(step: Step, memory: OrdersMemory, order_key: str) -> list[Any]:
    return [step.rows.get(key) for key in sorted(memory.accounts_of(order_key))]
