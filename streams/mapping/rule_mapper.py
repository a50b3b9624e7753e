"""A source, compiled: raw records in, canonical events, readings and refusals out."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, cast

from schemas.configuration.mapping import Source
from schemas.configuration.plant import PlantConfig
from streams.mapping.dispatch import DispatchRule, compile_dispatch
from streams.mapping.envelope import LatestTime, compile_envelope, is_of_element
from streams.mapping.events import compile_rule
from streams.mapping.formats import Fields, format_of
from streams.mapping.formats.contract import Private
from streams.mapping.items import Item, Mapped, MappingError, Problems, RawRecord, RefusedInMapping, RefusedRecord
from streams.mapping.mapper import Mapper
from streams.mapping.paths import Steps, path_steps
from streams.mapping.private import UNWRITABLE, keyed_hash, unreadable
from streams.mapping.private_paths import private_paths
from streams.mapping.rules import Action, Context
from streams.mapping.scalars import Scope
from streams.mapping.times import TimeGetter
from streams.mapping.wanted_columns import wanted_columns


class RuleMapper(Mapper):
    """By the rules of plant.yaml: read, choose a rule, build what it says."""

    def __init__(
        self,
        source: Source,
        context: Context,
        choose: Callable[[Any], Action | None],
        private: Sequence[Steps],
    ) -> None:
        read, format_, wanted = source.read, format_of(source.read), wanted_columns(source)
        hidden = Private(private, context.scope.hashed)
        super().__init__(context.name, source, context.clock, frozenset(chain.from_iterable(wanted)) | hidden.names)
        self._envelope = context.envelope
        self._arrival = context.envelope.received_field or context.envelope.occurred_at
        self._no_lots = context.scope.no_lots
        self._choose = choose
        self._read, self._hide = format_.reader(read, wanted, hidden), format_.hider(read, hidden)
        self._redact = format_.redactor(read, hidden) if private else None
        self._required, self._without, self._one_time = format_.required, format_.without, format_.one_time
        self._own_ids = format_.ids_of_elements and is_of_element(read.event_id)

    def map(self, raw: RawRecord) -> Mapped:
        try:
            found = self._read(raw.value) if raw.nodes is None else raw.nodes
        except RefusedInMapping as wrong:
            return [self._refused(wrong, None, raw, 0, None)]
        if len(found) > 1:
            if self._own_ids:
                raw.parts = len(found)
        elif found and type(node := found[0]) is dict and self._hide is None and not self._required:
            try:
                action = self._choose(node)
            except RefusedInMapping as wrong:
                return [self._refused(wrong, node, raw, 0, None)]
            if action is not None and action.build is not None and not action.also:
                return self._built(action, node, raw, 0)  # most records of most sources
        items: list[Item] = []
        for index, node in enumerate(found):
            if type(node) is not dict:
                assert isinstance(node, RefusedInMapping), "a reader gives fields or refusals"
                items.append(self._refused(node, None, raw, index, None))
                continue
            if self._hide is not None and not self._hide(node):
                items.append(self._refused(UNWRITABLE, None, raw, index, None))
                continue
            try:
                action = self._choose(node)
            except RefusedInMapping as wrong:
                items.append(self._refused(wrong, node, raw, index, None))
                continue
            if self._required and not node[self._required] and not (action is not None and action.takes_empty):
                items.append(self._refused(self._without(node), node, raw, index, None))
            elif action is None:
                unmatched = RefusedInMapping("NO_MAPPING", f"no rule of source {self.name} matches")
                items.append(self._refused(unmatched, node, raw, index, None))
            elif action.build is None:
                self.ignored += 1
            else:
                items += self._built(action, node, raw, index)
                for number, choose in enumerate(action.also, 1):
                    # One record, one id per event: the second and later events number on behind the pairs of the line.
                    items += self._further(choose, node, raw, index + number * len(found), action)
        return items

    def _further(
        self, choose: Callable[[Any], Action | None], node: Fields, raw: RawRecord, pair: int, first: Action
    ) -> list[Item]:
        try:
            action = choose(node)
        except RefusedInMapping as refusal:
            return [self._refused(refusal, node, raw, pair, first)]
        return [] if action is None else self._built(action, node, raw, pair)

    def _built(self, action: Action, node: Fields, raw: RawRecord, pair: int) -> Mapped:
        assert action.build is not None, "an action that ignores builds nothing"
        try:
            item = action.build(node, raw, pair)
        except RefusedInMapping as refusal:
            item = self._refused(refusal, node, raw, pair, action)
        if not self._no_lots:
            return [item]
        told = ", ".join(self._no_lots) + ", which does not look like a lot (`lots.pattern`)"
        self._no_lots.clear()
        if type(item) is RefusedRecord:
            item.detail += f"; {told}"
            return [item]
        notice = RefusedRecord("NO_LOT", f"{told}; the event went on without it", received_at=item.received_at, line=action.line)
        notice.event_id, notice.equipment = f"{item.event_id} lot", getattr(item, "equipment", "") or ""
        return [item, notice]

    def arrival(self, raw: RawRecord) -> int | None:
        field = self._arrival
        try:
            found = self._read(raw.value)
            if self._redact is None:
                raw.nodes = found
            if len(found) == 1 and type(found[0]) is dict:
                return field(found[0], found[0], raw.received_at)
        except RefusedInMapping:
            return None
        nodes = [node for node in found if type(node) is dict]
        if len(nodes) <= 1 or self._one_time:
            return self._stated(field, nodes[0], raw) if nodes else None
        return max((at for node in nodes if (at := self._stated(field, node, raw)) is not None), default=None)

    @staticmethod
    def _stated(field: TimeGetter, node: Fields, raw: RawRecord) -> int | None:
        try:
            return field(node, node, raw.received_at)
        except RefusedInMapping:
            return None

    def redacted(self, value: bytes) -> bytes:
        return value if self._redact is None else self._redact(value) or unreadable(value)

    def _refused(self, wrong: RefusedInMapping, node: Any, raw: RawRecord, pair: int, action: Action | None) -> RefusedRecord:
        refused = RefusedRecord(wrong.code, wrong.detail, received_at=raw.received_at)
        refused.event_id = self._event_id(node, raw, pair)
        if self._envelope.received_field is None:
            refused.received_at = raw.received_at or self.clock.latest
        if node is None:
            return refused
        refused.received_at = self._known(lambda: self._stated_received_at(node, raw)) or refused.received_at
        equipment = self._envelope.equipment if action is None or action.equipment is None else action.equipment
        refused.equipment = self._known(lambda: equipment(node, node)) or ""
        if action is not None:
            refused.kind, refused.line = action.kind, action.line
            quantity = action.quantity
            if quantity is not None:
                refused.quantity = self._known(lambda: quantity(node, node, raw.received_at))
        return refused

    def _event_id(self, node: Any, raw: RawRecord, pair: int) -> str:
        """By the source's rule, else by position: every refusal has an id that a replay finds again."""
        try:
            return self._envelope.event_id(node, raw, pair)
        except RefusedInMapping:
            position = f"{raw.raw_source}:{raw.raw_offset}"
            return f"{position}.{pair}" if pair else position

    def _stated_received_at(self, node: Any, raw: RawRecord) -> int | None:
        field = self._envelope.received_field
        return None if field is None else field(node, node, raw.received_at)

    @staticmethod
    def _known(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except RefusedInMapping:
            return None


def compile_source(name: str, source: Source, plant: PlantConfig, private_key: bytes = b"") -> Mapper:
    """The mapper of one source of `plant`. Raises MappingError with every defect of the configuration.

    private_key: keys the hashes of private fields (`private:` of the source and the plant, and every field that is
    mapped to a person); empty: the plant's id, which anyone can guess.
    """
    format_ = format_of(source.read)
    if format_.mapper is not None:
        return cast(
            Mapper, format_.mapper(name, plant, lambda other: compile_source(other, plant.sources[other], plant, private_key))
        )
    problems = Problems()
    hashed = keyed_hash(private_key or plant.plant.id.encode())
    scope = Scope(plant, hashed, source.read.number)
    envelope = compile_envelope(name, source, scope, problems)
    context = Context(name, envelope, scope, LatestTime(), source.read)
    rules = [
        DispatchRule(rule.when, compile_rule(rule, context, problems.at("events", index)), rule.unless)
        for index, rule in enumerate(source.events)
    ]
    choose = compile_dispatch(rules, problems)
    private = private_paths(source, plant, problems)
    for index, column in enumerate(source.read.columns):
        if len(path_steps(column) or ()) != 1:
            problems.at("read", "columns", index).add(f"`{column}` is no name for a column; use letters, digits, `_`, `-`")
    for index, text in enumerate(source.read.each):
        if any(type(step) is not str for step in path_steps(text) or (0,)):
            problems.at("read", "each", index).add(f"`{text}` is no path of elements; write `a.b.c`, {format_.each_from}")
    if source.expect is not None and not (source.read.equipment or any("equipment" in one.fields for one in source.emissions)):
        problems.at("expect").add("no record of this source names an equipment: nobody would ever miss it")
    if problems.found:
        raise MappingError(name, problems.found)
    return RuleMapper(source, context, choose, private)
