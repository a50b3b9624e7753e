"""JSON records: exact numbers, paths, rules, and a code for everything that does not fit."""

import json
from typing import Any

import pytest

from schemas.records import Output, Quantity, RunStarted, ScrapDeclared
from streams.mapping import UNAVAILABLE, Reading, RefusedRecord
from tests.unit.streams.mapping.sources import AT_US, mapper_of, one, raw, record

SHOTS = {"emit": "CounterReading", "counter": "=shots", "value": "v"}
RESIN = {"emit": "CounterReading", "counter": "=resin", "value": "v"}
SCRAP = {"emit": "ScrapDeclared", "quantity": {"path": "q", "decimals": "2", "unit": "u"}}


def text_record(value: str) -> bytes:
    """A record whose `v` is written exactly as given."""
    return json.dumps(record(v="HERE")).replace('"HERE"', value).encode()


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        (SHOTS, "5", 5),
        (SHOTS, '"5"', 5),
        (SHOTS, "5.0", 5),
        (SHOTS, "9223372036854775807", 2**63 - 1),
        (SHOTS, '"UNAVAILABLE"', UNAVAILABLE),
        (RESIN, "31.92", 31920),
        (RESIN, "1.5e1", 15000),
        (RESIN, "7", 7000),
        ({**RESIN, "value": {"path": "v", "rounding": "half_away"}}, "31.919999999999998", 31920),
        ({**RESIN, "value": {"path": "v", "rounding": "half_away"}}, "0.0005", 1),
        ({**RESIN, "value": {"path": "v", "default": "UNAVAILABLE"}}, "null", UNAVAILABLE),
        ({**SHOTS, "value": {"path": "v", "codes": {"none": "0", "full": "48"}}}, '"full"', 48),
        ({**RESIN, "value": {"path": "v", "decimals": "3", "unit": "$.uom || =kg"}}, "2", 2000),
    ],
)
def test_readings_are_exact(rule: dict[str, Any], value: str, expected: int) -> None:
    item = one(mapper_of([rule]), text_record(value))
    assert isinstance(item, Reading), item
    assert (item.equipment, item.seq, item.occurred_at, item.value) == ("M1", -1, AT_US, expected)


@pytest.mark.parametrize(
    ("rule", "value", "code"),
    [
        (RESIN, "31.919999999999998", "BAD_DECIMAL"),
        (SHOTS, "1.5", "BAD_DECIMAL"),
        (SHOTS, "1e400", "BAD_DECIMAL"),
        (SHOTS, "9223372036854775808", "BAD_DECIMAL"),
        (RESIN, "9223372036854775807", "BAD_DECIMAL"),
        (SHOTS, "true", "BAD_DECIMAL"),
        (SHOTS, "[1]", "BAD_DECIMAL"),
        (SHOTS, '"12 PC"', "BAD_DECIMAL"),
        (SHOTS, "NaN", "BAD_JSON"),
        (SHOTS, "null", "MISSING_FIELD"),
        (SHOTS, '""', "MISSING_FIELD"),
        ({**SHOTS, "value": {"path": "v", "codes": {"full": "48"}}}, '"half"', "UNKNOWN_CODE"),
        ({**RESIN, "value": {"path": "v", "unit": "nowhere || =g"}}, "2", "BAD_UNIT"),
        ({**SHOTS, "counter": "v"}, '"strokes"', "UNKNOWN_COUNTER"),
    ],
)
def test_numbers_that_are_none_are_refused(rule: dict[str, Any], value: str, code: str) -> None:
    item = one(mapper_of([rule]), text_record(value))
    assert isinstance(item, RefusedRecord)
    assert item.code == code
    assert item.event_id in {"s:e1", "file:7"}


@pytest.mark.parametrize(
    "value",
    [b"", b"[3]", b"3", b"{", b"\xff", b'{"a":1}x', b"[" * 9000, b'{"a":NaN}', b'{"a":"\\ud800"}', b"\xef\xbb\xbf{"],
)
def test_what_is_no_json_object_is_bad_json(value: bytes) -> None:
    item = one(mapper_of([SHOTS]), value)
    assert (item.code, item.event_id) == ("BAD_JSON", "file:7")


