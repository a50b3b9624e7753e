"""The local store of one partition: opened, checked against its changelog, and brought up to its end."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import rocksdict
from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Consumer as KafkaConsumer

META_KEY = b"\0lineledger"
"""Only in the local store, never in the changelog: which changelog it mirrors, up to where, and when it last did."""
WRITE_EVERY_ROWS = 10_000
SILENCE_SECONDS = 30.0
"""A restore that hears neither rows nor the end of its changelog for this long gives up: the process starts again."""


class RestoreStalled(RuntimeError):
    """The broker went silent in a restore. Ends the process (TAKEOVER_FAILED) instead of holding its partitions for ever."""


class StoreMeta(msgspec.Struct):
    """What a local store says of itself."""

    changelog_id: str
    offset: int
    """Changelog offset up to which the store is complete. The store is never ahead of the changelog."""
    committed_at: float
    """Wall time of the last commit, in seconds."""


@dataclass(slots=True)
class Changelog:
    topic: str
    partition: int
    topic_id: str
    """Kafka's topic id; empty where the broker has none (embedded)."""
    max_age_seconds: float
    """An older store is dropped: tombstones may be gone from the changelog, their rows would resurrect."""


def read_meta(db: Any) -> StoreMeta | None:
    """None when the store is new or its meta row is unreadable (then it is not trusted)."""
    raw = db.get(META_KEY)
    try:
        return msgspec.msgpack.decode(raw, type=StoreMeta) if raw else None
    except msgspec.DecodeError:
        return None


def put_meta(batch: Any, changelog_id: str, offset: int) -> None:
    batch.put(META_KEY, msgspec.msgpack.encode(StoreMeta(changelog_id, offset, time.time())))


def usable(meta: StoreMeta | None, changelog: Changelog, low: int, high: int, now: float) -> bool:
    """May the store be kept? Same changelog, young enough, and inside what the changelog still holds."""
    return (
        meta is not None
        and meta.changelog_id == changelog.topic_id
        and 0 <= now - meta.committed_at <= changelog.max_age_seconds
        and meta.offset <= high
        and (meta.offset >= low or low == 0)
    )


def open_restored(
    open_store: Callable[[], Any],
    path: Any,
    consumer: KafkaConsumer,
    changelog: Changelog,
    stopping: Callable[[], bool],
) -> tuple[Any, int]:
    """Open the store and replay the changelog's committed rows into it. Returns (db, rows restored).

    A damaged, foreign, stale or too advanced store is deleted and rebuilt from the changelog's beginning.
    """
    tp = TopicPartition(changelog.topic, changelog.partition)
    low, high = consumer.get_watermark_offsets(tp, timeout=10)
    try:
        db = open_store()
        meta = read_meta(db)
    except Exception:  # any error of a corrupt store: it is only a cache
        db = meta = None
    if not usable(meta, changelog, low, high, time.time()):
        if db is not None:
            db.close()
            del db
        shutil.rmtree(path, ignore_errors=True)
        db, meta = open_store(), None
    start = meta.offset if meta else OFFSET_BEGINNING
    consumer.assign([TopicPartition(changelog.topic, changelog.partition, start)])
    return db, _replay(db, consumer, changelog, meta.offset if meta else 0, stopping)


def _replay(db: Any, consumer: KafkaConsumer, changelog: Changelog, end: int, stopping: Callable[[], bool]) -> int:
    batch, rows, eof = rocksdict.WriteBatch(raw_mode=True), 0, False
    heard = time.monotonic()
    while not (eof or stopping()):
        first = consumer.poll(0.5)  # then what is already here, without waiting for a full batch
        if first is not None:
            heard = time.monotonic()
        elif time.monotonic() - heard > SILENCE_SECONDS:
            raise RestoreStalled(f"{changelog.topic}/{changelog.partition} at {end}: nothing for {SILENCE_SECONDS} s")
        for message in [first, *consumer.consume(WRITE_EVERY_ROWS, 0.0)] if first is not None else ():
            error = message.error()
            if error is None:
                if message.value() is None:
                    batch.delete(message.key())
                else:
                    batch.put(message.key(), message.value())
                rows, end = rows + 1, message.offset() + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                # The end of a transactional partition is a marker: only EOF knows the true end.
                eof, end = True, max(end, message.offset())
            elif error.fatal() or not error.retriable():
                raise KafkaException(error)
        put_meta(batch, changelog.topic_id, end)
        db.write(batch)
        batch = rocksdict.WriteBatch(raw_mode=True)
    return rows
