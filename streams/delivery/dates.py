"""A posting that the ERP definitely refused because its period is closed goes again: later date, new id (docs/domain.md,
Periods)."""

from schemas.records import PostingRow
from streams.delivery.desk import Desk
from tables.delivery.posting_state import PARKED, PERIOD_CLOSED, REJECTED, WAITING_CLOCK
from tables.orders.postings import redated
from tables.plant.local_time import local_date, zone_of
from tables.plant.periods import PostingPeriods, later_date


def period_closed(desk: Desk, row: PostingRow, detail: str) -> None:
    """Park it (`periods.late: park`), send its quantity under the next revision, or, when there is no later date, leave it
    refused. What it was issued for stays: same account, same sequence."""
    posting, configuration, periods = row.posting, desk.configuration(row.posting.plant), desk.erp_of(row).periods
    assert configuration is not None
    if periods.late == "park":
        desk.move(row, PARKED, PERIOD_CLOSED, detail)
        return
    now, plant = desk.clock(posting.plant), configuration.plant
    if periods.close:
        month = PostingPeriods(periods.close, plant.plant.zone, plant.calendar.days_off).open_period(now)
    else:
        month = local_date(now, zone_of(plant.plant.zone)).isoformat()[:7]
    date = later_date(posting.business_date, posting.posting_date, month)
    if not date:
        desk.move(row, REJECTED, PERIOD_CLOSED, detail)
        return
    again = PostingRow(redated(posting, date), WAITING_CLOCK)
    desk.take(again)
    row.replaced_by = again.posting.posting_id
    desk.move(row, REJECTED, PERIOD_CLOSED, f"{detail}; goes again as {row.replaced_by} on {date}")
    desk.backlog.place(again)
    desk.settle(again)
