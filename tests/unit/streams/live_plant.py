"""A plant that runs live, without a broker: an intake per raw topic, equipment, lots, orders and delivery, one partition each."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from schemas.codec import Codec
from schemas.configuration import Configuration
from schemas.records import ExceptionRecord, Posting, Tick, Total
from streams.delivery.stage import DeliveryStage
from streams.equipment.stage import EquipmentStage
from streams.intake.stage import IntakeStage
from streams.lots.stage import LotsStage
from streams.memory_step import MemoryStep, MemoryTopology, Message, Sent
from streams.orders.stage import OrdersStage
from streams.upstreams import upstreams_of
from tests.unit.streams.raw_bench import EVENTS, READ
from tests.unit.tables.floor_bench import configuration

STAGES: dict[str, Any] = {"equipment": EquipmentStage, "lots": LotsStage, "orders": OrdersStage, "delivery": DeliveryStage}


LIVE_EVENTS = [
    {
        "when": {"type": "start"},
        "emit": "RunStarted",
        "run": "job",
        "order": "po",
        "operation": "=10",
        "outputs": [{"material": "=4711", "lot": "lot"}],
    },
    {
        "when": {"type": "release"},
        "emit": "OrderReleased",
        "order": "po",
        "items": [{"item": "=1", "material": "=4711", "quantity": {"path": "n", "decimals": "0", "unit": "=PC"}}],
        "operations": [{"operation": "=10", "receipt": "=true"}],
    },
    *(rule for rule in EVENTS if rule["when"]["type"] not in ("start", "release")),
]


def live_configuration(*names: str, **plant: Any) -> Configuration:
    """A plant with a source per name, each with a raw topic of its own. `plant`: further sections of plant.yaml; `sources`:
    further settings of some of them; `rules`: rules.yaml."""
    further: dict[str, Any] = plant.pop("sources", {})
    rules: dict[str, Any] = plant.pop("rules", {"post": [{"kind": "yield", "when": ["shift_end"]}]})
    sources = {name: {"read": {**READ, "topic": f"raw.{name}"}, "events": LIVE_EVENTS, **further.get(name, {})} for name in names}
    counters = {"shots": {}, "oil": {"counts": "consumption", "of": "OIL", "unit": "kg"}}
    sections = {"sources": sources, "equipment": {"*": {"counters": counters}}, **plant}
    return configuration(sections, rules)


CODEC = Codec()


class LiveTopology(MemoryTopology):
    """Upstreams are the raw topics that the configuration has."""

    def upstreams(self, stage: str, configuration: Configuration) -> Sequence[str]:
        raw = sorted({source.read.topic for source in configuration.plant.sources.values()})
        return upstreams_of(stage, dict.fromkeys(raw, 1), self.partitions)


class LivePlant:
    """`host`: what the clock of the intakes' host says, microseconds; the test sets it."""

    def __init__(self, configuration: Configuration, now: int) -> None:
        self.host = now
        self.queues: dict[str, list[Any]] = defaultdict(list)
        self.log: dict[str, list[Any]] = defaultdict(list)
        self.configurations = {configuration.hash: configuration}
        self.topology = LiveTopology(self.configurations)
        self.steps = {stage: self._step(f"{stage}.inbox") for stage in STAGES}
        self.stages = {stage: make(self.topology) for stage, make in STAGES.items()}
        for stage, fold in self.stages.items():
            fold.taken_over(self.steps[stage])
        self.intakes: dict[str, tuple[IntakeStage, MemoryStep]] = {}
        self._known: dict[str, tuple[IntakeStage, MemoryStep]] = {}
        """Of all configurations: their positions stay."""
        self._offsets: dict[str, int] = defaultdict(int)
        self.configure(configuration)

    def _step(self, topic: str) -> MemoryStep:
        """Its messages wait in the queues of the others."""

        def wire(sent: Sent) -> None:
            if sent.record is not None:  # a tombstone is for public topics
                self.queues[sent.topic].append(CODEC.decode(CODEC.encode(sent.record)))

        return MemoryStep(topic, codec=CODEC, emit=wire)

    def configure(self, configuration: Configuration) -> None:
        """Workers of intake are started with it: those of new sources begin, those of removed ones end."""
        self.configurations[configuration.hash] = configuration
        self._known |= self.intakes
        self.intakes = {}
        for topic in sorted({source.read.topic for source in configuration.plant.sources.values()}):
            name = topic.removeprefix("raw.")
            stage = IntakeStage(self.topology, topic, configuration, False, host=lambda: self.host)
            step = self._known[name][1] if name in self._known else self._step(topic)
            self.intakes[name] = stage, step
            stage.taken_over(step)
        self.settle()

    def send(
        self, source: str, type_: str, appended: int | None = None, headers: Mapping[str, bytes] | None = None, **fields: Any
    ) -> None:
        """A record that the broker appends now (or at `appended`); `raw=...`: its bytes as they are."""
        at = self.host if appended is None else appended
        value = fields.pop("raw", None)
        self._offsets[source] += 1
        offset = self._offsets[source]
        if value is None:
            value = json.dumps({"t": self.host, "type": type_, "m": "M1", "seq": offset, **fields}).encode()
        stage, step = self.intakes[source]
        step.records = [Message(offset, value, timestamp=at // 1000, headers=list((headers or {}).items()))]
        stage.fold(step)
        stage.before_commit(step)
        self.settle()

    def idle(self, until: int, *sources: str, step: int = 1_000_000) -> None:
        """Time passes without records; `sources`: whose intakes live (without: all)."""
        while self.host < until:
            self.host = min(until, self.host + step)
            for name in sources or tuple(self.intakes):
                stage, wire = self.intakes[name]
                stage.idle(wire, self.host)
                stage.before_commit(wire)
            self.settle()

    def settle(self) -> None:
        """Every stage folds what has come, until nothing is on its way."""
        while any(self.queues[f"{stage}.inbox"] for stage in STAGES):
            for stage, step in self.steps.items():
                topic = f"{stage}.inbox"
                taken, self.queues[topic] = self.queues[topic], []
                if taken:
                    self.log[topic] += taken
                    step.deliver(*taken)
                    self.stages[stage].fold(step)
                    if hasattr(self.stages[stage], "before_commit"):
                        self.stages[stage].before_commit(step)

    def restart(self, stage: str) -> None:
        """Another process takes over what is in the rows."""
        self.stages[stage] = STAGES[stage](self.topology)
        step = self.steps[stage]
        step.state = step.codec.decode(step.codec.encode(step.state))
        self.stages[stage].taken_over(step)

    # -- what came of it

    def clock(self, stage: str, plant: str) -> int:
        return self.steps[stage].state.reached.get(plant, 0)

    @property
    def letters(self) -> list[ExceptionRecord]:
        return self.queues["exceptions"]

    @property
    def postings(self) -> list[Posting]:
        return [record for record in self.log["delivery.inbox"] if isinstance(record, Posting)]

    @property
    def posted(self) -> dict[str, int]:
        """Kind -> sum of all postings."""
        found: dict[str, int] = defaultdict(int)
        for posting in self.postings:
            found[posting.kind] += posting.amount
        return dict(found)

    def ticks(self, topic: str = "equipment.inbox") -> list[int]:
        return [record.at for record in self.log[topic] if isinstance(record, Tick)]

    def totals(self) -> list[Total]:
        return [record for record in self.log["orders.inbox"] if isinstance(record, Total)]
