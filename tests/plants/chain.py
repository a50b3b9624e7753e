"""The stages intake, equipment, lots and orders as one process runs them without a broker: the same folds, plain dictionaries.

Records travel encoded, inboxes have one partition, and the sizes of batches come from a seed.
"""

from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from app.configuration import load
from app.engine.stage import Gathering
from app.ledger.snapshot import Snapshot
from app.run.recorded_input import inputs, merged
from schemas.codec import Codec
from schemas.records import PartitionPosition
from streams.equipment import EquipmentStage
from streams.intake import IntakeStage
from streams.lots import LotsStage
from streams.orders import OrdersStage
from streams.raw_headers import CONTROL_HEADER, POSITION_HEADER, RECEIVED_HEADER, SOURCE_HEADER
from tests.unit.streams.plain_step import PlainMessage, PlainRows, PlainTopology

INBOXES = ("equipment.inbox", "lots.inbox", "orders.inbox")


class Wire:
    """A step whose messages are bytes in queues."""

    def __init__(self, topic: str, queues: dict[str, deque[bytes]], codec: Codec) -> None:
        self.topic, self.partition, self._queues, self._codec = topic, 0, queues, codec
        self.rows = PlainRows()
        self.state = PartitionPosition(0, 1, 1, "")
        self.records: Sequence[PlainMessage] = ()
        self.offset, self.suspects, self.careful = -1, frozenset[int](), False
        self.next = 0

    def emit(self, topic: str, key: str, record: Any, partition: int | None = None) -> None:
        self._queues[topic].append(self._codec.encode(record))

    def broadcast(self, topic: str, key: str, record: Any, partitions: int) -> None:
        self.emit(topic, key, record)

    def decode(self, value: bytes) -> Any:
        return self._codec.decode(value)

    def fields(self, value: bytes) -> tuple[str, dict[str, Any]]:
        return self._codec.fields(value)

    def release(self, entry: Any) -> None:
        raise AssertionError("only delivery has an outbox")


def run(config: Path, files: Sequence[Path], seed: int = 0) -> Snapshot:
    """The ledger after all of the files, as `lineledger run` leaves it, without an ERP."""
    configuration = load(config)
    topic, codec, queues = f"raw.{configuration.plant.plant.id}", Codec(), defaultdict[str, deque[bytes]](deque)
    topology = PlainTopology({configuration.hash: configuration})
    stages = {
        topic: IntakeStage(topology, topic, configuration, recorded=True),
        "equipment.inbox": EquipmentStage(topology),
        "lots.inbox": LotsStage(topology),
        "orders.inbox": OrdersStage(topology),
    }
    steps = {inbox: Wire(inbox, queues, codec) for inbox in stages}
    for inbox, stage in stages.items():
        stage.taken_over(steps[inbox])
    chance = Random(seed)

    def fold(inbox: str, messages: list[PlainMessage]) -> None:
        steps[inbox].records = messages
        stages[inbox].fold(steps[inbox])
        if isinstance(stage := stages[inbox], Gathering):
            stage.before_commit(steps[inbox])

    def settle() -> None:
        while any(queues[inbox] for inbox in INBOXES):
            for inbox in INBOXES:
                step, taken = steps[inbox], list(queues[inbox])
                queues[inbox].clear()
                if taken:
                    fold(inbox, [PlainMessage(step.next + n, value) for n, value in enumerate(taken)])
                    step.next += len(taken)

    raw = merged(inputs([str(path) for path in files], configuration.plant), configuration.plant, b"")
    batch: list[PlainMessage] = []
    size, offset = chance.randrange(1, 400), 0
    for record in raw:
        position = f"{record.raw_source}:{record.raw_offset}".encode()
        headers = [
            (SOURCE_HEADER, record.source.encode()),
            (POSITION_HEADER, position),
            (RECEIVED_HEADER, b"%d" % record.received_at),
        ]
        batch.append(PlainMessage(offset, record.value, headers=headers))
        offset += 1
        if len(batch) >= size:
            fold(topic, batch)
            settle()
            batch, size = [], chance.randrange(1, 400)
    fold(topic, [*batch, PlainMessage(offset, b"", headers=[(CONTROL_HEADER, b"end")])])
    settle()
    rows = {inbox.removesuffix(".inbox"): step.rows.rows for inbox, step in steps.items()}
    letters = [codec.decode(value) for value in queues["exceptions"]]
    return Snapshot(rows, letters, configuration, {"records": offset})
