"""Private values never come out: not in events, not in refusals, not in kept originals."""

import json
from typing import Any

import pytest

from streams.mapping import compile_source
from tests.unit.streams.mapping.sources import mapper_of, one, plant_of, raw, record

SECRET = "badge-0815"
LABOUR = {"emit": "LabourRecorded", "person": "who.badge", "action": "dir"}


def test_a_person_is_hashed_without_being_asked_for() -> None:
    mapper = mapper_of([LABOUR])
    value = record(who={"badge": SECRET}, dir="on")
    item = one(mapper, value)
    assert item.person.startswith("h:")
    assert len(item.person) == 34
    assert SECRET not in mapper.redacted(raw(value).value).decode()
    assert one(mapper, mapper.redacted(raw(value).value)).person == item.person


def test_the_hash_depends_on_the_key() -> None:
    plant = plant_of([LABOUR])
    persons = {
        one(compile_source("s", plant.sources["s"], plant, key), record(who={"badge": SECRET}, dir="on")).person
        for key in (b"", b"k1", b"k2")
    }
    assert len(persons) == 3


@pytest.mark.parametrize("value", [SECRET, 815, 8.15, True, {"nested": SECRET}, [SECRET, {"x": SECRET}], 10**30])
def test_stated_paths_are_hashed_in_refusals_and_originals(value: Any) -> None:
    rule = {"emit": "ProcessValue", "name": "=n", "value": {"path": "p.x", "codes": {"a": "b"}}}
    mapper = mapper_of([rule], source_private=["p.x"], private=["crew.name"])
    content = record(p={"x": value}, crew=[{"name": SECRET}, {"name": 815}])
    refused = one(mapper, content)
    assert refused.code == "UNKNOWN_CODE"
    kept = mapper.redacted(raw(content).value).decode()
    assert "0815" not in refused.detail + kept
    assert '"815"' not in kept
    assert mapper.redacted(kept.encode()).decode() == kept


def test_other_numbers_stay_as_they_were_written() -> None:
    mapper = mapper_of([LABOUR], source_private=["p"])
    kept = mapper.redacted(b'{"p":"x","n":31.919999999999998,"e":1E+400,"i":18446744073709551615}')
    assert kept.endswith(b'"n":31.919999999999998,"e":1E+400,"i":18446744073709551615}')


def test_an_original_that_cannot_be_read_shows_nothing() -> None:
    mapper = mapper_of([LABOUR])
    for value in (f'{{"who":{{"badge":"{SECRET}"'.encode(), b"[" * 9000):
        kept = mapper.redacted(value)
        assert kept.startswith(b"unreadable original, ")
        assert b"0815" not in kept
    assert mapper_of([{"ignore": "true"}]).redacted(b"{x") == b"{x"


def test_private_keys_of_shdr_and_columns_of_csv() -> None:
    event = {"emit": "ProcessValue", "name": "=n", "value": "value"}
    shdr = mapper_of([event], {"format": "shdr", "equipment": "=M1"}, source_private=["operator"])
    line = f"2026-11-20T22:00:00Z|operator|{SECRET}|a|1"
    assert SECRET not in str(shdr.map(raw(line)))
    assert SECRET.encode() not in shdr.redacted(line.encode())
    assert shdr.redacted(f"damaged|operator|{SECRET}|".encode()).startswith(b"damaged|operator|h:")
    csv = mapper_of(
        [event],
        {"format": "csv", "columns": ["time", "m", "value"], "equipment": "m"},
        source_private=["value"],
    )
    line = f"2026-11-20T22:00:00Z,M1,{SECRET}"
    assert one(csv, line).value.startswith("h:")
    assert SECRET.encode() not in csv.redacted(line.encode())
    assert csv.redacted(f"{SECRET},short".encode()).startswith(b"unreadable")
    assert json.dumps(csv.redacted(b"time,m,value").decode()) == '"time,m,value"'
