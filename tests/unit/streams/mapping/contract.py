"""What every source format has to do, as plain cases. A format's example says what it reads; all pass the same cases.

The example of a format is the EXAMPLE of tests/unit/streams/mapping/examples/NAME.py.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.inputs.cut_files import CutRecord, cut, cut_or_refused
from app.inputs.file_text import UnreadableFile
from schemas.configuration.formats import FORMATS
from schemas.configuration.mapping import Read
from schemas.records import ProcessValue
from streams.mapping import Mapper, RawRecord, RefusedRecord
from streams.mapping.formats import Format, format_named
from streams.mapping.items import MAX_RAW_BYTES
from tests.unit.streams.mapping.sources import mapper_of

PERSON = "anna.k"
"""Stands in every example, and nowhere else after private values were hashed."""
NOISE = (b"", b"\0", b"\n\n\n", b"\xff\xfe\x00", b"<", b"{" * 2000, b"[a", b"a=", b"|||", b'"', b"9" * 5000, "ü;\u2028,".encode())


@dataclass(frozen=True)
class Example:
    """A file of a format, and how plant.yaml reads it: each event that the rules give is a ProcessValue."""

    format: str
    content: bytes
    events: list[dict[str, Any]]
    """Rules. One of them gives the person of the record as a value."""
    private: list[str]
    """Where the person stands."""
    values: list[str]
    """Of the events, in the file's order; among them PERSON."""
    records: int = 2
    """Raw records that the file is cut into."""
    read: dict[str, Any] | None = None
    """Further settings of `read`."""
    whole: bool = False
    """The file is one document: where it is damaged all of it is refused."""

    def mapper(self, *, private: bool = False) -> Mapper:
        read = {"format": self.format, "event_id": "content", "occurred_at": "time", "equipment": "=M1", **(self.read or {})}
        return mapper_of(self.events, read, source_private=self.private if private else [])


Case = Callable[[Example, Path], None]


def case_registered(example: Example, folder: Path) -> None:
    """The register names it and knows its settings; a setting that is not its own is refused."""
    assert isinstance(format_named(example.format), Format)
    settings = {name for entry in FORMATS.values() for name in entry.settings}
    assert settings <= Read.model_fields.keys()
    said: dict[str, Any] = {
        "columns": ["a"],
        "delimiter": ";",
        "header": "no",
        "skip_lines": "1",
        "number": "1,234.56",
        "each": "a",
        "keep": "a",
    }
    for name in said.keys() - set(FORMATS[example.format].settings):
        with pytest.raises(ValidationError, match=f"`{name}` belongs to format"):
            Read.model_validate({"format": example.format, name: said[name]})


def case_cut(example: Example, folder: Path) -> None:
    """Each record of a file has a place behind the one before it and can be read by itself, wherever it went."""
    records = _cut(example, folder, example.content)
    assert len(records) == example.records
    places = [number for number, _ in records]
    assert places == sorted(set(places))
    assert places[0] >= 1
    assert [value for record in records for value in _values(_mapped(example.mapper(), record))] == example.values
    alone = [value for record in reversed(records) for value in _values(_mapped(example.mapper(), record))]
    assert sorted(alone) == sorted(example.values)


def case_ends_of_lines(example: Example, folder: Path) -> None:
    """Lines may end as Windows ends them, and the last one without an end."""
    for content in (example.content.replace(b"\n", b"\r\n"), example.content.rstrip(b"\n")):
        records = _cut(example, folder, content)
        assert [value for record in records for value in _values(_mapped(example.mapper(), record))] == example.values


def case_other_encoding(example: Example, folder: Path) -> None:
    """A file in UTF-16 gives the same records."""
    records = _cut(example, folder, example.content.decode().encode("utf-16"))
    assert [value for record in records for value in _values(_mapped(example.mapper(), record))] == example.values


def case_ids(example: Example, folder: Path) -> None:
    """Each event has an id of its own, the same at every reading."""
    twice = [
        [item.event_id for record in _cut(example, folder, example.content) for item in _mapped(example.mapper(), record)]
        for _ in range(2)
    ]
    assert twice[0] == twice[1]
    assert len(set(twice[0])) == len(twice[0]) == len(example.values)


