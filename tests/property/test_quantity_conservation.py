"""Rounding and conversion lose nothing: the model is the plain sum of fractions."""

from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tables.plant.calendar import Calendar
from tables.plant.units import UnitTable
from tables.quantity import MAX_AMOUNT, decimal_text, fraction, round_half_away, scaled
from tables.refusal import Refusal

parts = st.fractions(max_denominator=10**6).filter(lambda part: abs(part) < 10**9)
scales = st.integers(0, 6)
amounts = st.integers(-MAX_AMOUNT, MAX_AMOUNT)


@given(st.lists(parts, max_size=30), scales)
def test_postings_add_up_to_the_rounded_total(deltas: list[Fraction], scale: int) -> None:
    cumulative = [sum(deltas[:n], Fraction()) for n in range(len(deltas) + 1)]
    posted = [round_half_away(now, scale) - round_half_away(before, scale) for before, now in pairwise(cumulative)]
    assert sum(posted) == round_half_away(cumulative[-1], scale)
    carry = cumulative[-1] - fraction(sum(posted), scale)
    assert abs(carry) * 10**scale <= Fraction(1, 2)


@given(parts, scales)
def test_rounding_is_odd_and_nearest(value: Fraction, scale: int) -> None:
    rounded = round_half_away(value, scale)
    assert round_half_away(-value, scale) == -rounded
    assert abs(fraction(rounded, scale) - value) * 10**scale <= Fraction(1, 2)


@given(amounts, st.integers(0, 18))
def test_text_round_trips(amount: int, scale: int) -> None:
    assert scaled(decimal_text(amount, scale), scale) == amount
    assert Fraction(decimal_text(amount, scale)) == fraction(amount, scale)


@given(st.decimals(allow_nan=None, allow_infinity=None), st.integers(0, 18))
def test_scaled_agrees_with_the_decimal_library(value: object, decimals: int) -> None:
    text = str(value)
    found = scaled(text, decimals)
    try:
        exact = Fraction(text) * 10**decimals
    except ValueError:
        exact = Fraction(1, 2)
    if exact.denominator == 1 and abs(exact) <= MAX_AMOUNT and len(text) <= 64:
        assert found == exact
    else:
        assert isinstance(found, Refusal)


@given(st.text(max_size=80), st.integers(0, 18))
def test_any_text_gives_an_amount_or_a_refusal(text: str, decimals: int) -> None:
    for rounding in ("exact", "half_away"):
        found = scaled(text, decimals, rounding)  # type: ignore[arg-type]
        assert isinstance(found, Refusal) or abs(found) <= MAX_AMOUNT


chain = st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6)), min_size=1, max_size=8)


@given(chain, parts, st.randoms(use_true_random=False))
def test_conversions_round_trip_and_do_not_depend_on_the_order(ratios: list[tuple[int, int]], value: Fraction, random) -> None:  # type: ignore[no-untyped-def]
    definitions = [f"{left} U{n} = {right} U{n + 1}" for n, (left, right) in enumerate(ratios)]
    shuffled = random.sample(definitions, len(definitions))
    table, other = UnitTable({"m": definitions}), UnitTable({"m": shuffled})
    last = f"U{len(ratios)}"
    there = table.convert(value, "U0", last, "m")
    assert isinstance(there, Fraction)
    expected = value
    for left, right in ratios:
        expected = expected * right / left
    assert there == expected == other.convert(value, "U0", last, "m")
    assert table.convert(there, last, "U0", "m") == value


instants = st.integers(0, 4_000_000_000_000_000)
zones = st.sampled_from(["Europe/Prague", "America/Sao_Paulo", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata", "UTC"])


@pytest.mark.parametrize("rule", ["day_shift_began", "day_shift_ended", "calendar_day"])
@pytest.mark.parametrize("outside", ["previous", "next", "calendar_day"])
@given(start=instants, zone=zones)
def test_shifts_tile_the_time_without_gap_or_overlap(rule: str, outside: str, start: int, zone: str) -> None:
    day = datetime.fromtimestamp(start // 1_000_000, UTC).date()
    shifts = {"a": "00:30", "b": "09:00-17:00", "c": "23:30"}
    calendar = Calendar(zone, shifts, rule, outside, [day])
    fresh = Calendar(zone, shifts, rule, outside, [day])
    before = calendar.shift_at(start)
    for _ in range(12):
        after = calendar.shift_at(before.end)
        assert after.start == before.end < after.end
        assert after.end == calendar.next_cut(before.end)
        assert fresh.shift_at(after.end - 1) == after, "from both ends the same shift"
        assert after.business_date >= before.business_date
        before = after
