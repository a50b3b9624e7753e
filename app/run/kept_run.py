"""A run in memory with its checkpoint folder: what it begins with, and what it keeps when it is time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.erp.sent_postings import SentPostings
from app.erp.telemetry_check import SeenTelemetry
from app.inputs.recorded_input import InputPlace
from app.run.checkpoint import Checkpoints, FedSoFar, NotedRows, Partition, Partitions
from app.run.resume import ROWS, SENT
from schemas.records import PartitionPosition


class KeptRun:
    """`fed`: the caller keeps it up to date. `sent`: where the ERP's adapter notes what leaves."""

    def __init__(self, folder: Path, durable: bool) -> None:
        """`durable`: see SentPostings. Raises CheckpointUnusable."""
        self._store = Checkpoints(folder / ROWS, time.monotonic)
        kept = self._store.read()
        self._partitions = kept.partitions if kept is not None else {}
        self.letters = kept.letters if kept is not None else []
        self.seen = kept.seen if kept is not None else SeenTelemetry()
        self.fed = kept.fed if kept is not None else FedSoFar()
        self.sent = SentPostings(folder / SENT, self.fed.sent_bytes, durable, self.fed.doubtful)

    @property
    def due(self) -> bool:
        return self._store.due

    @property
    def place(self) -> InputPlace | None:
        """Of the input, to go on from."""
        return self.fed.place

    def begins(self, stage: str, partition: int) -> Partition:
        """What a partition begins with. To be asked once for each."""
        kept = self._partitions.pop((stage, partition), None)
        return kept if kept is not None else Partition(NotedRows(), PartitionPosition(0, 1, 1, ""))

    def write(self, at_rest: Callable[[], Partitions]) -> None:
        """Keep all that the stages know. See Checkpoints.write."""
        self.fed.sent_bytes, self.fed.doubtful = self.sent.size, sorted(self.sent.doubtful)
        self._store.write(at_rest, self.letters, self.seen, self.fed)

    def close(self) -> None:
        self.sent.close()
        self._store.close()


@contextmanager
def keeping(folder: Path | None, durable: bool) -> Iterator[KeptRun | None]:
    """None: the run keeps nothing."""
    if folder is None:
        yield None
        return
    kept = KeptRun(folder, durable)
    try:
        yield kept
    finally:
        kept.close()
