"""A store of bytes in memory, for tests of folds whose rows are not what they have in memory."""


class MemoryStore:
    """RocksDB's part under the engine's row cache: bytes by key, and what a changelog would have got."""

    def __init__(self) -> None:
        self.rows: dict[bytes, bytes] = {}
        self.written: dict[str, int] = {}

    def get(self, key: bytes) -> bytes | None:
        return self.rows.get(key)

    def write(self, rows: list[tuple[bytes, bytes | None]]) -> None:
        for key, value in rows:
            kind = key[:1].decode()
            self.written[kind] = self.written.get(kind, 0) + len(key) + len(value or b"")
            if value is None:
                self.rows.pop(key, None)
            else:
                self.rows[key] = value

    def iter(self) -> "Cursor":
        return Cursor(sorted(self.rows.items()))


class Cursor:
    def __init__(self, rows: list[tuple[bytes, bytes]]) -> None:
        self._rows, self._at = rows, 0

    def seek(self, prefix: bytes) -> None:
        self._at = next((n for n, (key, _) in enumerate(self._rows) if key >= prefix), len(self._rows))

    def valid(self) -> bool:
        return self._at < len(self._rows)

    def key(self) -> bytes:
        return self._rows[self._at][0]

    def value(self) -> bytes:
        return self._rows[self._at][1]

    def next(self) -> None:
        self._at += 1

    def status(self) -> None:
        """A dictionary is never damaged."""
