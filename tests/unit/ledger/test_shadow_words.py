"""A comparison in shadow mode is one of two interfaces; any other is the product with itself, and says so."""

from app.ledger.questions.shadow import NOT_IN_SHADOW, Comparison, lines_of


def test_a_plant_that_is_not_in_shadow_mode_is_not_compared_with_another_interface() -> None:
    assert lines_of(Comparison(8, [], in_shadow=False)) == [
        "Shadow: 8 of 8 order, material, lot and movement as the ERP has them    AGREES",
        NOT_IN_SHADOW,
    ]
    assert lines_of(Comparison(8, [])) == [
        "Shadow: 8 of 8 order, material, lot and movement as the other interface booked them    AGREES"
    ]
