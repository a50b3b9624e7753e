"""The intake stage over recorded input, driven: raw JSON lines with their time in, events, frames and ticks out."""

import json
import struct
from typing import Any

from schemas.configuration import Configuration
from schemas.records import CounterFrame, Tick
from streams.intake.stage import IntakeStage
from streams.memory_step import MemoryStep, MemoryTopology, Message
from tests.unit.tables.floor_bench import PLANT, configuration

TOPIC = "raw.P"
QUANTITY = {"path": "n", "decimals": "0", "unit": "=PC"}
ITEM = {"item": "i", "material": "material", "quantity": QUANTITY}
EVENTS: list[dict[str, Any]] = [
    {"when": {"type": "count"}, "emit": "CounterReading", "counter": "=shots", "value": "n"},
    {"when": {"type": "oil"}, "emit": "CounterReading", "counter": "=oil", "value": "n"},
    {"when": {"type": "start"}, "emit": "RunStarted", "run": "job", "order": "po", "outputs": [{"material": "=4711"}]},
    {"when": {"type": "change"}, "emit": "RunChanged", "run": "job", "outputs": [{"material": "=4711", "factor": "=2"}]},
    {"when": {"type": "end"}, "emit": "RunEnded", "run": "job"},
    {"when": {"type": "correct"}, "emit": "RunCorrected", "run": "job", "version": "=1", "order": "po"},
    {"when": {"type": "void"}, "emit": "RunVoided", "run": "job", "version": "=2"},
    {"when": {"type": "load"}, "emit": "LotLoaded", "position": "=hopper", "material": "=PP", "lot": "lot"},
    {"when": {"type": "unload"}, "emit": "LotUnloaded", "position": "=hopper"},
    {"when": {"type": "state"}, "emit": "EquipmentStateChanged", "state": "=running"},
    {"when": {"type": "labour"}, "emit": "LabourRecorded", "person": "=p", "action": "=on"},
    {"when": {"type": "temp"}, "emit": "ProcessValue", "name": "=temp", "value": "n"},
    {"when": {"type": "good"}, "emit": "ProductionDeclared", "order": "po", "quantity": QUANTITY},
    {"when": {"type": "reject"}, "emit": "ScrapDeclared", "order": "po", "quantity": QUANTITY},
    {"when": {"type": "rework"}, "emit": "ReworkDeclared", "order": "po", "quantity": QUANTITY},
    {
        "when": {"type": "back"},
        "emit": "ReworkReturned",
        "order": "po",
        "quantity": QUANTITY,
        "as_kind": "=yield",
    },
    {"when": {"type": "used"}, "emit": "MaterialConsumed", "order": "po", "quantity": QUANTITY},
    {
        "when": {"type": "release"},
        "emit": "OrderReleased",
        "order": "po",
        "items": {"each": "items", **ITEM},
        "operations": {"each": "ops", "operation": "op"},
    },
    {
        "when": {"type": "amend"},
        "emit": "OrderChanged",
        "order": "po",
        "items": {"each": "items", **ITEM},
        "operations": {"each": "ops", "operation": "op"},
    },
    {"when": {"type": "taken"}, "emit": "OrderAcknowledged", "order": "po"},
    {"when": {"type": "refused"}, "emit": "OrderRejected", "order": "po", "reason": "=r"},
    {"when": {"type": "done"}, "emit": "OrderCompleted", "order": "po"},
    {"when": {"type": "closed"}, "emit": "OrderClosed", "order": "po"},
    {"when": {"type": "handed"}, "emit": "OrderHandedOver", "order": "po"},
    {
        "when": {"type": "decide"},
        "emit": "OperatorDecision",
        "order": "po",
        "account": "=a",
        "code": "=C",
        "decision": "=post",
        "who": "=w",
        "why": "=y",
    },
    {
        "when": {"type": "material"},
        "emit": "MaterialChanged",
        "material": "=4711",
        "unit": "=PC",
        "decimals": "=0",
        "batch_managed": "=no",
    },
    {"when": {"type": "lot"}, "emit": "LotCreated", "material": "=4711", "lot": "lot"},
    {
        "when": {"type": "split"},
        "emit": "LotSplit",
        "material": "=4711",
        "lot": "lot",
        "children": {"each": "lots", "value": "lot"},
    },
    {
        "when": {"type": "merge"},
        "emit": "LotMerged",
        "material": "=4711",
        "lot": "lot",
        "parents": {"each": "lots", "value": "lot"},
    },
    {"when": {"type": "staged"}, "emit": "LotStaged", "material": "=4711", "lot": "lot", "location": "=X"},
    {"when": {"type": "shipped"}, "emit": "LotShipped", "material": "=4711", "lot": "lot", "delivery": "=D"},
    {"when": {"type": "inspect"}, "emit": "InspectionRequested", "material": "=4711", "lot": "lot", "inspection": "=I"},
    {
        "when": {"type": "verdict"},
        "emit": "InspectionRecorded",
        "material": "=4711",
        "lot": "lot",
        "inspection": "=I",
        "verdict": "=pass",
    },
    {"when": {"type": "hold"}, "emit": "HoldPlaced", "material": "=4711", "lot": "lot", "hold": "=H", "version": "=1"},
    {"when": {"type": "unhold"}, "emit": "HoldReleased", "material": "=4711", "lot": "lot", "hold": "=H", "version": "=2"},
    {"when": {"type": "dispose"}, "emit": "DispositionDecided", "material": "=4711", "lot": "lot", "disposition": "=accept"},
    {"when": {"type": "loose"}, "emit": "ScrapDeclared", "quantity": QUANTITY},
    {"when": {"type": "noise"}, "ignore": True},
]
READ = {
    "topic": TOPIC,
    "event_id": "position",
    "sequence": "seq",
    "occurred_at": {"path": "t", "date": "epoch_us"},
    "received_at": {"path": "t", "date": "epoch_us"},
    "equipment": "m",
}


