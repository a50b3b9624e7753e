"""Times that are numbers: units since 1970, and the day numbers of spreadsheets. Exact decimal arithmetic, never a float."""

import re
from datetime import datetime, timedelta

from streams.mapping.instants import bad_time, bounded
from tables.quantity import scaled
from tables.refusal import Refusal

EPOCH_DECIMALS = {"epoch_s": 6, "epoch_ms": 3, "epoch_us": 0, "epoch_ns": -3}
"""Decimal places between the form's unit and a microsecond."""
EPOCH_STEP = {form: 10**decimals for form, decimals in EPOCH_DECIMALS.items() if decimals >= 0}
"""Microseconds of one unit, where it is not less than one."""
EARLIEST = 31_536_000_000_000
"""1971-01-01. A number before it has another unit: seconds where milliseconds were stated, or days."""
EXCEL = "excel"
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  a wall time
"""Of the 1900 system. It has a 29 February 1900 that never was, so this holds from 1 March 1900 on."""
_DAY_DECIMALS = 12
_MS_OF_DAY = 86_400_000
_DECIMAL_COMMA = re.compile(r"\d+,\d+(?:[eE][+-]?\d+)?", re.ASCII)


def epoch_instant(text: str, form: str) -> int:
    """Microseconds of a number since 1970, also one with an exponent; smaller parts are cut. Raises Refusal BAD_TIME."""
    decimals = EPOCH_DECIMALS[form]
    number = scaled(text.strip(), max(decimals, 0), "cut")
    if isinstance(number, Refusal):
        raise bad_time(text, form)
    return bounded(number // 10**-decimals if decimals < 0 else number, text, EARLIEST)


def excel_stamp(text: str) -> datetime:
    """The wall time of a day number with a decimal point or comma, to the nearest millisecond: the 15 digits that
    spreadsheets keep do not give more. Raises Refusal BAD_TIME."""
    stripped = text.strip()
    plain = stripped.replace(",", ".") if _DECIMAL_COMMA.fullmatch(stripped) else stripped
    days = scaled(plain, _DAY_DECIMALS, "cut")
    if isinstance(days, Refusal) or days < 0:
        raise bad_time(text, EXCEL)
    scale = 10**_DAY_DECIMALS
    try:
        return _DAY_ZERO + timedelta(milliseconds=(2 * days * _MS_OF_DAY + scale) // (2 * scale))
    except OverflowError:
        raise bad_time(text, EXCEL) from None
