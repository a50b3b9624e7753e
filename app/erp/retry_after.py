"""How long an ERP asks to be left alone, by the headers of its answer."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

DEFAULT_RETRY_MS = 1_000
"""Too many calls, and not a word about when."""
MAX_RETRY_AFTER_MS = 3_600_000
THROTTLED, UNAVAILABLE = 429, 503


def retry_after_ms(response: httpx.Response) -> int:
    """Retry-After as milliseconds: the exact header if there is one, seconds, or an HTTP date."""
    exact, text = response.headers.get("Retry-After-Ms", ""), response.headers.get("Retry-After", "")
    if exact.isascii() and exact.isdecimal():
        wanted = int(exact[:9])
    elif text.isascii() and text.isdecimal():
        wanted = int(text[:9]) * 1000
    else:
        wanted = _until_ms(text)
    return min(wanted, MAX_RETRY_AFTER_MS)


def holds_all_ms(response: httpx.Response) -> int:
    """How long nobody may call; 0: the answer asks for nothing of the kind. A 503 without a time may be about one document."""
    if response.status_code == THROTTLED or (response.status_code == UNAVAILABLE and "Retry-After" in response.headers):
        return retry_after_ms(response)
    return 0


def _until_ms(text: str) -> int:
    try:
        left = parsedate_to_datetime(text) - datetime.now(UTC)
    except (ValueError, TypeError):
        return DEFAULT_RETRY_MS
    return max(0, int(left.total_seconds() * 1000))
