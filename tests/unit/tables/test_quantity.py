from fractions import Fraction

import pytest

from tables.quantity import decimal_text, fraction, round_half_away, scaled
from tables.refusal import Refusal


@pytest.mark.parametrize(
    ("text", "decimals", "amount"),
    [
        ("0", 0, 0),
        ("12", 0, 12),
        ("12", 3, 12000),
        ("0012", 1, 120),
        ("-0.50", 2, -50),
        ("+7.", 1, 70),
        (".5", 1, 5),
        ("31.92000", 3, 31920),
        ("-0", 3, 0),
        ("3.192e1", 2, 3192),
        ("3192E-2", 2, 3192),
        ("12e3", 0, 12000),
        ("1200e-2", 0, 12),
        ("0e999", 3, 0),
        ("9223372036854775807", 0, 9223372036854775807),
        ("-9223372036854775807", 0, -9223372036854775807),
        ("0.000000000000000001", 18, 1),
    ],
)
def test_text_is_read_exactly(text: str, decimals: int, amount: int) -> None:
    assert scaled(text, decimals) == amount
    assert scaled(text, decimals, rounding="half_away") == amount


@pytest.mark.parametrize(
    ("text", "decimals", "amount"),
    [
        ("31.919999999999998", 3, 31920),
        ("31.9204999", 3, 31920),
        ("31.9205", 3, 31921),
        ("-31.9205", 3, -31921),
        ("0.4999", 0, 0),
        ("-0.5", 0, -1),
        ("1e-999", 3, 0),
        ("9.5e-4", 3, 1),
    ],
)
def test_too_many_decimals_are_rounded_only_where_the_mapping_says_so(text: str, decimals: int, amount: int) -> None:
    assert scaled(text, decimals, rounding="half_away") == amount
    refused = scaled(text, decimals)
    assert isinstance(refused, Refusal)
    assert refused.code == "BAD_DECIMAL"
    assert f"more than {decimals} decimals" in refused.detail


@pytest.mark.parametrize(
    "text",
    [
        "", " ", ".", "-", "e5", "1 ", " 1", "1,5", "1.2.3", "1_000", "0x10", "NaN", "inf", "-Infinity", "1e", "1e1000",
        "١٢", "1²", "true", "9223372036854775808", "-9223372036854775808", "1e19", "1e400", "1" * 65, "UNAVAILABLE", "1\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("rounding", ["exact", "half_away"])
def test_what_is_no_number_within_64_bits_is_refused(text: str, rounding: str) -> None:
    refused = scaled(text, 0, rounding=rounding)  # type: ignore[arg-type]
    assert isinstance(refused, Refusal)
    assert refused.code == "BAD_DECIMAL"


def test_the_scale_counts_against_the_64_bits() -> None:
    assert scaled("9223372036854775", 3) == 9223372036854775000
    assert isinstance(scaled("9223372036854776", 3), Refusal)


@pytest.mark.parametrize(
    ("value", "scale", "amount"),
    [
        (Fraction(1, 2), 0, 1),
        (Fraction(-1, 2), 0, -1),
        (Fraction(3, 2), 0, 2),
        (Fraction(5, 2), 0, 3),
        (Fraction(49, 100), 0, 0),
        (Fraction(1, 3), 3, 333),
        (Fraction(2, 3), 3, 667),
        (Fraction(-2, 3), 3, -667),
        (Fraction(10**30 + 1, 2), 0, 5 * 10**29 + 1),
    ],
)
def test_halves_go_away_from_zero(value: Fraction, scale: int, amount: int) -> None:
    assert round_half_away(value, scale) == amount


@pytest.mark.parametrize(
    ("amount", "scale", "text"),
    [
        (0, 0, "0"),
        (0, 3, "0.000"),
        (5, 2, "0.05"),
        (-5, 2, "-0.05"),
        (31920, 3, "31.920"),
        (-1204, 0, "-1204"),
        (1, 18, "0.000000000000000001"),
        (10**18, 0, "1000000000000000000"),
    ],
)
def test_amounts_are_written_plainly(amount: int, scale: int, text: str) -> None:
    assert decimal_text(amount, scale) == text
    assert fraction(amount, scale) == Fraction(text)
