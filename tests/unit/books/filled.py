"""Records of which every field is told, from their types."""

from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from schemas import records

SIMPLE: dict[Any, Any] = {str: "text", int: 7, bool: True, bytes: b"original"}


def filled(record: type, **told: Any) -> Any:
    """A record of this type; `told` are fields of it."""
    hints = get_type_hints(record, vars(records))
    return record(**{**{one.name: _value(hints[one.name], one.name) for one in fields(record)}, **told})


def _value(hint: Any, name: str) -> Any:
    if hint in SIMPLE:
        return f"{name} told" if hint is str else SIMPLE[hint]
    if is_dataclass(hint):
        return filled(hint)
    inner = [one for one in get_args(hint) if one is not NoneType]
    if get_origin(hint) is UnionType:
        return _value(inner[0], name)
    if get_origin(hint) is list:
        return [_value(inner[0], name)]
    return {"key|part": _value(inner[1], name)}
