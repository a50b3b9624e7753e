"""Stage equipment (key plant|equipment): counters become pieces, and every piece belongs to a run.

In: frames of readings, run events, declarations, loads, states, ticks, configuration.
Out: when the clock advances, totals "as of T" to orders, genealogy edges to lots, then the tick to both.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from schemas.configuration import PlantConfig
from schemas.records import (
    RECORDS,
    ClockRepaired,
    ConfigActivated,
    CounterFrame,
    EntryVoided,
    EquipmentStateChanged,
    LabourRecorded,
    LotLoaded,
    LotUnloaded,
    OperatorDecision,
    RunChanged,
    RunCorrected,
    RunEnded,
    RunStarted,
    RunVoided,
    Tick,
    UpstreamOrdered,
)
from schemas.topics import EQUIPMENT_INBOX, LOTS_INBOX, ORDERS_INBOX
from streams import boundary
from streams.boundary import Concern, Handling, Original
from streams.clock import activation, intakes_of, observe, schedule, watch_of
from streams.equipment.floor_silence import LOOK_US, figures
from streams.equipment.frames import READING_BYTES, STAGE, Frames, ReadingPlace, refuse_frame, refuse_readings, unpacked
from streams.equipment.memory import EquipmentMemory
from streams.equipment.totals import publish
from streams.figures import Figure
from streams.repairs import repair
from streams.silence import ordered
from streams.step import RawMessage, Step, Topology, sender
from tables.canonical import DECLARATIONS
from tables.equipment.counter import UNAVAILABLE
from tables.equipment.equipment import EquipmentFold
from tables.equipment.own_clock import reach_us
from tables.plant.calendar import Calendar, calendar_of
from tables.refusal import Refusal, RefusedReadings
from tables.row_kinds import EQUIPMENT_ROWS, JOURNAL_ROWS

Change = Callable[[EquipmentFold, Any], Refusal | None]
"""Folds a record into its equipment. A refusal: why not."""
MAX_OPENED = 4_000
"""Buckets of one partition that are unpacked at a time (some 20 KB each at 1 Hz)."""
KEPT_OPEN = MAX_OPENED // 2
"""Of these, so many stay unpacked over a checkpoint, divided among the equipment: late readings come to the same ones again."""
READINGS, OF_THE_EQUIPMENT, OF_THE_PLANT = "0", "1", "2"
"""Ranks: readings are gathered; before other records of an equipment its readings are folded, before those of a plant all are."""


Key = tuple[str, str, str]
"""Plant, equipment, counter."""


class Folding(NamedTuple):
    """One batch that is being folded."""

    step: Step
    memory: EquipmentMemory
    frames: dict[Key, Frames]


class EquipmentStage:
    name = STAGE
    version = 1

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._memory: dict[int, EquipmentMemory] = {}
        self._plants: dict[str, tuple[PlantConfig, Calendar]] = {}

    def taken_over(self, step: Step) -> None:
        self._memory[step.partition] = EquipmentMemory(step)
        for plant in step.state.configurations:
            watch = watch_of(self._topology, self.name, step.state, plant)
            self._memory[step.partition].silence.ticked(step.state, plant, watch)

    def left(self, partition: int) -> None:
        self._memory.pop(partition, None)

    def figures(self) -> Iterator[Figure]:
        return figures([memory.silence for memory in self._memory.copy().values()])

    # -- fold

    def fold(self, step: Step) -> None:
        memory = self._memory[step.partition]
        folding = Folding(step, memory, {})
        for message, (name, values), handling in boundary.fields(step, self.name, BY_NAME):
            if handling.rank == READINGS:
                handling.handle(self, folding, message, values)
                continue
            if handling.rank == OF_THE_EQUIPMENT:
                key = (values["plant"], values["equipment"])
                for known in [known for known in folding.frames if known[:2] == key]:
                    self._read(step, memory, known, folding.frames.pop(known))
            else:
                self._read_all(folding)
            handling.handle(self, folding, message, RECORDS[name].from_avro(values))
        self._read_all(folding)
        if step.careful or sum(equipment.opened for equipment in memory.changed.values()) > MAX_OPENED:
            for equipment in memory.changed.values():
                equipment.put()

    def before_commit(self, step: Step) -> None:
        """Pack and put what changed: a row that changes with every reading is put once per checkpoint, not in each batch."""
        memory = self._memory[step.partition]
        keep = KEPT_OPEN // max(1, len(memory.equipment))
        for equipment in memory.changed.values():
            equipment.save(keep)
        memory.changed.clear()

    def _collect(self, folding: Folding, message: RawMessage, values: dict[str, Any]) -> None:
        step, memory, frames = folding
        if len(values["readings"]) % READING_BYTES:
            place = ReadingPlace(values["plant"], values["source"], values["raw_source"], 0, values["received_at"])
            refuse_frame(step, message, Refusal("BAD_RECORD", "a frame is not a whole number of readings"), place)
            return
        key = (values["plant"], values["equipment"], values["counter"])
        known = frames.get(key)
        if known is not None and (known.raw_source != values["raw_source"] or step.careful):
            self._read(step, memory, key, known)
            known = None
        if known is None:
            known = frames[key] = Frames(values["source"], values["raw_source"], values["received_at"], values["label"])
        known.readings.append(values["readings"])
        known.label = values["label"]
        known.messages.append(message)

    def _read_all(self, folding: Folding) -> None:
        for key, collected in folding.frames.items():
            self._read(folding.step, folding.memory, key, collected)
        folding.frames.clear()

    def _read(self, step: Step, memory: EquipmentMemory, key: Key, frames: Frames) -> None:
        plant, name, counter = key
        offset, step.offset = step.offset, frames.messages[-1].offset
        equipment = self._equipment(step, memory, plant, name)
        readings = unpacked(b"".join(frames.readings))
        if isinstance(equipment, Refusal):
            refused = [RefusedReadings(equipment, list(range(len(readings))))]
        else:
            if equipment.expected and len(there := readings[readings[:, 2] != UNAVAILABLE, 1]):  # without a value: not heard of
                memory.silence.listen(step, equipment, frames.label, frames.source, int(there.max()))
            equipment.seen_at(frames.label, memory.silence.behind(plant))
            refused = equipment.readings(counter, readings, frames.raw_source) if len(readings) else []
        for why, indexes in refused:
            refuse_readings(step, plant, frames, why, indexes)
        step.offset = offset

    # -- events

    def event(self, folding: Folding, message: RawMessage, record: Any, change: Change) -> None:
        """A record of one equipment: `change` folds it in, or says why not."""
        step, memory, _ = folding
        equipment = self._equipment(step, memory, record.plant, record.equipment)
        if isinstance(equipment, Refusal):
            refused: Refusal | None = equipment
        else:
            memory.silence.listen(step, equipment, record.label, record.source, record.occurred_at)
            equipment.seen_at(record.label, memory.silence.behind(record.plant))
            refused = change(equipment, record)
        if refused is not None:
            concern = Concern(kind=type(record).__name__, quantity=getattr(record, "quantity", None))
            boundary.refuse(step, self.name, refused.code, refused.detail, Original(record, message), concern)

    def _configured(self, folding: Folding, message: RawMessage, record: ConfigActivated) -> None:
        schedule(folding.step.state, record)

    def _ordered(self, folding: Folding, message: RawMessage, record: UpstreamOrdered) -> None:
        ordered(folding.step.state, record)

    def people_moved(self, step: Step, memory: EquipmentMemory, record: LabourRecorded | EntryVoided) -> None:
        """Their times at the equipment of this partition are measured again with the next tick."""
        config = self._config(step, record.plant)
        if config is None:
            return  # its own equipment refuses it
        touched = memory.people(record.plant).hear(record, reach_us(config[0]))
        for name in sorted(touched & memory.known[record.plant]):
            equipment = self._equipment(step, memory, record.plant, name)
            assert isinstance(equipment, EquipmentFold)
            equipment.people_moved()

    def _equipment(self, step: Step, memory: EquipmentMemory, plant: str, name: str) -> EquipmentFold | Refusal:
        key = EQUIPMENT_ROWS.key(plant, name)
        equipment = memory.equipment.get(key)
        if equipment is None:
            config = self._config(step, plant)
            if config is None:
                return Refusal("NO_CONFIGURATION", f"plant {plant} has no active configuration")
            equipment = EquipmentFold(step.rows, plant, name, *config, step.state.log_epoch)
            memory.equipment[key] = equipment
            memory.known[plant].add(name)
        memory.changed[key] = equipment
        memory.unpublished[plant].add(name)
        return equipment

    def _config(self, step: Step, plant: str) -> tuple[PlantConfig, Calendar] | None:
        hash_ = step.state.configurations.get(plant)
        if hash_ is None:
            return None
        known = self._plants.get(hash_)
        if known is None:
            config = self._topology.configuration(hash_).plant
            known = self._plants[hash_] = (config, calendar_of(config))
        return known

    # -- clock

    def _tick(self, folding: Folding, message: RawMessage, tick: Tick) -> None:
        step, memory, _ = folding
        watch = watch_of(self._topology, self.name, step.state, tick.plant)
        advance = observe(step.state, tick, watch)
        memory.silence.ticked(step.state, tick.plant, watch)
        if advance is None:
            return
        config = self._config(step, tick.plant)
        assert config is not None
        at_cut = config[1].next_cut(advance.before) <= advance.now if advance.before else False
        names = memory.known[tick.plant] if at_cut else memory.unpublished[tick.plant]
        if advance.before // LOOK_US != advance.now // LOOK_US and not tick.final:  # the end of the input is no silence
            for name in sorted(memory.silence.listening[tick.plant]):
                equipment = self._equipment(step, memory, tick.plant, name)
                assert isinstance(equipment, EquipmentFold)
                memory.silence.listen(step, equipment, advance.now)
        people, needed = memory.people(tick.plant), advance.now
        for name in sorted(names):
            equipment = self._equipment(step, memory, tick.plant, name)
            assert isinstance(equipment, EquipmentFold)
            equipment.measure_activities(advance.now, at_cut, people)
            if at_cut:
                equipment.seen_at(advance.now, memory.silence.behind(tick.plant))
                needed = min(needed, equipment.expire(people))
            publish(step, equipment, advance.now, self.version)
        if at_cut:
            people.prune(min(needed, advance.now - config[0].attribution.late_horizon_us))
        memory.unpublished[tick.plant].clear()
        me = sender(self.name, EQUIPMENT_INBOX, step.partition)
        for topic in (ORDERS_INBOX, LOTS_INBOX):
            step.broadcast(topic, tick.plant, Tick(tick.plant, advance.now, me, tick.final), self._topology.partitions(topic))
        activated = activation(step.state, tick.plant, advance.now, intakes_of(self._topology))
        if activated is not None or tick.final:
            self._put_whole(step, memory, tick.plant, config)
        if activated is not None:
            for equipment in memory.changed.values():
                equipment.put()
            memory.equipment.clear()
            memory.changed.clear()
            self._redefine(step, memory, tick.plant, config[0], activated.since)

    def _redefine(self, step: Step, memory: EquipmentMemory, plant: str, before: PlantConfig, since: int) -> None:
        """Counters that the configuration in force defines in another way than the one `before`."""
        config = self._config(step, plant)
        assert config is not None
        for name in sorted(memory.known[plant]):
            if before.equipment_for(name) != config[0].equipment_for(name):
                equipment = self._equipment(step, memory, plant, name)
                assert isinstance(equipment, EquipmentFold)
                equipment.redefined(before, since)

    def _repair(self, folding: Folding, message: RawMessage, record: ClockRepaired) -> None:
        step, memory, _ = folding
        if not repair(step.state, record):
            return
        if self._config(step, record.plant) is not None:
            for name in sorted(memory.known[record.plant]):
                equipment = self._equipment(step, memory, record.plant, name)
                assert isinstance(equipment, EquipmentFold)
                equipment.repair(record.at)
        onward = replace(record, sender=sender(self.name, EQUIPMENT_INBOX, step.partition))
        for topic in (ORDERS_INBOX, LOTS_INBOX):
            step.broadcast(topic, record.plant, onward, self._topology.partitions(topic))

    def _put_whole(self, step: Step, memory: EquipmentMemory, plant: str, config: tuple[PlantConfig, Calendar]) -> None:
        """No journal outlives its configuration, nor the end of the input: the ledger reads rows."""
        for name in sorted(memory.known[plant]):
            key = EQUIPMENT_ROWS.key(plant, name)
            equipment = memory.equipment.get(key)
            if equipment is None and step.rows.get(JOURNAL_ROWS.key(plant, name)) is not None:
                equipment = EquipmentFold(step.rows, plant, name, *config, step.state.log_epoch)
            if equipment is not None:
                equipment.put()


Handle = Callable[[EquipmentStage, Folding, RawMessage, Any], None]


def _of_one(change: Change) -> Handle:
    def handle(stage: EquipmentStage, folding: Folding, message: RawMessage, record: Any) -> None:
        stage.event(folding, message, record, change)

    return handle


def _of_people(change: Change) -> Handle:
    """A person is at one place at a time: each partition hears of it by a copy."""

    def handle(stage: EquipmentStage, folding: Folding, message: RawMessage, record: Any) -> None:
        if record.copy:
            stage.people_moved(folding.step, folding.memory, record)
        else:
            stage.event(folding, message, record, change)

    return handle


_RUNS = (RunStarted, RunChanged, RunEnded, RunCorrected, RunVoided, LotLoaded, LotUnloaded)
HANDLERS: Mapping[type, Handling[Handle]] = {
    CounterFrame: Handling(READINGS, EquipmentStage._collect),
    **dict.fromkeys(_RUNS, Handling(OF_THE_EQUIPMENT, _of_one(EquipmentFold.run_event))),
    **dict.fromkeys(DECLARATIONS, Handling(OF_THE_EQUIPMENT, _of_one(EquipmentFold.declared))),
    EquipmentStateChanged: Handling(OF_THE_EQUIPMENT, _of_one(EquipmentFold.state_changed)),
    LabourRecorded: Handling(OF_THE_EQUIPMENT, _of_people(EquipmentFold.labour)),
    EntryVoided: Handling(OF_THE_EQUIPMENT, _of_people(EquipmentFold.run_event)),
    OperatorDecision: Handling(OF_THE_EQUIPMENT, _of_one(EquipmentFold.decided)),
    Tick: Handling(OF_THE_PLANT, EquipmentStage._tick),
    ConfigActivated: Handling(OF_THE_PLANT, EquipmentStage._configured),
    ClockRepaired: Handling(OF_THE_PLANT, EquipmentStage._repair),
    UpstreamOrdered: Handling(OF_THE_PLANT, EquipmentStage._ordered),
}
"""What equipment does with each record of its inbox; readings are handed over as plain values."""
BY_NAME = boundary.by_name(HANDLERS)
