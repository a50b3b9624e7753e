from fractions import Fraction

import pytest

from tables.plant.units import UnitTable
from tables.refusal import Refusal, RefusedValue

BOXES = UnitTable({"4711": ["1 BOX = 48 PC", "10 PC = 319 g"], "*": ["1 DOZEN = 12 PC"]})


@pytest.mark.parametrize(
    ("value", "from_unit", "to_unit", "expected"),
    [
        (Fraction(10), "BOX", "PC", Fraction(480)),
        (Fraction(1), "PC", "BOX", Fraction(1, 48)),
        (Fraction(1), "PC", "g", Fraction(319, 10)),
        (Fraction(1), "BOX", "kg", Fraction(319 * 48, 10_000)),
        (Fraction(1), "t", "BOX", Fraction(10_000_000, 319 * 48)),
        (Fraction(1), "BOX", "DOZEN", Fraction(4)),
        (Fraction(90), "min", "h", Fraction(3, 2)),
        (Fraction(1), "h", "ms", Fraction(3_600_000)),
        (Fraction(1), "H", "MIN", Fraction(60)),
        (Fraction(-7), "m", "mm", Fraction(-7000)),
        (Fraction(1, 3), "l", "ml", Fraction(1000, 3)),
        (Fraction(5), "KAR", "KAR", Fraction(5)),
    ],
)
def test_conversions_are_exact(value: Fraction, from_unit: str, to_unit: str, expected: Fraction) -> None:
    assert BOXES.convert(value, from_unit, to_unit, "4711") == expected


@pytest.mark.parametrize(
    ("from_unit", "to_unit", "material"),
    [
        ("BOX", "PC", "4712"),
        ("PC", "g", "4712"),
        ("kg", "mm", "4711"),
        ("box", "PC", "4711"),
        ("", "PC", "4711"),
        ("PC", "", "4711"),
    ],
)
def test_what_nobody_defined_is_refused(from_unit: str, to_unit: str, material: str) -> None:
    refused = BOXES.convert(Fraction(1), from_unit, to_unit, material)
    assert isinstance(refused, Refusal)
    assert refused.code == "BAD_UNIT"


def test_definitions_of_all_materials_hold_for_an_unknown_one() -> None:
    assert BOXES.convert(Fraction(1), "DOZEN", "PC", "never-heard-of") == 12


@pytest.mark.parametrize(
    "definitions",
    [
        ["1 BOX = 48 PC", "1 BOX = 50 PC"],
        ["1 BOX = 48 PC", "1 PAL = 20 BOX", "1 PAL = 961 PC"],
        ["1 kg = 500 g"],
        ["1 PC = 2 PC"],
        ["10 PC = 319 g", "1 BOX = 48 PC", "1 BOX = 1.5 kg"],
        ["1 DOZEN = 13 PC"],
    ],
)
def test_a_contradiction_is_refused_at_construction(definitions: list[str]) -> None:
    with pytest.raises(RefusedValue) as refused:
        UnitTable({"*": ["1 DOZEN = 12 PC"], "4711": definitions})
    assert refused.value.refusal.code == "UNIT_CONFLICT"


def test_saying_the_same_twice_is_no_contradiction() -> None:
    table = UnitTable({"4711": ["1 BOX = 48 PC", "2 BOX = 96 PC", "1 kg = 1000 g", "0.5 BOX = 24 PC"]})
    assert table.factor("BOX", "PC", "4711") == 48


@pytest.mark.parametrize(
    "text",
    ["", "BOX = 48 PC", "1 BOX = PC", "1 BOX : 48 PC", "0 BOX = 48 PC", "1 BOX = 0 PC", "1 BOX = -4 PC", "1 BOX = 4 8 PC",
     "1.2.3 BOX = 48 PC", "1 BOX = 48 PC = 2 PAL", "1 BOX = 0.0000000001 PC"],
)  # fmt: skip
def test_text_that_is_no_definition_is_refused(text: str) -> None:
    with pytest.raises(RefusedValue) as refused:
        UnitTable({"4711": [text]})
    assert refused.value.refusal.code == "BAD_UNIT"


def test_too_many_definitions_are_refused() -> None:
    with pytest.raises(RefusedValue, match="more than 100"):
        UnitTable({"4711": [f"1 U{n} = 2 PC" for n in range(101)]})


def test_master_data_replaces_the_definitions_of_one_material_only() -> None:
    changed = BOXES.with_material("4711", ["1 BOX = 50 PC"])
    assert changed.factor("BOX", "PC", "4711") == 50
    assert isinstance(changed.factor("PC", "g", "4711"), Refusal)
    assert changed.factor("DOZEN", "PC", "4711") == 12
    assert BOXES.factor("BOX", "PC", "4711") == 48
