"""Headers of raw records that come from files: where such a record can be looked up."""

from collections.abc import Sequence

SOURCE_HEADER, POSITION_HEADER, RECEIVED_HEADER, CONTROL_HEADER = "source", "position", "received_at", "control"
"""Source of plant.yaml, `file:line` (live the only one), microseconds; `control` = `end` closes the input."""
MAX_LINE_DIGITS = 12


def stated_place(headers: Sequence[tuple[str, bytes]]) -> tuple[bytes, int] | None:
    """File and line of a record of a file that was dropped. None: its own topic and offset count."""
    stated = dict(headers).get(POSITION_HEADER) if headers else None
    file, _, line = (stated or b"").rpartition(b":")
    return (file, int(line)) if file and line.isdigit() and len(line) <= MAX_LINE_DIGITS else None
