"""Times of records as microseconds since 1970-01-01 UTC. More than six decimals of a second are cut."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.configuration.mapping import Function
from streams.mapping.items import MAX_INT64, Problems, Refusal
from streams.mapping.paths import Getter, compile_path
from streams.mapping.texts import Tables, compile_text
from tables.local_time import EPOCH, Ambiguous, local_to_utc, zone_of
from tables.quantity import scaled
from tables.rejected import Refusal as BadValue
from tables.rejected import Rejected

TimeGetter = Callable[[Any, Any, int], int | None]
"""(node, root, arrived_at in microseconds or 0) -> instant, or None where nothing is. Raises Refusal BAD_TIME or
AMBIGUOUS_TIME."""
Parse = Callable[[str, int], int]

_MICROSECOND = timedelta(microseconds=1)
_EPOCH_DECIMALS = {"epoch_s": 6, "epoch_ms": 3, "epoch_us": 0}
_EPOCH_STEP = {form: 10**decimals for form, decimals in _EPOCH_DECIMALS.items()}
"""Microseconds of one unit."""
_LATEST = 253_370_764_800_000_000
"""9999-01-01: later instants have no local date everywhere."""
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d{1,12})?)?\s?(Z|z|[+-]\d\d(:?\d\d)?)?", re.ASCII)
_MAX_MINUTES = 4096


def compile_time(expression: Any, tables: Tables, plant_zone: str, problems: Problems) -> TimeGetter:
    """A getter of instants. Local stamps are read in the function's zone, else in the plant's."""
    text = compile_text(expression, tables, problems)
    function = expression if isinstance(expression, Function) else Function(path="x")
    parse = _parser(function, plant_zone, problems)

    def instant(node: Any, root: Any, arrived_at: int) -> int | None:
        value = text(node, root)
        return None if value is None or not value.strip() else parse(value, arrived_at)

    if function.date in _EPOCH_STEP and function == Function(path=function.path, date=function.date):
        return _whole_epoch(compile_path(function.path, Problems()), _EPOCH_STEP[function.date], instant)
    return instant


def _whole_epoch(getter: Getter, step: int, otherwise: TimeGetter) -> TimeGetter:
    """Whole numbers since 1970 need no text in between: the hot case of JSON sources."""

    def instant(node: Any, root: Any, arrived_at: int) -> int | None:
        value = getter(node, root)
        if type(value) is int and 0 <= value < _LATEST // step:
            return value * step
        return otherwise(node, root, arrived_at)

    return instant


def _parser(function: Function, plant_zone: str, problems: Problems) -> Parse:
    form = function.date or "iso"
    try:
        zone = zone_of(function.zone or plant_zone)
    except BadValue as wrong:
        problems.at("zone").add(wrong.rejected.detail)
        zone = zone_of("UTC")
    ambiguous: Ambiguous = function.ambiguous
    if form == "epoch_ns":
        return lambda text, arrived_at: _bounded(_epoch(text, 0) // 1000, text)
    if form in _EPOCH_DECIMALS:
        decimals = _EPOCH_DECIMALS[form]
        return lambda text, arrived_at: _bounded(_epoch(text, decimals), text)

    def finish(stamp: datetime, text: str, arrived_at: int) -> int:
        if stamp.tzinfo is not None:
            return _bounded((stamp - EPOCH) // _MICROSECOND, text)
        if stamp.year < 1970:
            raise bad_time(text)
        local = local_to_utc(stamp, zone, ambiguous, arrived_at)
        if isinstance(local, Rejected):
            raise Refusal(local.code, local.detail)
        return _bounded(local, text)

    if form != "iso":
        _check_format(form, problems)

        def by_format(text: str, arrived_at: int) -> int:
            try:
                stamp = datetime.strptime(text.strip(), form)  # noqa: DTZ007  the zone follows in `finish`
            except (ValueError, OverflowError):
                raise bad_time(text) from None
            return finish(stamp, text, arrived_at)

        return by_format

    utc = utc_parser()

    def iso(text: str, arrived_at: int) -> int:
        known = utc(text)
        if known is not None:
            return known
        if not _ISO.fullmatch(text.strip()):
            raise bad_time(text)
        try:
            stamp = datetime.fromisoformat(text.strip().upper().replace(",", "."))
        except (ValueError, OverflowError):
            raise bad_time(text) from None
        return finish(stamp, text, arrived_at)

    return iso


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
        found = (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // _MICROSECOND
    except ValueError:
        return None
    return found if found < _LATEST else None


def bad_time(text: str) -> Refusal:
    return Refusal("BAD_TIME", f"`{text[:64]}` is no time in the stated form")


def _epoch(text: str, decimals: int) -> int:
    whole, point, part = text.strip().partition(".")
    number = scaled(whole + point + part[:decimals] if decimals else whole, decimals)
    if isinstance(number, Rejected):
        raise bad_time(text)
    return number


def _bounded(instant: int, text: str) -> int:
    if not 0 <= instant < min(_LATEST, MAX_INT64):
        raise bad_time(text)
    return instant


def _check_format(form: str, problems: Problems) -> None:
    try:
        known = "%" in form and datetime(2026, 1, 2, tzinfo=UTC).strftime(form) != form
        datetime.strptime(datetime(2026, 1, 2, tzinfo=UTC).strftime(form), form)  # noqa: DTZ007  only tried
    except (ValueError, OverflowError):
        known = False
    if not known:
        problems.at("date").add(
            f"`date: {form}` is no time format; write iso, epoch_s, epoch_ms, epoch_us, epoch_ns or like %d.%m.%Y %H:%M:%S"
        )
