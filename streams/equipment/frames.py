"""Frames of readings as they come in: gathered by counter, and refused so that it does not show how they were joined."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from streams import boundary
from streams.boundary import Concern, Original
from streams.step import RawMessage, Step
from tables.equipment.counter import Readings
from tables.refusal import Refusal

STAGE = "equipment"
READING_BYTES = 32


@dataclass(slots=True)
class Frames:
    """Readings of one counter that follow each other in the batch, folded in one stroke."""

    source: str
    raw_source: str
    received_at: int
    label: int
    messages: list[RawMessage] = field(default_factory=list)
    readings: list[bytes] = field(default_factory=list)


class ReadingPlace(NamedTuple):
    """Where a refused reading came from."""

    plant: str
    source: str
    raw_source: str
    raw_offset: int
    received_at: int


def unpacked(packed: bytes) -> Readings:
    return np.frombuffer(packed, "<i8").reshape(-1, 4)


def refuse_readings(step: Step, plant: str, frames: Frames, why: Refusal, indexes: list[int]) -> None:
    """What is refused must not depend on how frames were joined: of conflicts each reading is a dead letter by itself,
    else each frame (readings beyond the horizon are counted, not listed one by one)."""
    left = set(indexes)
    start = 0
    for message, packed in zip(frames.messages, frames.readings, strict=True):
        stop = start + len(packed) // READING_BYTES
        mine = [index - start for index in range(start, stop) if index in left]
        start = stop
        if not mine:
            continue
        if why.code == "SEQ_CONFLICT":
            for index in mine:
                original = packed[index * READING_BYTES : (index + 1) * READING_BYTES]
                offset = int(unpacked(original)[0, 3])
                place = ReadingPlace(plant, frames.source, frames.raw_source, offset, frames.received_at)
                refuse_frame(step, message, why, place, original)
            continue
        offset = int(unpacked(packed)[mine[0], 3])
        place = ReadingPlace(plant, frames.source, frames.raw_source, offset, frames.received_at)
        detail = f"{why.detail} ({len(mine)} of {len(packed) // READING_BYTES} readings of the frame)"
        refuse_frame(step, message, Refusal(why.code, detail), place)


def refuse_frame(step: Step, message: RawMessage, why: Refusal, place: ReadingPlace, reading: bytes | None = None) -> None:
    """`reading`: the one that is refused; None: the whole frame."""
    original, part = Original(place, message, offset=message.offset), ""
    if reading is not None:
        original = Original(place, value=reading, offset=message.offset)
        part = f"{place.raw_source}@{place.raw_offset}"
    boundary.refuse(step, STAGE, why.code, why.detail, original, Concern(kind="CounterReading", part=part))
