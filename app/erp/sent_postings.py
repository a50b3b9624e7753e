"""Which postings this run may have sent: noted before a request leaves, so that a run that goes on sends none of them blindly.

A checkpoint is older than the last calls to the ERP. The folds make the same postings again, with the same ids; of those that are
noted here behind the checkpoint nobody knows the outcome.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from app.erp.traffic import POST, Request, Sink
from schemas.records import AttemptEnded
from tables.delivery.outbox import Dispatch, Entry

TAKEN_OVER = "TAKEN_OVER"


class SentPostings(Sink):
    """A file of posting ids, a line each. `doubtful`: those that stand behind the checkpoint."""

    def __init__(self, path: Path, checked: int, durable: bool) -> None:
        """`checked`: bytes that the checkpoint knows of. `durable`: noted also when the machine dies; an ERP that takes
        repetitions for what they are needs only to be spared them."""
        self._file, self._durable = path.open("ab+"), durable
        self._file.seek(0)
        known = self._file.read()
        whole = known[: known.rfind(b"\n") + 1]
        self._file.truncate(len(whole))  # what was cut off had not left
        self.size = len(whole)
        self.doubtful = set(whole[checked:].decode().split())

    def tell(self, request: Request) -> None:
        if request.call != POST or not request.postings:
            return
        lines = "".join(f"{posting_id}\n" for posting_id in request.postings).encode()
        self._file.write(lines)
        self._file.flush()
        if self._durable:
            os.fsync(self._file.fileno())
        self.size += len(lines)

    def certain(self, entries: Sequence[Entry], tell: Callable[[AttemptEnded], None]) -> list[Entry]:
        """The outbox entries without the postings whose outcome nobody knows: of each that is told once, as a take-over does, and
        from then on it goes its usual way (sent again under its id, or read back first)."""
        return [found for entry in entries if (found := self._certain(entry, tell)) is not None]

    def close(self) -> None:
        self._file.close()

    def _certain(self, entry: Entry, tell: Callable[[AttemptEnded], None]) -> Entry | None:
        if not self.doubtful or not isinstance(entry, Dispatch):
            return entry
        lines = [line for line in entry.lines if line[0] not in self.doubtful]
        if len(lines) == len(entry.lines):
            return entry
        for posting_id, attempt in entry.lines:
            if posting_id in self.doubtful:
                self.doubtful.discard(posting_id)
                detail = "the process that had it ended"
                tell(AttemptEnded(posting_id, attempt, result="unknown", call="post", code=TAKEN_OVER, detail=detail))
        if not lines:
            return None
        (posting_id, attempt), *others = lines
        return replace(entry, posting_id=posting_id, attempt=attempt, others=tuple(others))
