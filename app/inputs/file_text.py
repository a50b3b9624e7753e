"""The bytes of a file as its records have them: unpacked, without byte order mark, and UTF-8 where it is UTF-16."""

import codecs
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any, cast

from app.inputs.packed import DAMAGE, TooLarge, Unpacked, packing_of
from schemas.configuration.mapping import Read
from schemas.configuration.values import is_utf16
from streams.mapping.formats import format_of

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


Follow = Callable[[IO[bytes]], None]
"""Told the file itself, whose `tell` says how much of it was read, packed as it is."""


def nobody(file: IO[bytes]) -> None:
    """Nobody looks how far a file is read."""


@contextmanager
def opened(path: Path, read: Read, follow: Follow = nobody) -> Iterator[IO[bytes]]:
    """The content of a file, plain, gzip or zstd. Raises UnreadableFile, also while it is read, and OSError."""
    name = ""
    try:
        with path.open("rb") as plain:
            follow(plain)
            packing = packing_of(plain.read(4))
            plain.seek(0)
            content: Any = plain
            if packing is not None:
                name, content = packing.name, BufferedReader(Unpacked(plain, packing), _CHUNK)
            head = content.peek(4)[:4]
            mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
            content.read(len(mark))
            encoding = _MARKS.get(mark, "") or (_without_mark(read.encoding) if not mark else "")
            yield BufferedReader(_Decoded(content, encoding, read), _CHUNK) if encoding else cast(IO[bytes], content)
    except DAMAGE as wrong:
        raise UnreadableFile("BAD_FILE", f"the {name} file is damaged: {wrong}") from wrong
    except TooLarge as wrong:
        raise UnreadableFile("TOO_LARGE", f"{wrong}") from wrong
    except UnicodeError as wrong:
        detail = f"the file is no {wrong.encoding} text" if isinstance(wrong, UnicodeDecodeError) else f"{wrong}"
        raise UnreadableFile("BAD_FILE", detail) from wrong


def _without_mark(encoding: str) -> str:
    """How to read a file that begins with no mark; empty: as it is. UTF-16 of no stated order is that of Windows."""
    if not is_utf16(encoding):
        return ""
    return "utf-16-be" if encoding.lower().endswith("be") else "utf-16-le"


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
