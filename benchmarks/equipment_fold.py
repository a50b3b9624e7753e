"""`python -m benchmarks.equipment_fold`: the fold of equipment over records in memory, without a broker.

Speed in CPU time of this process (the machine may be shared), for readings in order and with 5 % late ones, as a ratio to
readings in order; then what the rows weigh: changelog bytes per reading in real time, and bytes of state per machine and day.
"""

import sys
import time
from typing import Any

import numpy as np

from app.engine.rows import RowCache
from benchmarks.workload import PLANT, START_US, arriving, configuration, out_of_order, run_of
from schemas.codec import Codec
from schemas.records import ConfigActivated, CounterFrame, Tick
from schemas.topics import EQUIPMENT_INBOX
from streams.equipment.stage import EquipmentStage
from streams.memory_step import MemoryStep, MemoryTopology, Message
from tables.row_kinds import EQUIPMENT_ROWS
from tests.unit.streams.memory_store import MemoryStore

CODEC = Codec()
MACHINES, HOUR, DAY = 50, 3600, 86_400
"""Machines of one partition."""
BATCH_SECONDS = {1: 0.016, 100: 0.05}
READINGS = {1: 400_000, 100: 4_000_000}
LATE = 0.05


class Bench:
    """One partition of the stage with the engine's row cache; totals and ticks are encoded and dropped."""

    def __init__(self, machines: int = MACHINES) -> None:
        found = configuration()
        self.store = MemoryStore()
        self.topology = MemoryTopology({found.hash: found})
        self.step = _CountingStep(EQUIPMENT_INBOX)
        self.step.rows = RowCache(self.store, CODEC)  # type: ignore[assignment]
        self.stage = EquipmentStage(self.topology)
        self.stage.taken_over(self.step)
        self.step.deliver(ConfigActivated(PLANT, found.hash, 0, "bench"), *(run_of(machine) for machine in range(machines)))
        self.stage.fold(self.step)
        self._upstream = self.topology.upstreams("equipment", found)[0]
        self.checkpoint()

    def fold(self, records: list[Message]) -> None:
        self.step.records = records
        self.stage.fold(self.step)

    def tick(self, now: int) -> Message:
        return Message(0, CODEC.encode(Tick(PLANT, now, self._upstream, False)))

    def checkpoint(self) -> None:
        self.stage.before_commit(self.step)
        rows = self.step.rows.take_dirty()  # type: ignore[attr-defined]
        self.store.write(rows)
        self.step.rows.written()  # type: ignore[attr-defined]


class _CountingStep(MemoryStep):
    def emit(self, topic: str, key: str, record: Any, partition: int | None = None) -> None:
        self.codec.encode(record)


def framed(machine: int, readings: np.ndarray) -> Message:
    frame = CounterFrame(PLANT, f"M{machine:05d}", "shots", "bench", "bench.jsonl", START_US, START_US, readings.tobytes())
    return Message(0, CODEC.encode(frame))


def rate(per_frame: int, late: float) -> tuple[float, float]:
    """Readings per second of CPU time with a checkpoint each second, and the longest step including its checkpoint."""
    bench, messages = Bench(), [framed(*some) for some in arriving(READINGS[per_frame], per_frame, late, MACHINES)]
    cap, taken, longest = 500, 0, 0.0
    began = last = time.process_time()
    while taken < len(messages):
        started = time.process_time()
        part = messages[taken : taken + cap]
        bench.fold(part)
        taken += len(part)
        now = time.process_time()
        cap = max(1, min(2000, int(0.05 / ((now - started) / len(part) + 1e-9))))
        if now - last > 1 or taken >= len(messages):
            bench.checkpoint()
            last = time.process_time()
        longest = max(longest, time.process_time() - started)
    return len(messages) * per_frame / (time.process_time() - began), longest


# -- weight


def dirty_readings(count: int, every: int, seed: int = 3, machines: int = 200) -> np.ndarray:
    """1 Hz with milliseconds that jitter by +-20, raw positions between those of the other machines; every `every`-th
    reading on average counts one to three pieces."""
    rnd = np.random.default_rng(seed)
    seq = np.arange(count, dtype=np.int64)
    at = START_US + seq * 1_000_000 + rnd.integers(-20, 21, count) * 1000
    value = np.cumsum((rnd.random(count) < 1 / every) * rnd.integers(1, 4, count))
    return np.stack([seq, at, value, seq * machines + rnd.integers(-10, 11, count) + 5_000_000], axis=1)


def changelog(
    every: int, interval: int = 1, late: float = 0.0, machines: int = 20, seconds: int = HOUR
) -> tuple[float, dict[str, int]]:
    """Bytes of rows (keys and values) per reading in real time: a tick each second, a checkpoint each `interval` seconds."""
    bench = Bench(machines)
    bench.store.written.clear()
    of = [out_of_order(dirty_readings(seconds, every, machine), late, machine) for machine in range(machines)]
    for second in range(seconds):
        bench.fold([framed(machine, of[machine][second : second + 1]) for machine in range(machines)])
        bench.fold([bench.tick(START_US + second * 1_000_000)])
        if second % interval == interval - 1:
            bench.checkpoint()
    return sum(bench.store.written.values()) / (seconds * machines), bench.store.written


def day(every: int, late: float = 0.0) -> tuple[int, int]:
    """Bytes of all rows of one machine after a day of 1 Hz, and of its largest head row."""
    bench = Bench(1)
    readings = out_of_order(dirty_readings(DAY, every), late, 5)
    for first in range(0, DAY, 600):
        bench.fold([framed(0, readings[first : first + 600])])
        bench.checkpoint()
    heads = [len(value) for key, value in bench.store.rows.items() if key.startswith(EQUIPMENT_ROWS.prefix.encode())]
    return sum(map(len, bench.store.rows.values())), max(heads)


def main(what: list[str]) -> None:
    if not what or "speed" in what:
        for per_frame in (1, 100):
            straight, longest = rate(per_frame, 0.0)
            print(
                f"frames of {per_frame:<4} in order   {straight:>12,.0f} readings/s of CPU   longest step {longest:.2f} s",
                flush=True,
            )
            mixed, longest = rate(per_frame, LATE)
            print(
                f"frames of {per_frame:<4} 5 % late   {mixed:>12,.0f} readings/s of CPU   longest step {longest:.2f} s"
                f"   {mixed / straight:.2f} of in order",
                flush=True,
            )
    if not what or "weight" in what:
        for every in (1, 25):
            for interval, late in ((1, 0.0), (10, 0.0), (1, LATE)):
                each, kinds = changelog(every, interval, late)
                shown = ", ".join(f"{kind} {size / (20 * HOUR):.0f}" for kind, size in sorted(kinds.items()))
                what = f"a count each {every:>2} s, {late:.0%} late, checkpoint each {interval:>2} s"
                print(f"{what}   {each:>8,.0f} changelog bytes/reading   {shown}", flush=True)
            for late in (0.0, LATE):
                size, head = day(every, late)
                what = f"a count each {every:>2} s, {late:.0%} late"
                print(f"{what}   {size:>10,} bytes of state per machine and day   head {head:,}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
