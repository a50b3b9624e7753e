"""Confluent wire format (0x00, 4-byte big-endian schema id, Avro body) with bounds against poison.

Facts behind the bounds: six bytes can claim an array of 2^27 nulls, trailing bytes are ignored by the Avro library. Hence a
maximum length before decoding, the whole input must be consumed, and (checked by a test) no recursive schemas and no
arrays of zero-size items.
"""

import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, NamedTuple

import fastavro
from fastavro.read import SchemaResolutionError

from schemas.avro_files import self_contained
from schemas.catalog import catalog
from schemas.records import RECORDS

MAX_MESSAGE_BYTES = 1 << 20
_HEADER = struct.Struct(">bI")
_HEADER_BYTES = _HEADER.size


class Malformed(ValueError):
    """The bytes are no record of the schema that they name. Data error: dead letter (code BAD_RECORD)."""


class UnknownSchema(LookupError):
    """No schema is known under this id. The reader waits for it: never a dead letter."""

    def __init__(self, schema_id: int) -> None:
        super().__init__(f"schema id {schema_id} is not known")
        self.schema_id = schema_id


def _without_logical_types(node: Any) -> Any:
    """Timestamps stay integers: converting each to a datetime halves the decoding speed."""
    if isinstance(node, dict):
        plain = {key: _without_logical_types(value) for key, value in node.items() if key != "logicalType"}
        return plain["type"] if set(plain) == {"type"} else plain
    if isinstance(node, list):
        return [_without_logical_types(part) for part in node]
    return node


def avro_schema(name: str) -> Any:
    """The parsed schema of a record type as this codec reads and writes it."""
    return fastavro.parse_schema(_without_logical_types(self_contained(name)))


class KnownSchema(NamedTuple):
    """What is written under one schema id: the record, the schema it was written with, and ours where that differs."""

    name: str
    writer: Any
    reader: Any


Writers = Callable[[int], Mapping[str, Any] | None]
"""The schema registered under an id; None: not known (yet). May raise when the registry does not answer."""


class Codec:
    """Encodes and decodes the project's records.

    ids: record name -> schema id (the catalog's, or a registry's). writers: asked once for each other id, so that what
    older and newer versions of this program wrote is read by its writer's schema.
    """

    def __init__(self, ids: Mapping[str, int] | None = None, writers: Writers | None = None) -> None:
        ids = catalog().schema_ids if ids is None else ids
        self._schemas = {name: avro_schema(name) for name in ids if name in RECORDS}
        self._headers = {name: _HEADER.pack(0, ids[name]) for name in self._schemas}
        self._by_header = {self._headers[name]: KnownSchema(name, self._schemas[name], None) for name in self._schemas}
        self._writers = writers

    def encode(self, record: Any) -> bytes:
        """One of schemas.records as a message."""
        name = type(record).__name__
        out = BytesIO()
        out.write(self._headers[name])
        fastavro.schemaless_writer(out, self._schemas[name], record.to_avro())
        return out.getvalue()

    def fields(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Record name and field values of a message. Raises Malformed or UnknownSchema."""
        size = len(data)
        if size > MAX_MESSAGE_BYTES:
            raise Malformed(f"{size} bytes are no message (at most {MAX_MESSAGE_BYTES})")
        name, writer, reader = self._by_header.get(data[:_HEADER_BYTES]) or self._written_as(data)
        body = BytesIO(data)
        body.seek(_HEADER_BYTES)
        try:
            values = fastavro.schemaless_reader(body, writer, reader)
        except SchemaResolutionError as exc:
            raise UnknownSchema(_id_of(data)) from exc
        except (
            EOFError,
            IndexError,
            ValueError,
            KeyError,
            OverflowError,
            TypeError,
            AttributeError,
            MemoryError,
            struct.error,
        ) as exc:
            raise Malformed(f"{name}: {type(exc).__name__}: {exc}") from exc
        if body.tell() != size:
            raise Malformed(f"{name}: {size - body.tell()} bytes after the record")
        return name, values

    def _written_as(self, data: bytes) -> KnownSchema:
        """Whose schema is not ours. Raises Malformed, and UnknownSchema also when the registry does not answer: no record is to
        blame for that."""
        if len(data) < _HEADER_BYTES or data[0] != 0:
            raise Malformed(f"{len(data)} bytes are no message (first byte 0, {_HEADER_BYTES} to {MAX_MESSAGE_BYTES} bytes)")
        schema_id = _id_of(data)
        try:
            found = self._writers(schema_id) if self._writers is not None else None
        except Exception as exc:
            raise UnknownSchema(schema_id) from exc
        name = str(found.get("name", "")) if found is not None else ""
        if name not in self._schemas:
            raise UnknownSchema(schema_id)
        known = KnownSchema(name, fastavro.parse_schema(_without_logical_types(found)), self._schemas[name])
        self._by_header[data[:_HEADER_BYTES]] = known
        return known

    def decode(self, data: bytes) -> Any:
        """The record in a message. Raises Malformed or UnknownSchema."""
        name, values = self.fields(data)
        return RECORDS[name].from_avro(values)

    def name_of(self, data: bytes) -> str | None:
        """Record name of a message without decoding it; None: unknown."""
        known = self._by_header.get(data[:_HEADER_BYTES])
        return known.name if known else None


def _id_of(data: bytes) -> int:
    _, schema_id = _HEADER.unpack_from(data)
    return int(schema_id)
