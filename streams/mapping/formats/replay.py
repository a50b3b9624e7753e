"""What `lineledger decide` and `lineledger exceptions` write: JSON lines whose mapper is streams/mapping/operators.py."""

from collections.abc import Sequence

from schemas.configuration.mapping import Read
from streams.mapping.formats.contract import Format, Private, Reader, Redactor
from streams.mapping.json_records import json_reader
from streams.mapping.operators import Operators


def _reader(read: Read, wanted: Sequence[frozenset[str]], private: Private) -> Reader:
    return json_reader()


def _redactor(read: Read, private: Private) -> Redactor:
    """Who decided was hashed by the command; originals were hashed before they were first written."""
    return lambda value: value


FORMAT = Format(reader=_reader, redactor=_redactor, mapper=Operators)
