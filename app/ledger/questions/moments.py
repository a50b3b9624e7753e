"""Moments as the questions print them."""

from datetime import UTC, datetime


def iso(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat().replace("+00:00", "Z")
