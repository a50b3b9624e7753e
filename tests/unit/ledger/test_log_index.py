"""Which records a cut knows: those that the inbox has before the tick that moved the clock there, whatever their labels."""

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from app.ledger.books.log_index import NEVER, Intakes, LogIndex, LogSelection, index_equipment
from schemas.codec import Codec
from schemas.records import ConfigActivated, CounterFrame, RunStarted, Tick
from streams.silence import Watch

CODEC = Codec()
UPSTREAMS = ("intake/raw.a/0", "intake/raw.a/1")


class Message(NamedTuple):
    record: Any

    def value(self) -> bytes:
        return CODEC.encode(self.record)


def frame(label: int, *offsets: int, equipment: str = "M1", plant: str = "P") -> CounterFrame:
    packed = b"".join(struct.pack("<4q", offset, label, offset, offset) for offset in offsets)
    return CounterFrame(plant, equipment, "shots", "presses", "raw.a/0", 0, label, packed)


def tick(at: int, partition: int, plant: str = "P") -> Tick:
    return Tick(plant, at, UPSTREAMS[partition])


def activated(hash_: str, at: int = 0) -> list[ConfigActivated]:
    return [ConfigActivated("P", hash_, at, sender) for sender in UPSTREAMS]


def indexed(
    *records: Any, until: int = 2**61, equipment: Sequence[str] = ("M1",), readings_since: int = 0, first: str = ""
) -> LogIndex:
    found = LogIndex()
    wanted = LogSelection("P", frozenset(equipment), until, readings_since)
    intakes = Intakes(lambda source: "raw.a")
    index_equipment(found, [Message(record) for record in records], CODEC, wanted, intakes, lambda hash_: Watch(UPSTREAMS), first)
    return found


def known(found: LogIndex) -> dict[int, int]:
    return {offset: entry.known_at for (_, offset), entries in found.at.items() for entry in entries}


def test_a_record_that_runs_ahead_of_the_slowest_partition_belongs_to_the_cut_that_its_tick_closes() -> None:
    """Partition 0 is at the label 7 while partition 1 has not said 6: the totals "as of 6" have what partition 0 sent."""
    log = [*activated("A"), frame(6, 1), tick(6, 0), frame(7, 2), tick(6, 1), frame(7, 3), tick(7, 0), tick(7, 1), frame(8, 4)]
    found = indexed(*log)
    assert known(found) == {1: 6, 2: 6, 3: 7, 4: NEVER}
    assert found.advances["M1"] == [6, 7]
    assert [entry.label for _, entries in sorted(found.at.items()) for entry in entries] == [6, 7, 7, 8]


def test_what_comes_after_the_cut_is_not_read() -> None:
    log = [*activated("A"), frame(6, 1), tick(6, 0), tick(6, 1), frame(7, 2), tick(7, 0), tick(7, 1), frame(8, 3)]
    assert known(indexed(*log, until=6)) == {1: 6, 2: NEVER}


def test_other_plants_and_equipment_do_not_matter() -> None:
    log = [
        *activated("A"), frame(6, 1), frame(6, 9, plant="Q"), frame(6, 8, equipment="M2"),
        tick(9, 0, plant="Q"), tick(9, 1, plant="Q"), tick(6, 0), tick(6, 1),
    ]  # fmt: skip
    assert known(indexed(*log)) == {1: 6}


def test_from_the_middle_the_clock_is_known_once_every_upstream_has_ticked() -> None:
    log = [tick(5, 0), tick(5, 1), frame(6, 1), tick(6, 1), frame(7, 2), tick(6, 0)]
    assert known(indexed(*log, first="A")) == {1: 6, 2: 6}


def test_of_the_readings_before_only_the_last_of_each_counter_is_wanted() -> None:
    """The next one is counted from it. Events are all wanted: a run may have begun long before."""
    run = RunStarted(
        event_id="r", plant="P", occurred_at=1, received_at=1, source="presses", raw_source="raw.a/0", raw_offset=1, label=2,
        equipment="M1", run="R", order="O", operation="10", outputs=[],
    )  # fmt: skip
    log = [*activated("A"), run, frame(3, 2, 3), tick(3, 0), tick(3, 1), frame(4, 4), tick(4, 0), tick(4, 1), frame(9, 5, 6)]
    assert sorted(known(indexed(*log, readings_since=9))) == [1, 4, 5, 6]


def test_each_record_has_the_configuration_that_its_intake_mapped_it_with() -> None:
    log = [*activated("A"), frame(6, 1), tick(6, 0), activated("B", 6)[0], frame(7, 2), tick(6, 1)]
    found = indexed(*log)
    assert [entries[0].configuration for _, entries in sorted(found.at.items())] == ["A", "B"]
