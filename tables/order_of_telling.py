"""Which of two records of one moment was told later: (source sequence, raw position as a number), never the text of an id."""

import re
from functools import lru_cache
from typing import Protocol

_DIGITS = re.compile(r"([0-9]+)")
_MAX_DIGITS = 18
"""Of a number within a name; a longer one is compared as text."""


class Told(Protocol):
    """A record, or what a row keeps of one."""

    @property
    def raw_source(self) -> str: ...

    @property
    def raw_offset(self) -> int: ...

    @property
    def source_seq(self) -> int:
        """-1: the source has none."""
        ...

    @property
    def raw_part(self) -> int: ...


Natural = tuple[tuple[int, str], ...]
Place = tuple[bool, int, Natural, int, int]


def natural(text: str) -> Natural:
    """A key to sort by: `log-10.csv` comes behind `log-9.csv`."""
    parts = _DIGITS.split(text)
    return tuple((int(part), "") if n % 2 and len(part) <= _MAX_DIGITS else (-1, part) for n, part in enumerate(parts))


_natural = lru_cache(maxsize=256)(natural)
"""For names of raw sources, of which there are few."""


def place(told: Told) -> Place:
    """What is greater was told later. What has no sequence number comes behind what has one: both are of one moment."""
    return told.source_seq < 0, told.source_seq, _natural(told.raw_source), told.raw_offset, told.raw_part


def precedes(one: Told, other: Told) -> bool:
    """Was `one` told before `other`, as far as one raw source can say so?"""
    return one.raw_source == other.raw_source and place(one) < place(other)
