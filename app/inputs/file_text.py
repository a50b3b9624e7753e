"""The bytes of a file as its records have them: unpacked, without byte order mark, and UTF-8 where it is UTF-16."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any, cast

from schemas.configuration.mapping import Read
from schemas.configuration.values import is_utf16
from streams.mapping.formats import format_of

MAX_UNPACKED_BYTES = 64 << 30
"""Of one file packed with gzip."""
MAX_RATIO = 300
"""Unpacked to packed bytes, as soon as more than RATIO_FROM_BYTES came out: telemetry packs 10 to 100 times, a bomb 1000."""
RATIO_FROM_BYTES = 32 << 20
_GZIP = b"\x1f\x8b"
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""UTF-32 first: its mark begins with the one of UTF-16."""
_CHUNK = 1 << 16


class UnreadableFile(ValueError):
    """A file as a whole cannot be cut into records (code BAD_FILE, BAD_XML or TOO_LARGE).

    `head`: its beginning, enough for a mapping to refuse it as a record; empty where no bytes of it can stand
    for it, or records of it were read already.
    """

    def __init__(self, code: str, detail: str, head: bytes = b"") -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail, self.head = code, detail, head


@contextmanager
def opened(path: Path, read: Read) -> Iterator[IO[bytes]]:
    """The content of a file, plain or gzip. Raises UnreadableFile, also while it is read, and OSError."""
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == _GZIP
            plain.seek(0)
            content: Any = BufferedReader(_Unpacked(plain), _CHUNK) if packed else plain
            head = content.peek(4)[:4]
            mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
            content.read(len(mark))
            encoding = _MARKS.get(mark, "") or (_without_mark(read.encoding) if not mark else "")
            yield BufferedReader(_Decoded(content, encoding, read), _CHUNK) if encoding else cast(IO[bytes], content)
    except (gzip.BadGzipFile, EOFError, zlib.error) as wrong:
        raise UnreadableFile("BAD_FILE", f"the gzip file is damaged: {wrong}") from wrong
    except UnicodeError as wrong:
        detail = f"the file is no {wrong.encoding} text" if isinstance(wrong, UnicodeDecodeError) else f"{wrong}"
        raise UnreadableFile("BAD_FILE", detail) from wrong


def _without_mark(encoding: str) -> str:
    """How to read a file that begins with no mark; empty: as it is. UTF-16 of no stated order is that of Windows."""
    if not is_utf16(encoding):
        return ""
    return "utf-16-be" if encoding.lower().endswith("be") else "utf-16-le"


class _Unpacked(RawIOBase):
    """What a gzip file unpacks to, within bounds."""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed, self._content, self._size = packed, gzip.GzipFile(fileobj=packed), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._content.read(len(buffer))
        buffer[: len(found)] = found
        self._size += len(found)
        bomb = self._size > RATIO_FROM_BYTES and self._size > MAX_RATIO * self._packed.tell()
        if bomb or self._size > MAX_UNPACKED_BYTES:
            bound = f"{MAX_RATIO} times its size" if bomb else f"{MAX_UNPACKED_BYTES >> 30} GiB"
            raise UnreadableFile("TOO_LARGE", f"the gzip file unpacks to more than {bound}; unpack it yourself if that is right")
        return len(found)


class _Decoded(RawIOBase):
    """A text of another encoding in the one that records of its format have."""

    def __init__(self, content: IO[bytes], encoding: str, read: Read) -> None:
        self._content, self._decoder, self._left = content, codecs.getincrementaldecoder(encoding)(), b""
        self._format, self._begun = format_of(read), False
        self._target = self._format.file_encoding(read)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            chunk = self._content.read(_CHUNK)
            text = self._decoder.decode(chunk, final=not chunk)
            if text and not self._begun:
                text, self._begun = self._format.recoded(text), True
            self._left = text.encode(self._target)
            if not chunk:
                break
        found, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(found)] = found
        return len(found)
