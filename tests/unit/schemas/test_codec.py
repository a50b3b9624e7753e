"""The codec against honest records and against poison: only Malformed and UnknownSchema come out, and soon."""

import time
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.avro_files import NAMESPACE, documents
from schemas.catalog import catalog
from schemas.codec import MAX_MESSAGE_BYTES, Codec, Malformed, UnknownSchema
from schemas.records import RECORDS, ExceptionRecord, Posting, Quantity, Tick

CODEC = Codec()
NAMES = sorted(name for name in catalog().schema_ids if name in RECORDS)
DECODE_LIMIT_S = 2.0
UNUSED_ID = 1 << 30
EVERY_RECORD = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=20),
    "bytes": st.binary(max_size=40),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "null": st.none(),
}


def values_of(schema: Any) -> st.SearchStrategy[Any]:
    """Avro values of a schema of this project, over the whole range of its numbers."""
    match schema:
        case str() if schema.startswith(NAMESPACE):
            return values_of(documents()[schema.removeprefix(NAMESPACE)])
        case str():
            return PRIMITIVES[schema]
        case list():
            return st.one_of([values_of(part) for part in schema])
        case {"type": "record", "fields": fields}:
            return st.fixed_dictionaries({field["name"]: values_of(field["type"]) for field in fields})
        case {"type": "array", "items": items}:
            return st.lists(values_of(items), max_size=3)
        case {"type": "map", "values": values}:
            return st.dictionaries(st.text(max_size=5), values_of(values), max_size=3)
        case {"type": inner}:
            return values_of(inner)
    raise ValueError(schema)


def header(name: str) -> bytes:
    return b"\x00" + catalog().schema_ids[name].to_bytes(4, "big")


def decoded_in_time(message: bytes) -> Any:
    """The record, or None for a refusal. Anything else than the two refusals passes through and fails the test."""
    begun = time.process_time()
    try:
        return CODEC.decode(message)
    except (Malformed, UnknownSchema):
        return None
    finally:
        assert time.process_time() - begun < DECODE_LIMIT_S


@pytest.mark.parametrize("name", NAMES)
def test_round_trip(name: str) -> None:
    @EVERY_RECORD
    @given(values_of(documents()[name]))
    def check(values: dict[str, Any]) -> None:
        record = RECORDS[name].from_avro(values)
        message = CODEC.encode(record)
        assert CODEC.decode(message) == record
        assert CODEC.fields(message) == (name, values)
        assert CODEC.name_of(message) == name

    check()


@pytest.mark.parametrize("name", NAMES)
def test_a_message_that_was_cut_or_continued_is_refused(name: str) -> None:
    @EVERY_RECORD
    @given(values_of(documents()[name]), st.binary(min_size=1, max_size=9), st.data())
    def check(values: dict[str, Any], more: bytes, data: st.DataObject) -> None:
        message = CODEC.encode(RECORDS[name].from_avro(values))
        with pytest.raises(Malformed):
            CODEC.decode(message + more)
        kept = data.draw(st.integers(0, len(message) - 1))
        with pytest.raises(Malformed):
            CODEC.decode(message[:kept])

    check()


@pytest.mark.parametrize("name", NAMES)
def test_random_bodies_are_records_or_refused(name: str) -> None:
    @EVERY_RECORD
    @given(st.binary(max_size=200))
    def check(body: bytes) -> None:
        record = decoded_in_time(header(name) + body)
        if record is not None:
            assert CODEC.decode(CODEC.encode(record)) == record

    check()


@pytest.mark.parametrize("name", NAMES)
def test_records_with_changed_bytes_are_records_or_refused(name: str) -> None:
    @EVERY_RECORD
    @given(values_of(documents()[name]), st.data())
    def check(values: dict[str, Any], data: st.DataObject) -> None:
        message = bytearray(CODEC.encode(RECORDS[name].from_avro(values)))
        for _ in range(data.draw(st.integers(1, 4))):
            message[data.draw(st.integers(5, len(message) - 1))] = data.draw(st.integers(0, 255))
        decoded_in_time(bytes(message))

    check()


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=64))
def test_random_messages_never_do_more_than_be_refused(message: bytes) -> None:
    decoded_in_time(message)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("fill", [b"\x00", b"\x02", b"\xff"], ids=lambda fill: fill.hex())
def test_the_longest_message_of_one_byte_ends_in_time(name: str, fill: bytes) -> None:
    decoded_in_time(header(name) + fill * (MAX_MESSAGE_BYTES - 5))


def test_an_array_that_claims_more_items_than_bytes_is_refused_in_time() -> None:
    message = CODEC.encode(_posting(correlation_ids=[]))
    empty_array = message.rindex(b"\x00")  # nothing comes after it
    before, after = message[:empty_array], message[empty_array + 1 :]
    assert decoded_in_time(before + _varint(1) + _varint(0) + _varint(0) + after).missing_sources == [""]
    for count in (2**20, 2**27, 2**62, -(2**62)):
        assert decoded_in_time(before + _varint(count) + after) is None


