"""I7: no telemetry reaches the ERP. Planted names and values are searched in every recorded call."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

MAX_DEPTH = 3
"""Encodings inside each other that are opened, such as base64 in JSON in a URL."""
CONTEXT_BYTES = 20

_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){6,}")
_ESCAPE = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_PLAIN = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}


@dataclass(slots=True, frozen=True)
class Leak:
    """`request` counts from 0; `form` is how the canary was hidden (raw, url, json, base64, hex, joined by +)."""

    request: int
    canary: str
    form: str
    context: str


def find_leaks(requests: Iterable[bytes], canaries: Iterable[str]) -> list[Leak]:
    """The canaries found, each once per request, in the order of the requests.

    Searched are the raw bytes, and what they are as URL, as JSON text, and where parts of them are base64 or hex.
    Letter case does not matter; a number also counts when it is written with a decimal point or separators (a 12-digit
    value must be planted so that no scaling turns it into something shorter). Raises ValueError for a canary that would
    be found by chance: under 6 characters, or a number under 10 digits.
    """
    wanted = [(canary, _pattern(canary)) for canary in dict.fromkeys(canaries)]
    leaks: list[Leak] = []
    for number, request in enumerate(requests):
        missing = dict(wanted)
        for form, text in _forms(request, "raw", MAX_DEPTH):
            for canary, pattern in list(missing.items()):
                hit = pattern.search(text)
                if hit is not None:
                    around = text[max(0, hit.start() - CONTEXT_BYTES) : hit.end() + CONTEXT_BYTES]
                    leaks.append(Leak(number, canary, form, around.decode("utf-8", "replace")))
                    del missing[canary]
            if not missing:
                break
    return leaks


def forms_of(text: bytes) -> Iterator[tuple[str, bytes]]:
    """The text and everything that can be decoded from it, as (form, bytes)."""
    return _forms(text, "raw", MAX_DEPTH)


def _pattern(canary: str) -> re.Pattern[bytes]:
    """A search that ignores case and, between digits, one separator."""
    if len(canary) < (10 if canary.isdecimal() else 6):
        raise ValueError(f"{canary!r} is too short for a canary: it would be found by chance.")
    if canary.isascii() and canary.isdecimal():
        return re.compile(b"[.,_ ]?".join(re.escape(digit.encode()) for digit in canary))
    spellings = dict.fromkeys(canary.encode(encoding) for encoding in ("utf-8", "utf-16-le"))
    return re.compile(b"|".join(re.escape(spelling) for spelling in spellings), re.IGNORECASE)


def _forms(text: bytes, form: str, depth: int) -> Iterator[tuple[str, bytes]]:
    """The text and everything that can be decoded from it, breadth limited by the text itself, depth by `depth`."""
    yield form, text
    if depth == 0:
        return
    decoded: list[tuple[str, bytes]] = []
    if b"%" in text or b"+" in text:
        decoded.append(("url", unquote_to_bytes(text.replace(b"+", b" "))))
    if b"\\" in text:
        decoded.append(("json", _ESCAPE.sub(_unescaped, text)))
    inner = b"\n".join(piece for match in _BASE64.finditer(text) for piece in _unbased(match.group()))
    if inner:
        decoded.append(("base64", inner))
    inner = b"\n".join(bytes.fromhex(match.group().decode()) for match in _HEX.finditer(text))
    if inner:
        decoded.append(("hex", inner))
    for kind, content in decoded:
        if content != text:
            yield from _forms(content, kind if form == "raw" else f"{form}+{kind}", depth - 1)


def _unescaped(match: re.Match[bytes]) -> bytes:
    code, plain = match.groups()
    if code is None:
        return _PLAIN.get(plain, plain)
    return chr(int(code, 16)).encode("utf-8", "surrogatepass")


def _unbased(text: bytes) -> Iterator[bytes]:
    """What a run of base64 letters says, wherever in it the coded part begins (a path or a word may stand before)."""
    letters = text.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    for start in range(min(4, len(letters))):
        part = letters[start:]
        part = part[: len(part) - 1] if len(part) % 4 == 1 else part
        try:
            yield base64.b64decode(part + b"=" * (-len(part) % 4))
        except binascii.Error:
            continue
