"""What a fold needs of a table: rows by key. The engine and the tests each have their own."""

from collections.abc import Iterator
from typing import Any, Protocol


class RowStore(Protocol):
    """One partition of a stage's table. A row that is changed in place must be put again."""

    def get(self, key: str) -> Any: ...

    def put(self, key: str, row: Any) -> None: ...

    def delete(self, key: str) -> None: ...

    def scan(self, prefix: str) -> Iterator[tuple[str, Any]]:
        """Rows by key order. Costs a read of the store: for take-overs and corrections, not for each record."""
        ...
