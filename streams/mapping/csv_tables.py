"""CSV: rows with the names of their columns, and where one record of a file ends and the next begins.

A record is the row itself where plant.yaml names the columns. Where each file's header names them a record begins with that
header, so that it can be read on its own, wherever it went.
"""

import csv
import io
import json
import re
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from schemas.configuration.mapping import Read
from schemas.configuration.values import is_utf16
from streams.mapping.items import MAX_RAW_BYTES, RefusedInMapping, check_size

MAX_ROW_LINES = 200
"""Lines of one row: a quote that never ends does not swallow the file."""
_DELIMITERS = (",", ";", "\t", "|")
_SHOWN_NAMES = 20
SHORT_HEADER_BYTES = 512
MAX_HEADER_RATIO = 8
"""Up to so many bytes, or times the bytes of its row, a header stands before each row as it is in the file."""
_KNOWN_HEADERS = 16
_BOM = b"\xef\xbb\xbf"
_NO_NAME = re.compile(r"[\s.\[\]|=$\"'{}()*?]+")
Numbered = tuple[int, bytes]


class Table:
    """Reads and rewrites the records of one csv source. `wanted`: of each set of names a header must have one."""

    def __init__(self, read: Read, wanted: Sequence[frozenset[str]] = ()) -> None:
        self._columns, self._delimiter, self._header = list(read.columns), read.delimiter, read.header
        utf8 = is_utf16(read.encoding) or read.encoding.lower().replace("_", "-") in ("utf-8", "utf8")
        self._encoding = "utf-8-sig" if utf8 else read.encoding
        self._wanted = wanted
        self._headers: dict[bytes, list[str]] = {}
        """Headers that stood before a record -> their names, checked; none: to be read with what follows. Each record of a file
        brings the same one."""

    def read(self, value: bytes) -> list[Any]:
        """A dict per row; rows without any value give nothing. Raises Refusal BAD_LINE."""
        check_size(value)
        names, rows = self._named(value)
        if "" in names:
            return [{name: text for name, text in zip(names, row, strict=True) if name} for row in rows if any(row)]
        return [dict(zip(names, row, strict=True)) for row in rows if any(row)]

    def redacted(self, value: bytes, private: Iterable[str], hashed: Any) -> bytes | None:
        """The record with the values of private columns hashed; None: it cannot be read."""
        hidden = frozenset(private)
        try:
            names, rows = self._named(value)
        except RefusedInMapping:
            return None
        if not rows:
            return value
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self._delimiter, lineterminator="\n")
        if not self._columns:
            writer.writerow(self._rows(value)[0])
        for row in rows:
            writer.writerow([hashed(text) if name in hidden else text for name, text in zip(names, row, strict=True)])
        return out.getvalue().removesuffix("\n").encode(self._encoding.removesuffix("-sig"))

    def _named(self, value: bytes) -> tuple[list[str], list[list[str]]]:
        header, _, rest = value.partition(b"\n")
        known = None if self._columns else self._headers.get(header)
        rows = self._rows(rest, self._encoding.removesuffix("-sig"), whole=False) if known else self._rows(value)
        if self._columns:
            names = self._columns
            if len(rows) != 1:
                raise RefusedInMapping("BAD_LINE", f"{len(rows)} rows stand where one is expected")
            rows = [] if self._header and rows[0] == names else rows
        elif known:
            names = known
        else:
            names = header_names(rows[0])
            self._check(names, value)
            self._remember(header, rows[0], names)
            rows = rows[1:]
        for row in rows:
            if len(row) != len(names):
                other = self._other_delimiter(value, lambda columns: len(columns) == len(names)) if self._columns else ""
                raise RefusedInMapping("BAD_LINE", f"the line has {len(row)} columns instead of {len(names)}{other}")
        return names, rows

    def _other_delimiter(self, value: bytes, fits: Callable[[list[str]], bool]) -> str:
        """What to write where the first line fits with another delimiter; empty: with none."""
        first = value.decode(self._encoding, errors="replace").partition("\n")[0].rstrip("\r")
        for sign in _DELIMITERS:
            if sign != self._delimiter and sign in first and fits(first.split(sign)):
                return f"; with `delimiter: {json.dumps(sign)}` it fits"
        return ""

    def _remember(self, header: bytes, row: list[str], names: list[str]) -> None:
        """A header that is a row by itself: no quote in it is open at its end, and it ends once."""
        if header in self._headers:
            return
        if len(self._headers) >= _KNOWN_HEADERS:
            self._headers.clear()
        try:
            alone = not header.endswith(b"\r\r") and self._rows(header) == [row]
        except RefusedInMapping:
            alone = False
        self._headers[header] = names if alone else []

    def _rows(self, value: bytes, encoding: str = "", whole: bool = True) -> list[list[str]]:
        """Not `whole`: what follows a header, which may be nothing."""
        try:
            text = value.decode(encoding or self._encoding).rstrip("\r\n")
            lines = io.StringIO(text, newline="") if "\n" in text or "\r" in text else [text] if text else []
            rows = list(csv.reader(lines, delimiter=self._delimiter, strict=True))
        except UnicodeDecodeError:
            encoding = self._encoding.removesuffix("-sig")
            detail = f"the line is no {encoding} text; state its encoding, e.g. `encoding: cp1252` or `encoding: utf-16`"
            raise RefusedInMapping("BAD_LINE", detail) from None
        except csv.Error as wrong:
            raise RefusedInMapping("BAD_LINE", f"no CSV line ({wrong}): a quote is open, or stands within a value") from None
        if whole and not rows:
            raise RefusedInMapping("BAD_LINE", "the line is empty")
        return rows

    @staticmethod
    def _has(alternatives: frozenset[str]) -> Callable[[list[str]], bool]:
        return lambda columns: not alternatives.isdisjoint(header_names([column.strip('"') for column in columns]))

    def _check(self, names: Sequence[str], value: bytes) -> None:
        for alternatives in self._wanted:
            if alternatives.isdisjoint(names):
                missing = " or ".join(f"`{name}`" for name in sorted(alternatives))
                there = ", ".join(f"`{name}`" for name in names[:_SHOWN_NAMES])
                other = self._other_delimiter(value, self._has(alternatives))
                detail = f"the header has no column {missing}, which plant.yaml reads; it has {there}{other}"
                raise RefusedInMapping("BAD_LINE", detail)


