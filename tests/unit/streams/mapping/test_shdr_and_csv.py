"""SHDR lines, damaged ones too, and CSV. Damaged lines: Data: NIST SMS Test Bed."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.configuration import load, mappers
from schemas.records import EquipmentStateChanged, ProcessValue, RunEnded, RunStarted
from streams.mapping import UNAVAILABLE, Mapper, Reading, RefusedRecord
from streams.mapping.items import RefusedInMapping
from streams.mapping.shdr_lines import read_shdr
from tests.unit.streams.mapping.sources import mapper_of, one, raw

DATA = Path(__file__).parents[3] / "data"
MALFORMED = [json.loads(line) for line in (DATA / "shdr" / "malformed.jsonl").read_text().splitlines()]
T = "2017-02-01T10:12:23.1718759Z"
T_US = 1_485_943_943_171_875


@pytest.fixture
def mill() -> Mapper:
    return mappers(load(DATA / "mill"))["hurco02"]


def test_a_line_with_several_pairs_gives_one_item_each(mill: Mapper) -> None:
    items = mill.map(raw(f"{T}|Spindle_Speed|0|Program_Name_Running| |Part_Count|1909|Program_Status|READY\r\n"))
    assert [type(item) for item in items] == [ProcessValue, RunEnded, Reading, EquipmentStateChanged]
    assert items[2] == Reading("Hurco02", "parts", -1, T_US, 1909, T_US)
    ids = [item.event_id for item in items if not isinstance(item, Reading)]
    assert [event_id[34 + 6 :] for event_id in ids] == ["", ".1", ".3"]
    assert len({event_id[: 34 + 6] for event_id in ids}) == 1
    assert (items[1].run, items[3].state) == ("", "idle")


def test_a_program_starts_a_run_and_blank_or_unavailable_ends_it(mill: Mapper) -> None:
    started = one(mill, f"{T}|Program_Name_Running|NIST_MTC_CRADA_BOX_REV-A_OP1.NC")
    assert isinstance(started, RunStarted)
    assert started.run == started.event_id
    assert (started.order, started.outputs[0].material) == ("BOX-1", "BOX")
    trial = one(mill, f"{T}|Program_Name_Running|Test.NC")
    assert (trial.order, trial.outputs[0].material) == ("", "TRIAL")
    assert isinstance(one(mill, f"{T}|Program_Name_Running|UNAVAILABLE"), RunEnded)


def test_an_unavailable_counter_is_a_reading_without_value(mill: Mapper) -> None:
    assert one(mill, f"{T}|Part_Count|UNAVAILABLE").value == UNAVAILABLE
    assert one(mill, f"{T}|Part_Count|many").code == "BAD_DECIMAL"


@pytest.mark.parametrize(
    ("time", "micros"),
    [
        ("2017-02-01T10:12:23.1718759Z", T_US),
        ("2017-02-01T10:12:23.171875Z", T_US),
        ("2017-02-01T10:12:23.171Z", T_US - 875),
        ("2017-02-01T10:12:23Z", T_US - 171_875),
        ("2017-02-01T11:12:23.171875+01:00", T_US),
        ("2017-02-01T05:12:23.171875", T_US),
    ],
)
def test_times_with_any_number_of_decimals_are_numbers(mill: Mapper, time: str, micros: int) -> None:
    assert one(mill, f"{time}|Part_Count|1").occurred_at == micros


def test_conditions_are_told_from_pairs(mill: Mapper) -> None:
    conditions = mapper_of(
        [
            {"when": {"kind": "condition", "level": "Warning"}, "emit": "ProcessValue", "name": "code", "value": "text"},
            {"when": {"kind": "condition"}, "ignore": "true"},
            {"emit": "ProcessValue", "name": "key", "value": "value"},
        ],
        {"format": "shdr", "equipment": "=M1"},
    )
    item = one(conditions, f"{T}|logic_cond|Warning|379||| MALFUNCTION (TAIL)")
    assert (item.name, item.value) == ("379", " MALFUNCTION (TAIL)")
    assert conditions.map(raw(f"{T}|servo_cond|Normal||||")) == []
    assert conditions.map(raw(f"{T}|servo_cond|UNAVAILABLE||||")) == []
    assert len(conditions.map(raw(f"{T}|a|1|b|2|c|3"))) == 3


@pytest.mark.parametrize("entry", MALFORMED, ids=[f"{entry['source_path'][-24:]}:{entry['line']}" for entry in MALFORMED])
def test_damaged_lines_are_refused_and_not_guessed(mill: Mapper, entry: dict[str, Any]) -> None:
    items = mill.map(raw(entry["text"]))
    assert [item.code for item in items] == ["BAD_LINE"]


@pytest.mark.parametrize("line", [b"", b"\n", b"\xff|a|b", b"PING", T.encode(), f"{T}|a".encode(), f"{T}||1".encode()])
def test_other_lines_that_are_none(mill: Mapper, line: bytes) -> None:
    assert one(mill, line).code == "BAD_LINE"


PAIRS = mapper_of([{"emit": "ProcessValue", "name": "key", "value": "value"}], {"format": "shdr", "equipment": "=M1"})


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("* PING", []),
        ("* PONG 10000\r\n", []),
        ("*", []),
        ("* shdrVersion: 2", []),
        ("# a comment of the adapter | with | pipes", []),
        (f"{T}|a|1|", [("a", "sample", "1")]),
        (f"{T}|a|1|b|2|\r\n", [("a", "sample", "1"), ("b", "sample", "2")]),
        (f"{T}|a|1||", [("a", "sample", "1"), "BAD_LINE"]),
        (f"{T}|a|1|b|", [("a", "sample", "1"), "BAD_LINE"]),
        (f"{T}|a|", ["BAD_LINE"]),
        (f"{T}@200.5|a|1", [("a", "sample", "1", "duration", "200.5")]),
        (f"{T}|parts|0:SHIFT", [("parts", "sample", "0", "reset", "SHIFT")]),
        (f"{T}|parts|12.5:POWER_ON|a|1", [("parts", "sample", "12.5", "reset", "POWER_ON"), ("a", "sample", "1")]),
        (f"{T}|p|12:30|q|C:MAIN|r|3:A", [("p", "sample", "12:30"), ("q", "sample", "C:MAIN"), ("r", "sample", "3:A")]),
        (f'{T}|m|"door \\| left"|a|1', [("m", "sample", "door | left"), ("a", "sample", "1")]),
        (f'{T}|m|"door | left"', [("m", "sample", "door | left")]),
        (f'{T}|m|"say \\"x\\" | y"', [("m", "sample", 'say "x" | y')]),
        (f'{T}|m|"plain"|n|5"', [("m", "sample", '"plain"'), ("n", "sample", '5"')]),
        (f'{T}|m|"open|n|1', [("m", "sample", '"open'), ("n", "sample", "1")]),
        (f"{T}|wave|5|100|1 2.5 -3 4e1 5", [("wave", "time_series", "1 2.5 -3 4e1 5", "count", "5", "rate", "100")]),
        (f"{T}|wave|2||1 2", [("wave", "time_series", "1 2", "count", "2", "rate", "")]),
        (f"{T}|a|2|b|1 2 3", [("a", "sample", "2"), ("b", "sample", "1 2 3")]),
        (f"{T}|a|2|b|7", [("a", "sample", "2"), ("b", "sample", "7")]),
        (f"{T}|@ASSET@|T1|CuttingTool|<x a='|'/>", [("@ASSET@", "asset", "T1", "text", "CuttingTool|<x a='|'/>")]),
        (f"{T}|@REMOVE_ASSET@|T1", [("@REMOVE_ASSET@", "asset", "T1", "text", "")]),
        (f"{T}|c|FAULT|379||HIGH|text|", [("c", "condition", "FAULT", "level", "FAULT", "code", "379", "severity", "",
                                           "qualifier", "HIGH", "text", "text")]),
    ],
)  # fmt: skip
def test_the_dialects_of_adapters(line: str, expected: list[Any]) -> None:
    found = []
    for fields in read_shdr(line.encode()):
        if isinstance(fields, RefusedInMapping):
            found.append(fields.code)
            continue
        assert fields.pop("time") == T
        more = [part for name, value in fields.items() if name not in ("key", "kind", "value") for part in (name, value)]
        found.append("BAD_LINE" if not fields["value"] else (fields["key"], fields["kind"], fields["value"], *more))
    assert found == expected


def test_a_line_for_adapters_only_is_ignored_and_a_duration_moves_no_time() -> None:
    assert PAIRS.map(raw("* PING")) == []
    item = one(PAIRS, f"{T}@200.5|a|1")
    assert (item.occurred_at, item.value) == (T_US, "1")


def test_private_values_with_pipes_are_hashed_as_a_whole() -> None:
    rule = {"emit": "ProcessValue", "name": "key", "value": "value"}
    mapper = mapper_of([rule], {"format": "shdr", "equipment": "=M1"}, source_private=["who", "w"])
    quoted, bare, series, reset = (
        f'{T}|who|"Doe \\| John"|a|1',
        f'{T}|who|"Doe | John"',
        f"{T}|w|2|50|4711 4712",
        f"{T}|who|4711:SHIFT",
    )
    for line in (quoted, bare, series, reset):
        kept = mapper.redacted(line.encode())
        assert b"John" not in kept
        assert b"471" not in kept
        assert line is series or mapper.map(raw(line))[0].value == mapper.map(raw(kept))[0].value


def test_one_lost_value_does_not_take_the_other_pairs_with_it(mill: Mapper) -> None:
    items = mill.map(raw(f"{T}|Spindle_Speed||Part_Count|7"))
    assert isinstance(items[0], RefusedRecord)
    assert items[0].code == "BAD_LINE"
    assert items[1].value == 7


def test_a_rule_may_say_what_an_empty_value_means() -> None:
    mapper = mapper_of(
        [
            {"when": {"key": "subprogram", "value": ""}, "ignore": "true"},
            {"when": {"key": "program", "value": ["", " "]}, "emit": "RunEnded"},
            {"emit": "ProcessValue", "name": "key", "value": "value"},
        ],
        {"format": "shdr", "equipment": "=M1"},
    )
    assert mapper.map(raw(f"{T}|subprogram|")) == []
    assert isinstance(one(mapper, f"{T}|program|"), RunEnded)
    assert one(mapper, f"{T}|block|").code == "BAD_LINE"


def test_a_line_whose_time_is_none_is_a_bad_time(mill: Mapper) -> None:
    assert one(mill, "2017-13-01T10:12:23Z|Part_Count|1").code == "BAD_TIME"
    assert one(mill, "2017-02-01T10:12:61Z|Part_Count|1").code == "BAD_TIME"


def test_a_line_says_when_it_arrived_unless_it_is_damaged(mill: Mapper) -> None:
    lines = [f"{T}|a|1", "2002-01-01T00:00:00Z|a|1", "2017", "2017-02-01T10:12:24Z|a|1"]
    assert [mill.arrival(raw(line)) for line in lines] == [T_US, 1_009_843_200_000_000, None, T_US + 828_125]


CSV = {
    "format": "csv",
    "columns": ["time", "machine", "order", "qty", "unit"],
    "delimiter": ";",
    "occurred_at": {"path": "time", "date": "%d.%m.%Y %H:%M"},
    "equipment": "machine",
}
DECLARED = {"emit": "ProductionDeclared", "order": "order", "quantity": {"path": "qty", "decimals": "1", "unit": "unit"}}


def test_csv_lines() -> None:
    mapper = mapper_of([DECLARED], CSV)
    assert mapper.map(raw("\ufefftime;machine;order;qty;unit\r\n")) == []
    item = one(mapper, '20.11.2026 23:00;M1;"A;1";12.5;PC\r\n')
    assert (item.occurred_at, item.order, item.quantity.amount) == (1_795_212_000_000_000, "A;1", 125)
    for bad in ("a;b", '20.11.2026 23:00;M1;"A;1;2;PC', "", b"\xff;;;;"):
        assert one(mapper, bad).code == "BAD_LINE"
