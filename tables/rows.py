"""What a fold needs of a table: rows by key. The engine and the tests each have their own."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol


def always(key: str) -> bool:
    return True


def nothing(key: str) -> bool:
    return False


class RowStore(Protocol):
    """One partition of a stage's table. A row that is changed in place must be put again."""

    def get(self, key: str) -> Any: ...

    def put(self, key: str, row: Any) -> None: ...

    def delete(self, key: str) -> None: ...

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Rows by key order. Costs a read of the store: for take-overs and corrections, not for each record."""
        ...

    def pages(self, prefix: str, wanted: Callable[[str], bool] = always) -> Iterator[list[tuple[str, Any]]]:
        """Rows by key order, some at a time, for take-overs that share the loop. A key that is not wanted comes with None: its
        row is not read. Nothing is put or deleted under the prefix until the last page."""
        ...
