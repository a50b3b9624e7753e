"""received_at of recorded files: it never falls, and one wrong clock does not move it."""

import pytest

from app.inputs.arrivals import LONELY_US, arrivals
from streams.mapping import RawRecord

FUTURE = 300
DAY = 86_400_000_000


def arrived(*stated: int | None) -> list[int]:
    records = [(RawRecord(b"", "s", "f", number), at) for number, at in enumerate(stated, 1)]
    found = [record for record, _ in arrivals(records, FUTURE)]
    assert [record.raw_offset for record in found] == list(range(1, len(stated) + 1)), "the order of the file"
    return [record.received_at for record in found]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ((10, 20, 30), [10, 20, 30]),
        ((10, 5, 30), [10, 10, 30]),  # a straggler arrives with the one before it
        ((10, None, 30), [10, 10, 30]),  # unreadable: likewise
        ((None, None, 30), [30, 30, 30]),  # nothing before: with the first that says so
        ((10, 10 + DAY, 20, 30, 40), [10, 10, 20, 30, 40]),  # one clock is a day ahead
        ((DAY, 10, 20, 30, 40), [10, 10, 20, 30, 40]),  # the very first one
        ((10, DAY, DAY, 20, 30, 40, 50, 60, 70), [10, 10, 10, 20, 30, 40, 50, 60, 70]),  # a few of them
        ((10, DAY, DAY + 1, DAY + 2), [10, DAY, DAY + 1, DAY + 2]),  # a night without records is no wrong clock
        ((10, DAY, 5, DAY + 2), [10, DAY, DAY, DAY + 2]),  # nor is it one because of a straggler
        ((10, 20, 20 + DAY), [10, 20, 20 + DAY]),  # the last one, after a day off
        ((10, 20, 21 + LONELY_US), [10, 20, 20]),  # the last one, more than a year later
        ((7,), [7]),
        ((None,), [0]),
    ],
)
def test_when_records_arrive(stated: tuple[int | None, ...], expected: list[int]) -> None:
    assert arrived(*stated) == expected


def test_long_files_settle_record_by_record() -> None:
    assert arrived(*range(1, 1000)) == list(range(1, 1000))
