"""Where an order stands: released, acknowledged or refused, started, completed, quality-cleared, staged, handed over."""

from collections.abc import Iterable, Sequence

from schemas.configuration import Configuration
from schemas.records import AccountRow, LotQuality, MesOperation, MesOrder, OrderChanged, OrderReleased, OrderRow, OrderState
from tables.orders.account import BASIS
from tables.orders.order import receives

Accounts = Sequence[AccountRow]


def planned(order: OrderRow, event: OrderReleased | OrderChanged, at: int) -> None:
    """What master data plans, and when (log time) the order was released first. A change has to be answered by the MES only
    when the order never was."""
    order.planned_start, order.planned_end = event.planned_start, event.planned_end
    order.released_at = order.released_at or at


def answered(order: OrderRow, at: int, rejected: str = "") -> None:
    """The MES took the order over, or refused it. Its last word holds."""
    order.acknowledged, order.rejected, order.acknowledged_at = not rejected, rejected, at


def unanswered(order: OrderRow) -> bool:
    return order.known and order.status == "released" and not order.acknowledged and not order.rejected


def begun(order: OrderRow, accounts: Accounts) -> bool:
    """Note that something was recorded; `started_at` is when it happened. True: that is news."""
    moments = [source.first_at for row in accounts for source in row.sources.values() if source.numerator and source.first_at]
    if order.started or not moments:
        return False
    order.started, order.started_at = True, min(moments)
    return True


def judged(order: OrderRow, lot: str, quality: LotQuality) -> bool:
    """What quality says of a lot (`material|lot`). True: that is news."""
    if order.quality.get(lot) == quality:
        return False
    order.quality = {**order.quality, lot: quality}
    return True


def lots_made(order: OrderRow, accounts: Accounts) -> set[str]:
    """Lots that the order brings into stock, as material|lot."""
    return {
        f"{row.material}|{row.lot}"
        for row in accounts
        if row.kind == "yield" and row.lot and row.target > 0 and receives(order, row.operation)
    }


def state_of(order: OrderRow, accounts: Accounts, now: int) -> OrderState:
    """The public state. Cleared: complete, and no lot of it is held or waits for an inspection. Staged: each of them is."""
    known = [order.quality.get(lot, LotQuality(False)) for lot in sorted(lots_made(order, accounts))]
    clear = all(not lot.held and not lot.open_inspections for lot in known)
    return OrderState(
        plant=order.plant,
        order=order.order,
        status=order.status,
        released=order.known,
        acknowledged=order.acknowledged,
        rejected=order.rejected,
        overdue=order.overdue,
        started=order.started,
        completed=order.completed,
        quality_cleared=order.completed and clear,
        staged=bool(known) and all(lot.staged for lot in known),
        handed_over=order.handed_over,
        as_of=now,
    )


def for_the_mes(order: OrderRow, configuration: Configuration, now: int) -> MesOrder:
    """The order with the plant's own names of the work centres (docs/domain.md, Orders for the shop floor)."""
    plant = configuration.plant
    within = plant.mes.acknowledge_within_us
    return MesOrder(
        plant=order.plant,
        order=order.order,
        change_number=order.change_number,
        status=order.status,
        bom_revision=order.bom_revision,
        planned_start=order.planned_start,
        planned_end=order.planned_end,
        items=order.items,
        operations=[
            MesOperation(
                operation=entry.operation,
                work_centre=entry.work_centre,
                equipment=list(plant.mes.work_centres.get(entry.work_centre, _itself(entry.work_centre, plant.equipment))),
                confirm=entry.confirm,
                receipt=entry.receipt,
                planned_cycle_ms=entry.planned_cycle_ms,
            )
            for entry in order.operations
        ],
        components=order.components,
        acknowledge_by=order.released_at + within if within and unanswered(order) else 0,
        as_of=now,
    )


def _itself(work_centre: str, equipment: Iterable[str]) -> list[str]:
    """A work centre that is called like a machine is that machine."""
    return [work_centre] if work_centre in equipment else []


def quantities(accounts: Accounts) -> list[AccountRow]:
    """The accounts of pieces, of one unit each."""
    return [row for row in accounts if row.kind != BASIS]
