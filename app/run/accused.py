"""Records of a run in memory whose folding raised. A run is a function of its input: done again it meets the same record, and
refuses it when it has raised often enough (docs/adr/0111). Records are named by content: how many outcomes of the ERP stand
before one in an inbox may differ the next time.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.codec import UnknownSchema
from streams.memory_step import MemoryStep, Message
from streams.step import SUSPECT_LIMIT

MOST_BEGINNINGS = 20
"""Of one run, because of records that raise; then it ends with what was raised."""
_NO_RECORD = (UnknownSchema, OSError, MemoryError)
"""What no record is to blame for."""

Place = tuple[str, int]
"""Stage and partition."""


class FoldFailed(RuntimeError):
    """Folding a record raised; its rows may be half changed. The cause is what was raised."""

    def __init__(self, place: Place, record: bytes) -> None:
        """`record`: its name, see `Accused`."""
        super().__init__(f"{place[0]}/{place[1]}")
        self.place, self.record = place, record


@dataclass(slots=True)
class Accused:
    """How often each record raised, over the beginnings of one run; and which of them the present one has not met yet."""

    _raised: dict[Place, Counter[bytes]] = field(default_factory=lambda: defaultdict(Counter))
    _ahead: dict[Place, set[bytes]] = field(default_factory=dict)

    @property
    def beginnings(self) -> int:
        """Of the run, that ended with a record that raised."""
        return sum(counts.total() for counts in self._raised.values())

    def accuse(self, failed: FoldFailed) -> bool:
        """False: doing it again would not help."""
        counts = self._raised[failed.place]
        counts[failed.record] += 1
        return counts[failed.record] <= SUSPECT_LIMIT and self.beginnings < MOST_BEGINNINGS

    def begin(self) -> None:
        """Everything lies ahead again."""
        self._ahead = {place: set(counts) for place, counts in self._raised.items()}

    def batches(self, place: Place, step: MemoryStep, messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
        """The messages as they are to be folded: while an accused record lies ahead one by one, so that the right one is named,
        with those that raised too often as the step's suspects."""
        ahead = self._ahead.get(place)
        if not ahead:
            yield messages
            return
        step.careful = True
        for message in messages:
            name = _named(message.value)
            ahead.discard(name)
            raised_often = self._raised[place][name] >= SUSPECT_LIMIT
            step.suspects = frozenset([message.offset]) if raised_often else frozenset()
            yield [message]
        step.careful, step.suspects = bool(ahead), frozenset()


def blamed(wrong: Exception, place: Place, step: MemoryStep) -> Exception:
    """What a fold raised, with the record that it was about where one is to blame."""
    if isinstance(wrong, _NO_RECORD):
        return wrong
    if step.waited is not None:
        return FoldFailed(place, _named(step.waited.record))
    values = [message.value for message in step.records if message.offset == step.offset]
    return FoldFailed(place, _named(values[0])) if values else wrong


def _named(value: Any) -> bytes:
    """Raw records stand where they stand; others say it."""
    where = getattr(value, "raw_source", None)
    content = bytes(value) if where is None else f"{where}\n{value.raw_offset}".encode()
    return hashlib.sha256(content).digest()
