"""How a source's raw records become canonical events: the shape of `sources:` in plant.yaml.

Only shape and types are checked here. Whether a path parses, a record exists and has the field, and a table is known is
checked where sources are compiled (streams.mapping), so that both say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, Tag, model_validator
from pydantic.types import Discriminator

from schemas.configuration.formats import FORMATS, FormatEntry, formats_with
from schemas.configuration.values import (
    Duration,
    Encoding,
    Flag,
    NumberForm,
    OneOrMany,
    Section,
    Whole,
    Zone,
    ZoneOffset,
    is_utf16,
    one_of,
)

DateFormat = str
_FUNCTION_WORDS = frozenset({"path", "join", "default", "codes", "table", "trim", "case", "date", "pad"})
RESERVED = frozenset({"when", "unless", "emit", "ignore", "also", "fields", "line"})


def _scalar(value: Any) -> Any:
    """An empty YAML scalar is the empty text; nothing else is guessed."""
    return "" if value is None else value


Scalar = Annotated[str, BeforeValidator(_scalar)]


def _decimals(value: int) -> int:
    if not 0 <= value <= 9:
        raise ValueError("decimals are 0 to 9")
    return value


def _as_written(schema: dict[str, Any]) -> None:
    """The JSON Schema of what people write: fields stand beside the keywords, line numbers are not written."""
    properties = schema["properties"]
    schema["additionalProperties"] = properties.pop("fields")["additionalProperties"]
    properties.pop("line", None)


def _collected(data: Any, reserved: frozenset[str]) -> Any:
    """Keys that are no keyword are fields of the record."""
    if not isinstance(data, dict):
        return data
    fields = {str(key): value for key, value in data.items() if key not in reserved}
    return {**{key: data[key] for key in data if key in reserved}, "fields": {**fields, **data.get("fields", {})}}


class Function(Section):
    """A value read at `path`, or put together by `join`, and passed through named functions, always in this order: `split`;
    missing value or blank -> `default`; `trim`, `case`, `strip_zeros`, `pad`; `codes` or `table`; `number`; then the field's
    type: `decimals`, `unit`, `rounding` for quantities and readings, `date`, `zone`, `zones`, `ambiguous` for times."""

    path: Scalar = ""
    join: list[UnitExpression] = Field(default_factory=list)
    """Instead of `path`: values put together; where one is not there or blank, nothing is there."""
    by: Annotated[str, Field(max_length=16)] = " "
    """What stands between the values of `join`."""
    split: Annotated[str, Field(max_length=16)] = ""
    """Where the value is cut into parts; `part` says which one it is."""
    part: Annotated[Whole, Field(ge=-64, le=64)] = 0
    """Of `split`: from 0; -1 is the last one. A part that is not there is nothing."""
    default: Scalar | None = None
    trim: Flag = False
    case: Literal["upper", "lower"] | None = None
    strip_zeros: Flag = False
    """Leading zeros away: 0001 is 1, 0000 is 0."""
    pad: Whole = 0
    """Zeros in front, up to this length, when the value has digits only."""
    codes: dict[str, Scalar] | None = None
    table: str | None = None
    number: NumberForm | None = None
    """How the source writes 1234.56, e.g. `1.234,56`; default: the source's `read.number`, else with a point and no groups."""
    decimals: Annotated[Whole, AfterValidator(_decimals)] | None = None
    unit: UnitExpression | None = None
    """A path, `=PC`, or a function with `codes` or `table`."""
    rounding: Literal["exact", "half_away"] = "exact"
    """What happens to more decimals than stated: refused (BAD_DECIMAL), or rounded half away from zero."""
    date: DateFormat | None = None
    """iso (the default) | excel | epoch_s | epoch_ms | epoch_us | epoch_ns | a form like `%d.%m.%Y %H:%M:%S`."""
    zone: Zone | None = None
    """Zone of local stamps that carry no offset; default: the plant's."""
    zones: dict[str, ZoneOffset] = Field(default_factory=dict)
    """Names that `%Z` of `date` may read beside UTC and GMT -> `+02:00`."""
    ambiguous: Literal["first", "second", "arrival", "reject"] = "reject"
    """Which of the two a local stamp in the repeated hour of autumn is; `arrival`: the one that fits received_at."""

    @model_validator(mode="after")
    def _one_origin(self) -> Function:
        if self.join and self.path:
            raise ValueError("either `path` or `join`, not both")
        if self.by != " " and not self.join:
            raise ValueError("`by` stands between the values of `join`, and there is no `join`")
        if self.part and not self.split:
            raise ValueError("`part` is one of those that `split` gives, and there is no `split`")
        return self