def case_private(example: Example, folder: Path) -> None:
    """The person is hashed in events and in what is kept of the record; what is hashed stays as it is and maps to the same."""
    mapper = example.mapper(private=True)
    for record in _cut(example, folder, example.content):
        hidden = mapper.redacted(record.value)
        assert PERSON.encode() not in hidden
        assert mapper.redacted(hidden) == hidden
        items = _mapped(mapper, record)
        assert PERSON not in repr(items)
        assert _values(_mapped(mapper, CutRecord(record.number, hidden))) == _values(items)
        open_values = _values(_mapped(example.mapper(), record))
        assert [value for value in open_values if value != PERSON] == [value for value in _values(items) if value[:2] != "h:"]
        assert len(_values(items)) == len(open_values)


def case_private_damaged(example: Example, folder: Path) -> None:
    """Where the record is damaged its person is found and hashed, or nothing of the record is kept."""
    mapper = example.mapper(private=True)
    for record in _cut(example, folder, example.content):
        at = record.value.index(PERSON.encode()) if PERSON.encode() in record.value else len(record.value)
        for damaged in (b"\xff" + record.value, record.value[: at + len(PERSON)], record.value + b"\xff", b"\0" + record.value):
            assert PERSON.encode() not in mapper.redacted(damaged)
            assert PERSON not in repr(_mapped(mapper, CutRecord(1, damaged)))


def case_damaged_file(example: Example, folder: Path) -> None:
    """A damaged record costs itself, and none of those behind it."""
    if example.whole:
        return
    lines = example.content.splitlines(keepends=True)
    last = b"".join(lines[-(len(lines) // example.records) :])
    content = b"".join([*lines, last.rstrip(b"\n"), b"\xff\n", last])
    values = [value for record in _cut(example, folder, content) for value in _values(_mapped(example.mapper(), record))]
    assert values[: len(example.values)] == example.values
    assert values[-1] == example.values[-1]
    assert len(example.values) < len(values) < 2 * len(example.values)


def case_any_bytes(example: Example, folder: Path) -> None:
    """Whatever the bytes of a record or of a file: values, never an exception."""
    for mapper in (example.mapper(), example.mapper(private=True)):
        for noise in NOISE:
            assert isinstance(mapper.redacted(noise), bytes)
            assert isinstance(mapper.arrival(RawRecord(noise, "s", "file", 1)), int | None)
            assert all(item.code.isupper() for item in _mapped(mapper, CutRecord(1, noise)) if isinstance(item, RefusedRecord))
            path = folder / "noise"
            path.write_bytes(noise)
            with suppress(UnreadableFile):
                assert all(len(value) <= MAX_RAW_BYTES + 1 for _, value in cut_or_refused(path, mapper.read))


def case_read_once(example: Example, folder: Path) -> None:
    """What was read for its time gives the same events, and private values are not kept as they were."""
    found = [*_cut(example, folder, example.content), *(CutRecord(1, noise) for noise in NOISE)]
    for private in (False, True):
        asked, mapper, other = (example.mapper(private=private) for _ in range(3))
        for number, value in found:
            raw = RawRecord(value, "s", "file", number)
            asked.arrival(raw)
            raw.value = asked.redacted(value)
            assert private <= (raw.nodes is None)
            assert mapper.map(raw) == other.map(RawRecord(raw.value, "s", "file", number))


def case_bounds(example: Example, folder: Path) -> None:
    """A record above the bound is refused as such, wherever it comes from; an empty file has none."""
    mapper = example.mapper()
    assert [item.code for item in _mapped(mapper, CutRecord(1, b"x" * (MAX_RAW_BYTES + 1)))] == ["TOO_LARGE"]
    assert example.whole or _cut(example, folder, b"") == []


CASES: tuple[Case, ...] = (
    case_registered,
    case_cut,
    case_ends_of_lines,
    case_other_encoding,
    case_ids,
    case_private,
    case_private_damaged,
    case_damaged_file,
    case_any_bytes,
    case_read_once,
    case_bounds,
)


def case_name(case: Case) -> str:
    return getattr(case, "__name__", "").removeprefix("case_")


def _cut(example: Example, folder: Path, content: bytes) -> list[CutRecord]:
    path = folder / "file"
    path.write_bytes(content)
    mapper = example.mapper()
    return list(cut(path, mapper.read, mapper.columns))


def _mapped(mapper: Mapper, record: CutRecord) -> list[Any]:
    return mapper.map(RawRecord(record.value, "s", "file", record.number))


def _values(items: list[Any]) -> list[str]:
    return [item.value for item in items if isinstance(item, ProcessValue)]
