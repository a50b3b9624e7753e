"""History through intake, equipment and orders, in one process: what would have been posted under these rules."""

from collections import Counter
from collections.abc import Iterable, Sequence

from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import AccountRow, ConfigActivated, Posting
from schemas.topics import DELIVERY_INBOX, EQUIPMENT_INBOX, EXCEPTIONS, ORDERS_INBOX
from streams.equipment.stage import EquipmentStage
from streams.intake.clock import counted
from streams.intake.raw_headers import CONTROL_HEADER, POSITION_HEADER, RECEIVED_HEADER, SOURCE_HEADER
from streams.intake.stage import IntakeStage
from streams.mapping import RawRecord
from streams.memory_step import MemoryStep, MemoryTopology, Message, Sent
from streams.orders.stage import OrdersStage
from tables.orders.account import BASIS
from tables.row_kinds import ACCOUNT_ROWS

BATCH = 4_000
"""Raw records per fold of intake."""
RAW = "raw"


def _topology(configuration: Configuration) -> MemoryTopology:
    """No lots stage: holds change how a posting is booked, not what is posted."""
    return MemoryTopology({configuration.hash: configuration}, raw=[RAW])


class Ledger:
    """Orders under one configuration."""

    def __init__(self, configuration: Configuration, codec: Codec) -> None:
        self.configuration = configuration
        self.postings: list[Posting] = []
        self.refused: Counter[str] = Counter()
        self._step = MemoryStep(ORDERS_INBOX, codec=codec, emit=self._emit)
        self._stage = OrdersStage(_topology(configuration))
        self._stage.taken_over(self._step)
        plant = configuration.plant.plant.id
        self.fold([Message(-1, codec.encode(ConfigActivated(plant, configuration.hash, 0, "simulation")))])

    def fold(self, messages: Sequence[Message]) -> None:
        self._step.records = messages
        self._stage.fold(self._step)

    def accounts(self) -> list[AccountRow]:
        return [row for _, row in self._step.rows.scan(ACCOUNT_ROWS.prefix) if row.kind != BASIS]

    def _emit(self, sent: Sent) -> None:
        if sent.topic == DELIVERY_INBOX and isinstance(sent.record, Posting):
            self.postings.append(sent.record)
        elif sent.topic == EXCEPTIONS:
            self.refused[sent.record.code] += 1


class Floor:
    """Intake and equipment under one plant.yaml: the totals that any rules start from."""

    def __init__(self, configuration: Configuration, private_key: bytes) -> None:
        self.codec, topology = Codec(), _topology(configuration)
        self._queues: dict[str, list[Message]] = {EQUIPMENT_INBOX: [], ORDERS_INBOX: []}
        self._offsets: Counter[str] = Counter()
        self._intake_step = MemoryStep(RAW, codec=self.codec, emit=self._emit)
        self._equipment_step = MemoryStep(EQUIPMENT_INBOX, codec=self.codec, emit=self._emit)
        self._intake = IntakeStage(topology, RAW, configuration, True, private_key)
        self._equipment = EquipmentStage(topology)
        self.refused: Counter[str] = Counter()
        self._intake.taken_over(self._intake_step)
        self._equipment.taken_over(self._equipment_step)

    @property
    def seen(self) -> dict[str, int]:
        """What intake read, as in a report: raw, readings, process_values, ..."""
        return counted(self._intake_step.state.marks.items())

    def fold(self, records: Sequence[RawRecord], last: bool = False) -> list[Message]:
        """Raw records in, what orders gets out. `last`: the end of the input follows."""
        messages = [self._raw(record) for record in records]
        if last:
            messages.append(Message(self._next(RAW), b"", headers=[(CONTROL_HEADER, b"end")]))
        self._intake_step.records = messages
        self._intake.fold(self._intake_step)
        self._intake.before_commit(self._intake_step)
        self._equipment_step.records = self._taken(EQUIPMENT_INBOX)
        self._equipment.fold(self._equipment_step)
        return self._taken(ORDERS_INBOX)

    def _raw(self, record: RawRecord) -> Message:
        headers = [
            (SOURCE_HEADER, record.source.encode()),
            (POSITION_HEADER, f"{record.raw_source}:{record.raw_offset}".encode()),
            (RECEIVED_HEADER, b"%d" % record.received_at),
        ]
        return Message(self._next(RAW), record.value, headers=headers)

    def _emit(self, sent: Sent) -> None:
        queue = self._queues.get(sent.topic)
        if queue is not None and not (
            sent.topic == ORDERS_INBOX and isinstance(sent.record, ConfigActivated)
        ):  # ledgers have their own
            queue.append(Message(self._next(sent.topic), self.codec.encode(sent.record), key=sent.key.encode()))
        elif sent.topic == EXCEPTIONS:
            self.refused[sent.record.code] += 1

    def _next(self, topic: str) -> int:
        self._offsets[topic] += 1
        return self._offsets[topic] - 1

    def _taken(self, topic: str) -> list[Message]:
        messages, self._queues[topic] = self._queues[topic], []
        return messages


def replay(records: Iterable[RawRecord], floor: Floor, ledgers: Sequence[Ledger]) -> int:
    """Fold all records; every ledger hears the same totals. Returns how many raw records there were."""
    batch: list[RawRecord] = []
    count = 0
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            _share(floor.fold(batch), ledgers)
            count, batch = count + len(batch), []
    _share(floor.fold(batch, last=True), ledgers)
    return count + len(batch)


def _share(messages: Sequence[Message], ledgers: Sequence[Ledger]) -> None:
    for ledger in ledgers:
        ledger.fold(messages)
