"""A person at machines of several partitions: every partition measures its own machines, whatever the order of arrival and
wherever processes end."""

import random
from dataclasses import replace
from typing import Any

import pytest

from app.engine.rows import RowCache
from schemas.configuration import Configuration
from schemas.records import ConfigActivated, EntryVoided, LabourRecorded, RunStarted, Tick, Total
from streams.equipment.stage import EquipmentStage
from streams.memory_step import MemoryStep, MemoryTopology
from tests.unit.streams.memory_store import MemoryStore
from tests.unit.tables.floor_bench import MIN, PLANT, at, configuration, event, out

MACHINES = {"A": 0, "B": 1, "C": 1}
CUT = at("14:00")


class Partition:
    def __init__(self, number: int, config: Configuration) -> None:
        self.topology = MemoryTopology({config.hash: config})
        self.step, self.store, self.known = MemoryStep("equipment.inbox", number), MemoryStore(), dict[str, int]()
        (self.sender,) = self.topology.upstreams("equipment", config)
        self.restart()
        self.fold(ConfigActivated(PLANT, config.hash, 0, "intake"))

    def restart(self) -> None:
        self.rows = RowCache(self.store, self.step.codec)
        self.step.rows = self.rows  # type: ignore[assignment]
        self.stage = EquipmentStage(self.topology)
        self.stage.taken_over(self.step)

    def fold(self, *records: Any) -> None:
        self.step.deliver(*records)
        self.stage.fold(self.step)
        self.stage.before_commit(self.step)
        self.store.write(self.rows.take_dirty())
        self.rows.written()
        for sent in self.step.take("orders.inbox"):
            if isinstance(sent, Total):
                self.known[sent.equipment] = sent.numerator

    def tick(self, now: int) -> None:
        self.fold(Tick(PLANT, now, self.sender))


class Floor:
    """As intake sends: each record to its equipment, log-ins and voids to all partitions besides."""

    def __init__(self, config: Configuration | None = None) -> None:
        self.partitions = [Partition(number, config or configuration()) for number in (0, 1)]
        for name, number in MACHINES.items():
            start = event(
                RunStarted, at("06:00"), at("06:01"), equipment=name, run=f"R{name}", order=f"O{name}", outputs=[out("M")]
            )
            self.partitions[number].fold(start)

    def hear(self, record: LabourRecorded | EntryVoided) -> None:
        self.partitions[MACHINES[record.equipment]].fold(record)
        for partition in self.partitions:
            partition.fold(replace(record, copy=True))

    def tick(self, now: int) -> None:
        for partition in self.partitions:
            partition.tick(now)

    def minutes(self) -> dict[str, int]:
        known = {name: amount for partition in self.partitions for name, amount in partition.known.items()}
        return {name: amount // 60_000 for name, amount in sorted(known.items()) if amount}


def log(clock: str, where: str, action: str, **fields: Any) -> LabourRecorded:
    return event(LabourRecorded, at(clock), at("13:00"), equipment=where, person="p", action=action, **fields)


SAID = [
    log("06:00", "A", "on"),
    log("08:00", "B", "on"),
    log("09:00", "C", "on"),
    log("10:00", "A", "on"),
    log("11:00", "A", "off"),
]


@pytest.mark.parametrize("seed", range(8))
def test_any_order_and_restarts(seed: int) -> None:
    rng, floor = random.Random(seed), Floor()
    arrivals = [*SAID, *rng.sample(SAID, 3)]
    rng.shuffle(arrivals)
    for number, record in enumerate(arrivals):
        floor.hear(record)
        if rng.random() < 0.4:
            floor.tick(at("13:00") + number * MIN)
        if rng.random() < 0.3:
            floor.partitions[rng.randrange(2)].restart()
    floor.tick(CUT)
    assert floor.minutes() == {"A": 180, "B": 60, "C": 60}


def test_what_comes_late_elsewhere_corrects_what_was_told_here() -> None:
    floor = Floor()
    floor.hear(log("06:00", "A", "on"))
    floor.tick(CUT)
    assert floor.minutes() == {"A": 480}
    late = log("08:00", "B", "on")
    late.label = CUT + MIN
    floor.hear(late)
    floor.tick(CUT + MIN)
    assert floor.minutes() == {"A": 120, "B": 360}, "nobody logged off, and the shift is over"
    floor.hear(event(EntryVoided, CUT, CUT + 2 * MIN, equipment="B", entry=late.event_id, version=1))
    floor.tick(CUT + 2 * MIN)
    assert floor.minutes() == {"A": 480}


def test_after_the_horizon_nothing_comes_back() -> None:
    """What was over is forgotten everywhere, and a person who left one machine for another is not there again."""
    floor = Floor()
    for record in (log("06:00", "A", "on"), log("08:00", "B", "on"), log("09:00", "B", "off")):
        floor.hear(record)
    floor.tick(CUT)
    for day in range(21, 31):
        floor.tick(at("14:00", day))
    assert floor.minutes() == {"A": 120, "B": 60}


def test_a_spool_of_log_ins_is_heard_at_all_machines() -> None:
    """Ten days of the source come at once: the clocks of its machines stood, so nothing of it is too late anywhere."""
    source = {"read": {"topic": "raw.p"}, "expect": {"every": "10 min"}, "events": [{"when": {}, "ignore": True}]}
    floor = Floor(configuration({"sources": {"s": source}}))
    for name in MACHINES:
        floor.hear(replace(log("06:00", name, "off"), label=at("06:01")))
    for day in range(20, 30):
        floor.tick(at("06:30", day))
        floor.tick(at("14:00", day))
    for record in (log("08:00", "A", "on"), log("09:00", "B", "on"), log("11:00", "B", "off"), log("12:00", "A", "off")):
        floor.hear(replace(record, label=at("14:01", 29)))
    floor.tick(at("22:00", 29))
    assert floor.minutes() == {"A": 60, "B": 120}
