"""Private values: replaced by a keyed hash before anything else sees them, in events, refusals and kept originals."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from streams.mapping.items import RefusedInMapping
from streams.mapping.paths import DOCUMENT, TEXT, Pick, Repeated, Steps, has
from streams.mapping.shdr_lines import redacted_line

Hash = Callable[[str], str]
UNWRITABLE = RefusedInMapping("BAD_JSON", "the record is nested too deeply or has a number beyond all bounds")
"""Of a record with a private value that cannot be hashed."""
_HASHED = re.compile(r"h:[0-9a-f]{32}")
_exact = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))


def keyed_hash(key: bytes) -> Hash:
    """HMAC-SHA256 of a text, as `h:` and 32 hexadecimal digits. What is such a hash already stays as it is, so that a
    record may pass twice (a file that is written to Kafka, a replay)."""

    def hashed(text: str) -> str:
        if not text or _HASHED.fullmatch(text):
            return text
        return "h:" + hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:32]

    return hashed


def hide(node: Any, paths: Sequence[Steps], hashed: Hash) -> bool:
    """Hash, in place, what stands at `paths` of a decoded record. A name meets a list: in every element of it.

    False when a value there cannot be written down (depth, numbers of thousands of digits)."""
    try:
        for steps in paths:
            _hide(node, steps, hashed)
    except (RecursionError, ValueError):
        return False
    return True


def whole_paths(paths: Sequence[Steps], each: Sequence[Steps]) -> list[Steps]:
    """The same places from the whole JSON object: `paths` start at its elements at `each`, or at the object where it has no such
    list, or with DOCUMENT."""
    of_document = [steps[1:] for steps in paths if steps[0] == DOCUMENT]
    of_record = [steps for steps in paths if steps[0] != DOCUMENT]
    return [*of_document, *of_record, *((*place, *steps) for place in each for steps in of_record)]


def _hide(node: Any, steps: Steps, hashed: Hash) -> None:
    step, rest = steps[0], steps[1:]
    if type(step) is Pick:
        for index, element in enumerate(node if isinstance(node, list) else ()):
            if has(element, step):
                _hide(node, (index, *rest), hashed)
        return
    if isinstance(node, list) and type(step) is str:
        for element in node:
            _hide(element, steps, hashed)
        return
    known = isinstance(node, dict) and step in node
    if not known and not (isinstance(node, list) and type(step) is int and step < len(node)):
        return
    if rest:
        _hide(node[step], rest, hashed)
    else:
        node[step] = _hashed_value(node[step], hashed)


def _hashed_value(value: Any, hashed: Hash) -> Any:
    if type(value) is Repeated:
        return Repeated(_hashed_value(element, hashed) for element in value)
    if type(value) is dict and TEXT in value:
        return hashed(value[TEXT])
    if value is None or type(value) is str:
        return hashed(value) if value else value
    if isinstance(value, msgspec.Raw):
        return hashed(bytes(value).decode())
    return hashed(json.dumps(value, sort_keys=True, default=lambda raw: bytes(raw).decode()))


def redact_json(value: bytes, paths: Sequence[Steps], hashed: Hash) -> bytes:
    """The record with private values hashed and every other number written as before."""
    try:
        node = _exact.decode(value)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return unreadable(value)
    try:
        return msgspec.json.encode(node) if hide(node, paths, hashed) else unreadable(value)
    except (RecursionError, OverflowError):
        return unreadable(value)


def redact_shdr(value: bytes, keys: frozenset[str], hashed: Hash) -> bytes:
    """The line with the values of private keys hashed, also of a line that is damaged otherwise."""
    return redacted_line(value, keys, hashed) or unreadable(value)


def unreadable(value: bytes) -> bytes:
    """What stands for an original in which private values cannot be found because it cannot be read."""
    return f"unreadable original, {len(value)} bytes, sha256 {hashlib.sha256(value).hexdigest()}".encode()
