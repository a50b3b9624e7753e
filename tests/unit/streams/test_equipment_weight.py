"""What the rows of equipment weigh at 1 Hz in real time, with a checkpoint each second as live (LIVE_INTERVALS)."""

import pytest

from app.settings import LIVE_INTERVALS
from benchmarks.equipment_fold import changelog, day

CHANGELOG_BYTES_PER_READING = 300
STATE_BYTES_PER_DAY = 200_000
HEAD_BYTES = 1_000


@pytest.mark.parametrize("every", [1, 25])
def test_changelog_bytes_of_a_reading(every: int) -> None:
    """Keys and values of all rows; every reading counts, or one in 25."""
    assert LIVE_INTERVALS["equipment"] == 1.0
    each, kinds = changelog(every, interval=1, machines=3, seconds=900)
    assert each < CHANGELOG_BYTES_PER_READING, kinds


@pytest.mark.parametrize("every", [1, 25])
def test_state_of_a_machine_and_day(every: int) -> None:
    size, head = day(every)
    assert size < STATE_BYTES_PER_DAY
    assert head < HEAD_BYTES