def test_an_array_that_fills_the_longest_message_is_decoded_in_time() -> None:
    """The densest honest poison: one byte an item."""
    items = MAX_MESSAGE_BYTES - 1000
    message = CODEC.encode(_posting(correlation_ids=[""] * items))
    assert len(message) <= MAX_MESSAGE_BYTES
    record = decoded_in_time(message)
    assert record is not None and len(record.correlation_ids) == items


@pytest.mark.parametrize("length", [-1, -(2**40), 2**31, 2**62])
def test_a_string_that_claims_another_length_is_refused(length: int) -> None:
    assert decoded_in_time(header("Tick") + _varint(length) + b"BRN1" + bytes(20)) is None


@pytest.mark.parametrize("message", [b"", b"\x00", b"\x00\x00\x00\x00", b"\x01\x00\x00\x00\x01", b"{}", b'{"plant": "BRN1"}'])
def test_what_is_no_message_is_malformed(message: bytes) -> None:
    with pytest.raises(Malformed):
        CODEC.decode(message)


def test_a_message_above_the_limit_is_refused_before_it_is_decoded() -> None:
    record = ExceptionRecord("e", "p", "s", "C", "d", "s", "r", 0, bytes(MAX_MESSAGE_BYTES), "h", MAX_MESSAGE_BYTES)
    with pytest.raises(Malformed, match="at most"):
        CODEC.decode(CODEC.encode(record))


def test_an_unknown_id_makes_the_reader_wait() -> None:
    message = b"\x00" + UNUSED_ID.to_bytes(4, "big") + b"anything"
    with pytest.raises(UnknownSchema) as unknown:
        CODEC.decode(message)
    assert unknown.value.schema_id == UNUSED_ID
    assert CODEC.name_of(message) is None


def _written(fields: list[dict[str, Any]], name: str = "Tick") -> tuple[dict[str, Any], bytes]:
    """A schema of another version of this program under id 900, and a message of it."""
    schema = {"type": "record", "name": name, "namespace": "lineledger", "fields": fields}
    body = BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), {"plant": "P", "at": 7, "sender": "s", "why": "x"})
    return schema, b"\0" + (900).to_bytes(4, "big") + body.getvalue()


_TICK = [{"name": "plant", "type": "string"}, {"name": "at", "type": "long"}, {"name": "sender", "type": "string"}]


@pytest.mark.parametrize("fields", [_TICK, [*_TICK, {"name": "why", "type": "string"}]], ids=["older", "newer"])
def test_what_another_version_wrote_is_read_by_its_writers_schema(fields: list[dict[str, Any]]) -> None:
    schema, message = _written(fields)
    asked: list[int] = []
    codec = Codec(writers=lambda schema_id: asked.append(schema_id) or schema)
    assert codec.decode(message) == codec.decode(message) == Tick("P", 7, "s", False)
    assert asked == [900], "the registry is asked once"


def _down(schema_id: int) -> None:
    raise ConnectionError("the registry does not answer")


@pytest.mark.parametrize(
    "writers",
    [
        lambda schema_id: None,  # not registered yet
        _down,
        lambda schema_id: _written(_TICK, "Tock")[0],  # a record of a newer version
        lambda schema_id: {**_written(_TICK)[0], "fields": [*_TICK[:2], {"name": "sender", "type": "long"}]},  # incompatible
    ],
    ids=["unknown", "down", "newer record", "incompatible"],
)
def test_a_reader_that_cannot_know_the_writer_waits(writers: Any) -> None:
    with pytest.raises(UnknownSchema):
        Codec(writers=writers).decode(_written(_TICK)[1])


def test_a_registrys_ids_replace_the_catalogs() -> None:
    other = Codec({"Tick": 77_001})
    message = other.encode(Tick("BRN1", 5, "intake/raw/0", final=True))
    assert message[:5] == b"\x00" + (77_001).to_bytes(4, "big")
    assert other.decode(message) == Tick("BRN1", 5, "intake/raw/0", final=True)
    with pytest.raises(UnknownSchema):
        CODEC.decode(message)


def test_absent_and_present_optional_parts_come_back() -> None:
    for quantity in (None, Quantity(-5, 3, "KGM")):
        record = ExceptionRecord("e", "p", "s", "C", "d", "s", "r", 1, b"\xff", "h", 1, {"k": b"\x00"}, quantity)
        assert CODEC.decode(CODEC.encode(record)).quantity == quantity


def _posting(correlation_ids: list[str]) -> Posting:
    posting: Posting = RECORDS["Posting"].from_avro({f["name"]: _plain(f["type"]) for f in documents()["Posting"]["fields"]})
    posting.correlation_ids = correlation_ids
    posting.label = 1_700_000_000_000_000
    return posting


def _plain(schema: Any) -> Any:
    match schema:
        case "string":
            return "x"
        case "boolean":
            return False
        case {"type": "array"}:
            return []
    return 1


def _varint(number: int) -> bytes:
    """A long as Avro writes it (zigzag)."""
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])
