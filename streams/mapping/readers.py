"""From raw bytes to the fields that a mapping sees: one reader per format.

A reader gives a list with one entry per event: a dict of fields, or the Refusal that stands for a part that cannot be
read. It raises Refusal when nothing of the record can be read.
"""

import csv
from collections.abc import Callable
from typing import Any

import msgspec

from schemas.configuration.mapping import Read
from streams.mapping.items import MAX_RAW_BYTES, Refusal

Fields = dict[str, Any]
Reader = Callable[[bytes], list[Fields | Refusal]]

_LEVELS = frozenset({"NORMAL", "WARNING", "FAULT", "UNAVAILABLE"})
_MAX_PAIRS = 1000
_CONDITION_PARTS = 7


def reader_for(read: Read) -> Reader:
    """The reader of a source's format."""
    if read.format == "shdr":
        return read_shdr
    return csv_reader(read.columns, read.delimiter, read.header) if read.format == "csv" else json_reader()


def json_reader() -> Reader:
    """One JSON object per record. Numbers with a point or an exponent stay the text that the source wrote: nothing is
    rounded on the way in. Of a repeated key the last one counts."""
    decode = msgspec.json.Decoder(float_hook=str).decode

    def read(value: bytes) -> list[Fields | Refusal]:
        _check_size(value)
        try:
            node = decode(value)
        except (msgspec.DecodeError, RecursionError, ValueError) as wrong:
            raise Refusal("BAD_JSON", f"{wrong}") from None
        if type(node) is not dict:
            raise Refusal("BAD_JSON", "the record is no JSON object")
        return [node]

    return read


def read_shdr(value: bytes) -> list[Fields | Refusal]:
    """`time|key|value[|key|value...]`, or a condition `time|key|level|code|severity|qualifier|text`.

    A pair has the fields time, key, value and kind (sample). A condition has kind condition, level, code, severity,
    qualifier, text, and its level as value. Seven parts whose third is a level are a condition. An empty value is passed
    on: some adapters write it for "none", in others it is damage, and only a rule can know.
    """
    _check_size(value)
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


def csv_reader(columns: list[str], delimiter: str, header: bool) -> Reader:
    """One line per record; a quoted field holds no line break. The header line gives nothing."""

    def read(value: bytes) -> list[Fields | Refusal]:
        _check_size(value)
        try:
            text = value.decode("utf-8-sig").rstrip("\r\n")
            rows = list(csv.reader([text], delimiter=delimiter, strict=True))
        except (UnicodeDecodeError, csv.Error) as wrong:
            raise Refusal("BAD_LINE", f"no CSV line: {type(wrong).__name__}") from None
        if len(rows) != 1 or len(rows[0]) != len(columns):
            found = len(rows[0]) if rows else 0
            raise Refusal("BAD_LINE", f"the line has {found} columns instead of {len(columns)}")
        if header and rows[0] == columns:
            return []
        return [dict(zip(columns, rows[0], strict=True))]

    return read


def _check_size(value: bytes) -> None:
    if len(value) > MAX_RAW_BYTES:
        raise Refusal("TOO_LARGE", f"the record has {len(value)} bytes; at most {MAX_RAW_BYTES} are read")
