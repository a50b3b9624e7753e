"""Where a posting's quantity goes to and comes from (docs/domain.md, Locations)."""

import pytest

from tables.orders.locations import spread


@pytest.mark.parametrize(
    ("amount", "wanted", "issued", "expected"),
    [
        (10, {}, {}, {"DEFAULT": 10}),
        (10, {"A": 10}, {}, {"A": 10}),
        (150, {"A": 100, "B": 50}, {}, {"A": 100, "B": 50}),
        (120, {"A": 100, "B": 50}, {}, {"A": 100, "B": 20}),  # 30 wait: what was made last
        (10, {"A": 100, "B": 60}, {"A": 100, "B": 50}, {"B": 10}),
        (-5, {"A": 100, "B": 45}, {"A": 100, "B": 50}, {"B": -5}),
        (-5, {"B": 95}, {"A": 100}, {"A": -5}),  # the location changed: what is taken back was received at the old one
        (10, {"B": 110}, {"A": 100}, {"B": 10}),
        (-120, {"A": 0, "B": 0}, {"A": 100, "B": 50}, {"B": -50, "A": -70}),
        (-60, {"B": 0}, {"A": 50}, {"A": -50, "B": -10}),  # more than was ever received
        (7, {"A": 0, "B": 0}, {}, {"A": 7}),
    ],
)
def test_a_posting_fills_what_is_missing_and_takes_what_is_too_much(
    amount: int, wanted: dict[str, int], issued: dict[str, int], expected: dict[str, int]
) -> None:
    found = spread(amount, wanted, issued, "DEFAULT")
    assert found == expected and sum(found.values()) == amount
