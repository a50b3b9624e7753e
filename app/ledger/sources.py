"""Where the source records of a ledger are, and reading them again: the input files of a run."""

from collections.abc import Container
from pathlib import Path
from typing import Protocol

from app.ledger.inputs import found_again
from app.ledger.rereading import Reread, reread
from app.ledger.snapshot import Snapshot
from app.run.recorded_input import merged
from schemas.records import RawRange


class Sources(Protocol):
    """Raw records that can be read again. Both raise SourceExpired: past retention the stored sums are all there is."""

    def read(self, snapshot: Snapshot, only: Container[str] | None, until: int) -> Reread:
        """`only`: equipment that matters, None: all. `until`: microseconds; later records may be left out."""
        ...

    def check(self, ranges: list[RawRange]) -> None:
        """Are these records still there?"""
        ...


class FileSources:
    """The files that a run read, named in its output folder."""

    def __init__(self, out: Path, private_key: bytes) -> None:
        self._out, self._private_key = out, private_key

    def read(self, snapshot: Snapshot, only: Container[str] | None, until: int) -> Reread:
        files = found_again(snapshot.about.get("inputs", ()), self._out)
        records = merged(files, snapshot.configuration.plant, self._private_key)
        return reread(records, snapshot.configuration, self._private_key, only=only)

    def check(self, ranges: list[RawRange]) -> None:
        """`read` looks at the files themselves."""
