"""Where records enter a fold and where those that cannot be processed leave it: one bad record blocks nobody."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from schemas.codec import Malformed
from schemas.records import RECORDS, ExceptionRecord, LetterSettled, Quantity
from schemas.topics import EXCEPTIONS
from streams.step import RawMessage, Step
from streams.waiting_records import placed

MAX_ORIGINAL_BYTES = 256 << 10
MAX_HEADER_BYTES = 64 << 10
"""Of all headers together; those that do not fit are left out. With the original they stay under the message limit."""
MAX_DETAIL_CHARACTERS = 2_000

T = TypeVar("T")
Kind = TypeVar("Kind")
Handle = TypeVar("Handle")

AT_ONCE = ""
"""Rank of records that do not wait for the clock."""


def by_place(record: Any) -> str:
    """Where a record stands in its raw topic, and its name: no two are the same, and numbers in it sort as numbers."""
    return placed(f"{record.source}|{record.raw_source}|{record.raw_offset:020d}", record.event_id)


class Handling(NamedTuple, Generic[Handle]):
    """What a stage does with the records of one type. A stage has one table of these, by type; the rest is WRONG_STAGE."""

    rank: str
    """Order of kinds among what becomes due together; AT_ONCE: it waits for nothing."""
    handle: Handle
    identity: Callable[[Any], str] = by_place
    """What a record is about while it waits: a second one replaces it; and its place among others of its kind."""


@dataclass(slots=True, frozen=True)
class Original:
    """The record that is refused, as far as it is known."""

    record: Any = None
    """Decoded: names plant, source, raw position, received_at."""
    message: RawMessage | None = None
    """As it came; or only its bytes:"""
    value: bytes = b""
    offset: int | None = None
    """Its inbox offset when that is not `step.offset` (it waited for the clock)."""


@dataclass(slots=True, frozen=True)
class Concern:
    """What a refusal is about where the record does not say so. `part`: which part of it, when not the whole is refused."""

    plant: str = ""
    kind: str = ""
    quantity: Quantity | None = None
    part: str = ""


_THE_RECORD = Concern()


def records(step: Step, stage: str, table: Mapping[type, Handling[Handle]]) -> Iterator[tuple[RawMessage, Any, Handling[Handle]]]:
    """The batch as (message, record, handling), in inbox order; `step.offset` names the one that is being folded.

    What the stage's table does not have goes to `exceptions` (WRONG_STAGE), as a suspect (its folding ended the process before)
    and malformed bytes do (FOLD_FAILED, BAD_RECORD).
    Raises UnknownSchema: the reader waits for a schema, a record of it is never refused.
    """
    return _handled(step, stage, table, step.decode, type)


def fields(
    step: Step, stage: str, table: Mapping[str, Handling[Handle]]
) -> Iterator[tuple[RawMessage, tuple[str, dict[str, Any]], Handling[Handle]]]:
    """Like `records`, with record name and plain values instead of built records (hot paths). `table`: `by_name`."""
    return _handled(step, stage, table, step.fields, itemgetter(0))


def by_name(table: Mapping[type, Handling[Handle]]) -> dict[str, Handling[Handle]]:
    """The same table by the names of the record types."""
    return {record.__name__: handling for record, handling in table.items()}


def _handled(
    step: Step, stage: str, table: Mapping[Kind, Handling[Handle]], read: Callable[[bytes], T], kind_of: Callable[[T], Kind]
) -> Iterator[tuple[RawMessage, T, Handling[Handle]]]:
    suspects = step.suspects
    for message in step.records:
        step.offset = message.offset
        if message.offset in suspects:
            # Not even decoded: decoding may be what failed.
            refuse(step, stage, "FOLD_FAILED", "folding this record ended the process before", Original(message=message))
            continue
        try:
            record = read(message.value)
        except Malformed as exc:
            refuse(step, stage, "BAD_RECORD", str(exc), Original(message=message))
            continue
        handling = table.get(kind_of(record))
        if handling is not None:
            yield message, record, handling
        else:
            built = RECORDS[record[0]].from_avro(record[1]) if isinstance(record, tuple) else record
            refuse(step, stage, "WRONG_STAGE", type(built).__name__, Original(built, message))


def refuse(step: Step, stage: str, code: str, detail: str, original: Original, concern: Concern = _THE_RECORD) -> None:
    """Dead-letter one record of the inbox under a stable code, key `plant|code`. Repeating the fold repeats the event_id."""
    record, message = original.record, original.message
    at = step.offset if original.offset is None else original.offset
    position = f"{step.topic}/{step.partition}"
    plant = concern.plant or getattr(record, "plant", "") or _plant_of(message)
    raw_source = getattr(record, "raw_source", "")
    refused = Letter(
        event_id=hashlib.sha256(f"{stage}\n{position}@{at}{concern.part}\n{code}".encode()).hexdigest(),
        plant=plant,
        stage=stage,
        code=code,
        detail=detail,
        source=getattr(record, "source", ""),
        raw_source=raw_source or position,
        raw_offset=getattr(record, "raw_offset", at) if raw_source else at,
        original=original.value if message is None else message.value,
        headers=message.headers if message is not None else (),
        quantity=concern.quantity,
        kind=concern.kind,
        received_at=getattr(record, "received_at", 0),
    )
    step.emit(EXCEPTIONS, f"{plant}|{code}", refused.record())


def settled(step: Step, what: LetterSettled) -> None:
    """Tell what became of a dead letter, where the letter stands."""
    step.emit(EXCEPTIONS, f"{what.plant}|{what.code}", what)


class Letter(NamedTuple):
    """A dead letter before its bounds."""

    event_id: str
    plant: str
    stage: str
    code: str
    detail: str
    source: str
    raw_source: str
    raw_offset: int
    original: bytes
    headers: Sequence[tuple[str, bytes]] = ()
    quantity: Quantity | None = None
    kind: str = ""
    received_at: int = 0

    def record(self) -> ExceptionRecord:
        """Within its bounds: long originals and headers are cut, the hash and length of the original stay."""
        original = bytes(self.original)  # within one process it may not have been encoded yet
        return ExceptionRecord(
            event_id=self.event_id,
            plant=self.plant,
            stage=self.stage,
            code=self.code,
            detail=self.detail[:MAX_DETAIL_CHARACTERS],
            source=self.source,
            raw_source=self.raw_source,
            raw_offset=self.raw_offset,
            original=original[:MAX_ORIGINAL_BYTES],
            original_sha256=hashlib.sha256(original).hexdigest(),
            original_bytes=len(original),
            headers=_bounded(self.headers),
            quantity=self.quantity,
            kind=self.kind,
            received_at=self.received_at,
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
