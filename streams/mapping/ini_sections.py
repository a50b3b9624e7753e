"""INI-like logs: `[section]` lines, and below each `key = value` lines.

A record is one section. Sections that hold for those behind them (`read.keep`, e.g. the header with machine and order) stand
before it, so that it can be read on its own, wherever it went.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from schemas.configuration.mapping import Read
from streams.mapping.items import MAX_RAW_BYTES, RefusedInMapping, check_size
from streams.mapping.paths import DOCUMENT, CutDocument

SECTION = "_section"
"""Field with the name of the record's section; empty for what stands before the first one."""
MAX_KEPT_BYTES = 2048
"""Of kept sections together: they are repeated in each record."""
Numbered = tuple[int, bytes]
Fields = dict[str, Any]

_HEAD = re.compile(r"\s*\[([^\[\]]*)\]\s*")
_NO_NAME = re.compile(r"[\s.\[\]|=$\"'{}()*?]+")
_COMMENTS = (";", "#")


def read_section(value: bytes) -> list[Fields | RefusedInMapping]:
    """The last section of a record as fields, with SECTION, and the ones before it by their names at DOCUMENT. Raises Refusal
    BAD_LINE, also for a section that has a key twice."""
    check_size(value)
    try:
        lines = value.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise RefusedInMapping("BAD_LINE", "the section is not UTF-8") from None
    document = CutDocument()
    name = ""
    fields: Fields = {}
    for line in lines:
        head = _HEAD.fullmatch(line)
        if head is not None:
            document[_name(name)] = fields
            name, fields = head[1].strip(), {}
        elif line.strip() and not line.lstrip().startswith(_COMMENTS):
            key, sign, text = _entry(line)
            if not sign or not key:
                raise RefusedInMapping("BAD_LINE", f"`{line.strip()[:64]}` is neither a section nor a key with a value")
            if key in fields:
                raise RefusedInMapping("BAD_LINE", f"the section has `{key[:64]}` twice")
            fields[key] = text
    return [{**fields, SECTION: name, DOCUMENT: document}] if fields or name else []


def _entry(line: str) -> tuple[str, str, str]:
    """Key, sign and value: `=`, or `:` where there is no `=` before it."""
    at = min((place for place in (line.find("="), line.find(":")) if place >= 0), default=-1)
    return (_name(line[:at]), line[at], line[at + 1 :].strip()) if at >= 0 else ("", "", "")


def _name(text: str) -> str:
    """A name that paths can have, as of columns of a table: each run of other signs is a `_`."""
    return _NO_NAME.sub("_", text.strip()).strip("_")


def section_records(lines: Iterable[bytes], read: Read) -> Iterator[Numbered]:
    """The sections of a file from its lines (with their ends): number of the first line, bytes. A kept section is no record
    itself; the newest one of its name stands before those behind it. Raises Refusal TOO_LARGE: kept ones above MAX_KEPT_BYTES."""
    kept: dict[str, bytes] = {}
    for number, name, section in _sections(lines):
        if name in read.keep:
            kept.pop(name, None)
            kept[name] = section.rstrip() + b"\n"
            if sum(map(len, kept.values())) > MAX_KEPT_BYTES:
                raise RefusedInMapping(
                    "TOO_LARGE", f"the sections that `keep` names have more than {MAX_KEPT_BYTES} bytes together"
                )
        else:
            yield number, b"".join(kept.values()) + section.rstrip()


def _sections(lines: Iterable[bytes]) -> Iterator[tuple[int, str, bytes]]:
    began, name, taken, size = 1, "", list[bytes](), 0
    for number, line in enumerate(lines, 1):
        head = _HEAD.fullmatch(line.decode("utf-8", "replace")) if line.lstrip()[:1] == b"[" else None
        if head is not None:
            if b"".join(taken).strip():
                yield began, name, b"".join(taken)
            began, name, taken, size = number, head[1].strip(), [], 0
        if size <= MAX_RAW_BYTES:
            taken.append(line)
            size += len(line)
    if b"".join(taken).strip():
        yield began, name, b"".join(taken)


def redacted_section(value: bytes, names: frozenset[str], hashed: Callable[[str], str]) -> bytes | None:
    """The record with the values of private keys hashed, in kept sections too; None: it is no text."""
    try:
        lines = value.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return None
    return "\n".join(_redacted(line, names, hashed) for line in lines).encode()


def _redacted(line: str, hidden: frozenset[str], hashed: Callable[[str], str]) -> str:
    key, sign, text = _entry(line)
    if _HEAD.fullmatch(line) is not None or not text or key not in hidden:
        return line
    return f"{line[: line.index(sign) + 1]} {hashed(text)}"
