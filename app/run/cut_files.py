"""Files of raw records, plain or gzip: cut into records by their source's format, each with its place in the file."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from app.run.file_text import UnreadableFile, opened
from schemas.configuration.mapping import Read
from streams.mapping.csv_tables import table_records
from streams.mapping.ini_sections import section_records
from streams.mapping.items import MAX_RAW_BYTES, Refusal
from streams.mapping.json_files import json_values
from streams.mapping.readers import each_of
from streams.mapping.xml_documents import MAX_DOCUMENT_BYTES, cut_document

MAX_LINE_BYTES = MAX_RAW_BYTES + 1
"""Of a longer line: enough for the mapping to see that it is too long."""
MAX_CUT_BYTES = 256 << 20
"""Of all records of one document together: what stands outside of them is repeated in each."""


class Cut(NamedTuple):
    """One raw record. `number`: its first line; in an XML document, the how many-th record it is (both from 1)."""

    number: int
    value: bytes


def cut(path: Path, read: Read, columns: Collection[str] = ()) -> Iterator[Cut]:
    """The records of a file in its order, empty ones left out. `columns`: those that plant.yaml reads of a csv file. Raises
    UnreadableFile, for a damaged gzip file behind the records before the damage, and OSError."""
    with opened(path, read) as content:
        yield from _cut(content, read, columns)


def cut_or_refused(path: Path, read: Read, columns: Collection[str] = ()) -> Iterator[Cut]:
    """As `cut`, but a document that cannot be cut is one record, which its mapping refuses. Raises UnreadableFile for a file that
    holds no readable bytes only, and OSError."""
    try:
        yield from cut(path, read, columns)
    except UnreadableFile as wrong:
        if not wrong.head:
            raise
        yield Cut(1, wrong.head)


def _cut(content: IO[bytes], read: Read, columns: Collection[str]) -> Iterator[Cut]:
    match read.format:
        case "xml":
            yield from _documents(content, read)
        case "csv":
            for number, value in table_records(_lines(content), read, columns):
                yield Cut(number, value[:MAX_LINE_BYTES])
        case "json":
            yield from _numbered(json_values(_lines(content)))
        case "ini":
            yield from _numbered(section_records(_lines(content), read))
        case _:
            for number, line in enumerate(_lines(content), 1):
                value = line.rstrip(b"\r\n")
                if value:
                    yield Cut(number, value)


def _lines(content: IO[bytes]) -> Iterator[bytes]:
    """Lines with their ends. Of one above MAX_LINE_BYTES only its beginning: nothing reads the rest."""
    while line := content.readline(MAX_LINE_BYTES):
        if len(line) == MAX_LINE_BYTES and not line.endswith(b"\n"):
            while (rest := content.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
        yield line


def _numbered(records: Iterator[tuple[int, bytes]]) -> Iterator[Cut]:
    """Where the rest of a file cannot be cut nothing stands for it: the reader of the file must know."""
    try:
        for number, value in records:
            yield Cut(number, value)
    except Refusal as wrong:
        raise UnreadableFile(wrong.code, wrong.detail) from None


def _documents(content: IO[bytes], read: Read) -> Iterator[Cut]:
    value = content.read(MAX_DOCUMENT_BYTES + 1)
    if len(value) > MAX_DOCUMENT_BYTES:
        detail = f"the document has more than {MAX_DOCUMENT_BYTES} bytes"
        raise UnreadableFile("TOO_LARGE", detail, value[:MAX_LINE_BYTES])
    size = 0
    try:
        for number, record in enumerate(cut_document(value, each_of(read)), 1):
            size += len(record)
            if size > MAX_CUT_BYTES:
                detail = f"the records of the document have more than {MAX_CUT_BYTES} bytes together"
                raise UnreadableFile("TOO_LARGE", detail, value[:MAX_LINE_BYTES])
            yield Cut(number, record)
    except Refusal as wrong:
        raise UnreadableFile(wrong.code, wrong.detail, value[:MAX_LINE_BYTES]) from None
