"""Exact numbers: an amount is an int that counts steps of 10^-scale. No float comes in, none goes out."""

import re
from fractions import Fraction
from typing import Literal

from tables.refusal import Refusal

MAX_DECIMALS = 18
MAX_AMOUNT = 2**63 - 1
"""Amounts travel as Avro long. -2^63 is no amount: frames use it for an unavailable reading."""
MAX_TEXT = 64
"""Characters of a number: far more than an int64 with 18 decimals needs, few enough to cost nothing."""

Rounding = Literal["exact", "half_away", "cut"]
"""What becomes of digits beyond the decimals: refused, rounded half away from zero, or left out (times, never quantities)."""

_NUMBER = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?", re.ASCII)
_POWERS: tuple[int, ...] = tuple(10**n for n in range(MAX_DECIMALS + 1))


def scaled(text: str, decimals: int, rounding: Rounding = "exact") -> int | Refusal:
    """The amount that `text` states, in steps of 10^-`decimals` (0 to 18).

    `text` is a plain or exponential decimal number with a point ("12", "-0.50", "3.19e1"); blanks around it, group
    separators, NaN and infinities are refused. Digits beyond `decimals` are refused unless they are zeros; only a
    mapping that states `half_away` has them rounded (a source that prints binary floats: 31.919999999999998), and a
    time that says `cut` has them left out.
    BAD_DECIMAL for everything that is refused, also for an amount beyond int64.
    """
    if text.isdecimal() and text.isascii() and len(text) <= MAX_DECIMALS:
        amount = int(text) * _POWERS[decimals]
        return amount if amount <= MAX_AMOUNT else _bad(text, "is beyond 64 bits")
    if len(text) > MAX_TEXT:
        return _bad(f"{text[:MAX_TEXT]}...", f"has more than {MAX_TEXT} characters")
    match = _NUMBER.fullmatch(text)
    if match is None:
        return _bad(text, "is no decimal number")
    sign, whole, part, exponent = match.groups(default="")
    digits = whole + part
    if not digits:
        return _bad(text, "is no decimal number")
    shift = decimals - len(part) + int(exponent or 0)
    magnitude = _shifted(int(digits), shift, rounding)
    if magnitude is None:
        return _bad(text, f"has more than {decimals} decimals")
    if magnitude > MAX_AMOUNT:
        return _bad(text, "is beyond 64 bits")
    return -magnitude if sign == "-" else magnitude


def round_half_away(value: Fraction, scale: int) -> int:
    """`value` in steps of 10^-`scale`, halves away from zero. Round cumulative quantities only (docs/domain.md,
    Rounding and carry)."""
    numerator = abs(value.numerator) * _POWERS[scale]
    steps = (2 * numerator + value.denominator) // (2 * value.denominator)
    return -steps if value < 0 else steps


def exact_text(value: Fraction) -> str:
    """A quantity as a plain decimal number without trailing zeros, for machines: exact, or rounded (half away) to 18 decimals
    where no decimal number is exact."""
    text = decimal_text(round_half_away(value, MAX_DECIMALS), MAX_DECIMALS)
    return text.rstrip("0").rstrip(".")


def decimal_text(amount: int, scale: int) -> str:
    """The amount as plain text with exactly `scale` decimals, never with an exponent: (-5, 2) is "-0.05"."""
    assert scale >= 0, "a scale counts decimals"
    digits = str(abs(amount)).rjust(scale + 1, "0")
    sign = "-" if amount < 0 else ""
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else sign + digits


def fraction(amount: int, scale: int) -> Fraction:
    """The exact value of amount x 10^-scale."""
    assert scale >= 0, "a scale counts decimals"
    return Fraction(amount, _POWERS[scale])


def _shifted(digits: int, shift: int, rounding: Rounding) -> int | None:
    """digits x 10^shift as an integer, or None where that would drop a digit that must not be dropped."""
    if digits == 0:
        return 0
    if shift >= 0:
        # More than 18 zeros put any digit beyond 64 bits: answered without building the number.
        return digits * _POWERS[shift] if shift <= MAX_DECIMALS else MAX_AMOUNT + 1
    # Beyond the length of the text all that is left is zero: the bound keeps 1e-999 cheap.
    step: int = 10 ** min(-shift, MAX_TEXT + 1)
    steps, rest = divmod(digits, step)
    if rest == 0:
        return steps
    if rounding == "half_away":
        return steps + (2 * rest >= step)
    return steps if rounding == "cut" else None


def _bad(text: str, why: str) -> Refusal:
    return Refusal("BAD_DECIMAL", f"`{repr(text)[1:-1]}` {why}")
