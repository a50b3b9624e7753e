from fractions import Fraction

import pytest

from tables.plant.units import Definitions, MadeAt, UnitTable
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


CHANGED = BOXES.with_history(
    "4711",
    [
        Definitions(10, 10, ["1 BOX = 48 PC"]),
        Definitions(20, 20, ["1 BOX = 40 PC"]),
        Definitions(30, 90, ["1 BOX = 36 PC", "1 TRAY = 6 PC"]),
    ],
)


@pytest.mark.parametrize(
    ("made_at", "known_by", "pieces"),
    [
        (5, None, 48),
        (10, None, 48),
        (19, None, 48),
        (20, None, 40),
        (30, None, 36),
        (0, None, 36),
        (35, 80, 40),
        (35, 90, 36),
        (35, 15, 48),
        (35, 5, 36),
    ],
)
def test_definitions_hold_from_their_time_on_and_what_was_posted_keeps_those_that_were_known(
    made_at: int, known_by: int | None, pieces: int
) -> None:
    """Before the first it holds, too; without a time the newest; where nothing was known when it was posted, all count."""
    assert CHANGED.convert(Fraction(1), "BOX", "PC", "4711", MadeAt(made_at, known_by)) == pieces
    assert CHANGED.convert(Fraction(2), "DOZEN", "PC", "4711", MadeAt(made_at, known_by)) == 24


def test_what_did_not_convert_in_its_time_takes_what_is_told_later_and_nothing_that_was_taken_back() -> None:
    assert CHANGED.convert(Fraction(1), "TRAY", "PC", "4711", MadeAt(15, 15)) == 6
    gone = BOXES.with_history("4711", [Definitions(10, 10, ["1 BOX = 48 PC"]), Definitions(20, 20, ["1 TRAY = 6 PC"])])
    assert gone.convert(Fraction(1), "BOX", "PC", "4711", MadeAt(15, None)) == 48
    assert isinstance(gone.convert(Fraction(1), "BOX", "PC", "4711", MadeAt(20, None)), Refusal)


def test_only_a_material_whose_definitions_changed_is_looked_at_by_time() -> None:
    assert CHANGED.changed("4711")
    assert not CHANGED.changed("4712")
    assert not BOXES.with_material("4711", ["1 BOX = 50 PC"]).changed("4711")
    assert not CHANGED.with_material("4711", ["1 BOX = 50 PC"]).changed("4711")
    assert CHANGED.with_material("4712", ["1 BOX = 50 PC"]).changed("4711")
