"""Where a partition goes on: its state must have been built from this very log, spread over as many partitions."""

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, TopicPartition
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from app.engine.position import PartitionSpec, WrongLog, take_up
from app.engine.read_marks import MOST, digest, intact_up_to, remember
from app.engine.restore import Changelog
from app.fatal import Exit
from schemas.records import PartitionPosition, ReadMark

INBOX = TopicPartition("orders.inbox", 0)


def spec(partition: int = 0, inbox: str = "id-1", epoch: int = 1, partitions: int = 4) -> PartitionSpec:
    tp = TP("orders.inbox", partition)
    return PartitionSpec("g", "orders", tp, inbox, Changelog("orders.changelog", partition, "c", 60.0), epoch, 1, partitions)


class Log:
    """An inbox as a consumer sees it: {offset: value}; what is missing are markers."""

    def __init__(self, first: int, *values: str) -> None:
        self.records = {first + number: value for number, value in enumerate(values) if value != "marker"}
        self.low, self.high = first, first + len(values)
        self.asked = 0
        self._at = 0

    def assign(self, partitions: list[TopicPartition]) -> None:
        self._at = partitions[0].offset

    def poll(self, timeout: float) -> Any:
        self.asked += 1
        found = next((offset for offset in sorted(self.records) if offset >= self._at), None)
        if found is None:
            return SimpleNamespace(error=lambda: KafkaError(KafkaError._PARTITION_EOF))
        return SimpleNamespace(
            error=lambda: None, offset=lambda: found, value=lambda: self.records[found].encode(), timestamp=lambda: (1, 7)
        )

    def taken_up(self, state: PartitionPosition | None, wanted: PartitionSpec) -> PartitionPosition:
        consumer: Any = self
        return take_up(
            wanted, state, self.low, self.high, lambda one: intact_up_to(consumer, INBOX, one, self.low, self.high), False
        )

    def read(self, wanted: PartitionSpec | None = None) -> PartitionPosition:
        """The position after all of it was folded, a checkpoint per record."""
        state = self.taken_up(None, wanted or spec())
        for offset, value in self.records.items():
            record = SimpleNamespace(offset=offset, value=value.encode(), timestamp=7)
            state.read_marks = remember(state.read_marks, record)
        state.next_offset = self.high
        return state


def test_the_same_log_goes_on_and_one_look_is_enough() -> None:
    state = Log(0, "a", "b", "marker").read()
    grown = Log(0, "a", "b", "marker", "c", "marker")
    assert (grown.taken_up(state, spec()).next_offset, grown.asked) == (3, 1)


@pytest.mark.parametrize(
    ("log", "goes_on"),
    [
        pytest.param(Log(0, "a", "b"), 2, id="its tail is lost"),
        pytest.param(Log(0, "a", "b", "x"), 2, id="and new records came"),
        pytest.param(Log(0, "a", "b", "x", "y", "z", "w"), 2, id="until the position looks right again"),
        pytest.param(Log(0), 0, id="all of it is lost"),
        pytest.param(Log(0, "x", "y", "z", "w"), 0, id="all of it is new"),
        pytest.param(Log(3, "d", "marker", "e"), 5, id="only retention passed"),
        pytest.param(Log(6, "e"), 6, id="retention passed what was not read"),
    ],
)
def test_another_log_is_refused_until_the_epoch_is_raised_and_then_nothing_is_skipped(log: Log, goes_on: int) -> None:
    state = Log(0, "a", "b", "c", "d", "marker").read()
    if goes_on == state.next_offset:
        assert log.taken_up(state, spec()).next_offset == goes_on
        return
    with pytest.raises(WrongLog) as refused:
        log.taken_up(Log(0, "a", "b", "c", "d", "marker").read(), spec())
    assert refused.value.exit is Exit.INBOX_TRUNCATED
    raised = log.taken_up(state, spec(epoch=2))
    assert (raised.next_offset, raised.log_epoch) == (goes_on, 2)
    assert log.taken_up(raised, spec(epoch=2)).next_offset == goes_on, "once, not for ever"


def test_another_topic_is_refused_however_much_of_it_was_read() -> None:
    for log in (Log(0, "a", "b"), Log(0)):
        with pytest.raises(WrongLog, match="another topic") as refused:
            log.taken_up(log.read(), spec(inbox="id-2"))
        assert refused.value.exit is Exit.TOPIC_MISMATCH


def test_a_recreated_topic_is_read_from_its_beginning_once_the_epoch_is_raised() -> None:
    state = Log(0, "a", "b", "c").read()
    raised = Log(0, "a", "b", "c", "d").taken_up(state, spec(inbox="id-2", epoch=2))
    assert (raised.next_offset, raised.inbox_topic_id, raised.read_marks) == (0, "id-2", [])


def test_a_state_of_a_later_epoch_than_the_log_says_is_refused() -> None:
    """An older process, or a topic `config` that was lost: it would number its versions below those that are known."""
    state = Log(0, "a").read(spec(epoch=2))
    with pytest.raises(WrongLog, match="log epoch 2") as refused:
        Log(0, "a").taken_up(state, spec(epoch=1))
    assert refused.value.exit is Exit.TOPIC_MISMATCH


@pytest.mark.parametrize(("end", "goes_on"), [(9, 9), (4, 0)])
def test_a_state_from_before_there_were_marks(end: int, goes_on: int) -> None:
    log = Log(0, *"abcdefghi"[:end])
    state = PartitionPosition(9, 1, 1, "id-1")
    assert log.taken_up(state, spec(epoch=2)).next_offset == goes_on


@pytest.mark.parametrize(
    ("state", "wanted"),
    [
        pytest.param(4, spec(partitions=8), id="partitions were added"),
        pytest.param(8, spec(partitions=4), id="or taken away"),
        pytest.param(4, spec(partitions=8, epoch=2), id="a raised epoch does not help"),
        pytest.param(None, spec(partition=4), id="added while the process ran"),
    ],
)
def test_keys_are_spread_over_as_many_partitions_as_the_state_was_begun_with(state: int | None, wanted: PartitionSpec) -> None:
    log = Log(0, "a")
    known = None if state is None else log.read(spec(partitions=state))
    with pytest.raises(WrongLog, match="partitions") as refused:
        log.taken_up(known, wanted)
    assert refused.value.exit is Exit.TOPIC_MISMATCH


def test_a_state_that_noted_no_count_notes_it() -> None:
    state = Log(0, "a").read()
    state.partitions = 0
    assert Log(0, "a").taken_up(state, spec()).partitions == 4


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=300))
def test_marks_are_few_and_lie_close_where_a_tail_is_lost(steps: list[int]) -> None:
    marks: list[ReadMark] = []
    offset, seen = 0, []
    for step in steps:
        offset += step
        seen.append(offset)
        marks = remember(marks, SimpleNamespace(offset=offset, value=b"v", timestamp=offset))
    offsets = [mark.offset for mark in marks]
    assert offsets == sorted(set(offsets)) and set(offsets) <= set(seen) and len(marks) <= MOST
    assert offsets[-4:] == seen[-4:]
    assert marks[-1].digest == digest(b"v", offset)
