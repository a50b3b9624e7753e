"""Rows of one partition: read through a bounded cache, written back by the checkpoint."""

from collections.abc import Callable, Iterator
from typing import Any

import rocksdict

from schemas.codec import MAX_MESSAGE_BYTES, Codec
from tables.row_kinds import POSITION_ROWS
from tables.rows import always, nowhere

POSITION_KEY = POSITION_ROWS.prefix
MAX_CACHED_ROWS = 200_000
PAGE_ROWS = 200
"""Of a take-over: read and decoded in a few ten milliseconds; then the loop may run."""
PAGE_KEYS = 4_000
"""Keys that a page looks at, most of them without their rows: about as long."""


class ValueTooLarge(ValueError):
    """A row or message above the broker's message limit. A data error of the record that made it grow."""


class StoreDamaged(RuntimeError):
    """The local store cannot be read. No record is to blame: the store is dropped and rebuilt from its changelog."""


class RowCache:
    """The partition's rows by key. A fold may change a row object in place, and then must `put` it.

    Rows that were put are dirty until the checkpoint took them; a deleted row is dirty with None. Reads raise StoreDamaged.
    """

    def __init__(self, db: Any, codec: Codec) -> None:
        self._db = db
        self._codec = codec
        self._rows: dict[str, Any] = {}
        self._dirty: set[str] = set()
        self._in_flight: set[str] = set()
        """Taken for a transaction, not yet in the store."""
        self.careful = False
        """Check the size of each row when it is put, so that the record that made it grow is named."""

    @property
    def pending(self) -> int:
        return len(self._dirty)

    def get(self, key: str) -> Any:
        """The row, or None."""
        if key in self._rows:
            return self._rows[key]
        raw = self._stored(key.encode())
        row = self._rows[key] = None if raw is None else self._codec.decode(raw)
        return row

    def put(self, key: str, row: Any) -> None:
        if self.careful:
            self._encoded(key, row)
        self._rows[key] = row
        self._dirty.add(key)

    def delete(self, key: str) -> None:
        is_gone = key in self._rows and self._rows[key] is None and key not in self._in_flight
        if is_gone and self._stored(key.encode()) is None:
            self._dirty.discard(key)
            return
        self._rows[key] = None
        self._dirty.add(key)

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """All rows whose key begins with `prefix`, in key order, uncommitted changes included. For take-overs and cuts."""
        found: dict[str, Any] = {}
        cursor = _Cursor(self._db, prefix.encode())
        while (raw_key := cursor.key()) is not None:
            key = raw_key.decode()
            found[key] = self._rows[key] if key in self._rows else self._codec.decode(cursor.value())
            cursor.next()
        found.update((key, self._rows[key]) for key in self._dirty | self._in_flight if key.startswith(prefix))
        for key in sorted(found):
            if found[key] is not None:
                self._rows.setdefault(key, found[key])
                yield key, self._rows[key]

    def names(self, prefix: str) -> list[str]:
        """See RowStore."""
        found, cursor = set(), _Cursor(self._db, prefix.encode())
        while (raw_key := cursor.key()) is not None:
            if self._rows.get(key := raw_key.decode(), raw_key) is not None:
                found.add(key)
            cursor.next()
        found.update(key for key in self._dirty | self._in_flight if key.startswith(prefix) and self._rows[key] is not None)
        return sorted(found)

    def pages(
        self, prefix: str, wanted: Callable[[str], bool] = always, past: Callable[[str], str] = nowhere
    ) -> Iterator[list[tuple[str, Any]]]:
        """See RowStore. Rows do not enter the cache: there may be more of them than it holds. No cursor stays open between two
        pages, so the store may be closed there."""
        after: bytes | None = prefix.encode()
        while after is not None:
            page, after = self._page(prefix.encode(), after, wanted, past)
            yield page
        fresh = sorted(
            key for key in self._dirty | self._in_flight if key.startswith(prefix) and self._stored(key.encode()) is None
        )
        yield [(key, self._rows[key] if wanted(key) else None) for key in fresh if self._rows[key] is not None and not past(key)]

    def _page(
        self, prefix: bytes, after: bytes, wanted: Callable[[str], bool], past: Callable[[str], str]
    ) -> tuple[list[tuple[str, Any]], bytes | None]:
        """The rows from `after` on, and where the next page begins; None: nothing follows."""
        found: list[tuple[str, Any]] = []
        read, cursor = 0, _Cursor(self._db, prefix, after)
        for _ in range(PAGE_KEYS):
            raw_key = cursor.key()
            if raw_key is None or read == PAGE_ROWS:
                break
            key = raw_key.decode()
            if skipped := past(key):
                cursor.seek(_behind(skipped.encode()))
                continue
            if not wanted(key):
                found.append((key, None))
            else:
                read += 1
                row = self._rows[key] if key in self._rows else self._codec.decode(cursor.value())
                if row is not None:
                    found.append((key, row))
            cursor.next()
        return found, cursor.key()

    def changed(self, prefix: str) -> list[tuple[str, Any]]:
        """Rows that the next transaction takes, by key; not those that it deletes."""
        found = sorted(key for key in self._dirty if key.startswith(prefix))
        return [(key, self._rows[key]) for key in found if self._rows[key] is not None]

    def take_dirty(self) -> list[tuple[bytes, bytes | None]]:
        """Encoded dirty rows for a transaction; None: tombstone. A row that was born and deleted since leaves no trace."""
        taken: list[tuple[bytes, bytes | None]] = []
        for key in self._dirty:
            row, raw_key = self._rows[key], key.encode()
            if row is not None:
                taken.append((raw_key, self._encoded(key, row)))
            elif self._stored(raw_key) is not None:
                taken.append((raw_key, None))
        self._in_flight, self._dirty = self._dirty, set()
        return taken

    def _encoded(self, key: str, row: Any) -> bytes:
        value = self._codec.encode(row)
        if len(value) > MAX_MESSAGE_BYTES:
            raise ValueTooLarge(f"row {key} has {len(value)} bytes, more than {MAX_MESSAGE_BYTES}")
        return value

    def _stored(self, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._db.get(key)
        except Exception as exc:  # rocksdict has one exception type for all
            raise StoreDamaged(repr(exc)) from exc
        return value

    def written(self) -> None:
        """The transaction is in the store, too: keep the cache bounded; only clean rows are forgotten."""
        self._in_flight = set()
        if len(self._rows) > MAX_CACHED_ROWS:
            self._rows = {key: self._rows[key] for key in self._dirty}

    def write_back(self, rows: list[tuple[bytes, bytes | None]], batch: rocksdict.WriteBatch) -> None:
        for key, value in rows:
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)


class _Cursor:
    """Stored keys with one beginning, in their order. (Not `items` of the store: it ends at a damaged block as if there were no
    more rows.)"""

    def __init__(self, db: Any, prefix: bytes, first: bytes | None = None) -> None:
        self._cursor, self._prefix = db.iter(), prefix
        self.seek(prefix if first is None else first)
        self.next, self.value = self._cursor.next, self._cursor.value

    def seek(self, key: bytes) -> None:
        """To the first key that is not before this one."""
        self._cursor.seek(key)

    def key(self) -> bytes | None:
        """None: the end. Raises StoreDamaged."""
        if self._cursor.valid():
            key: bytes = self._cursor.key()
            return key if key.startswith(self._prefix) else None
        try:
            self._cursor.status()
        except Exception as exc:
            raise StoreDamaged(repr(exc)) from exc
        return None


def _behind(prefix: bytes) -> bytes:
    """The first key that may follow all keys with this beginning, which ends with a character of ASCII."""
    return prefix[:-1] + bytes([prefix[-1] + 1])
