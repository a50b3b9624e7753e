"""Happenings as records of machines, systems and people, with the dirt that plants add. Quantities do not change by it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.plants import told
from tests.plants.calendar import EPOCH, MS
from tests.plants.counters import Counter, counters_of
from tests.plants.floor import BOX, COLOUR, INSERT, RESINS, SECOND, Floor, Order
from tests.plants.people import Fact
from tests.plants.profiles import HOUR, MINUTE, Profile
from tests.plants.told import Told

SOURCES = {
    "erp": "erp.jsonl",
    "jobs": "jobs.jsonl",
    "people": "people.jsonl",
    "presses": "presses.jsonl",
    "unnumbered": "unnumbered.jsonl",
    "pollers": "pollers.csv",
}
COLUMNS = ("rx", "t", "machine", "counter", "value", "n")


class Line(NamedTuple):
    received: int
    source: str
    content: dict[str, Any]


def lines(floor: Floor, facts: list[Fact], profile: Profile, chance: Random) -> tuple[list[Line], list[Counter]]:
    """Every record in the order of its arrival, and the counters behind the readings."""
    counters = [counter for machine in floor.machines for counter in counters_of(machine, floor, profile, chance)]
    found = list(_master(floor))
    for one in (*told.runs(floor, profile, chance), *told.loads(floor, chance), *told.states(floor, chance)):
        found.append(_job(one, floor, profile, chance))
    found += [_paper(number, fact, floor, chance) for number, fact in enumerate(facts)]
    for machine in floor.machines:
        own = [counter for counter in counters if counter.machine is machine]
        found += _readings(own, floor, profile, chance)
    found += [_again(line, floor, chance) for line in found if line.source != "erp" and chance.random() < profile.again]
    found.sort(key=lambda line: (line.received, line.source))
    return [line for line in found if line is not None], counters


def write(found: Iterable[Line], folder: Path) -> dict[str, Path]:
    """One file per source."""
    texts = defaultdict[str, list[str]](list)
    texts["pollers"].append(";".join(COLUMNS))
    for line in found:
        content = {**line.content, "rx": _iso(line.received)}
        if line.source == "pollers":
            texts["pollers"].append(";".join(str(content[column]) for column in COLUMNS))
        else:
            texts[line.source].append(json.dumps(content, ensure_ascii=False))
    paths = {}
    for source, rows in texts.items():
        paths[source] = folder / SOURCES[source]
        paths[source].write_text("\n".join(rows) + "\n", encoding="utf-8")
    return paths


def _iso(at: int) -> str:
    return (EPOCH + at * MS).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _lot(lot: str, chance: Random) -> str:
    return f" {lot.lower()}" if chance.random() < 0.2 else lot


def _received(at: int, floor: Floor, profile: Profile, chance: Random, local: bool = False) -> int:
    if chance.random() < profile.late_records and not (local and floor.wall.repeats(at)):
        return at + chance.randrange(MINUTE, profile.latest_ms)
    return at + chance.randrange(100, 5 * SECOND)


def _again(line: Line, floor: Floor, chance: Random) -> Line:
    return line._replace(received=line.received + chance.randrange(1, 3 * HOUR))


# -- machines


def _readings(counters: list[Counter], floor: Floor, profile: Profile, chance: Random) -> Iterator[Line]:
    shared = chance.random() < 0.5
    increments = any(counter.style == "increment" for counter in counters)
    sources = ["presses", "pollers"] + (["unnumbered"] if profile.name != "clean" and not increments else [])
    source = chance.choice(sources)
    numbers = defaultdict[str, int](int)
    taken: list[tuple[Line, int | None]] = []
    ordered = sorted(
        ((reading, counter) for counter in counters for reading in counter.readings), key=lambda one: (one[0].at, one[1].name)
    )
    slow = _clock_step(counters, floor, chance) if profile.clock_steps and source != "unnumbered" else None
    for reading, counter in ordered:
        shown = reading.at - slow.by if slow is not None and slow.start < reading.at <= slow.end else reading.at
        number = numbers["" if shared else counter.name] = numbers["" if shared else counter.name] + 1
        name = counter.machine.alias if chance.random() < 0.5 else counter.machine.name
        local = source == "pollers"
        content = {
            "machine": name,
            "counter": counter.name,
            "value": _value(reading.value, counter, chance),
            "t": _poller_time(shown, floor) if local else _iso(shown),
            "n": number,
        }
        line = Line(_received(reading.at, floor, profile, chance, local), source, content)
        taken.append((line, reading.value))
        yield line
    conflicting = [line for line, value in taken if value is not None and source != "unnumbered"]
    for line in chance.sample(conflicting, min(len(conflicting), profile.conflicts * len(counters))):
        wrong = str(int(str(line.content["value"]).partition(".")[0]) + 7)
        yield Line(line.received + chance.randrange(1, HOUR), source, {**line.content, "value": wrong})


class ClockStep(NamedTuple):
    """From `start` to `end` the machine's clock is behind by `by`: what it says happened before what it said before."""

    start: int
    end: int
    by: int


def _clock_step(counters: list[Counter], floor: Floor, chance: Random) -> ClockStep | None:
    """One that does not matter to accounts: nothing but counting happens around it. None: there is no such hour."""
    machine = counters[0].machine
    for _ in range(20):
        start, by = chance.choice(machine.shots).at + chance.randrange(10, 90) * SECOND, chance.randrange(5, 30) * MINUTE
        end = start + 2 * by
        around = range(start - 2 * by, end + by)
        calm = all(_only_counts(counter, around) for counter in counters)
        calm = calm and not any(shot.lost and shot.at in around for shot in machine.shots)
        if calm and not machine.separated(start - by - MINUTE, end + MINUTE) and not floor.wall.repeats(start):
            return ClockStep(start, end, by)
    return None


