"""Since when a partition has had records before it and has not moved: the one measure of a stage that is stuck."""

from typing import Any
from weakref import WeakKeyDictionary


class Progress:
    """Of the partitions that one asker looks at; each asker has its own. What is gone is forgotten by itself."""

    def __init__(self) -> None:
        self._seen: WeakKeyDictionary[Any, tuple[int, float]] = WeakKeyDictionary()

    def stands_for(self, part: Any, end: int | None, now: float) -> float:
        """Seconds for which the owned partition `part` has committed nothing although `end`, the next offset of the inbox, is
        beyond its position. 0.0: it moved since it was asked last, or nothing waits. `now`: monotonic seconds.

        A partition that was lost and came back is another object and begins anew: meanwhile it was somebody else's.
        """
        committed, since = self._seen.get(part, (-1, now))
        if committed != part.committed or (end or 0) <= part.committed:
            since = now
        self._seen[part] = part.committed, since
        return now - since
