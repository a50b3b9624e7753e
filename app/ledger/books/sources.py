"""Where the source records of a ledger are, and reading them again: the input files of a run, or (live) its raw topics."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.inputs.recorded_input import merged
from app.ledger.books.inputs import found_again
from app.ledger.books.rereading import Reread, reread
from app.ledger.books.snapshot import Snapshot
from schemas.configuration import Configuration
from schemas.records import IssuedPosting, RawRange


@dataclass(slots=True, frozen=True)
class Around:
    """What a posting was made of, as far as the ledger's rows know: they say where to look, never what is there."""

    plant: str
    order: str
    equipment: frozenset[str]
    """Those that gave something to the order."""
    posting: IssuedPosting
    since: int
    """When the oldest thing was told that holds for it still: its runs, what was loaded (microseconds)."""


class Sources(Protocol):
    """Raw records that can be read again. All but `configuration` raise SourceExpired: past retention the stored sums are all
    there is."""

    def around(self, snapshot: Snapshot, wanted: Around) -> Iterator[Reread]:
        """What a posting was made of; then, for who is not content with it, all that there is."""
        ...

    def everything(self, snapshot: Snapshot) -> Reread: ...

    def check(self, ranges: list[RawRange]) -> None:
        """Are these records still there?"""
        ...

    def configuration(self, snapshot: Snapshot, posting: IssuedPosting) -> Configuration:
        """The one that held when the posting was made."""
        ...


class FileSources:
    """The files that a run read, named in its output folder."""

    def __init__(self, out: Path, private_key: bytes) -> None:
        self._out, self._private_key = out, private_key

    def around(self, snapshot: Snapshot, wanted: Around) -> Iterator[Reread]:
        yield self._read(snapshot, wanted.equipment)

    def everything(self, snapshot: Snapshot) -> Reread:
        return self._read(snapshot, None)

    def _read(self, snapshot: Snapshot, only: frozenset[str] | None) -> Reread:
        files = found_again(snapshot.about.get("inputs", ()), self._out)
        records = merged(files, snapshot.configuration.plant, self._private_key)
        return reread(records, snapshot.configuration, self._private_key, only=only)

    def check(self, ranges: list[RawRange]) -> None:
        """`around` and `everything` look at the files themselves."""

    def configuration(self, snapshot: Snapshot, posting: IssuedPosting) -> Configuration:
        """A run has one."""
        return snapshot.configuration
