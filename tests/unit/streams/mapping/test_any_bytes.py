"""Whatever the bytes, a mapping answers with values and never raises."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.configuration import load, mappers
from schemas.codec import Codec
from streams.mapping import Mapper, RawRecord, Reading, RefusedRecord
from tests.unit.streams.mapping.sources import mapper_of
from tests.unit.streams.mapping.test_every_record import ORDER
from tests.unit.streams.mapping.test_shdr_and_csv import CSV, DECLARED

DATA = Path(__file__).parents[3] / "data"
CODEC = Codec()
PRESSES = mappers(load(DATA / "presses"))["presses"]
MILL = mappers(load(DATA / "mill"))["hurco02"]
ORDERS = mapper_of([ORDER], source_private=["items.mat"])
TABLE = mapper_of([DECLARED], CSV)
HEADED = mapper_of([{**DECLARED, "order": "time"}], {"format": "csv", "equipment": "=M1"}, source_private=["unit"])
RESPONSES = mappers(load(DATA / "b2mml"))["performance"]
XML_RULE = {"emit": "ProcessValue", "name": "=n", "value": "v"}
ROWS = mapper_of([XML_RULE], {"format": "xml", "each": ["row", "row.sub"], "equipment": "=M1"}, source_private=["v", "$.row.p"])
TAGS = mappers(load(DATA / "tags"))["gateway"]
PICKED = mapper_of(
    [{"when": {"a[id=x].q": "1"}, **XML_RULE}, {**XML_RULE, "value": "$.a[id=x].v || v"}],
    {"each": ["a", "b.c"], "equipment": "=M1"},
    source_private=["v", "$.a[id=x].w"],
)
SECTIONS = mapper_of(
    [{**XML_RULE, "value": "v || $.h.v"}], {"format": "ini", "keep": "h", "equipment": "=M1"}, source_private=["v"]
)
EVERY = [PRESSES, MILL, ORDERS, TABLE, HEADED, RESPONSES, ROWS, TAGS, PICKED, SECTIONS]
NAMES = ["json", "shdr", "nested", "csv", "headed", "b2mml", "xml", "tags", "picked", "ini"]

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
trees = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner))
samples = [json.loads(line) for line in (DATA / "presses" / "presses-sample.jsonl").read_text().splitlines()]
lines = [line.encode() for line in (DATA / "mill" / "hurco02-sample.shdr").read_text().splitlines()]
tagged = [json.loads(line) for line in (DATA / "tags" / "tags-sample.jsonl").read_text().splitlines()]
order = {"po": "1", "items": [{"pos": "1", "mat": "4711", "qty": 1, "uom": "PC"}], "bom": [], "auto": "X"}


def check(mapper: Mapper, value: bytes) -> None:
    record = RawRecord(value, mapper.name, "file", 1)
    assert isinstance(mapper.arrival(record), int | None)
    assert isinstance(mapper.redacted(value), bytes)
    for item in mapper.map(record):
        if isinstance(item, RefusedRecord):
            assert item.code.isupper()
            assert item.event_id
        elif isinstance(item, Reading):
            assert -(2**63) <= item.value < 2**63
            assert 0 <= item.occurred_at < 2**63
        else:
            assert CODEC.decode(CODEC.encode(item)) == item


@given(st.binary(max_size=200))
@pytest.mark.parametrize("mapper", EVERY, ids=NAMES)
def test_random_bytes(mapper: Mapper, value: bytes) -> None:
    check(mapper, value)


@given(st.sampled_from([*samples, order, *tagged]), st.data())
@settings(max_examples=300)
def test_records_with_something_replaced(sample: dict[str, Any], data: st.DataObject) -> None:
    changed = json.loads(json.dumps(sample))
    spot = changed
    while True:
        key = data.draw(st.sampled_from(sorted(spot)))
        if not isinstance(spot[key], dict) or not spot[key] or data.draw(st.booleans()):
            break
        spot = spot[key]
    spot[key] = data.draw(trees)
    value = json.dumps(changed).encode()
    check(PRESSES, value)
    check(ORDERS, value)
    check(TAGS, value)
    check(PICKED, value.replace(b'"values"', b'"a"'))


@given(st.sampled_from(lines), st.binary(max_size=6), st.integers(0, 120), st.integers(0, 20))
@settings(max_examples=300)
def test_lines_with_bytes_cut_out_and_put_in(line: bytes, extra: bytes, at: int, cut: int) -> None:
    check(MILL, line[:at] + extra + line[at + cut :])


document = (DATA / "b2mml" / "performance-sample.xml").read_bytes()


@given(
    st.binary(max_size=6) | st.sampled_from([b"</MaterialActual>", b"<a>", b"&", b"<?record?>"]),
    st.integers(0, 2500),
    st.integers(0, 90),
)
@settings(max_examples=300)
def test_documents_with_bytes_cut_out_and_put_in(extra: bytes, at: int, cut: int) -> None:
    value = document[:at] + extra + document[at + cut :]
    check(RESPONSES, value)
    check(ROWS, value.replace(b"MaterialActual", b"row"))


@pytest.mark.parametrize("mapper", EVERY, ids=NAMES)
@pytest.mark.parametrize(
    "value",
    [
        b"[" * 100_000,
        b'{"a":' * 5_000,
        b'{"data":{"shots":' + b"9" * 6_000 + b'},"type":"cycle"}',
        b'{"items":[{"mat":' + b"1" * 6_000 + b"}]}",
        b'{"items":[{"mat":' + b"[" * 900 + b"]" * 900 + b"}]}",
        b"|" * 5_000,
        b"2017-02-01T10:12:23Z" + b"|a|b" * 3_000,
        b"\x00" * 1_000,
        b'"' * 999,
        b"[a]\nv=1\n" * 9_000,
        b"[h]\nv=1\n[\n=\n]=",
        b"time,unit\n" + b",\n" * 9_000,
        b"<row>" * 9_000,
        b"<a>" + b"<row><v/><v/></row>" * 900 + b"</a>",
        b"<a><row><?record?><sub><v a='1'/></sub><p/><p>x</p></row></a>",
        b"<!DOCTYPE a [<!ENTITY b '" + b"c" * 999 + b"'><!ENTITY d '&b;&b;'>]><a>&d;</a>",
    ],
)
def test_hostile_bytes(mapper: Mapper, value: bytes) -> None:
    check(mapper, value)
