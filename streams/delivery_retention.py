"""What delivery forgets, and when: by the clock in the log, the oldest first, and never more at one tick than the loop can bear.

Held in memory only and derived from the rows alone, so a take-over builds the same.
"""

from schemas.records import AccountClosedRow, LotStateRow, PostingRow
from streams.step import Step
from tables.backlog import Backlog
from tables.due_index import DueIndex
from tables.posting_state import ended
from tables.row_kinds import CLOSED_ACCOUNT_ROWS, LOT_STATE_ROWS, POSTING_ROWS

MOST_PER_TICK = 500
"""Rows that go at one tick: a few milliseconds, and 43 million in a day of live ticks."""


class Retention:
    """The rows of one partition by the time at which they go."""

    def __init__(self) -> None:
        self._postings_us, self._lots_us = POSTING_ROWS.keep_us, LOT_STATE_ROWS.keep_us
        self._accounts_us = CLOSED_ACCOUNT_ROWS.keep_us
        self._due = DueIndex()

    @property
    def postings_us(self) -> int:
        """How long a posting that ended is kept, microseconds."""
        return self._postings_us

    def posting(self, row: PostingRow) -> None:
        """Called after each change of the row; so are the others."""
        until = row.closed_at + self._postings_us if ended(row) else None
        self._due.put(row.posting.plant, POSTING_ROWS.key(row.posting.posting_id), until)

    def closed(self, row: AccountClosedRow) -> None:
        self._due.put(row.account.partition("|")[0], CLOSED_ACCOUNT_ROWS.key(row.account), row.at + self._accounts_us)

    def lot(self, key: str, row: LotStateRow) -> None:
        """A lot that nobody holds is as good as one that nobody has heard of."""
        self._due.put(row.plant, key, None if row.held else row.label + self._lots_us)

    def forget(self, step: Step, backlog: Backlog, plant: str, now: int) -> None:
        for key in self._due.take(plant, now, MOST_PER_TICK):
            if POSTING_ROWS.has(key):
                backlog.forget(step.rows.get(key))
            step.rows.delete(key)
