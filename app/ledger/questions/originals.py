"""Records and text of other systems as people read them: one line, safe on a terminal."""

import json
import struct
from typing import Any

from app.ledger.questions.moments import iso
from schemas.codec import Codec, Malformed, UnknownSchema
from schemas.records import ExceptionRecord
from tables.canonical import ENVELOPE
from tables.quantity import decimal_text

_READING = struct.Struct("<4q")
"""A reading as frames carry it: value in the counter's steps, moment, number in its sequence, raw offset."""
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """`text` in one line: a line break is `\\n`, what no terminal should get a replacement character."""
    return "".join(_ESCAPES.get(sign) or (sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}") for sign in text)


def original_text(letter: ExceptionRecord, codec: Codec) -> str:
    """What a dead letter kept: the text that came in; of what a later stage refused the fields of the record."""
    original = letter.original
    if letter.kind == "CounterReading" and len(original) == _READING.size:  # one of a frame
        return f"CounterReading {json.dumps(_reading(original))}"
    try:
        name, fields = codec.fields(original)
    except (Malformed, UnknownSchema):
        return original.decode(errors="replace")
    shown = {key: iso(value) if _is_moment(key, value) else readable(value) for key, value in fields.items()}
    said = {key: shown[key] for key in sorted(shown, key=ENVELOPE.__contains__) if shown[key] not in ("", [], {}, None)}
    return f"{name} {json.dumps(said, ensure_ascii=False, default=str)}"


def _reading(packed: bytes) -> dict[str, Any]:
    value, at, seq, place = _READING.unpack(packed)
    shown = {"value": value, "occurred_at": iso(at), "raw_offset": place}
    return shown if seq < 0 else {**shown, "seq": seq}


def readable(value: Any) -> Any:
    """A field: quantities as decimals with their unit, readings of a frame one by one."""
    if isinstance(value, bytes) and value and len(value) % _READING.size == 0:
        return [_reading(value[at : at + _READING.size]) for at in range(0, len(value), _READING.size)]
    if isinstance(value, dict) and value.keys() == {"amount", "scale", "unit"}:
        return f"{decimal_text(value['amount'], value['scale'])} {value['unit']}"
    if isinstance(value, dict):
        return {key: readable(one) for key, one in value.items()}
    return [readable(one) for one in value] if isinstance(value, list) else value


def _is_moment(name: str, value: Any) -> bool:
    return isinstance(value, int) and value > 0 and (name == "at" or name.endswith("_at"))
