"""What delivery forgets, and when: by the clock in the log, the oldest first, and never more at one tick than the loop can bear.

Held in memory only and derived from the rows alone, so a take-over builds the same.
"""

from schemas.catalog import catalog
from schemas.records import AccountClosedRow, LotStateRow, PostingRow
from streams.step import Step
from tables.backlog import Backlog
from tables.due_index import DueIndex
from tables.posting_state import ended

POSTINGS, LOT_STATES, ACCOUNTS = "p|", "q|", "c|"
MOST_PER_TICK = 500
"""Rows that go at one tick: a few milliseconds, and 43 million in a day of live ticks."""


class Retention:
    """The rows of one partition by the time at which they go."""

    def __init__(self) -> None:
        kept = catalog().rows["delivery"]
        self._keep = {prefix: kept[prefix].keep_us for prefix in (POSTINGS, LOT_STATES, ACCOUNTS)}
        self._due = DueIndex()

    @property
    def postings_us(self) -> int:
        """How long a posting that ended is kept, microseconds."""
        return self._keep[POSTINGS]

    def posting(self, row: PostingRow) -> None:
        """Called after each change of the row; so are the others."""
        until = row.closed_at + self._keep[POSTINGS] if ended(row) else None
        self._due.put(row.posting.plant, POSTINGS + row.posting.posting_id, until)

    def closed(self, row: AccountClosedRow) -> None:
        self._due.put(row.account.partition("|")[0], ACCOUNTS + row.account, row.at + self._keep[ACCOUNTS])

    def lot(self, key: str, row: LotStateRow) -> None:
        """A lot that nobody holds is as good as one that nobody has heard of."""
        self._due.put(row.plant, key, None if row.held else row.label + self._keep[LOT_STATES])

    def forget(self, step: Step, backlog: Backlog, plant: str, now: int) -> None:
        for key in self._due.take(plant, now, MOST_PER_TICK):
            if key.startswith(POSTINGS):
                backlog.forget(step.rows.get(key))
            step.rows.delete(key)