def test_a_process_value_may_be_empty_but_not_absent() -> None:
    mapper = mapper_of([{"emit": "ProcessValue", "name": "=n", "value": "v"}])
    assert one(mapper, record(v="")).value == ""
    assert one(mapper, record(v=None)).code == "MISSING_FIELD"
    assert one(mapper, record()).code == "MISSING_FIELD"


def test_a_huge_record_is_not_read() -> None:
    assert one(mapper_of([SHOTS]), b"{" + b" " * (1 << 20)).code == "TOO_LARGE"


@pytest.mark.parametrize(
    ("change", "code", "equipment"),
    [
        ({"m": "press-9"}, "UNKNOWN_EQUIPMENT", ""),
        ({"m": None}, "MISSING_FIELD", ""),
        ({"ts": "yesterday"}, "BAD_TIME", "M1"),
        ({"ts": None}, "MISSING_FIELD", "M1"),
        ({"rx": ""}, "MISSING_FIELD", "M1"),
        ({"m": ["press-1"]}, "BAD_FIELD", ""),
    ],
)
def test_common_fields_that_do_not_fit(change: dict[str, Any], code: str, equipment: str) -> None:
    item = one(mapper_of([SHOTS]), {**record(v=1), **change})
    assert isinstance(item, RefusedRecord)
    assert (item.code, item.equipment) == (code, equipment)


def test_with_a_star_unknown_equipment_is_taken_as_it_is() -> None:
    mapper = mapper_of([SHOTS], equipment={"*": {"counters": {"shots": {"decimals": "1"}}}})
    assert one(mapper, record(v=1, m="press-9"))[:2] == ("press-9", "shots")
    assert one(mapper, record(v=1))[4] == 10
    assert one(mapper, record(v=1, m="a|b")).code == "BAD_IDENTIFIER"


@pytest.mark.parametrize(
    ("fields", "quantity"),
    [
        ({"q": "12.50", "u": "PC"}, Quantity(1250, 2, "PC")),
        ({"q": -3, "u": "kg"}, Quantity(-300, 2, "kg")),
    ],
)
def test_declared_quantities(fields: dict[str, Any], quantity: Quantity) -> None:
    item = one(mapper_of([SCRAP]), record(**fields))
    assert isinstance(item, ScrapDeclared)
    assert (item.quantity, item.equipment, item.event_id, item.label) == (quantity, "M1", "s:e1", 0)


@pytest.mark.parametrize(
    ("fields", "code", "quantity"),
    [
        ({"q": "1.234", "u": "PC"}, "BAD_DECIMAL", None),
        ({"q": 1, "u": ""}, "BAD_UNIT", None),
        ({"q": 1, "u": "two words"}, "BAD_UNIT", None),
        ({"q": 1}, "BAD_UNIT", None),
        ({"u": "PC"}, "MISSING_FIELD", None),
        ({"q": 4, "u": "PC", "m": None}, "MISSING_FIELD", Quantity(400, 2, "PC")),
        ({"q": 4, "u": "PC", "m": "press-9"}, "UNKNOWN_EQUIPMENT", Quantity(400, 2, "PC")),
    ],
)
def test_a_refused_declaration_says_what_it_would_have_booked(
    fields: dict[str, Any], code: str, quantity: Quantity | None
) -> None:
    item = one(mapper_of([SCRAP]), record(**fields))
    assert isinstance(item, RefusedRecord)
    assert (item.code, item.kind, item.quantity, item.received_at) == (code, "scrap", quantity, AT_US)


