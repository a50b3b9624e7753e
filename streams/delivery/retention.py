"""What delivery forgets, and when: by the clock in the log, the oldest first, and never more at one tick than the loop can bear.

Held in memory only and derived from the rows alone, so a take-over builds the same.
"""

from collections.abc import Callable, Iterator
from typing import Any

from schemas.records import AccountClosedRow, LotStateRow, PlantRow, PostingRow
from streams.step import Step
from tables.clock_times import begun, lowered
from tables.delivery.backlog import Backlog
from tables.delivery.posting_state import ACCEPTED, ended
from tables.due_index import DueIndex
from tables.row_kinds import ACCEPTED_ROWS, CLOSED_ACCOUNT_ROWS, CLOSED_MARK_ROWS, LOT_STATE_ROWS, POSTING_ROWS
from tables.rows import RowStore, nothing

MOST_PER_TICK = 200
"""Rows that go at one tick: some ten milliseconds, and 17 million in a day of live ticks."""


class Retention:
    """The rows of one partition by the time at which they go. What only waits for that has a mark: its key says all that a
    take-over has to know of it."""

    def __init__(self, rows: RowStore) -> None:
        self._rows = rows
        self._postings_us, self._lots_us = POSTING_ROWS.keep_us, LOT_STATE_ROWS.keep_us
        self._accounts_us = CLOSED_ACCOUNT_ROWS.keep_us
        self._undated = frozenset((self._postings_us, self._accounts_us, self._lots_us))
        """When a row would go that bears no time: a moment of 1970, which no clock in the log has."""
        self._due = DueIndex()

    @property
    def postings_us(self) -> int:
        """How long a posting that ended is kept, microseconds."""
        return self._postings_us

    def remember(self, backlog: Backlog) -> Iterator[list[PostingRow]]:
        """Everything, from the rows: postings that are not accepted by the page; then nothing, page by page."""
        marked: set[str] = set()
        for page in self._rows.pages(ACCEPTED_ROWS.prefix, nothing):
            for mark, _ in page:
                at, name, endpoint, plant = ACCEPTED_ROWS.bare(mark).split("|", 3)
                backlog.accepted(name, plant, endpoint)
                key = POSTING_ROWS.key(name)
                self._due.put(plant, key, int(at) + self._postings_us)
                marked.add(key)
            yield []
        for page in self._rows.pages(POSTING_ROWS.prefix, lambda key: key not in marked):
            found = [row for _, row in page if row is not None]
            for row in found:
                backlog.place(row)
                self.posting(row)
            yield found
        marked = set()
        for page in self._rows.pages(CLOSED_MARK_ROWS.prefix, nothing):
            for mark, _ in page:
                at, _, account = CLOSED_MARK_ROWS.bare(mark).partition("|")
                key = CLOSED_ACCOUNT_ROWS.key(account)
                self._due.put(account.partition("|")[0], key, int(at) + self._accounts_us)
                marked.add(key)
            yield []
        for page in self._rows.pages(CLOSED_ACCOUNT_ROWS.prefix, lambda key: key not in marked):
            for _, closed in page:
                if closed is not None:
                    self.closed(closed)
            yield []
        for page in self._rows.pages(LOT_STATE_ROWS.prefix):
            for key, lot in page:
                self.lot(key, lot)
                backlog.lot(lot)
            yield []

    def posting(self, row: PostingRow) -> None:
        """Called after each change of the row; so are the others."""
        until = row.closed_at + self._postings_us if ended(row) else None
        self._due.put(row.posting.plant, POSTING_ROWS.key(row.posting.posting_id), until)
        if row.state == ACCEPTED:
            self._rows.put(_accepted_key(row), PlantRow(row.posting.plant, row.closed_at))

    def closed(self, row: AccountClosedRow) -> None:
        plant, key, until = row.account.partition("|")[0], CLOSED_ACCOUNT_ROWS.key(row.account), row.at + self._accounts_us
        before = self._due.next_of(plant, key)
        if before == until:
            return
        if before is not None:
            self._rows.delete(self._closed_key(row.account, before))
        self._rows.put(self._closed_key(row.account, until), PlantRow(plant, row.at))
        self._due.put(plant, key, until)

    def _closed_key(self, account: str, until: int) -> str:
        return CLOSED_MARK_ROWS.key(f"{until - self._accounts_us:020d}", account)

    def lot(self, key: str, row: LotStateRow) -> None:
        """A lot that nobody holds is as good as one that nobody has heard of."""
        self._due.put(row.plant, key, None if row.held else row.label + self._lots_us)

    def repair(self, plant: str, at: int) -> None:
        """The clock was right until `at`: nothing ended later."""
        for key in self._due.later_than(plant, at + min(self._postings_us, self._accounts_us, self._lots_us)):
            self._change(key, lambda row: lowered(row, at))

    def _change(self, key: str, change: Callable[[Any], bool]) -> None:
        row = self._rows.get(key)
        mark = _accepted_key(row) if isinstance(row, PostingRow) and row.state == ACCEPTED else ""
        if not change(row):
            return
        self._rows.put(key, row)
        if mark:
            self._rows.delete(mark)
        if isinstance(row, PostingRow):
            self.posting(row)
        elif isinstance(row, AccountClosedRow):
            self.closed(row)
        else:
            self.lot(key, row)

    def forget(self, step: Step, backlog: Backlog, plant: str, now: int) -> None:
        for key, until in self._due.take(plant, now, MOST_PER_TICK).items():
            if CLOSED_ACCOUNT_ROWS.has(key):
                step.rows.delete(self._closed_key(CLOSED_ACCOUNT_ROWS.bare(key), until))
            if until in self._undated:  # an earlier version did not keep when it ended: it is kept from now on
                self._change(key, lambda row: begun(row, now))
                continue
            if POSTING_ROWS.has(key):
                row: PostingRow = step.rows.get(key)
                backlog.forget(row)
                if row.state == ACCEPTED:
                    step.rows.delete(_accepted_key(row))
            elif LOT_STATE_ROWS.has(key):
                backlog.forget_lot(step.rows.get(key))
            step.rows.delete(key)


def _accepted_key(row: PostingRow) -> str:
    posting = row.posting
    return ACCEPTED_ROWS.key(f"{row.closed_at:020d}", posting.posting_id, posting.endpoint, posting.plant)
