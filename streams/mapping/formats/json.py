"""JSON: an object per record, a list of objects, or the elements of lists in an object."""

from collections.abc import Collection, Iterator, Sequence
from typing import IO

from schemas.configuration.mapping import Read
from streams.mapping.formats.contract import Fields, Format, Hider, Numbered, Private, Reader, Redactor, each_of, lines_of
from streams.mapping.items import RefusedInMapping
from streams.mapping.json_files import json_values
from streams.mapping.json_records import elements_reader, json_reader
from streams.mapping.private import UNWRITABLE, hide, redact_json, whole_paths


def _reader(read: Read, wanted: Sequence[frozenset[str]], private: Private) -> Reader:
    each = each_of(read)
    if not each:
        return json_reader()
    paths = whole_paths(private.paths, each)

    def hidden(document: Fields) -> RefusedInMapping | None:
        """Hash private values of an object in place, before its elements are handed out."""
        return None if hide(document, paths, private.hashed) else UNWRITABLE

    return elements_reader(each, hidden)


def _hider(read: Read, private: Private) -> Hider | None:
    if not private.paths or each_of(read):
        return None
    paths = whole_paths(private.paths, ())
    return lambda fields: hide(fields, paths, private.hashed)


def _redactor(read: Read, private: Private) -> Redactor:
    paths = whole_paths(private.paths, each_of(read))
    return lambda value: redact_json(value, paths, private.hashed)


def _cut(content: IO[bytes], read: Read, columns: Collection[str]) -> Iterator[Numbered]:
    return json_values(lines_of(content))


FORMAT = Format(reader=_reader, redactor=_redactor, cut=_cut, hider=_hider, resembles=lambda head: head.startswith((b"{", b"[")))
