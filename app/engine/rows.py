"""Rows of one partition: read through a bounded cache, written back by the checkpoint."""

from collections.abc import Iterator
from typing import Any

import rocksdict

from schemas.codec import MAX_MESSAGE_BYTES, Codec

POSITION_KEY = "__position"
MAX_CACHED_ROWS = 200_000


class ValueTooLarge(ValueError):
    """A row or message above the broker's message limit. A data error of the record that made it grow."""


class RowCache:
    """The partition's rows by key. A fold may change a row object in place, and then must `put` it.

    Rows that were put are dirty until the checkpoint took them; a deleted row is dirty with None.
    """

    def __init__(self, db: Any, codec: Codec) -> None:
        self._db = db
        self._codec = codec
        self._rows: dict[str, Any] = {}
        self._dirty: set[str] = set()

    @property
    def pending(self) -> int:
        return len(self._dirty)

    def get(self, key: str) -> Any:
        """The row, or None."""
        if key in self._rows:
            return self._rows[key]
        raw = self._db.get(key.encode())
        row = self._rows[key] = None if raw is None else self._codec.decode(raw)
        return row

    def put(self, key: str, row: Any) -> None:
        self._rows[key] = row
        self._dirty.add(key)

    def delete(self, key: str) -> None:
        if self._rows.get(key) is None and key in self._rows and self._db.get(key.encode()) is None:
            self._dirty.discard(key)
            return
        self._rows[key] = None
        self._dirty.add(key)

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """All rows whose key begins with `prefix`, in key order, uncommitted changes included. For take-overs and cuts."""
        found: dict[str, Any] = {}
        start = prefix.encode()
        for raw_key, raw in self._db.items(from_key=start):
            if not raw_key.startswith(start):
                break
            key = raw_key.decode()
            found[key] = self._rows[key] if key in self._rows else self._codec.decode(raw)
        found.update((key, self._rows[key]) for key in self._dirty if key.startswith(prefix))
        for key in sorted(found):
            if found[key] is not None:
                self._rows.setdefault(key, found[key])
                yield key, self._rows[key]

    def take_dirty(self) -> list[tuple[bytes, bytes | None]]:
        """Encoded dirty rows for a transaction; None: tombstone. A row that was born and deleted since leaves no trace."""
        taken: list[tuple[bytes, bytes | None]] = []
        for key in self._dirty:
            row, raw_key = self._rows[key], key.encode()
            if row is not None:
                value = self._codec.encode(row)
                if len(value) > MAX_MESSAGE_BYTES:
                    raise ValueTooLarge(f"row {key} has {len(value)} bytes, more than {MAX_MESSAGE_BYTES}")
                taken.append((raw_key, value))
            elif self._db.get(raw_key) is not None:
                taken.append((raw_key, None))
        self._dirty = set()
        return taken

    def trim(self) -> None:
        """Keep the cache bounded; only clean rows are forgotten."""
        if len(self._rows) > MAX_CACHED_ROWS:
            self._rows = {key: self._rows[key] for key in self._dirty}

    def write_back(self, rows: list[tuple[bytes, bytes | None]], batch: rocksdict.WriteBatch) -> None:
        for key, value in rows:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
