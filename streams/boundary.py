"""Where records enter a fold and where those that cannot be processed leave it: one bad record blocks nobody."""

import hashlib
from collections.abc import Callable, Container, Iterator, Sequence
from typing import Any, TypeVar

from schemas.codec import Malformed
from schemas.records import RECORDS, ExceptionRecord, LetterSettled, Quantity
from streams.step import RawMessage, Step

EXCEPTIONS = "exceptions"
MAX_ORIGINAL_BYTES = 256 << 10
MAX_HEADER_BYTES = 64 << 10
"""Of all headers together; those that do not fit are left out. With the original they stay under the message limit."""
MAX_DETAIL_CHARACTERS = 2_000

T = TypeVar("T")


def records(step: Step, stage: str, takes: Container[type]) -> Iterator[tuple[RawMessage, Any]]:
    """The batch as (message, record), in inbox order; `step.offset` names the one that is being folded.

    `takes`: the stage's handlers. What they do not have goes to `exceptions` (WRONG_STAGE), as a suspect (its folding ended the
    process before) and malformed bytes do (FOLD_FAILED, BAD_RECORD).
    Raises UnknownSchema: the reader waits for a schema, a record of it is never refused.
    """
    for message, record in _opened(step, stage, step.decode):
        if type(record) in takes:
            yield message, record
        else:
            refuse(step, stage, "WRONG_STAGE", type(record).__name__, record=record, message=message)


def fields(step: Step, stage: str, takes: Container[str]) -> Iterator[tuple[RawMessage, tuple[str, dict[str, Any]]]]:
    """Like `records`, with record name and plain values instead of built records (hot paths). `takes`: by record name."""
    for message, (name, values) in _opened(step, stage, step.fields):
        if name in takes:
            yield message, (name, values)
        else:
            refuse(step, stage, "WRONG_STAGE", name, record=RECORDS[name].from_avro(values), message=message)


def _opened(step: Step, stage: str, read: Callable[[bytes], T]) -> Iterator[tuple[RawMessage, T]]:
    for message in step.records:
        step.offset = message.offset
        if message.offset in step.suspects:
            # Not even decoded: decoding may be what failed.
            refuse(step, stage, "FOLD_FAILED", "folding this record ended the process before", message=message)
            continue
        try:
            record = read(message.value)
        except Malformed as exc:
            refuse(step, stage, "BAD_RECORD", str(exc), message=message)
            continue
        yield message, record


def refuse(
    step: Step,
    stage: str,
    code: str,
    detail: str,
    *,
    record: Any = None,
    message: RawMessage | None = None,
    original: bytes = b"",
    offset: int | None = None,
    plant: str = "",
    kind: str = "",
    quantity: Quantity | None = None,
    part: str = "",
) -> None:
    """Dead-letter one record of the inbox under a stable code, key `plant|code`.

    `record`: the decoded record, if there is one (names plant, source, raw position, received_at). `message` or
    `original`: its bytes as they came. `offset`: its inbox offset when that is not `step.offset` (it waited for the
    clock). `part`: which part of it, when not the whole record is refused. Repeating the fold repeats the event_id.
    """
    at = step.offset if offset is None else offset
    if message is not None:
        original = message.value
    position = f"{step.topic}/{step.partition}"
    plant = plant or getattr(record, "plant", "") or _plant_of(message)
    raw_source = getattr(record, "raw_source", "")
    refused = letter(
        event_id=hashlib.sha256(f"{stage}\n{position}@{at}{part}\n{code}".encode()).hexdigest(),
        plant=plant,
        stage=stage,
        code=code,
        detail=detail,
        source=getattr(record, "source", ""),
        raw_source=raw_source or position,
        raw_offset=getattr(record, "raw_offset", at) if raw_source else at,
        original=original,
        headers=message.headers if message is not None else (),
        quantity=quantity,
        kind=kind,
        received_at=getattr(record, "received_at", 0),
    )
    step.emit(EXCEPTIONS, f"{plant}|{code}", refused)


def settled(step: Step, what: LetterSettled) -> None:
    """Tell what became of a dead letter, where the letter stands."""
    step.emit(EXCEPTIONS, f"{what.plant}|{what.code}", what)


def letter(
    *,
    event_id: str,
    plant: str,
    stage: str,
    code: str,
    detail: str,
    source: str,
    raw_source: str,
    raw_offset: int,
    original: bytes,
    headers: Sequence[tuple[str, bytes]] = (),
    quantity: Quantity | None = None,
    kind: str = "",
    received_at: int = 0,
) -> ExceptionRecord:
    """A dead letter within its bounds: long originals and headers are cut, the hash and length of the original stay."""
    return ExceptionRecord(
        event_id=event_id,
        plant=plant,
        stage=stage,
        code=code,
        detail=detail[:MAX_DETAIL_CHARACTERS],
        source=source,
        raw_source=raw_source,
        raw_offset=raw_offset,
        original=original[:MAX_ORIGINAL_BYTES],
        original_sha256=hashlib.sha256(original).hexdigest(),
        original_bytes=len(original),
        headers=_bounded(headers),
        quantity=quantity,
        kind=kind,
        received_at=received_at,
    )


def _plant_of(message: RawMessage | None) -> str:
    """Keys of inboxes begin with the plant, except delivery's (an endpoint)."""
    key = (message.key or b"").decode(errors="replace") if message is not None else ""
    plant, separator, _ = key.partition("|")
    return plant if separator else ""


def _bounded(headers: Sequence[tuple[str, bytes]]) -> dict[str, bytes]:
    kept: dict[str, bytes] = {}
    room = MAX_HEADER_BYTES
    for name, value in headers:
        room -= len(name) + len(value or b"")
        if room < 0:
            break
        kept[name] = value or b""
    return kept
