"""How much of a recorded file was read, in its own bytes: of a packed one those that are packed."""

from pathlib import Path
from typing import IO


class FileRead:
    """`given`: records of a sorted file that were given out."""

    def __init__(self, path: Path) -> None:
        self._size, self._whole, self._sorted, self.given = path.stat().st_size, False, 0, 0
        self._file: IO[bytes] | None = None

    @property
    def total(self) -> int:
        """Bytes of the file."""
        return self._size

    @property
    def done(self) -> int:
        """Bytes that are read; of a file that was sorted first, the same share of them as of its records."""
        if self._sorted:
            return self._size * self.given // self._sorted
        if self._whole:
            return self._size
        return 0 if self._file is None or self._file.closed else min(self._file.tell(), self._size)

    def follow(self, file: IO[bytes]) -> None:
        """The file is opened."""
        self._file = file

    def by_records(self, records: int) -> None:
        """The file was read and sorted: so many records are to be given out."""
        self._sorted = records

    def ended(self) -> None:
        """All of it is read."""
        self._whole = True
