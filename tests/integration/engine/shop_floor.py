"""A random hour of twelve machines as the equipment inbox has it: frames, runs, changes of order, late and repeated readings."""

import random
import struct
from collections.abc import Iterator
from typing import Any

from schemas.configuration import Configuration
from schemas.records import ConfigActivated, CounterFrame, LotLoaded, Output, Quantity, RunEnded, RunStarted, ScrapDeclared, Tick
from streams.step import sender

PLANT, SECOND = "P", 1_000_000
START = 1_795_212_000 * SECOND
MACHINES = tuple(f"M{number:02}" for number in range(12))


def configuration() -> Configuration:
    source = {"read": {"topic": "raw.p"}, "events": [{"when": {}, "ignore": True}]}
    counters = {"shots": {"counts": "gross"}}
    plant = {"plant": {"id": PLANT}, "sources": {"s": source}, "equipment": {m: {"counters": counters} for m in MACHINES}}
    return Configuration.from_mappings(plant, {}, {"erp": {"adapter": "sim"}})


def records(config: Configuration, minutes: int, seed: int = 5) -> Iterator[tuple[str | None, Any]]:
    """(key, record); key None: to every partition."""
    rnd = random.Random(seed)
    me = sender("intake", "raw.p", 0)
    yield None, ConfigActivated(PLANT, config.hash, START, me)
    counts, seqs, numbers = dict.fromkeys(MACHINES, 0), dict.fromkeys(MACHINES, 0), iter(range(1 << 30))
    kept: list[CounterFrame] = []

    def common(at: int) -> dict[str, Any]:
        n = next(numbers)
        place = {"source": "s", "raw_source": "raw.p/0", "raw_offset": n, "label": at}
        return {"event_id": f"e{n}", "plant": PLANT, "occurred_at": at, "received_at": at, **place}

    for minute in range(minutes):
        now = START + minute * 60 * SECOND
        for machine in MACHINES:
            key, run = f"{PLANT}|{machine}", f"R{minute // 7}"
            if minute % 7 == 0:
                outputs = [Output("4711", f"O{minute // 7}", "", f"L{machine}", rnd.choice((1, 2, 4)))]
                order = {"order": f"O{minute // 7}", "operation": "10", "outputs": outputs}
                yield key, RunStarted(**common(now), equipment=machine, run=run, **order)
                yield key, LotLoaded(**common(now), equipment=machine, position="hopper", material="R1", lot=f"B{minute}")
            packed = []
            for second in range(0, 60, 2):
                counts[machine] += rnd.randrange(3)
                seqs[machine] += 1
                packed.append(struct.pack("<4q", seqs[machine], now + second * SECOND, counts[machine], next(numbers)))
            if rnd.random() < 0.1:
                rnd.shuffle(packed)
            label = now + 60 * SECOND
            frame = CounterFrame(PLANT, machine, "shots", "s", "raw.p/0", now, label, b"".join(packed))
            if rnd.random() < 0.05:
                kept.append(frame)  # comes minutes later
            else:
                yield key, frame
            if kept and rnd.random() < 0.05:
                yield f"{PLANT}|{kept[0].equipment}", kept[0]
                late = kept.pop(0)
                yield f"{PLANT}|{late.equipment}", late  # a repeat
            if rnd.random() < 0.1:
                scrap = Quantity(rnd.randrange(1, 4), 0, "PC")
                yield key, ScrapDeclared(**common(now + 30 * SECOND), equipment=machine, quantity=scrap, reason="burn")
            if minute % 7 == 6:
                yield key, RunEnded(**common(now + 59 * SECOND), equipment=machine, run=run)
        yield None, Tick(PLANT, now + 60 * SECOND, me)
