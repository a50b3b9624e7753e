"""Before a run begins: files that no source reads, and inputs of which most is refused."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from app.inputs.first_look import MostlyRefused, guess, look, share_of
from app.inputs.input_files import InputError, InputFile
from schemas.configuration import Configuration

PLANT = Configuration.from_mappings(
    {
        "plant": {"id": "P"},
        "equipment": {"M1": {"counters": {"shots": {}}}},
        "sources": {
            "s": {
                "read": {"event_id": "position", "occurred_at": "t", "equipment": "=M1"},
                "events": [{"when": {}, "emit": "CounterReading", "counter": "=shots", "value": "v"}],
            }
        },
    },
    {},
    {},
).plant
GOOD = json.dumps({"t": "2026-05-04T08:00:00Z", "v": 1}).encode()
HALF = Fraction(1, 2)


def looked(path: Path, content: bytes, at_most: Fraction = HALF) -> None:
    path.write_bytes(content)
    look([InputFile("s", path)], PLANT, b"", at_most)


@pytest.mark.parametrize(
    ("begins", "name"),
    [
        (b"\xfd7zXZ\x00", "xz"),
        (b"BZh9", "bzip2"),
        (b"PK\x03\x04", "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
        (b"PAR1", "Parquet"),
        (b"SQLite format 3\x00", "SQLite"),
    ],
)
def test_a_format_that_no_source_reads_is_named(begins: bytes, name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=name):
        looked(tmp_path / "a.jsonl", begins + bytes(range(256)))
    with pytest.raises(InputError, match=name):
        looked(tmp_path / "a.jsonl", begins + bytes(range(256)), Fraction(1))


@pytest.mark.parametrize(
    ("good", "bad", "at_most", "refused"),
    [(10, 10, HALF, False), (10, 11, HALF, True), (0, 9, HALF, False), (19, 1, Fraction(0), True), (0, 99, Fraction(1), False)],
)
def test_the_share_that_may_be_refused(good: int, bad: int, at_most: Fraction, refused: bool, tmp_path: Path) -> None:
    content = b"\n".join([GOOD] * good + [b"no JSON"] * bad)
    if not refused:
        looked(tmp_path / "a.jsonl", content, at_most)
        return
    with pytest.raises(MostlyRefused, match=f"{bad} of its first {good + bad} records .*BAD_JSON {bad}"):
        looked(tmp_path / "a.jsonl", content, at_most)


CSV = Configuration.from_mappings(
    {
        "plant": {"id": "P"},
        "equipment": {"M1": {"counters": {"shots": {}}}},
        "sources": {
            "s": {
                "read": {"format": "csv", "event_id": "position", "occurred_at": "t", "equipment": "=M1"},
                "events": [{"when": {}, "emit": "CounterReading", "counter": "=shots", "value": "v"}],
            }
        },
    },
    {},
    {},
).plant


AT = "2026-05-04T08:00:00Z"
NO_COLUMN = "BAD_LINE: the header has no column"


@pytest.mark.parametrize(
    ("header", "rows", "says"),
    [
        ("t;v", [f"{AT};1"] * 20, f'{NO_COLUMN} `t`, which plant.yaml reads; it has `t;v`; with `delimiter: ";"` it fits'),
        ("t,value", [f"{AT},1"] * 20, f"{NO_COLUMN} `v`, which plant.yaml reads; it has `t`, `value`"),
        ("t,v,ü", [f"{AT},1,ü"] * 20, "BAD_LINE: the line is no utf-8 text; state its encoding, e.g. `encoding: cp1252`"),
        ("t,v", [f"{AT},1"] * 5 + [f"{AT},x"] * 20, "BAD_DECIMAL: "),
    ],
    ids=["another delimiter", "another column", "another encoding", "no number"],
)
def test_the_commonest_reason_is_said_as_config_try_says_it(header: str, rows: list[str], says: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join([header, *rows]).encode("cp1252"))
    with pytest.raises(MostlyRefused) as refused:
        look([InputFile("s", path)], CSV, b"", HALF)
    assert says in str(refused.value)
    assert "config try" in str(refused.value) and str(refused.value).count("\n") == 0


@pytest.mark.parametrize(
    ("head", "seems"),
    [
        (b"\x00\x01\x02\x03" * 50, "a binary file"),
        ("a;b;c\n1;2;3\n".encode("utf-16-le"), "UTF-16 without a byte order mark (say so with `read.encoding`)"),
        (b" <root>", "XML"),
        (b"a;b;c\n1;2;3", "CSV"),
        (b"2026-05-04T08:00:00Z|Part_Count|5", "SHDR"),
        (b'{"a": 1}', "JSON"),
        (b"Dear Sir", ""),
    ],
)
def test_what_it_looks_like(head: bytes, seems: str) -> None:
    assert guess(head) == seems


@pytest.mark.parametrize(("text", "share"), [("50 %", HALF), ("0.5", HALF), ("100%", Fraction(1)), ("0", Fraction(0))])
def test_shares(text: str, share: Fraction) -> None:
    assert share_of(text) == share


@pytest.mark.parametrize("text", ["half", "120 %", "-1"])
def test_no_shares(text: str) -> None:
    with pytest.raises(InputError):
        share_of(text)
