"""A look at the beginning of each input before anything starts: what the file is, and whether its source can read it."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from io import BufferedReader
from itertools import islice

from app.inputs.cut_files import cut_or_refused
from app.inputs.file_text import UnreadableFile
from app.inputs.input_files import InputError, InputFile
from app.inputs.packed import DAMAGE, Unpacked, packing_of
from app.inputs.refused_share import beyond
from schemas.configuration import PlantConfig
from schemas.configuration.formats import FORMATS
from schemas.configuration.mapping import Read
from streams.mapping import Operators, RawRecord, RefusedRecord, compile_source
from streams.mapping.formats import format_named

HEAD_BYTES = 4096
LOOKED_AT = 1000
"""Records of the beginning of a file."""
PACKED = (
    (b"\xfd7zXZ\x00", "xz", "unpack it with `xz -d`"),
    (b"BZh", "bzip2", "unpack it with `bzip2 -d`"),
    (b"\x04\x22\x4d\x18", "lz4", "unpack it with `lz4 -d`"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"PK\x03\x04", "a zip archive (xlsx and docx are some, too)", "unpack it; save a spreadsheet as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (xls)", "save it as CSV"),
    (b"PAR1", "Parquet", "write it as JSON lines or CSV"),
    (b"SQLite format 3\x00", "an SQLite database", "write its tables as CSV"),
    (b"%PDF", "PDF", "ask for the data behind it"),
    (b"Obj\x01", "an Avro container", "write it as JSON lines"),
)
"""First bytes, what has them, and what to do: no format of a source reads them."""
TAR_AT, TAR = 257, b"ustar"
"""Where a tar archive says what it is."""


class MostlyRefused(InputError):
    """Most of what stands at the beginning of an input is refused by its source."""

    code = "INPUT_MOSTLY_REFUSED"


def look(files: Sequence[InputFile], plant: PlantConfig, private_key: bytes, at_most: Fraction) -> None:
    """`at_most`: share of an input's records that may be refused. Raises InputError for a file of a format that no source
    reads, MostlyRefused when more than that share of its first LOOKED_AT records is refused."""
    for file in files:
        head = _head(file)
        for begins, name, do in PACKED:
            if head.startswith(begins):
                raise InputError(f"{file.path} looks like {name}, which no source reads; {do}")
        if head[TAR_AT:].startswith(TAR):
            raise InputError(
                f"{file.path} looks like a tar archive, which no source reads; unpack it with `tar xf` and give the folder"
            )
        if at_most < 1:
            _sample(file, plant, private_key, at_most, head)


def share_of(text: str) -> Fraction:
    """`50 %` or `0.5`. Raises InputError."""
    try:
        number = text.strip()
        share = Fraction(number.removesuffix("%").strip()) / (100 if number.endswith("%") else 1)
    except (ValueError, ZeroDivisionError):
        raise InputError(f"--refused-at-most {text}: write a share like `50 %`") from None
    if not 0 <= share <= 1:
        raise InputError(f"--refused-at-most {text}: a share lies between 0 % and 100 %")
    return share


def guess(head: bytes) -> str:
    """What a file that cannot be read looks like; empty: like text."""
    sample = head[:HEAD_BYTES]
    zeros = [sample[n::2].count(0) for n in (0, 1)]
    if max(zeros) > len(sample) // 4 and min(zeros) <= len(sample) // 40:
        return "UTF-16 without a byte order mark (say so with `read.encoding`)"
    controls = sum(byte < 9 or 13 < byte < 32 for byte in sample)
    if controls > len(sample) // 20:
        return "a binary file"
    text = sample.lstrip()
    return next((name.upper() for name in FORMATS if format_named(name).resembles(text)), "")


def _head(file: InputFile) -> bytes:
    """The beginning of the content; of a damaged packed file that of the file, which its reader will refuse."""
    try:
        with file.path.open("rb") as content:
            head = content.read(HEAD_BYTES)
            packing = packing_of(head)
            content.seek(0)
            if packing is not None:
                with suppress(*DAMAGE):
                    head = BufferedReader(Unpacked(content, packing)).read(HEAD_BYTES)
            return head
    except OSError as wrong:
        raise InputError(f"{file.path}: {wrong}") from wrong


def _sample(file: InputFile, plant: PlantConfig, private_key: bytes, at_most: Fraction, head: bytes) -> None:
    mapper, records = compile_source(file.source, plant.sources[file.source], plant, private_key), 0
    codes, details = Counter[str](), defaultdict[str, Counter[str]](Counter)
    if isinstance(mapper, Operators):
        return
    for number, value in _first(file, mapper.read, mapper.columns):
        items = mapper.map(RawRecord(value, file.source, file.path.name, number))
        wrong = next((item for item in items if type(item) is RefusedRecord), None)
        if wrong is not None:
            codes[wrong.code] += 1
            details[wrong.code][wrong.detail] += 1
        records += 1
    if beyond(codes.total(), records, at_most):
        found = ", ".join(f"{code} {times}" for code, times in codes.most_common(3))
        (most, _), *_ = codes.most_common(1)
        ((why, _),) = details[most].most_common(1)
        seems = guess(head)
        read = mapper.read.format
        likely = f"; it looks like {seems}, and the source reads {read}" if seems and seems.lower() != read else ""
        raise MostlyRefused(
            f"{file.path}: {codes.total()} of its first {records} records are refused by source {file.source} ({found}), "
            f"more than {float(at_most):.0%}{likely}; {most}: {why}; "
            f"`lineledger config try --config DIR --source {file.source} {file.path}` shows them"
        )


def _first(file: InputFile, read: Read, columns: Collection[str]) -> Iterator[tuple[int, bytes]]:
    try:
        yield from islice(cut_or_refused(file.path, read, columns), LOOKED_AT)
    except (UnreadableFile, OSError) as wrong:
        raise InputError(f"{file.path}: {wrong}") from wrong
