"""Files packed with gzip or zstd, told by their first bytes: unpacked as they are read, within bounds."""

import gzip
import zlib
from collections.abc import Callable
from io import RawIOBase
from typing import IO, Any, NamedTuple, Protocol

import zstandard

MAX_UNPACKED_BYTES = 64 << 30
"""Of one packed file."""
MAX_RATIO = 300
"""Unpacked to packed bytes, as soon as more than RATIO_FROM_BYTES came out: telemetry packs 10 to 100 times, a bomb 1000."""
RATIO_FROM_BYTES = 32 << 20
DAMAGE = (gzip.BadGzipFile, EOFError, zlib.error, zstandard.ZstdError)
"""What reading a damaged file raises."""
_PACKED_BYTES = 1 << 10
"""Of a zstd file at once: a block of 128 KiB may come out of four bytes."""


class TooLarge(ValueError):
    """More came out than a file of measured values packs to."""


class _Unpacking(Protocol):
    def read(self, most: int, /) -> bytes:
        """At most so many bytes; none at the end. Raises one of DAMAGE."""
        ...


class _Zstd:
    """The frames of a zstd file, one behind the other. (The library's own reader takes one that was cut off for whole.)"""

    def __init__(self, packed: IO[bytes]) -> None:
        self._packed, self._left = packed, b""
        self._frame: Any = None
        """The frame that is read; None: between two frames."""

    def read(self, most: int, /) -> bytes:
        while not self._left:
            chunk = self._packed.read(_PACKED_BYTES)
            if not chunk:
                if self._frame is not None:
                    raise EOFError("it ends in the middle of a frame")
                return b""
            if self._frame is None:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._left = self._frame.decompress(chunk)
            if self._frame.eof:
                self._packed.seek(-len(self._frame.unused_data), 1)
                self._frame = None
        found, self._left = self._left[:most], self._left[most:]
        return found


class Packing(NamedTuple):
    """`begins`: the possible first bytes of a file of this kind."""

    begins: tuple[bytes, ...]
    name: str
    open: Callable[[IO[bytes]], _Unpacking]


PACKINGS = (
    Packing((b"\x1f\x8b",), "gzip", lambda packed: gzip.GzipFile(fileobj=packed)),
    Packing((b"\x28\xb5\x2f\xfd", *(b"%c\x2a\x4d\x18" % kind for kind in range(0x50, 0x60))), "zstd", _Zstd),
)
SUFFIXES = (".gz", ".zst")
"""What a packed file is usually called behind its own name. Nothing is decided by it but which source a file belongs to."""


def packing_of(head: bytes) -> Packing | None:
    """By the first bytes of a file; None: it is not packed."""
    return next((packing for packing in PACKINGS if head.startswith(packing.begins)), None)


class Unpacked(RawIOBase):
    """What a packed file unpacks to. Reading raises TooLarge, and one of DAMAGE."""

    def __init__(self, packed: IO[bytes], packing: Packing) -> None:
        self._packed, self._name, self._content, self._size = packed, packing.name, packing.open(packed), 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._content.read(len(buffer))
        buffer[: len(found)] = found
        self._size += len(found)
        bomb = self._size > RATIO_FROM_BYTES and self._size > MAX_RATIO * self._packed.tell()
        if bomb or self._size > MAX_UNPACKED_BYTES:
            bound = f"{MAX_RATIO} times its size" if bomb else f"{MAX_UNPACKED_BYTES >> 30} GiB"
            raise TooLarge(f"the {self._name} file unpacks to more than {bound}; unpack it yourself if that is right")
        return len(found)
