"""A repair of the clock: people say until when it was right, and every stage goes back to there (`lineledger clock repair`).

The command writes a control record to each raw partition of the plant, because each of them has a label of its own. Intake lowers
it and tells the stages behind; the first that a stage hears of a repair takes its whole clock of the plant back.
"""

import json
from typing import Any

import msgspec

from schemas.records import ClockRepaired, PartitionPosition
from streams.announcements import CONFIGURED

CONTROL = b"repair"
"""Value of the header `control` of such a raw record."""
MAX_BYTES = 64 << 10
_SEPARATOR = "\0"


def repair_line(plant: str, at: int, number: int, who: str, why: str) -> bytes:
    """`at`: microseconds until which the clock was right. `number`: when it was ordered; names the repair. `who`: hashed."""
    return json.dumps({"plant": plant, "at": at, "repair": number, "who": who, "why": why}, ensure_ascii=False).encode()


def repair_of(value: bytes, plant: str, sender: str) -> ClockRepaired | None:
    """The repair that a control record orders; None: it is none of this plant."""
    try:
        told: Any = msgspec.json.decode(value) if len(value) <= MAX_BYTES else None
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("plant") != plant:
        return None
    numbers, texts = [told.get("at"), told.get("repair")], [told.get("who"), told.get("why")]
    if not all(type(one) is int and 0 < one < 1 << 63 for one in numbers) or not all(isinstance(one, str) for one in texts):
        return None
    return ClockRepaired(plant, told["at"], sender, told["repair"], told["who"], told["why"])


def repair(state: PartitionPosition, record: ClockRepaired) -> bool:
    """Take the clock back. True: the first that is heard of this repair (or of a newer one), the stage's own state has to follow.

    What other upstreams told before they heard of it counts no more. One that repeats an old time behind that is lowered when
    its own record of the repair comes, and joins like a new one.
    """
    plant, key = record.plant, record.plant + _SEPARATOR + record.sender
    if record.repair < state.repairs.get(plant, 0):
        return False
    if key in state.clocks:
        state.clocks[key] = min(state.clocks[key], record.at)
    if record.repair == state.repairs.get(plant, 0):
        return False
    state.repairs[plant] = record.repair
    for name in [name for name in state.clocks if name.startswith(plant + _SEPARATOR)]:
        state.clocks[name] = min(state.clocks[name], record.at)
    if plant in state.reached:
        state.reached[plant] = min(state.reached[plant], record.at)
    for pending in state.pending_configurations:
        if pending.plant == plant:
            pending.at = min(pending.at, record.at)
    if CONFIGURED + plant in state.marks:  # else the next configuration would be older than the one in force
        state.marks[CONFIGURED + plant] = min(state.marks[CONFIGURED + plant], record.at)
    return True