def intake_configuration(**plant: Any) -> Configuration:
    counters = {"shots": {}, "oil": {"counts": "consumption", "of": "OIL", "unit": "kg"}}
    sections = {
        "sources": {"s": {"read": READ, "events": EVENTS}},
        "equipment": {"*": {"counters": counters}},
        "clock": {"step": "60 s"},
        **plant,
    }
    return configuration(sections)


def line(number: int, moment: int, type_: str, **fields: Any) -> Message:
    """Line `number` of a recorded file, received and occurred at `moment`."""
    content = {"t": moment, "type": type_, "m": "M1", "seq": number, **fields}
    headers = [("source", b"s"), ("position", f"in.jsonl:{number}".encode()), ("received_at", str(moment).encode())]
    return Message(
        number, json.dumps({key: value for key, value in content.items() if value is not None}).encode(), headers=headers
    )


def end(number: int) -> Message:
    return Message(number, b"", headers=[("control", b"end")])


class Intake:
    def __init__(self, config: Configuration | None = None, recorded: bool = True, partitions: int = 1) -> None:
        self.config = config or intake_configuration()
        self.topology = MemoryTopology({self.config.hash: self.config}, partitions)
        self.step = MemoryStep(TOPIC)
        self.stage = IntakeStage(self.topology, TOPIC, self.config, recorded)
        self.stage.taken_over(self.step)
        self.bootstrap = self.step.sent
        self.step.sent = []

    def fold(self, *messages: Message, commit: bool = True) -> None:
        """One batch, and the commit behind it."""
        self.step.records = messages
        self.stage.fold(self.step)
        if commit:
            self.stage.before_commit(self.step)

    def sent(self, topic: str) -> list[Any]:
        return [sent.record for sent in self.step.sent if sent.topic == topic]

    def ticks(self, topic: str = "equipment.inbox") -> list[tuple[int, bool]]:
        return [(record.at, record.final) for record in self.sent(topic) if isinstance(record, Tick)]


def readings_of(record: CounterFrame) -> list[tuple[int, int, int, int]]:
    return list(struct.iter_unpack("<4q", record.readings))


def plain(records: list[Any]) -> list[Any]:
    """What equipment sees, frames joined: ticks and events as they are, readings of one counter between them as one list.
    How frames are cut into messages is no promise, what lies between ticks and events is."""
    found: list[Any] = []
    frames: dict[tuple[str, str, int], list[tuple[int, ...]]] = {}

    def close(equipment: str | None) -> None:
        for key in sorted(key for key in frames if equipment in (None, key[0])):
            found.append((key, frames.pop(key)))

    for record in records:
        if isinstance(record, CounterFrame):
            frames.setdefault((record.equipment, record.counter, record.label), []).extend(readings_of(record))
        else:
            close(None if isinstance(record, Tick) else record.equipment)
            found.append(record)
    close(None)
    return found


__all__ = ["PLANT", "Intake", "end", "intake_configuration", "line", "plain", "readings_of"]
