"""Rows of a changelog as a reader has them: a key may stand in several partitions of delivery, one per ERP endpoint."""

from itertools import permutations

import pytest

from app.ledger.books.collector import PartitionedRows
from app.ledger.books.live import of_plant
from schemas.records import AccountClosedRow, EndpointRow
from tables.delivery.closed_sequences import together
from tables.row_kinds import ENDPOINT_ROWS, POSTING_ROWS

P1 = POSTING_ROWS.key("P1").encode()


def test_a_posting_that_went_to_another_endpoint_is_there_in_whatever_order_the_partitions_are_read() -> None:
    """Of one partition the order is that of the log."""
    first = [(0, P1, b"parked"), (0, P1, None)]
    for order in permutations([*first, (1, P1, b"queued")]):
        if [one for one in order if one[0] == 0] != first:
            continue
        rows = PartitionedRows()
        for partition, key, value in order:
            rows.take(partition, key, value)
        assert rows.all() == {P1: b"queued"}


def test_rows_are_found_by_how_their_key_begins() -> None:
    rows = PartitionedRows()
    erp = ENDPOINT_ROWS.key("erp").encode()
    rows.take(0, P1, b"a")
    rows.take(1, erp, b"b")
    assert rows.all(ENDPOINT_ROWS.prefix.encode()) == {erp: b"b"}


def test_of_a_key_in_several_partitions_the_row_of_the_one_that_is_asked_for_holds() -> None:
    """What offsets say of a hold compares with postings of the same partition only."""
    rows = PartitionedRows()
    for partition in (0, 1, 2):
        rows.take(partition, P1, b"%d" % partition)
    assert [rows.all(last=last)[P1] for last in (0, 1, 2, -1)] == [b"0", b"1", b"2", b"2"]


@pytest.mark.parametrize(
    ("one", "other", "closed", "beyond"),
    [
        ((2, [4], 7), (0, [3, 5], 7), 5, []),
        ((2, [9], 7), (3, [], 0), 3, [9]),
        ((5, [], 7), (1, [], 8), 1, []),
        ((1, [], 8), (5, [], 7), 1, []),
    ],
)
def test_sequences_of_an_account_that_posted_through_two_endpoints(
    one: tuple[int, list[int], int], other: tuple[int, list[int], int], closed: int, beyond: list[int]
) -> None:
    """None of them comes again. One that was born anew counts its sequences anew."""
    rows = [AccountClosedRow("A", *told, at) for at, told in enumerate((one, other))]
    found = together(*rows)
    assert (found.closed, found.beyond) == (closed, beyond)
    assert together(*reversed(rows)) == found


def test_what_people_ordered_for_an_erp_is_told_to_every_plant() -> None:
    """`trace` of a posting that waits shows it: the key is the endpoint's and names no plant."""
    rows = {ENDPOINT_ROWS.key("tryton"): EndpointRow("pause", [])}
    assert of_plant(rows, "P") == rows
