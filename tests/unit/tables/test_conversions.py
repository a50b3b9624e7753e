"""Conversions of a material by time: what its row keeps of them, and what an account holds by them."""

from fractions import Fraction
from typing import Any

import pytest

from schemas.records import Apart, IssuedPosting, MaterialChanged, MaterialRow
from tables.orders import account as ledger
from tables.orders.conversions import MAX_STATEMENTS, as_of, in_unit, of_account, renewed, statements, with_conversions
from tables.plant.units import UnitTable
from tests.unit.streams.ledger_bench import total
from tests.unit.tables.floor_bench import event


def change(since: int, *conversions: str, label: int = 0) -> tuple[MaterialChanged, int]:
    told: MaterialChanged = event(
        MaterialChanged, since, label or since, material="4711", unit="PC", decimals=0, batch_managed=False,
        conversions=list(conversions),
    )  # fmt: skip
    return told, label or since


def row_after(*changes: tuple[MaterialChanged, int], forgotten_before: int = 0) -> MaterialRow:
    row = None
    for record, label in changes:
        row = renewed(row, record, label, forgotten_before)
    assert row is not None
    return row


def kept(row: MaterialRow) -> list[tuple[str, int, int]]:
    return [(one.conversions[0], one.since, one.known_at) for one in statements(row)]


A, B, C = "1 BOX = 48 PC", "1 BOX = 40 PC", "1 BOX = 36 PC"


def test_a_row_keeps_what_held_before() -> None:
    row = row_after(change(10, A), change(20, B), change(30, B), change(40, C))
    assert kept(row) == [(A, 10, 10), (B, 20, 20), (C, 40, 40)]
    assert (row.conversions, row.told_at) == ([C], 40)


def test_what_is_told_late_takes_its_place_and_says_nothing_new_where_it_held_anyhow() -> None:
    row = row_after(change(10, A), change(40, C), change(20, B, label=50), change(15, A, label=60))
    assert kept(row) == [(A, 10, 10), (B, 20, 50), (C, 40, 40)]
    assert row.told_at == 60
    assert kept(row_after(change(10, A), change(5, A, label=20))) == [(A, 10, 10)]
    assert kept(row_after(change(10, A), change(5, B, label=20))) == [(B, 5, 20), (A, 10, 10)]


def test_master_data_without_conversions_takes_none_back() -> None:
    assert kept(row_after(change(10, A), change(20))) == [(A, 10, 10)]
    assert kept(row_after(change(20))) == []


def test_a_row_of_an_earlier_version_holds_for_all_that_was_before() -> None:
    row = renewed(MaterialRow("P", "4711", "PC", 0, False, [A], told_at=5), *change(20, B))
    assert kept(row) == [(A, 0, 0), (B, 20, 20)]


def test_what_nobody_needs_any_more_goes() -> None:
    told = [change(10, A), change(20, B), change(30, C)]
    assert kept(row_after(*told, forgotten_before=19)) == kept(row_after(*told))
    assert kept(row_after(*told, forgotten_before=20)) == [(B, 20, 20), (C, 30, 30)]
    assert kept(row_after(*told, forgotten_before=99)) == [(C, 30, 30)]
    many = row_after(*(change(n, f"1 BOX = {n} PC") for n in range(1, MAX_STATEMENTS + 10)))
    assert len(statements(many)) == MAX_STATEMENTS
    assert many.conversions == [f"1 BOX = {MAX_STATEMENTS + 9} PC"]


def test_as_of_a_cut_a_row_knows_what_was_told_by_then() -> None:
    row = row_after(change(10, A), change(40, C), change(20, B, label=50))
    assert kept(as_of(row, 45)) == [(A, 10, 10), (C, 40, 40)]
    assert kept(as_of(row, 5)) == []
    assert not with_conversions(UnitTable(), as_of(row, 5)).changed("4711")


def account(*made: tuple[int, int, str], **fields: Any) -> Any:
    """Of (quantity, time, unit)."""
    row = ledger.accounts_of(total("gross", 0), 0)[0]
    for n, (quantity, at, unit) in enumerate(made):
        ledger.receive(row, total("gross", quantity, (1, n + 1), first_at=at, last_at=at, unit=unit, source_key=f"S{n}"))
    row.unit = "PC"
    for name, value in fields.items():
        setattr(row, name, value)
    return row


def held(row: Any, unit: str, units: UnitTable, *without: str) -> Fraction:
    return ledger.recorded(row, dict.fromkeys(row.sources, 1), unit, units, without)


def issued(cut: int) -> list[IssuedPosting]:
    return [IssuedPosting("X", 1, 1, 1, cut, "", "", "", 0, [], [])]


def test_each_source_is_converted_by_what_held_when_it_was_made() -> None:
    units = with_conversions(UnitTable(), row_after(change(10, A), change(20, B)))
    row = account((1, 12, "BOX"), (1, 22, "BOX"), (7, 30, "PC"))
    assert held(row, "PC", units) == 48 + 40 + 7
    assert held(row, "BOX", units) == 2 + Fraction(7, 40)
    assert of_account(row, Fraction(96), "BOX", units) == 2, "as its first source"


@pytest.mark.parametrize(("cut", "pieces"), [(None, 40), (25, 48), (49, 48), (50, 40)])
def test_what_was_posted_keeps_its_conversions_when_a_change_is_dated_back(cut: int | None, pieces: int) -> None:
    units = with_conversions(UnitTable(), row_after(change(10, A), change(20, B, label=50)))
    row = account((1, 22, "BOX"), issued=issued(cut) if cut else [])
    assert held(row, "PC", units) == pieces
    late = account((1, 22, "BOX"), (1, 60, "BOX"), issued=issued(cut) if cut else [])
    assert held(late, "PC", units) == pieces + 40, "what was made after the posting is of no posting"


def test_a_unit_that_is_taken_back_stands_apart_from_then_on() -> None:
    units = with_conversions(UnitTable(), row_after(change(10, A), change(20, "1 TRAY = 6 PC")))
    row = account((1, 12, "BOX"), (2, 22, "BOX"), (1, 12, "TRAY"), (3, 12, "SACK"))
    weights = dict.fromkeys(row.sources, 1)
    apart = ledger.apart(row, weights, "PC", units)
    assert [(one.unit, one.numerator) for one in apart] == [("BOX", 2), ("SACK", 3)]
    assert held(row, "PC", units, *(one.unit for one in apart)) == held(row, "PC", units) == 48 + 6
    assert isinstance(in_unit(row, row.sources["S1"], "PC", units), object)


def test_a_phantom_whose_unit_does_not_convert_takes_all_that_was_stated_in_it_along() -> None:
    units = with_conversions(UnitTable(), row_after(change(10, A), change(20, B)))
    row = account((1, 12, "BOX"), (2, 22, "PC"))
    apart = ledger.apart(row, dict.fromkeys(row.sources, 1), "PC", units, "kg")
    assert [(one.unit, one.numerator) for one in apart] == [("BOX", 1), ("PC", 2)]
    assert all(isinstance(one, Apart) and one.detail for one in apart)
    assert held(row, "PC", units, "BOX", "PC") == 0
