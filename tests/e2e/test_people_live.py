"""People at machines of different partitions, on a real Kafka, while the worker of equipment is killed again and again: each is
at one place at a time, and every minute is told once."""

import os
import random
import signal
import time
from fractions import Fraction
from functools import partial
from pathlib import Path

import pytest

from app.kafka.partitioner import partition_of
from schemas.catalog import catalog
from schemas.records import LabourRecorded, Total
from schemas.topics import EQUIPMENT_INBOX
from tests.e2e.live_plant import RAW, Installation, until
from tests.e2e.test_start import ENVIRON, _installed

pytestmark = [pytest.mark.kafka, pytest.mark.registry, pytest.mark.slow]
SHORT = "LINELEDGER_TEST_SHORT" in os.environ
KILLS, MOVES = (3, 12) if SHORT else (10, 30)
"""How often the worker is killed, and how often people go somewhere else meanwhile, each time."""
PEOPLE = ("ann", "bob", "cy")
MINUTE_MS = 60_000
PLANT = f"""
plant: {{id: LIVE, zone: Europe/Prague}}
sources:
  presses:
    read: {{topic: {RAW}, format: json, event_id: id, occurred_at: {{path: ts, date: epoch_ms}}, equipment: m}}
    events:
      - {{when: {{type: start}}, emit: RunStarted, run: run, order: po, operation: =10, outputs: [{{material: =4711, lot: =L1}}]}}
      - {{when: {{type: badge}}, emit: LabourRecorded, person: who, action: dir}}
equipment:
  "*": {{}}
"""
KEY = {"LINELEDGER_PRIVATE_KEY": "7f3a91c05be2486d9d10c4e85fa2b7361e9d04c8"}
Move = tuple[int, str, str, str]
"""Minute, person, machine, on or off."""


def machines() -> list[str]:
    """Two of each partition."""
    of: dict[int, list[str]] = {number: [] for number in range(catalog().partitions(EQUIPMENT_INBOX))}
    for number in range(1, 200):
        found = of[partition_of(f"LIVE|P{number}".encode(), len(of))]
        if len(found) < 2:
            found.append(f"P{number}")
    return sorted(name for found in of.values() for name in found)


def moves(rng: random.Random, places: list[str], count: int) -> list[Move]:
    """A person logs on somewhere, with or without a log-off before; at the end all are off."""
    found: list[Move] = []
    at: dict[str, str] = {}
    for minute in range(count):
        who = rng.choice(PEOPLE)
        if who in at and rng.random() < 0.3:
            found.append((minute, who, at.pop(who), "off"))
        else:
            at[who] = rng.choice(places)
            found.append((minute, who, at[who], "on"))
    return [*found, *((count, who, where, "off") for who, where in sorted(at.items()))]


def minutes(told: list[Move]) -> dict[str, int]:
    """By definition: where somebody logs on, they are until they log on elsewhere or off."""
    sums: dict[str, int] = {}
    for who in PEOPLE:
        at, since = "", 0
        for minute, _, where, what in [move for move in told if move[1] == who]:
            if at:
                sums[at] = sums.get(at, 0) + minute - since
            at, since = (where, minute) if what == "on" else ("", 0)
    return {where: amount for where, amount in sums.items() if amount}


def told(plant: Installation) -> dict[str, Fraction]:
    """Minutes of each machine by the newest total of each business date; of who is still there, up to now."""
    newest: dict[tuple[str, str], Total] = {}
    for one in plant.content("orders.inbox"):
        if isinstance(one, Total) and one.kind == "labour_time":
            known = newest.get((one.equipment, one.business_date))
            if known is None or known.inbox_offset <= one.inbox_offset:
                newest[one.equipment, one.business_date] = one
    sums: dict[str, Fraction] = {}
    for (where, _), one in newest.items():
        sums[where] = sums.get(where, Fraction(0)) + Fraction(one.numerator, one.denominator * MINUTE_MS)
    return {where: amount for where, amount in sums.items() if amount}


def has_heard(plant: Installation, moves: int) -> bool:
    return sum(isinstance(one, LabourRecorded) and not one.copy for one in plant.content(EQUIPMENT_INBOX)) >= moves


def test_each_minute_of_a_person_is_told_once_whatever_is_killed(
    kafka_bootstrap: str, registry_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    plant = _installed(kafka_bootstrap, registry_url, topic_prefix, tmp_path)
    plant.environ, plant.config = {**ENVIRON, **KEY}, tmp_path / "config"
    plant.config.mkdir()
    (plant.config / "plant.yaml").write_text(PLANT)
    (plant.config / "rules.yaml").write_text("{}\n")
    (plant.config / "erp.yaml").write_text("erp: {adapter: none}\n")
    rng, places = random.Random(15), machines()
    assert len({partition_of(f"LIVE|{name}".encode(), catalog().partitions(EQUIPMENT_INBOX)) for name in places}) > 1
    script = moves(rng, places, KILLS * MOVES)
    began = time.time_ns() // 1_000_000 - (len(script) + 60) * MINUTE_MS
    records = [
        {"type": "badge", "ts": began + m * MINUTE_MS, "who": who, "m": where, "dir": what} for m, who, where, what in script
    ]
    records = [{**record, "id": f"b{number}"} for number, record in enumerate(records)]
    starts = [{"type": "start", "ts": began - MINUTE_MS, "m": m, "run": f"R{m}", "po": f"O{m}", "id": f"r{m}"} for m in places]
    with plant.workers("intake"):
        plant.send(*starts)
        sent = 0
        for _ in range(KILLS):
            with plant.worker("equipment") as process:
                following = records[sent : sent + MOVES]
                half = len(following) // 2
                until(lambda: plant.reasons("equipment") == [], "equipment to be ready")
                plant.send(*following[:half], *rng.sample(records[: sent + half], min(3, sent + half)))
                until(partial(has_heard, plant, sent + half), "the first half to be in the inbox")
                plant.send(*following[half:])
                time.sleep(rng.random())  # anywhere between two checkpoints
                process.send_signal(signal.SIGKILL)
                assert process.wait(30) == -signal.SIGKILL
                sent += len(following)
        plant.send(*records[sent:])
        with plant.worker("equipment") as process:
            until(lambda: told(plant) == minutes(script), "every minute at its machine")
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
    assert told(plant) == minutes(script)
    assert len(minutes(script)) > 1
