"""What goes into a mapping and what comes out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.records import LetterSettled, Quantity

UNAVAILABLE = -(2**63)
"""Value of a reading by which the source says that it has no value. No amount is ever this."""
MAX_RAW_BYTES = 1 << 20
MAX_INT64 = 2**63 - 1
MAX_TEXT = 4096
"""Characters of a free text, e.g. a process value."""
MAX_IDENTIFIER = 128
"""Characters of anything that becomes part of a key."""
MAX_LIST = 1000
"""Elements of a nested list, e.g. the operations of an order."""


@dataclass(slots=True)
class RawRecord:
    """A raw record and where it stands. `received_at`: broker or file time in microseconds UTC, 0 when there is none."""

    value: bytes
    source: str
    raw_source: str
    raw_offset: int
    received_at: int = 0
    replay: str = ""
    """Where the replay of a dead letter stands; empty: the record came by itself."""
    parts: int = 1
    """Records that it holds, each with an id of its own (elements of a list). The mapper says so."""
    settles: Sequence[LetterSettled] = ()
    """Of a replay: the dead letters that it answers."""
    nodes: list[Any] | None = None
    """What its format's reader gave, while the same process goes on with it; None: nobody did, or it is private."""


class Reading(NamedTuple):
    """One reading of a cumulative counter. `value` counts steps of 10^-(the counter's decimals), or is UNAVAILABLE."""

    equipment: str
    counter: str
    seq: int
    """The source's own sequence number; -1: it has none."""
    occurred_at: int
    value: int
    received_at: int


@dataclass(slots=True)
class RefusedRecord:
    """A record, or one pair of a line, that gives no event. `code` is stable and stands in docs/mapping.md."""

    code: str
    detail: str
    event_id: str = ""
    equipment: str = ""
    kind: str = ""
    """Account kind of the declaration that could not be mapped, as far as it was read."""
    quantity: Quantity | None = None
    received_at: int = 0
    line: int = 0
    """Line of the rule in plant.yaml; 0: no rule was reached."""


Item = Any
"""A canonical event of schemas.records (label 0), a Reading or a Refused."""
Mapped = list[Item]


class RefusedInMapping(Exception):
    """Carries a refusal from an accessor to Mapper.map, which never lets it out."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def check_size(value: bytes) -> None:
    """Raises Refusal TOO_LARGE."""
    if len(value) > MAX_RAW_BYTES:
        raise RefusedInMapping("TOO_LARGE", f"the record has {len(value)} bytes; at most {MAX_RAW_BYTES} are read")


@dataclass(slots=True, frozen=True)
class MappingProblem:
    """A defect of a source's configuration. `path` leads to it from the source (keys and indexes)."""

    path: tuple[str | int, ...]
    message: str


class MappingError(ValueError):
    """A source that cannot be compiled, with everything that is wrong with it (code BAD_MAPPING)."""

    def __init__(self, source: str, problems: list[MappingProblem]) -> None:
        super().__init__(f"source {source}: " + "; ".join(problem.message for problem in problems))
        self.problems = problems


class Problems:
    """Collects what is wrong while a source is compiled; `at` goes one step down."""

    def __init__(self, found: list[MappingProblem] | None = None, path: tuple[str | int, ...] = ()) -> None:
        self.found: list[MappingProblem] = [] if found is None else found
        self.path = path

    def at(self, *steps: str | int) -> "Problems":
        return Problems(self.found, (*self.path, *steps))

    def add(self, message: str) -> None:
        self.found.append(MappingProblem(self.path, message))


def placed(wrong: RefusedInMapping, field: str, expression: Any) -> RefusedInMapping:
    """The refusal with the field that it is of, and with where the rule reads it."""
    if f"`{field}`" in wrong.detail or wrong.detail.startswith(f"{field}["):
        return wrong
    path = expression if isinstance(expression, str) else getattr(expression, "path", "")
    read = f" (`{path}`)" if path and path != field else ""
    return RefusedInMapping(wrong.code, f"`{field}`{read}: {wrong.detail}")
