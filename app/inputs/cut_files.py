"""Files of raw records, plain, gzip or zstd: cut into records by their source's format, each with its place in the file."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from app.inputs.file_text import Follow, UnreadableFile, nobody, opened
from schemas.configuration.mapping import Read
from streams.mapping.formats import Uncut, format_of
from streams.mapping.items import RefusedInMapping


class CutRecord(NamedTuple):
    """One raw record. `number`: its first line; in an XML document, the how many-th record it is (both from 1)."""

    number: int
    value: bytes


def cut(path: Path, read: Read, columns: Collection[str] = (), follow: Follow = nobody) -> Iterator[CutRecord]:
    """The records of a file in its order, empty ones left out. `columns`: those that plant.yaml reads of a csv file. Raises
    UnreadableFile, for a damaged packed file behind the records before the damage, and OSError."""
    with opened(path, read, follow) as content:
        try:
            for number, value in format_of(read).cut(content, read, columns):
                yield CutRecord(number, value)
        except Uncut as wrong:
            raise UnreadableFile(wrong.code, wrong.detail, wrong.head) from None
        except RefusedInMapping as wrong:  # nothing stands for the rest: the reader of the file must know
            raise UnreadableFile(wrong.code, wrong.detail) from None


def cut_or_refused(path: Path, read: Read, columns: Collection[str] = (), follow: Follow = nobody) -> Iterator[CutRecord]:
    """As `cut`, but a document that cannot be cut is one record, which its mapping refuses. Raises UnreadableFile for a file that
    holds no readable bytes only, and OSError."""
    try:
        yield from cut(path, read, columns, follow)
    except UnreadableFile as wrong:
        if not wrong.head:
            raise
        yield CutRecord(1, wrong.head)
