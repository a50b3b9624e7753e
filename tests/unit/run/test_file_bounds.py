"""Files that would grow without end: gzip bombs, headers of tables that are repeated."""

import csv
import gzip
import io
import zlib
from pathlib import Path

import pytest

from app.inputs import packed
from app.inputs.cut_files import cut, cut_or_refused
from app.inputs.file_text import UnreadableFile
from schemas.configuration.mapping import Read
from tests.unit.streams.mapping.sources import mapper_of, one

JSON, TABLE = Read(format="json"), Read(format="csv", delimiter=";")
RULE = {"emit": "ProcessValue", "name": "=n", "value": "Count_2"}
MIB = 1 << 20


def bomb(path: Path, line: bytes, mib: int) -> None:
    packer = zlib.compressobj(9, wbits=31)
    block = line * (MIB // len(line))
    with path.open("wb") as out:
        for _ in range(mib):
            out.write(packer.compress(block))
        out.write(packer.flush())


@pytest.mark.parametrize("line", [b"\n", b"0" * MIB, b'{"a":1}\n'])
def test_a_gzip_bomb_is_refused_as_a_file(tmp_path: Path, line: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "RATIO_FROM_BYTES", 2 * MIB)
    bomb(tmp_path / "f", line, 12)
    assert (tmp_path / "f").stat().st_size * packed.MAX_RATIO < 12 * MIB
    records = cut_or_refused(tmp_path / "f", JSON)
    with pytest.raises(UnreadableFile, match="TOO_LARGE: the gzip file unpacks to more than 300 times") as wrong:
        assert sum(1 for _ in records) <= 4 * MIB // len(line)
    assert not wrong.value.head, "nothing of it stands for a record"


def test_a_file_that_packs_well_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "RATIO_FROM_BYTES", 1 << 16)
    lines = [b'{"at":%d,"machine":"IMM-07","counter":"shots","value":%d,"quality":"good"}' % (n, n) for n in range(20_000)]
    (tmp_path / "f").write_bytes(gzip.compress(b"\n".join(lines[:10_000])) + gzip.compress(b"\n" + b"\n".join(lines[10_000:])))
    assert [value for _, value in cut(tmp_path / "f", JSON)] == lines


def test_what_unpacks_to_too_much_is_refused_whatever_its_ratio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MAX_UNPACKED_BYTES", 1 << 20)
    (tmp_path / "f").write_bytes(gzip.compress(b"".join(b"%d\n" % n for n in range(400_000)), 1))
    with pytest.raises(UnreadableFile, match="TOO_LARGE"):
        list(cut(tmp_path / "f", JSON))


def written(path: Path, names: list[str], rows: list[list[str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\n")
    writer.writerows([names, *rows])
    path.write_text(out.getvalue())


def test_a_header_that_is_long_beside_its_rows_names_only_what_is_read(tmp_path: Path) -> None:
    names = ["time", "Count", "Count", *(f"A long name of a column that nobody reads {n}" for n in range(300))]
    rows = [["2026-11-20T22:00:00Z", "1", str(n), *[""] * 299, str(n)] for n in range(50)]
    written(tmp_path / "f", names, rows)
    mapper = mapper_of([RULE], {"format": "csv", "delimiter": ";", "equipment": "=M1"})
    records = list(cut(tmp_path / "f", TABLE, mapper.columns))
    assert [one(mapper, value).value for _, value in records] == [str(n) for n in range(50)]
    assert [number for number, _ in records] == list(range(2, 52))
    assert sum(len(value) for _, value in records) < 2 * (tmp_path / "f").stat().st_size
    assert records[0].value.endswith(b";0"), "what nobody reads stays in its row, so rows of one content are still different"
    for wrong in (["x"], ["2026-11-20T22:00:00Z", "1", "2"], [""] * 302, ["x"] * 304, ['a";"b'] * 3):
        written(tmp_path / "f", names, [wrong])
        for _, value in cut(tmp_path / "f", TABLE, mapper.columns):
            assert one(mapper, value).code == "BAD_LINE"


@pytest.mark.parametrize("width", [1, 20_000])
def test_half_a_megabyte_stays_a_few(tmp_path: Path, width: int) -> None:
    """It became 9.8 GB: 40 kB of header before each row of 2 bytes."""
    (tmp_path / "f").write_bytes(b";".join([b"c" * (40_000 // width)] * width) + b"\n" + b"7\n" * 60_000)
    mapper = mapper_of([RULE], {"format": "csv", "delimiter": ";", "equipment": "=M1"})
    records = list(cut(tmp_path / "f", TABLE, mapper.columns))
    assert len(records) == 60_000
    assert sum(len(value) for _, value in records) < 10 * (tmp_path / "f").stat().st_size
    assert all(one(mapper, value).code == "BAD_LINE" for _, value in (records[0], records[-1]))


def test_a_header_of_ordinary_length_stands_before_its_rows_as_it_is(tmp_path: Path) -> None:
    written(tmp_path / "f", ["time", "Count", "Count"], [["a", "1", "2"]])
    assert [value for _, value in cut(tmp_path / "f", TABLE)] == [b"time;Count;Count\na;1;2"]
