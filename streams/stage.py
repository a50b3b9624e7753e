"""What a stage is to the engine: a fold, and what it may have beside it. A stage's author implements these; the engine
(app/engine/stage.py), simulation and tests call them."""

from collections.abc import Iterable, Iterator
from typing import Protocol, runtime_checkable

from streams.figures import Figure
from streams.step import Step


class Fold(Protocol):
    """The pure heart of a stage. Deterministic: no I/O, no wall clock, no randomness; time and configuration are records."""

    name: str
    version: int

    def fold(self, step: Step) -> None:
        """Fold step.records into step.rows and step.state; emit results. Sets step.offset before each record."""
        ...

    def taken_over(self, step: Step) -> None:
        """A partition was restored: build what is kept in memory from its rows. Called once, before any batch."""
        ...

    def left(self, partition: int) -> None:
        """The partition is gone: forget its memory."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A fold whose memory is built from many rows. The engine calls this instead of `taken_over`."""

    def remember(self, step: Step) -> Iterator[None]:
        """`step`: without records. Like `taken_over`, a part at a time: yields every few ten milliseconds, where the loop
        may run. Not gone on with when the partition leaves meanwhile."""
        ...


@runtime_checkable
class Gathering(Protocol):
    """A fold that gathers messages or rows until the commit that they leave with."""

    def before_commit(self, step: Step) -> None:
        """`step`: without records. Emit or put what was gathered from the records folded so far."""
        ...


@runtime_checkable
class Figured(Protocol):
    """A fold that has figures of its work. Asked by another thread: it copies what it counts."""

    def figures(self) -> Iterable[Figure]: ...
