"""INI-like logs: a record per section, sections that hold for those behind them."""

from pathlib import Path
from typing import Any

import pytest

from app.inputs.cut_files import cut
from app.inputs.file_text import UnreadableFile
from schemas.configuration.mapping import Read
from streams.mapping import Mapper, RawRecord
from tests.unit.streams.mapping.sources import mapper_of, one, raw

LOG = """; protocol of a moulding machine
Version = 3
[Header]
Machine Name = M1
Order: 4711
Operator = badge 12
[Shot 1]
Time = 20.11.2026 23:00:00
Weight (g) = 1.031,9
Cycle=C:\\x=1
[Shot 2]
Time = 20.11.2026 23:00:30
Weight (g) = 12
[Header]
Machine Name = M1
Order = 4712
Operator = badge 13
[Alarm]
[Shot 1]
Time = 20.11.2026 23:01:00
Weight (g) = 1
Weight (g) = 2
no entry
[Shot 2]
Time = 20.11.2026 23:02:00
Weight (g) = 3
"""
READ: dict[str, Any] = {
    "format": "ini", "keep": "Header", "event_id": "position", "number": "1.234,56", "equipment": "$.Header.Machine_Name",
    "occurred_at": {"path": "Time", "date": "%d.%m.%Y %H:%M:%S"},
}  # fmt: skip
RULES: list[dict[str, Any]] = [
    {"when": {"_section": ["", "Alarm"]}, "ignore": "true"},
    {
        "emit": "ProductionDeclared", "order": "$.Header.Order", "lot": "_section", "reason": "Cycle || =none",
        "quantity": {"path": "Weight_g", "decimals": 1, "unit": "=g"},
    },
]  # fmt: skip


def mapped(mapper: Mapper, path: Path) -> list[Any]:
    records = [RawRecord(value, "s", "f", number) for number, value in cut(path, mapper.read)]
    return [item for record in records for item in mapper.map(record)]


@pytest.mark.parametrize("encode", [lambda text: text.encode(), lambda text: text.replace("\n", "\r\n").encode("utf-16")])
def test_each_section_is_a_record_and_kept_ones_hold_for_those_behind_them(tmp_path: Path, encode: Any) -> None:
    (tmp_path / "f").write_bytes(encode(LOG))
    items = mapped(mapper_of(RULES, READ), tmp_path / "f")
    told = [getattr(item, "code", "") or (item.order, item.lot, item.quantity.amount, item.raw_offset) for item in items]
    assert told == [("4711", "Shot 1", 10319, 7), ("4711", "Shot 2", 120, 11), "BAD_LINE", ("4712", "Shot 2", 30, 24)]
    assert [item.reason for item in items[:2]] == ["C:\\x=1", "none"]
    assert items[0].occurred_at + 30_000_000 == items[1].occurred_at


def test_a_section_that_no_rule_knows_is_told() -> None:
    assert one(mapper_of(RULES[1:], READ), "[Header]\nOrder=1\nMachine Name=M1\n[Stop]").code == "MISSING_FIELD"
    assert one(mapper_of([{"when": {"_section": "x"}, "ignore": "true"}], READ), "[Stop]").code == "NO_MAPPING"


@pytest.mark.parametrize("value", ["[a]\nb", "[a]\n=1", "[a]\nb=1\nb=2", b"[a]\nb=\xff", "[a\nb=1", "no section"])
def test_what_is_no_section_is_a_bad_line(value: Any) -> None:
    assert one(mapper_of(RULES, READ), value).code == "BAD_LINE"


def test_private_values_are_hashed_in_kept_sections_too() -> None:
    rule = {"emit": "LabourRecorded", "person": "$.Header.Operator", "action": "=on"}
    mapper = mapper_of([rule], READ)
    value = b"[Header]\nMachine Name=M1\nOperator = badge 12\n[In]\nTime=20.11.2026 23:00:00"
    kept = mapper.redacted(value)
    assert b"badge" not in kept
    assert one(mapper, kept).person == one(mapper, value).person
    assert mapper.redacted(b"[H]\nOperator=\xff").startswith(b"unreadable original")


def test_kept_sections_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("[a]\nx=1\n[Header]\n" + "".join(f"k{n}=v\n" for n in range(1000)) + "[a]\nx=2\n")
    records = cut(tmp_path / "f", Read(format="ini", keep=["Header"]))
    assert next(records).value == b"[a]\nx=1"
    with pytest.raises(UnreadableFile, match="TOO_LARGE"):
        next(records)
    long = "[a]\nx=1\n[b]\n" + "k=v\n" * 400_000 + "[c]\nx=3\n"
    (tmp_path / "f").write_text(long)
    sections = [one(mapper_of([{"emit": "OrderClosed", "order": "x"}], READ | {"occurred_at": "=2026-01-01T00:00:00Z"}), value)
                for _, value in cut(tmp_path / "f", Read(format="ini"))]  # fmt: skip
    assert [getattr(item, "code", "") or item.order for item in sections] == ["1", "TOO_LARGE", "3"]
    assert mapper_of(RULES, READ).map(raw("\n\n")) == []
