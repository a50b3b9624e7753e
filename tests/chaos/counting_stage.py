"""A stage so small that its truth can be written twice: how many ticks of each key came, and the sum of their times.

One row per key (AccountClosedRow: closed = count, beyond = [sum, inbox offset of the last one]); a final tick deletes the row.
Each touched key sends its row to `counting.out`, the inbox offset is the version. Some keys misbehave on purpose.
"""

from typing import Any

from schemas.codec import MAX_MESSAGE_BYTES
from schemas.records import AccountClosedRow, Tick
from streams import boundary
from streams.boundary import AT_ONCE, Handling

STAGE, INBOX, OUT, CHANGELOG = "counting", "counting.inbox", "counting.out", "counting.changelog"
POISON, GROWS, SHOUTS = "poison", "grows", "shouts"
"""Keys whose fold raises, makes a row too large, makes a message too large."""


class CountingStage:
    name = STAGE
    version = 1

    def fold(self, step: Any) -> None:
        """Rows are put and sent at the end of the batch, as in the equipment stage."""
        touched: dict[str, AccountClosedRow] = {}
        for message, tick, _ in boundary.records(step, self.name, {Tick: Handling(AT_ONCE, None)}):
            key = tick.plant
            if key == POISON:
                raise ZeroDivisionError("poison")
            row = touched.get(key) or step.rows.get(key) or AccountClosedRow(key, 0, [0, -1])
            if tick.final:
                row = AccountClosedRow(key, 0, [0, message.offset])
            else:
                row.closed += 1
                row.beyond[:2] = [row.beyond[0] + tick.at, message.offset]
            if key == GROWS:
                row.beyond += [1 << 62] * (MAX_MESSAGE_BYTES // 9)
            if key == SHOUTS:
                step.emit(OUT, key, AccountClosedRow("x" * MAX_MESSAGE_BYTES, 0))
            touched[key] = row
        for key, row in touched.items():
            if row.closed:
                step.rows.put(key, row)
            else:
                step.rows.delete(key)
            if key != GROWS:
                step.emit(OUT, key, row)

    def taken_over(self, step: Any) -> None:
        """Nothing is kept in memory."""

    def left(self, partition: int) -> None:
        """See taken_over."""
