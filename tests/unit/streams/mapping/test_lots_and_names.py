"""Lots, equipment and local times as plants write them, by the stated rules."""

from typing import Any

import pytest

from streams.mapping import MappingError
from tests.unit.streams.mapping.sources import mapper_of, one, raw, record

LOADED = {"emit": "LotLoaded", "position": "=hopper", "material": "=9001", "lot": "lot"}


@pytest.mark.parametrize(
    ("clean", "expression", "written", "expected"),
    [
        (None, "lot", " r-778\t", "r-778"),
        (["trim", "upper"], "lot", " r-778 ", "R-778"),
        (["lower"], "lot", "R-778", "r-778"),
        (["trim", "strip_zeros"], "lot", " 000778 ", "778"),
        (["strip_zeros", "trim"], "lot", " 000778 ", "000778"),
        (["strip_zeros"], "lot", "000", "0"),
        (["upper"], "lot", "straße", "STRASSE"),
        (["upper"], {"path": "lot", "codes": {"r": "first", "*": "other"}}, "r", "FIRST"),
        (["upper"], {"path": "lot", "pad": "6"}, "778", "000778"),
        (["trim"], "lot", "   ", "MISSING_FIELD"),
        (["trim"], "lot", "", "MISSING_FIELD"),
        (["trim"], "lot", None, "MISSING_FIELD"),
        (["trim"], "lot", 778, "778"),
        (["trim"], "lot", "a|b", "BAD_IDENTIFIER"),
        (["trim"], "lot", "x" * 129, "BAD_IDENTIFIER"),
        (["trim"], "lot", " " * 40 + "x" * 128, "x" * 128),
    ],
)
def test_lots_are_cleaned_in_the_stated_order(clean: Any, expression: Any, written: Any, expected: str) -> None:
    lots = {} if clean is None else {"lots": {"clean": clean}}
    item = one(mapper_of([{**LOADED, "lot": expression}], **lots), record(lot=written))
    assert getattr(item, "lot", None) == expected or getattr(item, "code", None) == expected, item


@pytest.mark.parametrize(
    ("record_type", "field", "each", "elements"),
    [
        ("LotSplit", "children", {"each": "c", "value": "id"}, [{"id": " b "}]),
        ("LotSplit", "children", {"each": "c"}, [" b "]),
        ("LotMerged", "parents", {"each": "c"}, [" b "]),
    ],
)
def test_lots_in_lists_are_cleaned_too(record_type: str, field: str, each: dict[str, str], elements: list[Any]) -> None:
    rule = {"emit": record_type, "material": "=X", "lot": "lot", field: each}
    item = one(mapper_of([rule], lots={"clean": ["trim", "upper"]}), record(lot=" a ", c=elements))
    assert (item.lot, getattr(item, field)) == ("A", ["B"])


EQUIPMENT = {"M1": {"alias": ["press-1", "NO.01", "Lis č. 1"]}, "M2": {"alias": ["press-2"]}}
STATE = {"emit": "EquipmentStateChanged", "state": "=running"}


@pytest.mark.parametrize(
    ("expression", "written", "expected"),
    [
        ("m", "M1", "M1"),
        ("m", "NO.01", "M1"),
        ("m", "Lis č. 1", "M1"),
        ("m", "press-2", "M2"),
        ("m", "no.01", "UNKNOWN_EQUIPMENT"),
        ("m", " M1", "UNKNOWN_EQUIPMENT"),
        ({"path": "m", "trim": "yes", "case": "upper"}, " no.01 ", "M1"),
        ({"path": "m", "table": "cells"}, "17", "M2"),
        ({"path": "m", "table": "cells"}, "18", "UNKNOWN_CODE"),
        ("=press-2", "anything", "M2"),
        ("n || m", "press-1", "M1"),
        ("m", "", "MISSING_FIELD"),
    ],
)
def test_aliases_of_equipment(expression: Any, written: str, expected: str) -> None:
    read = {"event_id": "id", "occurred_at": "ts", "equipment": expression}
    item = one(mapper_of([STATE], read, equipment=EQUIPMENT, tables={"cells": {"17": "press-2"}}), record(m=written))
    assert getattr(item, "code", None) == expected or item.equipment == expected, item


