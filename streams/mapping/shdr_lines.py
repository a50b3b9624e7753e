"""SHDR lines of machine adapters: `time|key|value[|key|value...]`, conditions, time series, assets, and what adapters say."""

import re
from collections.abc import Callable
from typing import Any

from streams.mapping.items import RefusedInMapping, check_size

Fields = dict[str, Any]
Found = list[Fields | RefusedInMapping]

_LEVELS = frozenset({"NORMAL", "WARNING", "FAULT", "UNAVAILABLE"})
_MAX_PAIRS = 1000
_CONDITION_PARTS = 7
_SERIES_PARTS = 5
_ASSET_PARTS = 3
_SILENT = ("*", "#")
"""First signs of commands (`* PING`) and comments: they say nothing about the machine."""
_PART = re.compile(r'"(?:[^"\\]|\\.)*"(?=\||\Z)|[^|]*')
_ESCAPED = re.compile(r'\\([|"\\])')
_RESET = re.compile(r"([+-]?\d[\d.]*(?:[eE][+-]?\d+)?):([A-Z][A-Z_]{2,31})", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def read_shdr(value: bytes) -> Found:
    """The pairs of a line, each with the fields time, key, value and kind; a line for adapters only gives nothing.

    kind: sample; condition (`time|key|level|code|severity|qualifier|text`, seven parts whose third is a level: level, code,
    severity, qualifier, text, and the level as value); time_series (`time|key|count|rate|v1 v2 ...`: count, rate); asset
    (`time|@ASSET@|id|...`: text). A time `...@12.5` has `duration`; a value `0:SHIFT` has `reset`. An empty value is passed on:
    some adapters write it for "none", in others it is damage, and only a rule can know.
    """
    check_size(value)
    try:
        line = value.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise RefusedInMapping("BAD_LINE", "the line is not UTF-8") from None
    if line.startswith(_SILENT):
        return []
    parts = split_line(line) if '"' not in line else [plain_part(part) for part in split_line(line)]
    time = parts[0]
    if time[10:11] != "T" or time[4:5] != "-" or not time[:4].isdigit():
        raise RefusedInMapping("BAD_LINE", "the line does not begin with a time")
    if "\0" in line:
        raise RefusedInMapping("BAD_LINE", "the line has NUL bytes")
    count = len(parts)
    if count % 2 == 0 and count > 3 and not parts[-1]:
        parts.pop()  # a pipe behind the last value
        count -= 1
    common: Fields = {"time": time}
    if "@" in time:
        common["time"], _, common["duration"] = time.partition("@")
    if _is_asset(parts):
        return [{**common, "key": parts[1], "value": parts[2], "kind": "asset", "text": "|".join(parts[3:])}]
    if count == _CONDITION_PARTS and parts[2].upper() in _LEVELS:
        key, level, code, severity, qualifier, text = parts[1:]
        told = {"level": level, "code": code, "severity": severity, "qualifier": qualifier, "text": text}
        return [{**common, "key": key, "value": level, "kind": "condition", **told}]
    if _is_series(parts):
        key, number, rate, values = parts[1:]
        return [{**common, "key": key, "value": values, "kind": "time_series", "count": number, "rate": rate}]
    if count % 2 == 0 or count < 3 or count > 2 * _MAX_PAIRS:
        raise RefusedInMapping("BAD_LINE", f"the line has {count} parts: a time and pairs of key and value were expected")
    return [_pair(common, parts[index], parts[index + 1]) for index in range(1, count, 2)]


def _pair(common: Fields, key: str, value: str) -> Fields | RefusedInMapping:
    if not key:
        return RefusedInMapping("BAD_LINE", "a key of the line is empty")
    reset = _RESET.fullmatch(value) if ":" in value else None
    if reset is not None:
        return {**common, "key": key, "value": reset[1], "kind": "sample", "reset": reset[2]}
    return {**common, "key": key, "value": value, "kind": "sample"}


def _is_asset(parts: list[str]) -> bool:
    return len(parts) >= _ASSET_PARTS and len(parts[1]) > 1 and parts[1][0] == parts[1][-1] == "@"


def _is_series(parts: list[str]) -> bool:
    """`count|rate|values`, with as many numbers as the count says; a rate may be missing."""
    if len(parts) != _SERIES_PARTS:
        return False
    number, rate, values = parts[2:]
    if not (number.isdecimal() and number.isascii() and len(number) <= 6 and (not rate or _NUMBER.fullmatch(rate))):
        return False
    found = values.split(" ")
    return len(found) == int(number) and all(_NUMBER.fullmatch(text) for text in found)


def split_line(line: str) -> list[str]:
    """The parts of a line as they are written: one in quotes may hold pipes."""
    if '"' not in line:
        return line.split("|")
    parts: list[str] = []
    at = 0
    while True:
        match = _PART.match(line, at)
        if match is None:
            raise RefusedInMapping("BAD_LINE", "the line cannot be split")
        parts.append(match[0])
        at = match.end()
        if at >= len(line):
            return parts
        at += 1


def plain_part(part: str) -> str:
    """A part in quotes that holds a pipe, without its quotes; every other one as it is written."""
    if part[:1] != '"' or "|" not in part:
        return part
    return _ESCAPED.sub(r"\1", part[1:-1])


def redacted_line(value: bytes, keys: frozenset[str], hashed: Callable[[str], str]) -> bytes | None:
    """The line with the values of private keys hashed, also of a damaged line; None: it is no text."""
    try:
        parts = split_line(value.decode())
    except (UnicodeDecodeError, RefusedInMapping):
        return None
    single = len(parts) >= _ASSET_PARTS and parts[1] in keys and (_is_asset(parts) or _is_series(parts))
    for index in range(1, len(parts) - 1):
        if parts[index] in keys:
            for at in range(index + 1, len(parts) if single else index + 2):
                parts[at] = hashed(_without_reset(plain_part(parts[at])))
            if single:
                break
    return "|".join(parts).encode()


def _without_reset(value: str) -> str:
    reset = _RESET.fullmatch(value) if ":" in value else None
    return value if reset is None else reset[1]
