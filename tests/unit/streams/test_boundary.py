"""The boundary of folds: what cannot be processed leaves with code, position and original, and blocks nobody."""

import hashlib

import pytest

from schemas.codec import Codec, UnknownSchema
from schemas.records import Tick
from streams import boundary
from streams.boundary import AT_ONCE, Handling, Original
from streams.memory_step import MemoryStep, Message
from tests.unit.streams.quality_bench import placed

CODEC = Codec()
TICKS = {Tick: Handling(AT_ONCE, None)}


def test_malformed_and_suspect_records_are_dead_lettered_and_the_rest_is_folded() -> None:
    step = MemoryStep("lots.inbox", 3)
    good = CODEC.encode(Tick("P", 5, "x"))
    step.records = [
        Message(7, b"\0\0\0\0\1broken", b"P|4711|L1", headers=[("h", b"1")]),
        Message(8, good),
        Message(9, good, b"P|4711|L2"),
    ]
    step.suspects = frozenset({9})
    seen = [(message.offset, record, step.offset) for message, record, _ in boundary.records(step, "lots", TICKS)]
    assert seen == [(8, Tick("P", 5, "x"), 8)]
    bad, suspect = step.take("exceptions")
    assert (bad.code, bad.plant, bad.raw_source, bad.raw_offset, bad.headers) == (
        "BAD_RECORD",
        "P",
        "lots.inbox/3",
        7,
        {"h": b"1"},
    )
    assert (bad.original, bad.event_id) == (
        b"\0\0\0\0\1broken",
        hashlib.sha256(b"lots\nlots.inbox/3@7\nBAD_RECORD").hexdigest(),
    )
    assert (suspect.code, suspect.raw_offset, suspect.original) == ("FOLD_FAILED", 9, good)


def test_an_unknown_schema_makes_the_reader_wait() -> None:
    step = MemoryStep()
    step.records = [Message(0, b"\0\0\1\0\0body")]
    with pytest.raises(UnknownSchema):
        list(boundary.records(step, "lots", TICKS))
    assert step.take() == []


def test_a_long_original_is_cut_and_keeps_hash_and_length() -> None:
    step, original = MemoryStep("lots.inbox"), bytes(300_000)
    step.offset = 4
    record = placed("L1", "H", 1)
    boundary.refuse(step, "lots", "X_CODE", "why", Original(record, value=original, offset=2))
    (sent,) = step.sent
    letter = sent.record
    assert sent.key == "P|X_CODE"
    assert (len(letter.original), letter.original_bytes) == (256 << 10, 300_000)
    assert letter.original_sha256 == hashlib.sha256(original).hexdigest()
    assert (letter.raw_source, letter.raw_offset) == (record.raw_source, record.raw_offset)
    assert letter.event_id == hashlib.sha256(b"lots\nlots.inbox/0@2\nX_CODE").hexdigest()


def test_headers_that_would_outgrow_a_message_are_left_out() -> None:
    step = MemoryStep()
    step.records = [Message(0, b"x", headers=[("small", b"1"), ("huge", bytes(80_000))])]
    assert list(boundary.fields(step, "lots", boundary.by_name(TICKS))) == []
    (letter,) = step.take("exceptions")
    assert letter.headers == {"small": b"1"}
