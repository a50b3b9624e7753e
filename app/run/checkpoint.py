"""The checkpoint of a run in memory: all that its stages know at one moment at which nothing is on its way between them.

One RocksDB, into which each checkpoint is one batch, synchronised: there is the newest one or the one before it, never a part.
Rows and positions are what a changelog would have. What is not in it is a function of the input.
"""

import errno
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import rocksdict

from app.erp.telemetry_check import SeenTelemetry
from app.inputs.recorded_input import FilePlace, InputPlace
from app.run.resume import CheckpointUnusable
from schemas.codec import Codec
from schemas.records import PartitionPosition
from tables.rows import MemoryRows

EVERY_SECONDS = 15.0
"""Between two checkpoints, at least."""
SHARE = 0.025
"""Of the run's time that checkpoints take, at most: one that takes long makes the next one later."""
DAMAGED = "`--afresh` begins again without it"
STANDS = "the checkpoint before it stands, `--resume` goes on from there"
_ROW, _POSITION, _LETTER, _FED, _SEEN = b"row|", b"position|", b"letter|", b"fed", b"seen"


class NotedRows(MemoryRows):
    """MemoryRows that know which of them changed since the last checkpoint."""

    def __init__(self, rows: Mapping[str, Any] | None = None) -> None:
        super().__init__(rows)
        self.changed: set[str] = set()

    def put(self, key: str, row: Any) -> None:
        self.changed.add(key)
        super().put(key, row)

    def delete(self, key: str) -> None:
        self.changed.add(key)
        super().delete(key)


class Partition(NamedTuple):
    """Of a stage, by name and number: what it begins with, or what of it is to be kept."""

    rows: NotedRows
    state: PartitionPosition


Partitions = Mapping[tuple[str, int], Partition]


@dataclass(slots=True)
class FedSoFar:
    """What of the input is folded. `place` None: nothing. `by_source`: records by raw source. `ended`: the end of the input, too.
    `sent_bytes`: of the noted postings; `doubtful`: those of them whose outcome nobody knows yet."""

    place: InputPlace | None = None
    by_source: Counter[str] = field(default_factory=Counter)
    ended: bool = False
    sent_bytes: int = 0
    doubtful: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Kept:
    """A checkpoint as it is read."""

    partitions: dict[tuple[str, int], Partition]
    letters: list[bytes]
    seen: SeenTelemetry
    fed: FedSoFar


class Checkpoints:
    """The checkpoint folder of one run, open until `close`. `now`: monotonic seconds."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        """Raises CheckpointUnusable: damaged, or another process has it."""
        self._now, self._codec, self._path = now, Codec(), path
        self._letters, self._names, self._failed = 0, -1, False
        self._next = now() + EVERY_SECONDS
        with _usable(path):
            self._db = rocksdict.Rdict(str(path), options=rocksdict.Options(raw_mode=True))
        self._durable = rocksdict.WriteOptions()
        self._durable.sync = True

    @property
    def due(self) -> bool:
        return self._now() >= self._next

    def read(self) -> Kept | None:
        """The newest checkpoint; None: there was none. Raises CheckpointUnusable."""
        with _usable(self._path):
            fed = self._db.get(_FED)
            if fed is None:
                return None
            rows: dict[tuple[str, int], dict[str, Any]] = defaultdict(dict)
            states: dict[tuple[str, int], PartitionPosition] = {}
            letters: list[bytes] = []
            cursor = self._db.iter()
            cursor.seek(b"")
            while cursor.valid():
                key, value = cursor.key(), cursor.value()
                if key.startswith(_ROW):
                    _, stage, partition, row = key.decode().split("|", 3)
                    rows[stage, int(partition)][row] = self._codec.decode(value)
                elif key.startswith(_POSITION):
                    _, stage, partition = key.decode().split("|")
                    states[stage, int(partition)] = self._codec.decode(value)
                elif key.startswith(_LETTER):
                    letters.append(value)
                cursor.next()
            cursor.status()  # a damaged block ends the cursor as the last key does
            seen = json.loads(self._db.get(_SEEN) or b"[[], []]")
        self._letters = len(letters)
        names, values = (dict.fromkeys(found) for found in seen)
        partitions = {at: Partition(NotedRows(rows[at]), state) for at, state in states.items()}
        return Kept(partitions, letters, SeenTelemetry(names, values), _fed(json.loads(fed)))

    def write(self, at_rest: Callable[[], Partitions], letters: list[bytes], seen: SeenTelemetry, fed: FedSoFar) -> None:
        """Keep what changed since the last one. `at_rest`: brings it about that nothing is on its way between the stages; part
        of what a checkpoint takes.

        Raises OSError (no space left) and CheckpointUnusable; the checkpoint before this one stands then.
        """
        began, batch = self._now(), rocksdict.WriteBatch(raw_mode=True)
        partitions = at_rest()
        for (stage, partition), (rows, state) in partitions.items():
            place = f"{stage}|{partition}"
            for key in rows.changed:
                row, name = rows.get(key), _ROW + f"{place}|{key}".encode()
                if row is None:
                    batch.delete(name)
                else:
                    batch.put(name, self._codec.encode(row))
            batch.put(_POSITION + place.encode(), self._codec.encode(state))
        for number in range(self._letters, len(letters)):
            batch.put(_LETTER + b"%012d" % number, letters[number])
        noted = len(seen.names) + len(seen.values)
        if noted != self._names:
            batch.put(_SEEN, json.dumps([list(seen.names), list(seen.values)]).encode())
        batch.put(_FED, json.dumps(_told(fed)).encode())
        self._failed = True
        with _usable(self._path, STANDS):
            self._db.write(batch, self._durable)
        self._failed = False
        for rows, _ in partitions.values():
            rows.changed.clear()
        self._letters, self._names = len(letters), noted
        self._next = self._now() + max(EVERY_SECONDS, (self._now() - began) / SHARE)

    def close(self) -> None:
        with suppress(Exception) if self._failed else nullcontext():  # what was wrong is told already
            self._db.close()


@contextmanager
def _usable(path: Path, then: str = DAMAGED) -> Iterator[None]:
    """What RocksDB and the codec raise, as what a person can act upon. (RocksDB has one type of exception for all.)"""
    try:
        yield
    except Exception as wrong:
        text = str(wrong)
        if os.strerror(errno.ENOSPC) in text:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from wrong
        if "lock hold" in text or "While lock file" in text:
            raise CheckpointUnusable(f"{path}: another process works with it") from wrong
        raise CheckpointUnusable(f"{path}: {text}; {then}") from wrong


def _told(fed: FedSoFar) -> dict[str, Any]:
    return {
        "place": fed.place,
        "by_source": fed.by_source,
        "ended": fed.ended,
        "sent_bytes": fed.sent_bytes,
        "doubtful": fed.doubtful,
    }


def _fed(told: Mapping[str, Any]) -> FedSoFar:
    place = None
    if told["place"] is not None:
        begins, files = told["place"]
        place = InputPlace(begins, [FilePlace(*file) for file in files])
    return FedSoFar(place, Counter(told["by_source"]), told["ended"], told["sent_bytes"], told["doubtful"])
