"""What a fold needs of a table: rows by key. The engine keeps them in RocksDB; `MemoryRows` keeps them in a dictionary."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol


def always(key: str) -> bool:
    return True


def nothing(key: str) -> bool:
    return False


def nowhere(key: str) -> str:
    return ""


class RowStore(Protocol):
    """One partition of a stage's table. A row that is changed in place must be put again."""

    def get(self, key: str) -> Any: ...

    def put(self, key: str, row: Any) -> None: ...

    def delete(self, key: str) -> None: ...

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Rows by key order. Costs a read of the store: for take-overs and corrections, not for each record."""
        ...

    def names(self, prefix: str) -> list[str]:
        """Keys in their order, without their rows."""
        ...

    def pages(
        self, prefix: str, wanted: Callable[[str], bool] = always, past: Callable[[str], str] = nowhere
    ) -> Iterator[list[tuple[str, Any]]]:
        """Rows by key order, some at a time, for take-overs that share the loop. A key that is not wanted comes with None: its
        row is not read. `past` names a beginning of the key: whatever has the same one is passed over and costs one step, not
        one for each; empty: nothing is. Nothing is put or deleted under the prefix until the last page."""
        ...


class MemoryRows:
    """A RowStore in a dictionary. Keys are sorted only when somebody scans after new ones came."""

    def __init__(self, rows: Mapping[str, Any] | None = None) -> None:
        self.rows: dict[str, Any] = dict(rows or {})
        self._keys: list[str] = []
        self._fresh: set[str] = set(self.rows)

    def get(self, key: str) -> Any:
        return self.rows.get(key)

    def put(self, key: str, row: Any) -> None:
        if key not in self.rows:
            self._fresh.add(key)
        self.rows[key] = row

    def delete(self, key: str) -> None:
        self.rows.pop(key, None)

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        if self._fresh:
            self._keys = sorted({key for key in self._keys if key in self.rows} | self._fresh)
            self._fresh = set()
        found = []
        for at in range(bisect_left(self._keys, prefix), len(self._keys)):
            key = self._keys[at]
            if not key.startswith(prefix):
                break
            if key in self.rows:
                found.append((key, self.rows[key]))
        yield from found

    def names(self, prefix: str) -> list[str]:
        return [key for key, _ in self.scan(prefix)]

    def pages(
        self, prefix: str, wanted: Callable[[str], bool] = always, past: Callable[[str], str] = nowhere
    ) -> Iterator[list[tuple[str, Any]]]:
        yield [(key, row if wanted(key) else None) for key, row in self.scan(prefix) if not past(key)]
