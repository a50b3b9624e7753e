"""Moments that people type: ISO 8601 with an offset. Without one the answer would depend on the machine that is asked."""

from datetime import datetime

from app.cli.failures import fail


def moment(option: str, text: str) -> int:
    """Microseconds. Ends the command with BAD_TIME."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        fail("BAD_TIME", f"{option} {text} is no ISO 8601 time with an offset; write it like 2026-11-20T03:40:00+01:00")
    return round(found.timestamp() * 1_000_000)
