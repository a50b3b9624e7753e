"""Raw lines before they are written: when they arrive, in which order, and how they are packed into a file."""

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from app.demo.shift import END_MS

FLUSH_MS = 5_000
"""The edge gateway sends what it has this often: readings of one flush share their received_at."""


class Line(NamedTuple):
    """One raw record. `text` states `received` (ms) itself. `tag` names what it is, for the dirt that is planted."""

    received: int
    occurred: int
    order: int
    tag: str
    text: str


def flushed(at: int, phase: int) -> int:
    """When the gateway sends what happened at `at`; `phase` tells its machines apart."""
    return min((at - phase) // FLUSH_MS * FLUSH_MS + FLUSH_MS + phase, END_MS - 1_000)


def write(path: Path, lines: Iterable[Line]) -> int:
    """Write lines in the order of their arrival; a name that ends in .gz is compressed. Same lines, same bytes."""
    ordered = sorted(lines, key=lambda line: line[:3])
    data = "".join(f"{line.text}\n" for line in ordered).encode()
    path.write_bytes(gzip.compress(data, 6, mtime=0) if path.suffix == ".gz" else data)
    return len(ordered)
