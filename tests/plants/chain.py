"""The stages intake, equipment, lots and orders as one process runs them without a broker: the same folds, plain dictionaries.

Records travel encoded, inboxes have one partition, and the sizes of batches come from a seed.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from random import Random

from app.configuration import load
from app.inputs.input_files import inputs
from app.inputs.recorded_input import merged
from app.ledger.books.snapshot import Snapshot
from schemas.codec import Codec
from streams.equipment.stage import EquipmentStage
from streams.intake.raw_headers import CONTROL_HEADER, POSITION_HEADER, RECEIVED_HEADER, SOURCE_HEADER
from streams.intake.stage import IntakeStage
from streams.lots.stage import LotsStage
from streams.memory_step import MemoryStep, MemoryTopology, Message, Sent
from streams.orders.stage import OrdersStage
from streams.stage import Gathering

INBOXES = ("equipment.inbox", "lots.inbox", "orders.inbox")


def run(config: Path, files: Sequence[Path], seed: int = 0) -> Snapshot:
    """The ledger after all of the files, as `lineledger run` leaves it, without an ERP."""
    configuration = load(config)
    topic, codec, queues = f"raw.{configuration.plant.plant.id}", Codec(), defaultdict[str, deque[bytes]](deque)

    def wire(sent: Sent) -> None:
        if sent.record is not None:  # a tombstone is for public topics
            queues[sent.topic].append(codec.encode(sent.record))

    topology = MemoryTopology({configuration.hash: configuration})
    stages = {
        topic: IntakeStage(topology, topic, configuration, recorded=True),
        "equipment.inbox": EquipmentStage(topology),
        "lots.inbox": LotsStage(topology, True),
        "orders.inbox": OrdersStage(topology),
    }
    steps = {inbox: MemoryStep(inbox, codec=codec, emit=wire) for inbox in stages}
    taken_in = Counter[str]()
    for inbox, stage in stages.items():
        stage.taken_over(steps[inbox])
    chance = Random(seed)

    def fold(inbox: str, messages: list[Message]) -> None:
        steps[inbox].records = messages
        stages[inbox].fold(steps[inbox])
        if isinstance(stage := stages[inbox], Gathering):
            stage.before_commit(steps[inbox])

    def settle() -> None:
        while any(queues[inbox] for inbox in INBOXES):
            for inbox in INBOXES:
                taken = list(queues[inbox])
                queues[inbox].clear()
                if taken:
                    fold(inbox, [Message(taken_in[inbox] + n, value) for n, value in enumerate(taken)])
                    taken_in[inbox] += len(taken)

    raw = merged(inputs([str(path) for path in files], configuration.plant), configuration.plant, b"")
    batch: list[Message] = []
    size, offset = chance.randrange(1, 400), 0
    for record in raw:
        position = f"{record.raw_source}:{record.raw_offset}".encode()
        headers = [
            (SOURCE_HEADER, record.source.encode()),
            (POSITION_HEADER, position),
            (RECEIVED_HEADER, b"%d" % record.received_at),
        ]
        batch.append(Message(offset, record.value, headers=headers))
        offset += 1
        if len(batch) >= size:
            fold(topic, batch)
            settle()
            batch, size = [], chance.randrange(1, 400)
    fold(topic, [*batch, Message(offset, b"", headers=[(CONTROL_HEADER, b"end")])])
    settle()
    rows = {inbox.removesuffix(".inbox"): step.rows.rows for inbox, step in steps.items()}
    letters = [codec.decode(value) for value in queues["exceptions"]]
    return Snapshot(rows, letters, configuration, {"records": offset})
