"""Field paths: `hdr.ts`, `items[0].lot`, `a || b`, `$.plant`, `=constant`. Nothing else is understood.

A getter takes (node, root): the element that paths start at and the whole record, which differ only inside `each`. It
returns what JSON had there, or None where nothing is.
"""

import re
from collections.abc import Callable
from typing import Any

from streams.mapping.items import MAX_INT64, Problems, Refusal

Getter = Callable[[Any, Any], Any]
Steps = tuple[str | int, ...]

_NAME = r"[^\s.\[\]|=$\"'{}()*?]+"
_PATH = re.compile(rf"{_NAME}(?:\[\d{{1,4}}\])*(?:\.{_NAME}(?:\[\d{{1,4}}\])*)*")
_STEP = re.compile(rf"({_NAME})|\[(\d+)\]")


def compile_path(text: str, problems: Problems) -> Getter:
    """The getter of a path expression. What cannot be understood is added to `problems`."""
    parts = [part.strip() for part in _split_defaults(text)]
    getters = [_compile_part(part, text, problems) for part in parts]
    if len(getters) == 1:
        return getters[0]

    def first_present(node: Any, root: Any) -> Any:
        for getter in getters:
            value = getter(node, root)
            if value is not None and value != "":
                return value
        return None

    return first_present


def constant_of(text: str) -> str | None:
    """The constant of `=constant`; None for anything else."""
    return text[1:] if text.startswith("=") else None


def path_steps(text: str) -> Steps | None:
    """The steps of a plain path (no default, no constant, no `$.`); None for anything else."""
    if not _PATH.fullmatch(text):
        return None
    return tuple(name or int(index) for name, index in _STEP.findall(text))


def _split_defaults(text: str) -> list[str]:
    # A constant may hold `||` only where it stands alone: the subset stays small.
    return [text] if text.startswith("=") else text.split("||")


def _compile_part(part: str, whole: str, problems: Problems) -> Getter:
    constant = constant_of(part)
    if constant is not None:
        return lambda node, root: constant
    from_root = part.startswith("$.")
    steps = path_steps(part[2:] if from_root else part)
    if steps is None:
        problems.add(f"`{whole}` is no path; write `a.b`, `a[0].b`, `a || b`, or `=text` for a constant")
        return lambda node, root: None
    getter = _walker(steps)
    return (lambda node, root: getter(root, root)) if from_root else getter


def _walker(steps: Steps) -> Getter:
    match steps:
        case (str(a),):

            def one(node: Any, root: Any) -> Any:
                return node.get(a) if type(node) is dict else None

            return one
        case (str(a), str(b)):

            def two(node: Any, root: Any) -> Any:
                inner = node.get(a) if type(node) is dict else None
                return inner.get(b) if type(inner) is dict else None

            return two

    def walk(node: Any, root: Any) -> Any:
        for step in steps:
            if type(node) is dict and type(step) is str:
                node = node.get(step)
            elif type(node) is list and type(step) is int and step < len(node):
                node = node[step]
            else:
                return None
        return node

    return walk


def scalar_text(value: Any) -> str | None:
    """A JSON scalar as text: numbers as they were written, true and false as such, None for null. Raises Refusal."""
    if value is None or type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        if not -MAX_INT64 <= value <= MAX_INT64:
            raise Refusal("BAD_FIELD", "a whole number is beyond 64 bits")
        return str(value)
    raise Refusal("BAD_FIELD", f"a {'list' if type(value) is list else 'record'} stands where one value is expected")
