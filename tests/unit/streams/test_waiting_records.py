"""Records that wait for the clock: folded by label, kind and identity, never as they came."""

import itertools

from schemas.records import PendingRow
from streams.step import at_once
from streams.waiting_records import Waiting, placed
from tables.rows import MemoryRows


def texts(due: list[tuple[int, list[PendingRow]]]) -> list[tuple[int, list[str]]]:
    return [(label, [row.record.decode() for row in rows]) for label, rows in due]


def row(label: int, text: str, offset: int = 0) -> PendingRow:
    return PendingRow(label, text.encode(), offset)


def test_any_order_of_arrival_is_folded_in_one_order() -> None:
    records = [(10, "06", "x"), (10, "01", "y"), (10, "06", "a"), (9, "12", "z")]
    for order in itertools.permutations(records):
        waiting = Waiting(MemoryRows())
        for offset, (label, rank, identity) in enumerate(order):
            waiting.add("P", label, rank, identity, row(label, identity, offset))
        assert texts(waiting.due("P", 10)) == [(9, ["z"]), (10, ["y", "a", "x"])]


def test_records_of_one_place_are_folded_as_they_came_and_not_by_their_names() -> None:
    """Elements of one list, with ids of their source's making."""
    for names in itertools.permutations(("a", "b", "c10", "c9")):
        waiting = Waiting(MemoryRows())
        waiting.add("P", 10, "06", placed("gw raw 8", "z"), row(10, "before", 99))
        for offset, name in enumerate(names):
            waiting.add("P", 10, "06", placed("gw raw 9", name), row(10, name, offset))
        waiting.add("P", 10, "06", placed("gw raw 10", "a"), row(10, "behind", 1))
        assert texts(waiting.due("P", 10)) == [(10, ["before", *names, "behind"])]


def test_labels_beyond_the_clock_and_other_plants_wait() -> None:
    waiting = Waiting(MemoryRows())
    for plant, label in (("P", 10), ("P", 11), ("Q", 10)):
        waiting.add(plant, label, "06", "x", row(label, f"{plant}{label}"))
    assert texts(waiting.due("P", 10)) == [(10, ["P10"])]
    assert texts(waiting.due("P", 10)) == []
    assert len(waiting) == 2
    assert texts(waiting.due("P", 99)) == [(11, ["P11"])]


def test_labels_are_numbers_not_texts() -> None:
    waiting = Waiting(MemoryRows())
    for label in (100, 20, 3):
        waiting.add("P", label, "06", "x", row(label, str(label)))
    assert [label for label, _ in waiting.due("P", 1000)] == [3, 20, 100]


def test_within_one_label_the_last_of_an_identity_stays() -> None:
    waiting = Waiting(MemoryRows())
    waiting.add("P", 10, "06", "x", row(10, "first", 1))
    waiting.add("P", 10, "06", "x", row(10, "second", 2))
    waiting.add("P", 10, "06", "x", row(10, "first again", 1))
    waiting.add("P", 11, "06", "x", row(11, "later", 3))
    assert texts(waiting.due("P", 11)) == [(10, ["second"]), (11, ["later"])]


def test_a_successor_finds_the_same_and_nothing_stays_behind() -> None:
    rows = MemoryRows()
    for label, text in ((10, "b"), (10, "a"), (12, "c")):
        Waiting(rows).add("P", label, "06", text, row(label, text))
    successor = Waiting(rows)
    at_once(successor.remember())
    assert len(successor) == 3
    assert texts(successor.due("P", 10)) == [(10, ["a", "b"])]
    assert texts(successor.due("P", 12)) == [(12, ["c"])]
    assert rows.rows == {}


def test_a_row_that_is_not_outdated_stays() -> None:
    waiting = Waiting(MemoryRows())
    waiting.add("P", 10, "06", "x", row(10, "newer", 1))
    waiting.add("P", 10, "06", "x", row(10, "older", 2), lambda known: known.record < b"k")
    assert texts(waiting.due("P", 10)) == [(10, ["newer"])]


def test_offsets_begin_anew_with_each_log_epoch() -> None:
    """Of one identity what came later stays, also when its inbox was recreated and counts from 0 again."""
    waiting = Waiting(MemoryRows())
    waiting.add("P", 10, "06", "x", PendingRow(10, b"old", 5_000, 1))
    waiting.add("P", 10, "06", "x", PendingRow(10, b"new", 3, 2))
    waiting.add("P", 10, "06", "x", PendingRow(10, b"older", 9_000, 1))
    assert texts(waiting.due("P", 10)) == [(10, ["new"])]
