"""Field paths: `hdr.ts`, `items[0].lot`, `values[id=L1.Parts].v`, `a || b`, `$.plant`, `=constant`. Nothing else is understood.

A getter takes (node, root): the element that paths start at and the whole record, which differ only inside `each`. It
returns what JSON had there, or None where nothing is. XML elements may always be repeated: of one name there is a list
(Repeated), which a path passes when it has one element and refuses (BAD_FIELD) when it has more and the path does not say which.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from streams.mapping.items import MAX_INT64, Problems, RefusedInMapping

Getter = Callable[[Any, Any], Any]


class Pick(NamedTuple):
    """The element of a list whose value at `key` is this text."""

    key: tuple[str, ...]
    text: str


Steps = tuple[str | int | Pick, ...]

TEXT = "#text"
"""Field with the text of an XML element that also has attributes."""
ELEMENT = "_element"
"""Field with the name of the record's element, or of the list that it is an element of."""
DOCUMENT = "$"
"""Field with the whole document of a record that was cut out of one."""

_NAME = r"[^\s.\[\]|=$\"'{}()*?]+"
_KEY = rf"{_NAME}(?:\.{_NAME})*"
_WHICH = rf"\[(?:\d{{1,4}}|{_KEY}=(?:\"[^\"]*\"|[^\"\]][^\]]*))\]"
_PATH = re.compile(rf"{_NAME}(?:{_WHICH})*(?:\.{_NAME}(?:{_WHICH})*)*")
_STEP = re.compile(rf"\[(\d+)\]|\[({_KEY})=(?:\"([^\"]*)\"|([^\]]*))\]|({_NAME})")


class Repeated(list[Any]):
    """The XML elements of one name below one element: texts or fields, at least one."""

    def only(self) -> Any:
        if len(self) == 1:
            return self[0]
        detail = f"{len(self)} elements stand where one is expected; say which one (`name[0]`), or cut the file at them (`each`)"
        raise RefusedInMapping("BAD_FIELD", detail)


class CutDocument(dict[str, Any]):
    """A document that records are cut out of; no JSON object is ever this."""


def compile_path(text: str, problems: Problems, many: bool = False) -> Getter:
    """The getter of a path expression. What cannot be understood is added to `problems`. `many`: a list is wanted."""
    parts = [part.strip() for part in _split_defaults(text)]
    getters = [_compile_part(part, text, problems, many) for part in parts]
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
    return tuple(_step(*groups) for groups in _STEP.findall(text))


def _step(index: str, key: str, quoted: str, text: str, name: str) -> str | int | Pick:
    if name:
        return name
    return Pick(tuple(key.split(".")), quoted or text) if key else int(index)


def _split_defaults(text: str) -> list[str]:
    # A constant may hold `||` only where it stands alone: the subset stays small.
    return [text] if text.startswith("=") else text.split("||")


def _compile_part(part: str, whole: str, problems: Problems, many: bool) -> Getter:
    constant = constant_of(part)
    if constant is not None:
        return lambda node, root: constant
    from_root = part.startswith("$.")
    steps = path_steps(part[2:] if from_root else part)
    if steps is None:
        problems.add(f"`{whole}` is no path; write `a.b`, `a[0].b`, `a[id=x].b`, `a || b`, or `=text` for a constant")
        return lambda node, root: None
    getter = walker(steps, many)
    return (lambda node, root: getter(_top(root), root)) if from_root else getter


def _top(root: Any) -> Any:
    document = root.get(DOCUMENT) if type(root) is dict else None
    return document if type(document) is CutDocument else root


def walker(steps: Steps, many: bool) -> Getter:
    """The getter of a path's steps, from the node on. `many`: a list of elements is passed on as it is."""
    match steps:
        case (str(a),) if not many:

            def one(node: Any, root: Any) -> Any:
                value = node.get(a) if isinstance(node, dict) else None
                return value.only() if type(value) is Repeated else value

            return one
        case (str(a), str(b)) if not many:

            def two(node: Any, root: Any) -> Any:
                inner = node.get(a) if isinstance(node, dict) else None
                if type(inner) is Repeated:
                    inner = inner.only()
                value = inner.get(b) if type(inner) is dict else None
                return value.only() if type(value) is Repeated else value

            return two

    def walk(node: Any, root: Any) -> Any:
        for step in steps:
            if type(step) is str:
                node = node.only() if type(node) is Repeated else node
                node = node.get(step) if isinstance(node, dict) else None
            elif type(step) is Pick:
                node = picked(node, step)
            elif isinstance(node, list) and type(step) is int and step < len(node):
                node = node[step]
            else:
                return None
        return node if many or type(node) is not Repeated else node.only()

    return walk


def picked(node: Any, pick: Pick) -> Any:
    """The only element of the list that has the text; None: no list, or none has it. Raises Refusal BAD_FIELD: several have."""
    found = [element for element in node if has(element, pick)] if isinstance(node, list) else []
    if len(found) > 1:
        raise RefusedInMapping(
            "BAD_FIELD", f"{len(found)} elements with {'.'.join(pick.key)} `{pick.text[:64]}` stand where one is expected"
        )
    return found[0] if found else None


def has(element: Any, pick: Pick) -> bool:
    """Does the element of a list have the text that `pick` asks for?"""
    for name in pick.key:
        element = element.get(name) if isinstance(element, dict) else None
        if type(element) is Repeated:
            element = element[0] if len(element) == 1 else None
    try:
        return scalar_text(element) == pick.text
    except RefusedInMapping:
        return False


def scalar_text(value: Any) -> str | None:
    """A JSON scalar as text: numbers as they were written, true and false as such, None for null; of an XML element with
    attributes its text. Raises Refusal."""
    if value is None or type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        if not -MAX_INT64 <= value <= MAX_INT64:
            raise RefusedInMapping("BAD_FIELD", "a whole number is beyond 64 bits")
        return str(value)
    if type(value) is dict and TEXT in value:
        return scalar_text(value[TEXT])
    raise RefusedInMapping("BAD_FIELD", f"a {'list' if type(value) is list else 'record'} stands where one value is expected")
