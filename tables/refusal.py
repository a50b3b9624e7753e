"""A refusal as a value: what a caller parks, dead-letters or reports under a stable code."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(slots=True, frozen=True)
class Refusal:
    """`code` is UPPER_SNAKE, stable and listed in docs/exceptions.md; `detail` is one sentence for a person."""

    code: str
    detail: str = ""


class RefusedValue(ValueError):
    """Raised by the constructors of configured values (units, calendar): nobody can go on without them.

    The check of a configuration catches it and shows `refusal`.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.refusal = Refusal(code, detail)


class RefusedReadings(NamedTuple):
    """Readings that were not folded, by their index in what was given."""

    why: Refusal
    indexes: list[int]
