"""How values are shown: quantities exact, times in the plant's zone, ages in words."""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from typing import Any

SECOND_US, MINUTE_US, HOUR_US, DAY_US = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000


def quantity(amount: Any, scale: Any) -> str:
    """A whole number of steps of 10^-scale as a decimal: 12345, 3 -> 12.345. Digits are grouped by thin spaces."""
    if amount is None:
        return "-"
    return f"{Decimal(int(amount)).scaleb(-int(scale or 0)):,f}".replace(",", "\u2009")


def moment(microseconds: Any, zone: tzinfo = UTC) -> str:
    """Microseconds since 1970 as date and time of day in the zone; nothing for none."""
    if microseconds is None or int(microseconds) <= 0:
        return "-"
    return datetime.fromtimestamp(int(microseconds) // SECOND_US, zone).strftime("%Y-%m-%d %H:%M:%S")


def age(microseconds: int) -> str:
    """A time span by its two largest units."""
    left = max(0, microseconds)
    for unit, size, below, small in (("d", DAY_US, "h", HOUR_US), ("h", HOUR_US, "min", MINUTE_US)):
        if left >= size:
            return f"{left // size} {unit} {left % size // small} {below}"
    return f"{left // MINUTE_US} min" if left >= MINUTE_US else f"{left // SECOND_US} s"
