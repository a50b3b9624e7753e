"""Is an inbox still the log that was read? A few of its records are remembered by offset and digest (`ReadMark`).

A broker that loses the tail of a log writes new records under offsets that were folded already. Their numbers prove nothing: as
soon as the log is as long as it was, a position looks right again, and what was written meanwhile would be skipped in silence.
"""

import hashlib
from typing import Any

from confluent_kafka import Consumer as KafkaConsumer
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from schemas.records import PartitionPosition, ReadMark

NEWEST = 4
"""Marks that follow each other, one per checkpoint; older ones lie ever further apart."""
MOST = 24
SILENCE_SECONDS = 30.0


def digest(value: bytes | None, timestamp: int) -> int:
    """Of a record's bytes and its timestamp (milliseconds)."""
    return int.from_bytes(hashlib.sha256(b"%d " % timestamp + (value or b"")).digest()[:8], "big", signed=True)


def remember(marks: list[ReadMark], record: Any) -> list[ReadMark]:
    """With `record` (of the inbox, the last one folded) as the newest. Bounded: from the fifth newest on each gap between two
    marks is at least half as long as what has been read since."""
    marks = [*marks, ReadMark(record.offset, digest(record.value, record.timestamp))]
    kept = marks[-NEWEST:]
    for mark in reversed(marks[:-NEWEST]):
        if kept[0].offset - mark.offset > (record.offset - kept[0].offset) // 2 and len(kept) < MOST:
            kept.insert(0, mark)
    return kept


def intact_up_to(consumer: KafkaConsumer, inbox: TopicPartition, state: PartitionPosition, low: int, high: int) -> int:
    """The offset from which reading has to go on: the position; below it when the log is not the one that was read.

    Nothing is left out; what lies between the newest record that is still there and the position may be folded once more.
    `low`, `high`: first and next offset of the log.
    """
    readable = [mark for mark in state.read_marks if mark.offset >= low]
    if not readable:  # a state from before there were marks, or retention took them
        return state.next_offset if low <= state.next_offset <= high else low
    for mark in reversed(readable):
        if mark.offset < high and _is_there(consumer, inbox, mark):
            return min(state.next_offset, high) if mark is readable[-1] else mark.offset + 1
    return low


def _is_there(consumer: KafkaConsumer, inbox: TopicPartition, mark: ReadMark) -> bool:
    consumer.assign([TopicPartition(inbox.topic, inbox.partition, mark.offset)])
    message = consumer.poll(SILENCE_SECONDS)
    if message is None:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    if message.error() is not None:
        if message.error().code() == KafkaError._PARTITION_EOF:
            return False
        raise KafkaException(message.error())
    return message.offset() == mark.offset and digest(message.value(), message.timestamp()[1]) == mark.digest
