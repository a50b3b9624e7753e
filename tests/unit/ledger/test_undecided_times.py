"""The time of an undecided count as people type it: as listed, in any zone, or as the plant's own clock showed it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from app.ledger.questions.undecided import meant

BEGAN = [round(datetime(2026, 11, 20, 10, 40, 7, 250_000, UTC).timestamp() * 1_000_000)]
PRAGUE = ZoneInfo("Europe/Prague")


@pytest.mark.parametrize(
    "typed",
    [
        "2026-11-20T10:40:07.250000Z", "2026-11-20T10:40:07Z", "2026-11-20T10:40Z", "2026-11-20T11:40:07+01:00",
        "2026-11-20T05:40:07.25-05:00", "2026-11-20 11:40:07", "2026-11-20T11:40", "20 Nov 11:40", "20 Nov 2026 11:40:07",
        "20 nov  11:40",
    ],
)  # fmt: skip
def test_a_moment_that_is_meant(typed: str) -> None:
    assert meant(typed, BEGAN, PRAGUE) == BEGAN


@pytest.mark.parametrize(
    "typed", ["2026-11-20T10:40", "2026-11-20T11:40:07Z", "2026-11-20T10:40:08Z", "20 Nov 10:40", "2026-11-20", "yesterday", ""]
)
def test_another_moment(typed: str) -> None:
    assert meant(typed, BEGAN, PRAGUE) == []


def test_what_is_not_clear_is_named() -> None:
    both = [BEGAN[0], BEGAN[0] + 20_000_000]
    assert meant("20 Nov 11:40", both, PRAGUE) == both
