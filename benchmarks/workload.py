"""Readings of 200 machines as frames in the equipment inbox of a fresh prefix: what both contestants fold."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from confluent_kafka import Producer

from app.kafka.broker import Broker
from app.kafka.configurations import Configurations
from app.kafka.topics import admin_client, apply
from app.topology import raw_topics
from schemas.catalog import catalog
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import ConfigActivated, CounterFrame, Output, RunStarted
from schemas.topics import EQUIPMENT_INBOX

PLANT, MACHINES, START_US = "BENCH", 200, 1_760_000_000_000_000
LATENESS = ((0.70, 30), (0.25, 600), (0.05, 4 * 3600))
"""Of the late readings: this share, up to so many seconds late."""


def out_of_order(readings: np.ndarray, late: float, seed: int) -> np.ndarray:
    """Readings at 1 Hz in the order of their arrival: a share of `late` comes later than it occurred (LATENESS). Raw positions
    are those of the arrival."""
    rnd = np.random.default_rng(seed)
    delay = np.zeros(len(readings), np.int64)
    chosen = np.flatnonzero(rnd.random(len(readings)) < late)
    most = rnd.choice([seconds for _, seconds in LATENESS], len(chosen), p=[share for share, _ in LATENESS])
    delay[chosen] = 1_500_000 + rnd.random(len(chosen)) * most * 1_000_000
    arrived = readings[np.argsort(readings[:, 1] + delay, kind="stable")]
    arrived[:, 3] = readings[:, 3]
    return arrived


def truth(machine: int, count: int) -> np.ndarray:
    """1 Hz, every reading a change: a piece or two more."""
    seq = np.arange(count, dtype=np.int64)
    return np.stack([seq, START_US + seq * 1_000_000, seq + seq // 7, seq * MACHINES + machine], axis=1)


def arriving(readings: int, per_frame: int, late: float, machines: int = MACHINES) -> Iterator[tuple[int, np.ndarray]]:
    """(machine, readings of one frame), all machines in turn; `readings` in all, rounded down to whole rounds."""
    each = readings // machines // per_frame * per_frame
    of = [out_of_order(truth(machine, each), late, machine) for machine in range(machines)]
    for first in range(0, each, per_frame):
        for machine in range(machines):
            yield machine, of[machine][first : first + per_frame]


@dataclass(slots=True, frozen=True)
class Workload:
    prefix: str
    readings: int
    frames: int


def configuration() -> Configuration:
    read = {"format": "json", "event_id": "position", "occurred_at": "ts", "received_at": "ts", "equipment": "m"}
    events = [{"when": {"type": "cycle"}, "emit": "CounterReading", "counter": "=shots", "value": "v"}]
    plant = {
        "plant": {"id": PLANT},
        "sources": {"bench": {"read": read, "events": events}},
        "equipment": {"*": {"counters": {"shots": {"counts": "gross"}}}},
    }
    return Configuration.from_mappings(plant, {}, {"erp": {"adapter": "none"}})


def load(bootstrap: str, readings: int, per_frame: int, late: float = 0.0) -> Workload:
    """Make the topics and write the frames: one run per machine, then about `readings` readings."""
    found, codec, prefix = configuration(), Codec(), f"bench-{uuid.uuid4().hex[:8]}."
    raw = raw_topics(found, recorded=True)
    apply(admin_client(bootstrap), catalog(), prefix, raw, recorded=True)
    Configurations(Broker(bootstrap), codec, prefix).publish(found)
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 50,
            "compression.type": "lz4",
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": 500_000,
        }
    )
    topic, written, frames = prefix + EQUIPMENT_INBOX, 0, 0
    for partition in range(catalog().partitions(EQUIPMENT_INBOX)):
        producer.produce(topic, codec.encode(ConfigActivated(PLANT, found.hash, 0, "bench")), PLANT, partition)
    producer.flush()
    for machine in range(MACHINES):
        producer.produce(topic, codec.encode(run_of(machine)), f"{PLANT}|M{machine:05d}")
    for machine, some in arriving(readings, per_frame, late):
        frame = CounterFrame(PLANT, f"M{machine:05d}", "shots", "bench", "bench.jsonl", START_US, START_US, some.tobytes())
        written, frames = written + len(some), frames + 1
        while True:
            try:
                producer.produce(topic, codec.encode(frame), f"{PLANT}|M{machine:05d}")
            except BufferError:
                producer.poll(0.1)
            else:
                break
    producer.flush()
    return Workload(prefix, written, frames)


def run_of(machine: int) -> RunStarted:
    return RunStarted(
        event_id=f"start-{machine}",
        plant=PLANT,
        occurred_at=START_US - 1,
        received_at=START_US,
        source="bench",
        raw_source="bench.jsonl",
        raw_offset=machine,
        equipment=f"M{machine:05d}",
        run=f"R{machine}",
        order=f"O{machine}",
        operation="10",
        outputs=[Output("PART")],
    )


def drop(bootstrap: str, prefix: str) -> None:
    """Delete the workload's topics."""
    admin = admin_client(bootstrap)
    names = [name for name in admin.list_topics(timeout=10).topics if name.startswith(prefix)]
    for future in admin.delete_topics(names).values():
        future.result(30)