def header_names(header: Sequence[str]) -> list[str]:
    """Names that paths can have: of each run of other signs a `_`; a repeated name has its number behind it. An empty name is a
    column without name, which nothing reads."""
    found: dict[str, int] = {}
    names = []
    for text in header:
        name = _NO_NAME.sub("_", text.strip()).strip("_")
        found[name] = found.get(name, 0) + 1
        names.append(f"{name}_{found[name]}" if name and found[name] > 1 else name)
    return names


def table_records(lines: Iterable[bytes], read: Read, columns: Collection[str] = ()) -> Iterator[Numbered]:
    """The records of a file from its lines (with their ends): number of the first line, bytes. `columns`: those that plant.yaml
    reads. A header that is long beside its row names only those, so that a file becomes at most 8 times as large."""
    encoding = "utf-8" if is_utf16(read.encoding) else read.encoding
    rows = _rows_of(_without_preamble(lines, read), read.delimiter.encode(encoding))
    if read.columns:
        yield from rows
        return
    _, header = next(rows, (0, b""))
    header = header.rstrip(b"\r\n")
    short: ShortHeader | None = None
    for number, row in rows:
        if len(header) <= max(SHORT_HEADER_BYTES, MAX_HEADER_RATIO * len(row)):
            yield number, header + b"\n" + row
            continue
        if short is None:
            short = ShortHeader(header, read.delimiter, encoding, columns)
        yield number, short.before(row) + b"\n" + row


class ShortHeader:
    """A header in which the columns that nothing reads have no names."""

    def __init__(self, header: bytes, delimiter: str, encoding: str, columns: Collection[str]) -> None:
        self._delimiter, self._encoding = delimiter, encoding
        self._width, self._named, names = 0, [], []
        try:
            found = next(csv.reader(io.StringIO(header.decode(encoding), newline=""), delimiter=delimiter, strict=True), [])
        except (UnicodeDecodeError, csv.Error):
            found = []  # without any name every row of it is refused
        names = [name if name in columns else "" for name in header_names(found)]
        self._width, self._named = len(names), [name for name in names if name]
        self._header = delimiter.join(names).encode(encoding)

    def before(self, row: bytes) -> bytes:
        """The header for this row. A row that has other columns has a header with yet another number of them."""
        if self._width and row.count(self._delimiter.encode(self._encoding)) + 1 >= self._width:
            return self._header
        width = row.count(self._delimiter.encode(self._encoding)) + 2
        return self._delimiter.join([*self._named, *[""] * (width - len(self._named))]).encode(self._encoding)


def _without_preamble(lines: Iterable[bytes], read: Read) -> Iterator[Numbered]:
    for number, line in enumerate(lines, 1):
        content = line.removeprefix(_BOM) if number == 1 else line
        if number > read.skip_lines:
            yield number, content


def _rows_of(lines: Iterator[Numbered], delimiter: bytes) -> Iterator[Numbered]:
    """Lines joined where a quoted field holds a line break. A line whose quote does not end as it should stands alone."""
    held: deque[Numbered] = deque()
    while True:
        first = held.popleft() if held else next(lines, None)
        if first is None:
            return
        if not first[1].strip():
            continue
        row = [first]
        opened = _opened(first[1], False, delimiter)
        size = len(first[1])
        while opened and len(row) < MAX_ROW_LINES and size <= MAX_RAW_BYTES:
            line = held.popleft() if held else next(lines, None)
            if line is None:
                break
            row.append(line)
            size += len(line[1])
            opened = _opened(line[1], True, delimiter)
        if opened is False:
            yield first[0], b"".join(line for _, line in row).rstrip(b"\r\n")
        else:
            yield first[0], first[1].rstrip(b"\r\n")
            held.extendleft(reversed(row[1:]))


def _opened(line: bytes, opened: bool, delimiter: bytes) -> bool | None:
    """Does a quoted field go on behind this line? `opened`: one goes on into it. None: a quote ends within its field."""
    at = 0
    while True:
        at = line.find(b'"', at)
        if at < 0:
            return opened
        if not opened:
            opened = at == 0 or line[at - 1 : at] == delimiter
            at += 1
        elif line[at + 1 : at + 2] == b'"':
            at += 2
        elif line[at + 1 : at + 2] in (b"", b"\r", b"\n", delimiter):
            opened, at = False, at + 1
        else:
            return None
