"""`lineledger run` in memory that keeps often, and whose machine dies at a stated moment, without warning, with all it started.

DIES_AT: how many beginnings and ends of turns, checkpoints and notes of postings it does before. DIES_SENDING: the same of notes
of postings only; then it keeps nothing.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

from app.cli.main import main
from app.erp.sent_postings import SentPostings
from app.run import checkpoint, in_memory

DIES_AT, DIES_SENDING = "LINELEDGER_TEST_DIES_AT", "LINELEDGER_TEST_DIES_SENDING"


class Machine:
    def __init__(self, dies_at: int) -> None:
        self._left = dies_at

    def counted(self, done: Callable[..., Any]) -> Callable[..., Any]:
        def doing(*arguments: Any, **named: Any) -> Any:
            self.step()
            found = done(*arguments, **named)
            self.step()
            return found

        return doing

    def step(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    in_memory.BATCH = 100
    checkpoint.EVERY_SECONDS, checkpoint.SHARE = 0.0, 1.0
    machine = Machine(int(os.environ.get(DIES_AT, "0")))
    if DIES_SENDING in os.environ:
        checkpoint.EVERY_SECONDS, machine = 1e6, Machine(int(os.environ[DIES_SENDING]))
    else:
        in_memory.Chain._turn = machine.counted(in_memory.Chain._turn)  # type: ignore[method-assign]
        checkpoint.Checkpoints.write = machine.counted(checkpoint.Checkpoints.write)  # type: ignore[method-assign]
    SentPostings.tell = machine.counted(SentPostings.tell)  # type: ignore[method-assign]
    main()
