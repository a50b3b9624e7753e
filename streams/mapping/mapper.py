"""A source, compiled: raw records in, canonical events, readings and refusals out."""

from collections.abc import Callable, Collection, Sequence
from itertools import chain
from typing import Any

from schemas.configuration.mapping import Read, Source
from schemas.configuration.plant import PlantConfig
from streams.mapping.csv_tables import Table
from streams.mapping.dispatch import Rule, compile_dispatch
from streams.mapping.envelope import Clock, compile_envelope, is_of_element
from streams.mapping.events import compile_rule
from streams.mapping.ini_sections import redacted_section
from streams.mapping.items import Item, Mapped, MappingError, Problems, RawRecord, Refusal, Refused
from streams.mapping.json_records import elements_reader
from streams.mapping.paths import DOCUMENT, Steps, path_steps
from streams.mapping.private import Hash, hide, keyed_hash, redact_json, redact_shdr, unreadable, whole_paths
from streams.mapping.private_paths import private_paths
from streams.mapping.readers import Fields, Reader, each_of, reader_for
from streams.mapping.rules import Action, Context
from streams.mapping.scalars import Scope
from streams.mapping.times import TimeGetter
from streams.mapping.wanted_columns import wanted_columns
from streams.mapping.xml_documents import redacted_document

_UNWRITABLE = Refusal("BAD_JSON", "the record is nested too deeply or has a number beyond all bounds")


class Mapper:
    """Maps the raw records of one source. `map` and `arrival` never raise, for any bytes.

    `ignored` counts records and pairs that a rule ignores. `clock.latest` is the running maximum of `occurred_at`
    that `received_at: running_max` reads; it is the only state.
    """

    def __init__(
        self,
        source: Source,
        context: Context,
        choose: Callable[[Any], Action | None],
        private: Sequence[Steps],
    ) -> None:
        self.name = context.name
        self.clock = context.clock
        self.ignored = 0
        self._source = source
        self._envelope = context.envelope
        self._hashed: Hash = context.scope.hashed
        self._no_lots = context.scope.no_lots
        self._choose = choose
        read = source.read
        self._shdr, self._each = read.format == "shdr", each_of(read)
        self._private = whole_paths(private, self._each) if read.format == "json" else private
        self._private_names = frozenset(str(steps[0]) for steps in private)
        self._table = Table(read)
        elements = read.format == "json" and bool(self._each)
        self._own_ids = read.format not in ("shdr", "ini") and is_of_element(read.event_id)
        self._hides = bool(private) and not elements
        wanted = wanted_columns(source)
        self._columns: Collection[str] = frozenset(chain.from_iterable(wanted)) | self._private_names
        self._read: Reader = elements_reader(self._each, self._hidden) if elements else reader_for(read, wanted)

    @property
    def read(self) -> Read:
        """How the source's records are read."""
        return self._source.read

    @property
    def files(self) -> Sequence[str]:
        """Globs of the names of the source's files; none: any."""
        return self._source.files

    @property
    def columns(self) -> Collection[str]:
        """Names of csv columns that plant.yaml reads."""
        return self._columns

    def map(self, raw: RawRecord) -> Mapped:
        """The events, readings and refusals of one raw record, in its own order; empty when all of it is ignored."""
        try:
            found = self._read(raw.value)
        except Refusal as wrong:
            return [self._refused(wrong, None, raw, 0, None)]
        items: list[Item] = []
        if self._own_ids and len(found) > 1:
            raw.parts = len(found)
        for index, node in enumerate(found):
            if type(node) is not dict:
                assert isinstance(node, Refusal), "a reader gives fields or refusals"
                items.append(self._refused(node, None, raw, index, None))
                continue
            if self._hides and not self._hide(node):
                items.append(self._refused(_UNWRITABLE, None, raw, index, None))
                continue
            try:
                action = self._choose(node)
            except Refusal as wrong:
                items.append(self._refused(wrong, node, raw, index, None))
                continue
            if self._shdr and not node["value"] and not (action is not None and action.takes_empty):
                lost = Refusal("BAD_LINE", f"the value of {node['key'][:64]} is empty, and no rule says what that means")
                items.append(self._refused(lost, node, raw, index, None))
            elif action is None:
                unmatched = Refusal("NO_MAPPING", f"no rule of source {self.name} matches")
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
        except Refusal as refusal:
            return [self._refused(refusal, node, raw, pair, first)]
        return [] if action is None else self._built(action, node, raw, pair)

    def _built(self, action: Action, node: Fields, raw: RawRecord, pair: int) -> Mapped:
        assert action.build is not None, "an action that ignores builds nothing"
        try:
            item = action.build(node, raw, pair)
        except Refusal as refusal:
            item = self._refused(refusal, node, raw, pair, action)
        if not self._no_lots:
            return [item]
        told = ", ".join(self._no_lots) + ", which does not look like a lot (`lots.pattern`)"
        self._no_lots.clear()
        if type(item) is Refused:
            item.detail += f"; {told}"
            return [item]
        notice = Refused("NO_LOT", f"{told}; the event went on without it", received_at=item.received_at, line=action.line)
        notice.event_id, notice.equipment = f"{item.event_id} lot", getattr(item, "equipment", "") or ""
        return [item, notice]

    def arrival(self, raw: RawRecord) -> int | None:
        """When this record says that it reached the pipeline's edge, in microseconds, without mapping it: its received_at,
        with running_max its occurred_at. None: it does not say, or cannot be read."""
        field = self._envelope.received_field or self._envelope.occurred_at
        try:
            nodes = [node for node in self._read(raw.value) if type(node) is dict]
        except Refusal:
            return None
        if len(nodes) <= 1 or self._shdr:
            return self._stated(field, nodes[0], raw) if nodes else None
        return max((at for node in nodes if (at := self._stated(field, node, raw)) is not None), default=None)

    @staticmethod
    def _stated(field: TimeGetter, node: Fields, raw: RawRecord) -> int | None:
        try:
            return field(node, node, raw.received_at)
        except Refusal:
            return None

    def redacted(self, value: bytes) -> bytes:
        """The raw bytes as they may be written anywhere: private values hashed. Equal to `value` without private
        fields; mapping the result gives the same events (but another id where ids are made from content)."""
        if not self._private:
            return value
        read = self._source.read
        if read.format == "shdr":
            return redact_shdr(value, self._private_names, self._hashed)
        if read.format == "csv":
            return self._table.redacted(value, self._private_names, self._hashed) or unreadable(value)
        if read.format == "ini":
            names = frozenset(str(steps[-1]) for steps in self._private)
            return redacted_section(value, names, self._hashed) or unreadable(value)
        if read.format == "xml":
            return self._redacted_xml(value) or unreadable(value)
        return redact_json(value, self._private, self._hashed)

    def _redacted_xml(self, value: bytes) -> bytes | None:
        of_document = [steps[1:] for steps in self._private if steps[0] == DOCUMENT]
        of_record = [steps for steps in self._private if steps[0] != DOCUMENT]

        def hide_in(fields: Fields, whole: bool) -> bool:
            return hide(fields, of_document if whole else of_record, self._hashed)

        return redacted_document(value, self._each, hide_in)

    def _hide(self, node: Fields) -> bool:
        """Hash private values in place. False: a private value is nothing that can be written down."""
        if not self._shdr:
            return hide(node, self._private, self._hashed)
        if node["key"] in self._private_names:
            node["value"] = self._hashed(node["value"])
        return True

    def _hidden(self, document: Fields) -> Refusal | None:
        """Hash private values of a JSON object in place, before its elements are handed out."""
        return None if hide(document, self._private, self._hashed) else _UNWRITABLE

    def _refused(self, wrong: Refusal, node: Any, raw: RawRecord, pair: int, action: Action | None) -> Refused:
        refused = Refused(wrong.code, wrong.detail, received_at=raw.received_at)
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
        except Refusal:
            position = f"{raw.raw_source}:{raw.raw_offset}"
            return f"{position}.{pair}" if pair else position

    def _stated_received_at(self, node: Any, raw: RawRecord) -> int | None:
        field = self._envelope.received_field
        return None if field is None else field(node, node, raw.received_at)

    @staticmethod
    def _known(read: Callable[[], Any]) -> Any:
        try:
            return read()
        except Refusal:
            return None