class Each(Section):
    """One nested record (or text) per element of the list at `each`. Inside, paths start at the element; `$.` starts at
    the whole record."""

    model_config = ConfigDict(json_schema_extra=_as_written)

    each: str
    value: Expression | None = None
    """For lists of texts: the text per element; default: the element itself."""
    fields: dict[str, Expression] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _collect(cls, data: Any) -> Any:
        return _collected(data, frozenset({"each", "value", "fields"}))


class Nested(Section):
    """A nested record written out field by field."""

    model_config = ConfigDict(json_schema_extra=_as_written)

    fields: dict[str, Expression] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _collect(cls, data: Any) -> Any:
        return _collected(data, frozenset({"fields"}))


def _form(value: Any) -> str:
    """Which form an expression has. No field of a record is called like one of _FUNCTION_WORDS."""
    if isinstance(value, Each) or (isinstance(value, dict) and "each" in value):
        return "each"
    if isinstance(value, Function) or (isinstance(value, dict) and not _FUNCTION_WORDS.isdisjoint(value)):
        return "function"
    if isinstance(value, Nested | dict):
        return "nested"
    return "list" if isinstance(value, list | tuple) else "text"


UnitExpression = Annotated[
    Annotated[Scalar, Tag("text")] | Annotated["Function", Tag("function")],
    Discriminator(_form),
]
Item = Annotated[
    Annotated[Scalar, Tag("text")] | Annotated[Function, Tag("function")] | Annotated["Nested", Tag("nested")],
    Discriminator(_form),
]
"""An element of a list that is written out."""
Expression = Annotated[
    Annotated[Scalar, Tag("text")]
    | Annotated[Function, Tag("function")]
    | Annotated["Each", Tag("each")]
    | Annotated["Nested", Tag("nested")]
    | Annotated[list[Item], Tag("list")],
    Discriminator(_form),
]
"""`path`, `a || b`, `=constant`, a function, a list from `each`, or a list or record written out."""

Texts = Annotated[list[Scalar], OneOrMany]


class Emission(Section):
    """One event that a record gives. Keys besides those named here are fields of the event."""

    model_config = ConfigDict(json_schema_extra=_as_written)

    when: dict[str, Texts] = Field(default_factory=dict)
    """Path -> the value, or one of the values, that it must have. Empty: matches everything."""
    unless: dict[str, Texts] = Field(default_factory=dict)
    """Path -> the value, or the values, that it must not have; `""`: it must be there."""
    emit: str = ""
    """Name of a canonical event."""
    fields: dict[str, Expression] = Field(default_factory=dict)
    line: int = 0
    """Line in plant.yaml; 0: unknown. For people only: not part of the hash."""


class FurtherEvent(Emission):
    """Another event from the record of a rule, where its own `when` and `unless` match."""

    @model_validator(mode="before")
    @classmethod
    def _collect(cls, data: Any) -> Any:
        return _collected(data, RESERVED - {"ignore", "also"})

    @model_validator(mode="after")
    def _emits(self) -> FurtherEvent:
        if not self.emit:
            raise ValueError("an entry of `also` needs `emit: <Record>`; leave out what is to be ignored")
        return self


class EventRule(Emission):
    """The first rule whose `when` and `unless` match decides."""

    ignore: Flag = False
    also: list[FurtherEvent] = Field(default_factory=list)
    """Further events from the same record."""

    @model_validator(mode="before")
    @classmethod
    def _collect(cls, data: Any) -> Any:
        return _collected(data, RESERVED)

    @model_validator(mode="after")
    def _emits_or_ignores(self) -> EventRule:
        if bool(self.emit) == self.ignore:
            raise ValueError("a rule has either `emit: <Record>` or `ignore: true`")
        if self.ignore and self.fields:
            raise ValueError(f"`ignore: true` takes no field, but there is {', '.join(sorted(self.fields))}")
        if self.ignore and self.also:
            raise ValueError("`ignore: true` takes no `also`")
        return self


