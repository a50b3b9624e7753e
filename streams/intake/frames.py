"""Readings on their way to equipment: those of one counter leave as one message."""

import struct
from collections import defaultdict

from schemas.records import CounterFrame
from schemas.topics import EQUIPMENT_INBOX
from streams.intake.clock import LABEL
from streams.mapping import RawRecord, Reading
from streams.step import Step

MAX_FRAME_READINGS = 100
_READING = struct.Struct("<4q")


class Frame:
    """Readings of one counter that leave together."""

    __slots__ = ("packed", "raw_source", "received_at", "source")

    def __init__(self, source: str, raw_source: str) -> None:
        self.packed: list[bytes] = []
        self.source, self.raw_source, self.received_at = source, raw_source, 0


class OpenFrames:
    """Readings that leave before the next commit, never across one: the fuller the frames, the cheaper each reading."""

    def __init__(self, plant: str) -> None:
        self._plant = plant
        self._frames: dict[int, dict[str, dict[str, Frame]]] = defaultdict(dict)
        """Partition -> equipment -> counter -> frame."""

    def left(self, partition: int) -> None:
        self._frames.pop(partition, None)

    def collect(self, step: Step, reading: Reading, raw: RawRecord) -> None:
        equipment, counter, seq, occurred_at, value, received_at = reading
        of_equipment = self._frames[step.partition]
        frames = of_equipment.get(equipment)
        if frames is None:
            frames = of_equipment[equipment] = {}
        frame = frames.get(counter)
        if frame is None or frame.raw_source != raw.raw_source or len(frame.packed) >= MAX_FRAME_READINGS:
            if frame is not None:
                self._send(step, equipment, counter, frame)
            frame = frames[counter] = Frame(raw.source, raw.raw_source)
        frame.packed.append(_READING.pack(seq, occurred_at, value, raw.raw_offset))
        frame.received_at = received_at

    def flush(self, step: Step, equipment: str) -> None:
        for counter, frame in self._frames[step.partition].pop(equipment, {}).items():
            self._send(step, equipment, counter, frame)

    def flush_all(self, step: Step) -> None:
        for equipment in list(self._frames[step.partition]):
            self.flush(step, equipment)

    def _send(self, step: Step, equipment: str, counter: str, frame: Frame) -> None:
        record = CounterFrame(
            plant=self._plant,
            equipment=equipment,
            counter=counter,
            source=frame.source,
            raw_source=frame.raw_source,
            received_at=frame.received_at,
            label=step.state.marks[LABEL],
            readings=b"".join(frame.packed),
        )
        step.emit(EQUIPMENT_INBOX, f"{self._plant}|{equipment}", record)
