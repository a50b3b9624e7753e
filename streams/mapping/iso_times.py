"""ISO 8601 times: `YYYY-MM-DD`, `T` or a blank, `HH:MM[:SS[.f...]]`, then `Z`, an offset, or nothing for a local time."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

from streams.mapping.instants import LATEST, MICROSECOND, bad_time, day_after
from tables.plant.local_time import EPOCH

_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d{1,12})?)?\s?(Z|z|[+-]\d\d(:?\d\d)?)?", re.ASCII)
_END_OF_DAY = re.compile(r"(.{10}[T ])24(:00(?::00(?:\.0+)?)?(?![0-9:.]).*)", re.ASCII)
_MAX_MINUTES = 4096


def iso_stamp(text: str) -> datetime:
    """The stamp that `text` states, naive where it has no offset; the hour 24 is the next day's 00:00. Raises Refusal
    BAD_TIME."""
    stripped = text.strip()
    if not _ISO.fullmatch(stripped):
        raise bad_time(text)
    written = stripped.upper().replace(",", ".")
    ended = _END_OF_DAY.fullmatch(written)
    try:
        return day_after(datetime.fromisoformat(f"{ended[1]}00{ended[2]}")) if ended else datetime.fromisoformat(written)
    except (ValueError, OverflowError):
        raise bad_time(text) from None


def utc_parser() -> Callable[[str], int | None]:
    """A fast reader of `YYYY-MM-DDTHH:MM:SS[.f...]Z`; None for every other form, which says nothing about the text.

    Minutes that were seen are remembered (at most 4096): records of one source are close together in time.
    """
    minutes: dict[str, int] = {}

    def parse(text: str) -> int | None:
        if text[-1:] != "Z" or text[16:17] != ":" or not text.isascii():
            return None
        start = minutes.get(text[:16])
        if start is None:
            start = _minute(text[:16])
            if start is None:
                return None
            if len(minutes) >= _MAX_MINUTES:
                minutes.clear()
            minutes[text[:16]] = start
        seconds, part = text[17:19], text[19:-1]
        if len(seconds) != 2 or not seconds.isdigit() or seconds > "59":
            return None
        if not part:
            return start + int(seconds) * 1_000_000
        digits = part[1:]
        if part[0] != "." or not digits.isdigit():
            return None
        return start + int(seconds) * 1_000_000 + int((digits + "00000")[:6])

    return parse


def _minute(text: str) -> int | None:
    if not re.fullmatch(r"(19[7-9]\d|[2-9]\d{3})-\d\d-\d\dT\d\d:\d\d", text, re.ASCII):
        return None
    try:
        found = (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // MICROSECOND
    except ValueError:
        return None
    return found if found < LATEST else None
