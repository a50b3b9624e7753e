"""Reading generated files the plain way."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from app.demo.truth import Truth

SCALE = 0.1
"""Machines report ten times less often than in the demo; the floor is the same."""


class Shift(NamedTuple):
    directory: Path
    truth: Truth


def raw_lines(path: Path) -> list[bytes]:
    data = path.read_bytes()
    return (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines()


def messages(path: Path) -> Iterator[dict[str, Any]]:
    """Every line that is JSON; floats stay text."""
    for line in raw_lines(path):
        try:
            yield json.loads(line, parse_float=str)
        except ValueError:
            continue
