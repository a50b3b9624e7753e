"""Rows of a changelog as a reader has them: a key may stand in several partitions of delivery, one per ERP endpoint."""

from itertools import permutations

from app.ledger.books.collector import PartitionedRows
from app.ledger.books.live import of_plant
from schemas.records import EndpointRow
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


def test_what_people_ordered_for_an_erp_is_told_to_every_plant() -> None:
    """`trace` of a posting that waits shows it: the key is the endpoint's and names no plant."""
    rows = {ENDPOINT_ROWS.key("tryton"): EndpointRow("pause", [])}
    assert of_plant(rows, "P") == rows
