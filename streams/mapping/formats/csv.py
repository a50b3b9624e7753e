"""CSV: tables, with the names of their columns in plant.yaml or in each file's header."""

from collections.abc import Collection, Iterator, Sequence
from typing import IO

from schemas.configuration.mapping import Read
from schemas.configuration.values import is_utf16
from streams.mapping.csv_tables import Table, table_records
from streams.mapping.formats.contract import MAX_LINE_BYTES, Format, Numbered, Private, Reader, Redactor, lines_of


def _reader(read: Read, wanted: Sequence[frozenset[str]], private: Private) -> Reader:
    return Table(read, wanted).read


def _redactor(read: Read, private: Private) -> Redactor:
    table = Table(read)
    return lambda value: table.redacted(value, private.names, private.hashed)


def _cut(content: IO[bytes], read: Read, columns: Collection[str]) -> Iterator[Numbered]:
    for number, value in table_records(lines_of(content), read, columns):
        yield number, value[:MAX_LINE_BYTES]


def _shown(text: str, read: Read) -> str:
    return text if read.columns else text.partition("\n")[2]


def _resembles(head: bytes) -> bool:
    first = head.split(b"\n", 1)[0]
    return not head.startswith(b"<") and max(first.count(sign) for sign in (b",", b";", b"\t")) > 1


FORMAT = Format(
    reader=_reader,
    redactor=_redactor,
    cut=_cut,
    file_encoding=lambda read: "utf-8" if is_utf16(read.encoding) else read.encoding,
    shown=_shown,
    resembles=_resembles,
)
