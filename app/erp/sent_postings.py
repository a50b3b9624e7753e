"""Which postings this run may have sent: noted before a request leaves, so that a run that goes on sends none of them blindly.

A checkpoint is older than the last calls to the ERP. The folds make the same postings again, with the same ids; of those that are
noted here behind the checkpoint nobody knows the outcome.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from app.erp.traffic import POST, Request, Sink
from schemas.records import AttemptEnded
from tables.delivery.outbox import Dispatch, Entry

TAKEN_OVER = "TAKEN_OVER"


class SentPostings(Sink):
    """A file of posting ids, a line each. `doubtful`: those that stand behind the checkpoint, and those that an earlier process
    had not come to again when it was stopped."""

    def __init__(self, path: Path, checked: int, durable: bool, doubtful: Iterable[str] = ()) -> None:
        """`checked`: bytes that the checkpoint knows of, `doubtful`: those of these that are. `durable`: noted also when the
        machine dies; an ERP that takes repetitions for what they are needs only to be spared them."""
        self._file, self._durable = path.open("ab+"), durable
        self._file.seek(0)
        known = self._file.read()
        whole = known[: known.rfind(b"\n") + 1]
        self._file.truncate(len(whole))  # what was cut off had not left
        self.size = len(whole)
        self.doubtful = {*doubtful, *whole[checked:].decode().split()}

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
        """The outbox entries without the documents of which nobody knows whether they left: of each line that is told once, as a
        take-over does, and from then on it goes its usual way (sent again under its id, or read back first). Lines of one
        document go together or not at all."""
        return [entry for entry in entries if not self._is_doubtful(entry, tell)]

    def close(self) -> None:
        self._file.close()

    def _is_doubtful(self, entry: Entry, tell: Callable[[AttemptEnded], None]) -> bool:
        if not isinstance(entry, Dispatch) or self.doubtful.isdisjoint(posting_id for posting_id, _ in entry.lines):
            return False
        for posting_id, attempt in entry.lines:
            self.doubtful.discard(posting_id)
            detail = "the process that had it ended"
            tell(AttemptEnded(posting_id, attempt, result="unknown", call="post", code=TAKEN_OVER, detail=detail))
        return True
