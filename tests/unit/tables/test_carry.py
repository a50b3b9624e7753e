"""The carry moves on: accounts of one material are rounded as one quantity, by age."""

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import AccountRow
from tables.orders.account import carry, note
from tables.orders.carry import targets
from tables.quantity import round_half_away


def account(day: int, amount: Fraction, scale: int = 0, lot: str = "", unit: str = "ROLL") -> AccountRow:
    row = AccountRow("P", "O1", "10", "FILM", lot, "consumption", "", "", f"2026-03-{day:02}", 1, unit=unit, scale=scale)
    note(row, amount)
    return row


def settled(rows: Sequence[AccountRow]) -> list[int]:
    found = targets(rows)
    for row in rows:
        row.target = found[id(row)]
    return [row.target for row in rows]


@pytest.mark.parametrize(
    ("amount", "scale", "target"),
    [(Fraction(5, 2), 0, 3), (Fraction(-5, 2), 0, -3), (Fraction(1, 3), 3, 333), (Fraction(7), 0, 7)],
)
def test_one_account_is_rounded_by_itself(amount: Fraction, scale: int, target: int) -> None:
    row = account(1, amount, scale)
    assert settled([row]) == [target]
    assert Fraction(target, 10**scale) + carry(row) == amount


def test_what_one_day_leaves_is_in_the_next() -> None:
    assert settled([account(day, Fraction(9, 20)) for day in range(1, 11)]) == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]


def test_the_oldest_comes_first_whatever_the_order_of_the_rows() -> None:
    assert settled([account(2, Fraction(2, 5)), account(1, Fraction(2, 5))]) == [1, 0]


def test_lots_of_a_day_share_the_carry_and_units_do_not() -> None:
    assert settled([account(1, Fraction(1, 2), lot="A"), account(1, Fraction(1, 2), lot="B")]) == [1, 0]
    assert settled([account(1, Fraction(1, 2), lot="A"), account(1, Fraction(1, 2), unit="BOX")]) == [1, 1]


def test_a_younger_day_changes_no_older_one() -> None:
    days = [account(day, Fraction(9, 20)) for day in range(1, 5)]
    before = settled(days)
    assert settled([*days, account(5, Fraction(123, 100))])[:4] == before


@given(st.lists(st.fractions(0, 100, max_denominator=5000), min_size=1, max_size=20), st.integers(0, 3))
def test_the_sum_is_within_half_a_step_and_each_within_one(amounts: list[Fraction], scale: int) -> None:
    rows = [account(1 + n, amount, scale) for n, amount in enumerate(amounts)]
    assert sum(settled(rows)) == round_half_away(sum(amounts, Fraction(0)), scale)
    assert all(abs(carry(row)) * 10**scale <= 1 for row in rows)
