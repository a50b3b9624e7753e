"""INI-like logs: a section is a record."""

from collections.abc import Collection, Iterator, Sequence
from typing import IO

from schemas.configuration.mapping import Read
from streams.mapping.formats.contract import Format, Numbered, Private, Reader, Redactor, lines_of
from streams.mapping.ini_sections import read_section, redacted_section, section_records


def _reader(read: Read, wanted: Sequence[frozenset[str]], private: Private) -> Reader:
    return read_section


def _redactor(read: Read, private: Private) -> Redactor:
    names = frozenset(str(steps[-1]) for steps in private.paths)
    return lambda value: redacted_section(value, names, private.hashed)


def _cut(content: IO[bytes], read: Read, columns: Collection[str]) -> Iterator[Numbered]:
    return section_records(lines_of(content), read)


FORMAT = Format(reader=_reader, redactor=_redactor, cut=_cut, ids_of_elements=False)