class Read(Section):
    """Where a source's records come from, and where their common fields stand."""

    topic: str = ""
    """Kafka topic when live; `run` reads files instead."""
    format: Annotated[str, one_of(*FORMATS)] = "json"
    """`replay`: what `lineledger decide` and `exceptions replay` write; it takes no events."""
    event_id: str = "content"
    """A path, `content` (SHA-256 of the raw bytes) or `position` (file and line, or partition and offset)."""
    sequence: str | None = None
    """Path of the source's own sequence number, if it has one."""
    occurred_at: Expression = "time"
    received_at: Expression = "running_max"
    """A path or function, or `running_max`: the latest `occurred_at` so far."""
    order: Literal["file", "time"] = "file"
    """Of recorded files: as they arrived, line by line; or an export that was written in another order, to be sorted by
    received_at (with running_max by occurred_at)."""
    connection: Literal["continuous", "snapshot"] = "continuous"
    """`snapshot`: each file is a connection that begins with what is current; what counters counted since the one before was seen
    by nobody."""
    equipment: Expression = ""
    """A path or `=constant`; empty: this source's records name no equipment."""
    correlation_id: str | None = None
    columns: list[str] = Field(default_factory=list)
    """csv only: the names of the columns, in order; none: each file's header names them."""
    delimiter: str = ","
    """csv only: one character."""
    header: Flag = True
    """csv only: the first line names the columns; it is skipped where `columns` does."""
    skip_lines: Whole = 0
    """csv only: so many lines of a file before the header are no part of the table."""
    encoding: Encoding = "utf-8"
    """csv: any in which ASCII stands for itself. All formats: utf-16 (-le, -be), for files; their records are UTF-8."""
    number: NumberForm | None = None
    """csv, xml and ini only: how the source writes 1234.56, for every number that does not say so itself."""
    each: Annotated[list[str], OneOrMany] = Field(default_factory=list)
    """xml: paths below the root element; each element there is a record. json: paths to lists; each element is a record.
    None: the document, or the object, is one record."""

    keep: Annotated[list[str], OneOrMany] = Field(default_factory=list)
    """ini only: sections that hold for those behind them, until they come again; they are no records themselves."""

    @model_validator(mode="after")
    def _keys_of_the_format(self) -> Read:
        for name, field in Read.model_fields.items():
            formats = formats_with(name)
            if formats and self.format not in formats and getattr(self, name) != field.get_default(call_default_factory=True):
                raise ValueError(f"`{name}` belongs to format {' and '.join(formats)}")
        if not (self.columns or self.header):
            raise ValueError(f"{self.format} without a header needs `columns`")
        if not self.entry.any_encoding and self.encoding != "utf-8" and not is_utf16(self.encoding):
            keep = " and ".join(name for name, entry in FORMATS.items() if entry.any_encoding)
            raise ValueError(f"another `encoding` than utf-8 and utf-16 belongs to format {keep}")
        if len(self.delimiter) != 1:
            raise ValueError("`delimiter` is one character")
        return self

    @property
    def entry(self) -> FormatEntry:
        """What the register says of its format."""
        return FORMATS[self.format]


System = Literal["erp", "mes", "quality", "warehouse", "operator"]


class Expect(Section):
    """Which silence of a source is an alarm: of each equipment of which it has ever told."""

    every_us: Annotated[Duration, Field(gt=0)] = Field(alias="every")
    """Longer without a record is silence."""
    while_: Literal["always", "runs_open"] = Field(default="always", alias="while")
    """`runs_open`: only the time counts in which a run is open at the equipment."""


class Source(Section):
    """One stream of raw records of the plant."""

    read: Read
    files: Annotated[list[str], OneOrMany] = Field(default_factory=list)
    """Globs: which input files of `run` belong to this source when the command does not say."""
    events: list[EventRule] = Field(default_factory=list)
    system: System | None = None
    """Whose data it is: what that system does not own is refused (docs/system-of-record.md). None: not stated, not asked."""
    private: list[str] = Field(default_factory=list)
    """Paths that are hashed before anything is written, dead letters included."""
    on_silence: Literal["wait", "go_on"] = "wait"
    """Live: what the plant does when an intake of this source is silent for longer than `clock.patience`."""
    expect: Expect | None = None
    """None: no silence of what the source tells is an alarm."""

    @model_validator(mode="after")
    def _events_or_replay(self) -> Source:
        name, of_people = self.read.format, self.read.entry.of_people
        if of_people and self.events:
            raise ValueError(f"a source of format {name} takes no `events`: its records say themselves what they are")
        if of_people and self.expect is not None:
            raise ValueError(
                f"a source of format {name} takes no `expect`: people tell something when they have something to tell"
            )
        if not of_people and not self.events:
            raise ValueError("a source needs `events`: at least one rule")
        return self

    @property
    def emissions(self) -> Iterator[Emission]:
        """Every event that a rule can give."""
        for rule in self.events:
            yield rule
            yield from rule.also