def compile_source(name: str, source: Source, plant: PlantConfig, private_key: bytes = b"") -> Mapper:
    """The mapper of one source of `plant`. Raises MappingError with every defect of the configuration.

    private_key: keys the hashes of private fields (`private:` of the source and the plant, and every field that is
    mapped to a person); empty: the plant's id, which anyone can guess.
    """
    if source.read.format == "replay":
        from streams.mapping.operators import Operators  # it is a Mapper itself

        return Operators(name, plant, lambda other: compile_source(other, plant.sources[other], plant, private_key))
    problems = Problems()
    hashed = keyed_hash(private_key or plant.plant.id.encode())
    scope = Scope(plant, hashed, source.read.number)
    envelope = compile_envelope(name, source, scope, problems)
    context = Context(name, envelope, scope, Clock(), source.read)
    rules = [
        Rule(rule.when, compile_rule(rule, context, problems.at("events", index)), rule.unless)
        for index, rule in enumerate(source.events)
    ]
    choose = compile_dispatch(rules, problems)
    private = private_paths(source, plant, problems)
    for index, column in enumerate(source.read.columns):
        if len(path_steps(column) or ()) != 1:
            problems.at("read", "columns", index).add(f"`{column}` is no name for a column; use letters, digits, `_`, `-`")
    for index, text in enumerate(source.read.each):
        if any(type(step) is not str for step in path_steps(text) or (0,)):
            where = "from below the root element" if source.read.format == "xml" else "to a list"
            problems.at("read", "each", index).add(f"`{text}` is no path of elements; write `a.b.c`, {where}")
    if source.expect is not None and not (source.read.equipment or any("equipment" in one.fields for one in source.emissions)):
        problems.at("expect").add("no record of this source names an equipment: nobody would ever miss it")
    if problems.found:
        raise MappingError(name, problems.found)
    return Mapper(source, context, choose, private)