def _only_counts(counter: Counter, around: range) -> bool:
    values = [reading.value for reading in counter.readings if reading.at in around]
    return None not in values and (counter.style == "increment" or values == sorted(values, key=lambda value: value or 0))


def _value(value: int | None, counter: Counter, chance: Random) -> str:
    if value is None:
        return "UNAVAILABLE"
    if not counter.decimals:
        return str(value)
    whole, part = divmod(value, 10**counter.decimals)
    text = f"{whole}.{part:0{counter.decimals}d}"
    if chance.random() < 0.1:
        return f"{text}00000001"  # a binary float, printed
    return text


def _poller_time(at: int, floor: Floor) -> str:
    return f"{floor.wall.local(at):%d.%m.%Y %H:%M:%S.%f}"


# -- systems and people


def _job(one: Told, floor: Floor, profile: Profile, chance: Random) -> Line:
    fields = {name: value for name, value in one.fields.items() if value is not None}
    fields = {name: _iso(value) if name in ("from", "to") else value for name, value in fields.items()}
    if "parts" in fields:
        fields["parts"] = [{**part, "lot": _lot(part["lot"], chance)} for part in fields["parts"]]
    if fields.get("batch"):
        fields["batch"] = _lot(fields["batch"], chance)
    received = _received(one.said_at, floor, profile, chance)
    alias = next(machine.alias for machine in floor.machines if machine.name == one.machine)
    key = f"{one.kind}-{one.machine}-{one.at}-{fields.get('job') or fields.get('pos') or ''}"
    machine = alias if chance.random() < 0.3 else one.machine
    return Line(received, "jobs", {"id": key, "type": one.kind, "machine": machine, "t": _iso(one.at), **fields})


def _paper(number: int, fact: Fact, floor: Floor, chance: Random) -> Line:
    assert fact.output is not None
    at = EPOCH + fact.at * MS
    content: dict[str, Any] = {"id": f"W{number}", "kind": fact.act, "at": f"{at.astimezone(floor.wall.zone):%d.%m.%Y %H:%M:%S}"}
    content |= {"qty": str(fact.quantity), "uom": chance.choice(("PC", "ST"))}
    if fact.reason:
        content["why"] = fact.reason
    if fact.machine and fact.by != "order":
        content["machine"] = fact.machine
    if fact.by == "run" and fact.run is not None:
        content["job"] = fact.run.id
    if fact.by in ("order", "order_here"):
        content |= {"po": fact.order, "op": fact.operation}
    if not fact.bare:
        content |= {"part": fact.output.material, "lot": _lot(fact.output.lot, chance)}
    typed = fact.typed_at if not floor.wall.repeats(fact.at) else fact.at + 30 * SECOND
    return Line(typed, "people", content)


# -- the ERP, before anything happens


def _master(floor: Floor) -> Iterator[Line]:
    sent = floor.begin - 2 * HOUR
    parts = [(part, "PC", 0, True) for order in floor.orders.values() for part, _ in order.parts]
    rows = [(RESINS[0], "kg", 6, True), (RESINS[1], "g", 3, True), (COLOUR, "kg", 3, True), (INSERT, "PC", 0, True)]
    for material, unit, decimals, batches in (*rows, *parts, (BOX, "PC", 0, False)):
        content = {"type": "material", "id": f"M-{material}", "t": _iso(sent), "material": material, "uom": unit}
        yield Line(sent, "erp", {**content, "decimals": decimals, "batches": batches})
    for order in floor.orders.values():
        yield Line(sent + SECOND, "erp", _released(order, sent))


def _released(order: Order, sent: int) -> dict[str, Any]:
    items = [
        {"item": f"{index + 1}", "material": part, "role": "co" if index else "main", "qty": "100" if order.tight else "100000"}
        for index, (part, _) in enumerate(order.parts)
    ]
    last = order.operations[-1]
    operations = [
        {
            "op": op,
            "receipt": op == last,
            "confirm": "each",
            "from": "declarations" if order.by_hand else "plant",
        }
        for op in order.operations
    ]
    components: list[dict[str, Any]] = []
    if not order.by_hand:
        components = [
            {"item": f"{n}", "pos": "hopper", "material": resin, "qty": "0.030", "uom": "kg", "per": 1, "mode": "metered"}
            for n, resin in enumerate(RESINS, 1)
        ]
        milligrams, per = order.colour
        if milligrams:
            grams = f"{milligrams // 1000}.{milligrams % 1000:03d}"
            components.append(
                {
                    "item": "3",
                    "pos": "dosing",
                    "material": COLOUR,
                    "qty": grams,
                    "uom": "g",
                    "per": per,
                    "mode": "ledger_backflush",
                }
            )
        components.append({"item": "4", "pos": "", "material": INSERT, "qty": "1.000", "uom": "PC", "per": 1, "mode": "declared"})
        components.append(
            {"item": "5", "pos": "", "material": BOX, "qty": "1.000", "uom": "PC", "per": 100, "mode": "erp_backflush"}
        )
    return {
        "type": "release",
        "id": f"O-{order.number}",
        "t": _iso(sent),
        "order": order.number,
        "items": items,
        "operations": operations,
        "components": components,
    }
