"""From raw bytes to the fields that a mapping sees: one reader per format.

A reader gives a list with one entry per event: a dict of fields, or the Refusal that stands for a part that cannot be
read. It raises Refusal when nothing of the record can be read.
"""

from collections.abc import Callable, Sequence
from typing import Any

from schemas.configuration.mapping import Read
from streams.mapping.csv_tables import Table
from streams.mapping.items import Refusal, check_size
from streams.mapping.json_records import json_reader
from streams.mapping.paths import Steps, path_steps
from streams.mapping.xml_documents import read_records

Fields = dict[str, Any]
Reader = Callable[[bytes], list[Fields | Refusal]]

_LEVELS = frozenset({"NORMAL", "WARNING", "FAULT", "UNAVAILABLE"})
_MAX_PAIRS = 1000
_CONDITION_PARTS = 7


def reader_for(read: Read, wanted_columns: Sequence[frozenset[str]] = ()) -> Reader:
    """The reader of a source's format. `wanted_columns`: of each set a csv header must have one."""
    match read.format:
        case "shdr":
            return read_shdr
        case "csv":
            return Table(read, wanted_columns).read
        case "xml":
            return xml_reader(each_of(read))
        case _:
            return json_reader()


def read_shdr(value: bytes) -> list[Fields | Refusal]:
    """`time|key|value[|key|value...]`, or a condition `time|key|level|code|severity|qualifier|text`.

    A pair has the fields time, key, value and kind (sample). A condition has kind condition, level, code, severity,
    qualifier, text, and its level as value. Seven parts whose third is a level are a condition. An empty value is passed
    on: some adapters write it for "none", in others it is damage, and only a rule can know.
    """
    check_size(value)
    try:
        line = value.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Refusal("BAD_LINE", "the line is not UTF-8") from None
    parts = line.split("|")
    count = len(parts)
    time = parts[0]
    if time[10:11] != "T" or time[4:5] != "-" or not time[:4].isdigit():
        raise Refusal("BAD_LINE", "the line does not begin with a time")
    if "\0" in line:
        raise Refusal("BAD_LINE", "the line has NUL bytes")
    if count == 3:
        if not parts[1]:
            raise Refusal("BAD_LINE", "the key is empty")
        return [{"time": time, "key": parts[1], "value": parts[2], "kind": "sample"}]
    if count == _CONDITION_PARTS and parts[2].upper() in _LEVELS:
        key, level, code, severity, qualifier, text = parts[1:]
        return [
            {
                "time": time,
                "key": key,
                "value": level,
                "kind": "condition",
                "level": level,
                "code": code,
                "severity": severity,
                "qualifier": qualifier,
                "text": text,
            }
        ]
    if count % 2 == 0 or count < 3 or count > 2 * _MAX_PAIRS:
        raise Refusal("BAD_LINE", f"the line has {count} parts: a time and pairs of key and value were expected")
    return [_pair(time, parts[index], parts[index + 1]) for index in range(1, count, 2)]


def _pair(time: str, key: str, value: str) -> Fields | Refusal:
    if not key:
        return Refusal("BAD_LINE", "a key of the line is empty")
    return {"time": time, "key": key, "value": value, "kind": "sample"}


def each_of(read: Read) -> list[Steps]:
    """The steps of `read.each`."""
    return [steps for text in read.each if (steps := path_steps(text))]


def xml_reader(each: Sequence[Steps]) -> Reader:
    """One document per record; an entry per element at `each`, or one for a document that was cut already."""

    def read(value: bytes) -> list[Fields | Refusal]:
        check_size(value)
        return [*read_records(value, each)]

    return read
