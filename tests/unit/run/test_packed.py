"""Files packed with gzip and zstd: the same records, damage and bombs refused."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from app.inputs import packed
from app.inputs.cut_files import cut
from app.inputs.file_text import UnreadableFile
from app.inputs.first_look import guess, look
from app.inputs.input_files import InputError, InputFile
from schemas.configuration import PlantConfig
from schemas.configuration.mapping import Read

JSON = Read(format="json")
Pack = Callable[[bytes], bytes]
PACKS = [gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress]
LINES = [b'{"at":%d,"value":%d,"text":"%s"}' % (n, n * n % 7919, b"x" * (n % 60)) for n in range(3_000)]


def records(path: Path) -> list[bytes]:
    return [value for _, value in cut(path, JSON)]


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("name", ["f.jsonl", "f.gz", "f.zst"])
def test_the_name_does_not_matter(pack: Pack, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(pack(b"\n".join(LINES)))
    assert records(tmp_path / name) == LINES


@pytest.mark.parametrize("pack", PACKS)
def test_several_members_are_one_file(pack: Pack, tmp_path: Path) -> None:
    parts = [b"\n".join(LINES[:1_000]), b"", b"\n" + b"\n".join(LINES[1_000:2_000]), b"\n" + b"\n".join(LINES[2_000:])]
    (tmp_path / "f").write_bytes(b"".join(map(pack, parts)))
    assert records(tmp_path / "f") == LINES


@pytest.mark.parametrize("kind", [b"\x50", b"\x5f"])
def test_a_zstd_file_may_begin_with_a_frame_that_is_to_be_skipped(kind: bytes, tmp_path: Path) -> None:
    skipped = kind + b"\x2a\x4d\x18\x05\x00\x00\x00about"
    (tmp_path / "f").write_bytes(skipped + zstandard.compress(b"\n".join(LINES)) + skipped)
    assert records(tmp_path / "f") == LINES


@pytest.mark.parametrize("pack", PACKS)
def test_a_file_that_was_cut_off_is_damaged_wherever_that_is(pack: Pack, tmp_path: Path) -> None:
    whole = pack(b"\n".join(LINES[:1_500])) + pack(b"\n".join(LINES[1_500:]))
    ends_well = len(pack(b"\n".join(LINES[:1_500])))
    for size in (*range(8, len(whole), 611), len(whole) - 1):
        if size != ends_well:
            (tmp_path / "f").write_bytes(whole[:size])
            with pytest.raises(UnreadableFile, match=r"BAD_FILE: the (gzip|zstd) file is damaged"):
                records(tmp_path / "f")


@pytest.mark.parametrize("pack", PACKS)
def test_a_byte_that_is_another_one_is_damage(pack: Pack, tmp_path: Path) -> None:
    content = bytearray(pack(b"\n".join(LINES)))
    content[len(content) // 2] ^= 0xFF
    (tmp_path / "f").write_bytes(content)
    with pytest.raises(UnreadableFile, match="BAD_FILE"):
        records(tmp_path / "f")


@pytest.mark.parametrize("line", [b"\n", b"0" * (1 << 20), b'{"a":1}\n'])
def test_a_zstd_bomb_is_refused_as_a_file(line: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "RATIO_FROM_BYTES", 2 << 20)
    (tmp_path / "f").write_bytes(PACKS[1](line * ((12 << 20) // len(line))))
    with pytest.raises(UnreadableFile, match="TOO_LARGE: the zstd file unpacks to more than 300 times"):
        records(tmp_path / "f")


@pytest.mark.parametrize("pack", PACKS)
def test_a_packed_archive_is_named(pack: Pack, tmp_path: Path) -> None:
    read = {"event_id": "position", "occurred_at": "t", "equipment": "=M"}
    plant = PlantConfig.model_validate(
        {"plant": {"id": "P"}, "sources": {"s": {"read": read, "events": [{"when": {}, "ignore": True}]}}}
    )
    header = b"shots.jsonl".ljust(257, b"\0") + b"ustar\x0000"
    for content, name in ((header, "a tar archive"), (b"PK\x03\x04" + b"\0" * 40, "zip"), (b"PAR1abc", "Parquet")):
        (tmp_path / "f.tar.gz").write_bytes(pack(content.ljust(1_024, b"\0")))
        with pytest.raises(InputError, match=name):
            look([InputFile("s", tmp_path / "f.tar.gz")], plant, b"", 1)
    assert guess(LINES[0]) == "JSON"