def test_outputs_come_from_a_list_of_the_record() -> None:
    outputs = {"each": "nests", "material": "part", "lot": "l", "factor": "cav", "order": "$.po"}
    mapper = mapper_of([{"emit": "RunStarted", "outputs": outputs}], lots={"clean": ["trim", "upper", "strip_zeros"]})
    nests = [{"part": 4711, "l": " 00ab ", "cav": 4}, {"part": "4712"}]
    item = one(mapper, record(po="100", nests=nests))
    assert isinstance(item, RunStarted)
    assert item.run == item.event_id == "s:e1"
    assert item.outputs == [Output("4711", "100", lot="AB", factor=4), Output("4712", "100")]
    assert one(mapper, record(nests=[{"l": "x"}])).detail == "outputs[0]: Output has no `material`"
    assert one(mapper, record(nests={"part": "1"})).code == "BAD_FIELD"
    assert one(mapper, record(nests=[{"part": "1", "cav": -1}])).code == "BAD_DECIMAL"
    assert one(mapper, record()).code == "MISSING_FIELD"


def test_the_first_rule_that_matches_decides() -> None:
    mapper = mapper_of(
        [
            {"when": {"type": "beat"}, "ignore": "true"},
            {"when": {"type": ["a", "b"], "sub": "1"}, **SHOTS},
            {"when": {"sub": "2"}, **RESIN},
            {"when": {"type": "a"}, "emit": "ProcessValue", "name": "type", "value": "v"},
            {"when": {"type": ""}, "emit": "ProcessValue", "name": "=nothing", "value": "v"},
        ]
    )
    found = [
        mapper.map(raw(record(v=1, **fields)))
        for fields in ({"type": "beat"}, {"type": "a", "sub": 1}, {"type": "a", "sub": 2}, {"type": "a"}, {}, {"type": "z"})
    ]
    assert found[0] == []
    assert mapper.ignored == 1
    assert [items[0].counter for items in found[1:3]] == ["shots", "resin"]
    assert [items[0].name for items in found[3:5]] == ["a", "nothing"]
    assert found[5][0].code == "NO_MAPPING"


def test_ids_by_field_content_and_position() -> None:
    value = {"emit": "ProcessValue", "name": "=n", "value": "v"}
    common = {"occurred_at": "ts", "equipment": "m"}
    rules = ("id", "content", "position")
    ids = [one(mapper_of([value], {"event_id": rule, **common}), record(v=1)).event_id for rule in rules]
    assert ids[0] == "s:e1"
    assert ids[1].startswith("s:")
    assert len(ids[1]) == 34
    assert ids[2] == "file:7"
    refused = one(mapper_of([value], {"event_id": "absent", **common}), record(v=1))
    assert (refused.code, refused.event_id) == ("MISSING_FIELD", "file:7")


def test_sequence_numbers() -> None:
    mapper = mapper_of([SHOTS], {"sequence": "n", "occurred_at": "ts", "equipment": "m"})
    assert one(mapper, record(v=1, n=12)).seq == 12
    assert one(mapper, record(v=1, n="13")).seq == 13
    for bad in (None, -1, "x", 1.5, 2**63):
        assert one(mapper, record(v=1, n=bad)).code == "BAD_SEQUENCE"


def test_received_at_from_the_record_the_broker_or_the_running_maximum() -> None:
    stated, running = mapper_of([SHOTS]), mapper_of([SHOTS], {"occurred_at": "ts", "equipment": "m"})
    early, late = record(v=1, ts="2026-11-20T21:00:00Z"), record(v=1)
    assert [stated.arrival(raw(one_)) for one_ in (early, late)] == [AT_US, AT_US]
    assert stated.arrival(raw(b"{")) is None
    assert [running.arrival(raw(one_)) for one_ in (early, late, b"{")] == [AT_US - 3_600_000_000, AT_US, None]
    assert [one(running, one_).received_at for one_ in (early, late, early)] == [AT_US - 3_600_000_000, AT_US, AT_US]
    assert one(running, early).received_at == AT_US
    assert running.map(raw(early, received_at=5))[0].received_at == 5
    assert one(running, b"{").received_at == AT_US
