"""Records and text of other systems as people read them: one line, safe on a terminal."""

import json
from typing import Any

from app.ledger.questions.moments import iso
from schemas.codec import Codec, Malformed, UnknownSchema
from tables.canonical import ENVELOPE
from tables.quantity import decimal_text

_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """`text` in one line: a line break is `\\n`, what no terminal should get a replacement character."""
    return "".join(_ESCAPES.get(sign) or (sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}") for sign in text)


def original_text(original: bytes, codec: Codec) -> str:
    """What a dead letter kept: the text that came in; of what a later stage refused the fields of the record."""
    try:
        name, fields = codec.fields(original)
    except (Malformed, UnknownSchema):
        return original.decode(errors="replace")
    shown = {key: iso(value) if _is_moment(key, value) else readable(value) for key, value in fields.items()}
    said = {key: shown[key] for key in sorted(shown, key=ENVELOPE.__contains__) if shown[key] not in ("", [], {}, None)}
    return f"{name} {json.dumps(said, ensure_ascii=False, default=str)}"


def readable(value: Any) -> Any:
    """A field: quantities as decimals with their unit."""
    if isinstance(value, dict) and value.keys() == {"amount", "scale", "unit"}:
        return f"{decimal_text(value['amount'], value['scale'])} {value['unit']}"
    if isinstance(value, dict):
        return {key: readable(one) for key, one in value.items()}
    return [readable(one) for one in value] if isinstance(value, list) else value


def _is_moment(name: str, value: Any) -> bool:
    return isinstance(value, int) and value > 0 and (name == "at" or name.endswith("_at"))