@pytest.mark.parametrize(
    ("zone", "ambiguous", "local", "expected"),
    [
        ("Europe/Prague", "reject", "2026-10-25T01:59:59", "2026-10-24T23:59:59"),
        ("Europe/Prague", "reject", "2026-10-25T02:00:00", "AMBIGUOUS_TIME"),
        ("Europe/Prague", "reject", "2026-10-25T02:59:59.999999", "AMBIGUOUS_TIME"),
        ("Europe/Prague", "reject", "2026-10-25T03:00:00", "2026-10-25T02:00:00"),
        ("Europe/Prague", "first", "2026-03-29T02:30:00", "BAD_TIME"),
        ("Europe/Prague", "second", "2026-03-29T02:00:00", "BAD_TIME"),
        ("Europe/Prague", "first", "2026-03-29T03:00:00", "2026-03-29T01:00:00"),
        ("America/New_York", "first", "2026-11-01T01:30:00", "2026-11-01T05:30:00"),
        ("America/New_York", "second", "2026-11-01T01:30:00", "2026-11-01T06:30:00"),
        ("America/New_York", "reject", "2026-03-08T02:15:00", "BAD_TIME"),
        ("Australia/Lord_Howe", "first", "2026-04-05T01:45:00", "2026-04-04T14:45:00"),
        ("Australia/Lord_Howe", "second", "2026-04-05T01:45:00", "2026-04-04T15:15:00"),
        ("Asia/Bangkok", "reject", "2026-10-25T02:30:00", "2026-10-24T19:30:00"),
        ("UTC", "reject", "2026-10-25T02:30:00", "2026-10-25T02:30:00"),
        ("Europe/Prague", "reject", "2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00"),
    ],
)
def test_local_times_through_both_changes_of_the_clocks(zone: str, ambiguous: str, local: str, expected: str) -> None:
    read = {"event_id": "id", "occurred_at": {"path": "t", "zone": zone, "ambiguous": ambiguous}, "equipment": "m"}
    utc = {"event_id": "id", "occurred_at": {"path": "t", "zone": "UTC"}, "equipment": "m"}
    item = one(mapper_of([STATE], read), record(t=local))
    if expected.isupper() and "_" in expected:
        assert item.code == expected
    else:
        assert item.occurred_at == one(mapper_of([STATE], utc), record(t=expected)).occurred_at


LOTS = {"clean": ["trim", "upper"], "pattern": "[A-Z]{1,2}-?[0-9]{3,8}(/[0-9])?"}
DECLARED = {"emit": "ProductionDeclared", "lot": "lot", "quantity": {"path": "q", "unit": "=PC"}}


@pytest.mark.parametrize("written", ["2.61E+11", 2.61e11, "#N/A", "-", "0", 0, "n/a", "r-77", "R-778 x", "NULL"])
def test_what_does_not_look_like_a_lot_is_none_and_told(written: Any) -> None:
    mapper = mapper_of([DECLARED], lots=LOTS)
    declared, notice = mapper.map(raw(record(q=5, lot=written)))
    assert (declared.lot, declared.quantity.amount) == ("", 5)
    assert (notice.code, notice.event_id, notice.equipment) == ("NO_LOT", "s:e1 lot", "M1")
    assert (notice.quantity, notice.kind) == (None, "")
    assert notice.detail.startswith(f"`lot` is `{str(written).upper()}`")
    refused = one(mapper_of([LOADED], lots=LOTS), record(lot=written))
    assert refused.code == "MISSING_FIELD"
    assert "does not look like a lot" in refused.detail


@pytest.mark.parametrize(("written", "expected"), [(" r-778 ", "R-778"), ("AB12345678/2", "AB12345678/2"), ("", ""), (None, "")])
def test_what_looks_like_a_lot_is_one_and_nothing_is_no_lot_without_a_word(written: Any, expected: str) -> None:
    assert one(mapper_of([DECLARED], lots=LOTS), record(q=5, lot=written)).lot == expected


def test_lots_in_lists_are_looked_at_too() -> None:
    run = {"emit": "RunStarted", "outputs": {"each": "parts", "material": "m", "lot": "lot"}}
    started, notice = mapper_of([run], lots=LOTS).map(raw(record(parts=[{"m": "A", "lot": "-"}, {"m": "B", "lot": "B123"}])))
    assert [output.lot for output in started.outputs] == ["", "B123"]
    assert notice.code == "NO_LOT"
    merged = {"emit": "LotMerged", "material": "=A", "lot": "lot", "parents": {"each": "from"}}
    item = one(mapper_of([merged], lots=LOTS), record(**{"lot": "B123", "from": ["B124", "#N/A"]}))
    assert (item.code, "#N/A" in item.detail) == ("MISSING_FIELD", True)


def test_each_record_tells_only_of_its_own_lots() -> None:
    mapper = mapper_of([DECLARED, {"when": {"k": "x"}, **LOADED}], lots=LOTS)
    assert len(mapper.map(raw(record(q="many", lot="-")))) == 1
    assert len(mapper.map(raw(record(q=5, lot="R-778")))) == 1
    assert [item.code for item in mapper.map(raw(record(q=1, lot="-")))[1:]] == ["NO_LOT"]


def test_a_constant_that_is_no_lot_is_found_by_the_check() -> None:
    with pytest.raises(MappingError, match="does not look like"):
        mapper_of([{**DECLARED, "lot": "=none"}], lots=LOTS)


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="is no regular expression"):
        mapper_of([DECLARED], lots={"pattern": "[A-Z"})
