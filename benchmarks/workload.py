"""Readings of 200 machines as frames in the equipment inbox of a fresh prefix: what both contestants fold."""

import struct
import uuid
from dataclasses import dataclass

import numpy as np
from confluent_kafka import Producer

from app.engine.partition import Broker
from app.kafka.configurations import Configurations
from app.kafka.topics import admin_client, apply
from app.topology import raw_topics
from schemas.catalog import catalog
from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import ConfigActivated, CounterFrame, Output, RunStarted

PLANT, MACHINES, START_US = "BENCH", 200, 1_760_000_000_000_000
_READING = struct.Struct("<4q")
LATENESS = ((0.70, 30), (0.25, 600), (0.05, 4 * 3600))
"""Of the late readings: this share, up to so many seconds late."""


def out_of_order(readings: np.ndarray, late: float, seed: int) -> np.ndarray:
    """Readings at 1 Hz in the order of their arrival: a share of `late` comes later than it occurred (LATENESS)."""
    rnd = np.random.default_rng(seed)
    delay = np.zeros(len(readings), np.int64)
    chosen = np.flatnonzero(rnd.random(len(readings)) < late)
    most = rnd.choice([seconds for _, seconds in LATENESS], len(chosen), p=[share for share, _ in LATENESS])
    delay[chosen] = 1_500_000 + rnd.random(len(chosen)) * most * 1_000_000
    return readings[np.argsort(readings[:, 1] + delay, kind="stable")]


@dataclass(slots=True, frozen=True)
class Workload:
    prefix: str
    readings: int
    per_frame: int
    configuration: Configuration


def configuration() -> Configuration:
    read = {"format": "json", "event_id": "position", "occurred_at": "ts", "received_at": "ts", "equipment": "m"}
    events = [{"when": {"type": "cycle"}, "emit": "CounterReading", "counter": "=shots", "value": "v"}]
    plant = {
        "plant": {"id": PLANT},
        "sources": {"bench": {"read": read, "events": events}},
        "equipment": {"*": {"counters": {"shots": {"counts": "gross"}}}},
    }
    return Configuration.from_mappings(plant, {}, {"erp": {"adapter": "none"}})


def load(bootstrap: str, readings: int, per_frame: int) -> Workload:
    """Make the topics and write the frames: one run per machine, then `readings` readings, each a piece or two more."""
    found, codec, prefix = configuration(), Codec(), f"bench-{uuid.uuid4().hex[:8]}."
    raw = list(raw_topics(found, recorded=True))
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
    topic = f"{prefix}equipment.inbox"
    for partition in range(catalog().partitions("equipment.inbox")):
        producer.produce(topic, codec.encode(ConfigActivated(PLANT, found.hash, 0, "bench")), PLANT, partition)
    producer.flush()
    for machine in range(MACHINES):
        producer.produce(topic, codec.encode(_run(machine)), f"{PLANT}|M{machine:05d}")
    for index in range(readings // per_frame):
        machine, round_ = index % MACHINES, index // MACHINES
        first = round_ * per_frame
        packed = b"".join(
            _READING.pack(seq, START_US + seq * 1_000_000, seq + seq // 7, index * per_frame + seq - first)
            for seq in range(first, first + per_frame)
        )
        frame = CounterFrame(PLANT, f"M{machine:05d}", "shots", "bench", "bench.jsonl", START_US, START_US, packed)
        while True:
            try:
                producer.produce(topic, codec.encode(frame), f"{PLANT}|M{machine:05d}")
            except BufferError:
                producer.poll(0.1)
            else:
                break
    producer.flush()
    return Workload(prefix, readings // per_frame * per_frame, per_frame, found)


def _run(machine: int) -> RunStarted:
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
