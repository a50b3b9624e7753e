"""The one shift that the demo plant works: early shift of 1 February 2017 in Prague, 06:00 to 14:00 (05:00 to 13:00 UTC).

Instants of the simulation are milliseconds since 1970-01-01 UTC.
"""

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

BUSINESS_DATE = "2017-02-01"
START_MS = 1_485_925_200_000
END_MS = START_MS + 8 * 3_600_000
MINUTE_MS = 60_000

_ZONE = ZoneInfo("Europe/Prague")


def at_minute(minute: int) -> int:
    """The instant `minute` minutes after the shift began."""
    return START_MS + minute * MINUTE_MS


@lru_cache(maxsize=65_536)
def _second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def iso(instant_ms: int) -> str:
    """`2017-02-01T05:00:00.000Z`"""
    second, part = divmod(instant_ms, 1000)
    return f"{_second(second)}.{part:03d}Z"


def wall(instant_ms: int) -> str:
    """Local wall time to the second, as the terminals print it: `01.02.2017 06:00:00`."""
    return datetime.fromtimestamp(instant_ms // 1000, _ZONE).strftime("%d.%m.%Y %H:%M:%S")
