"""Text values: a path or a function with its named steps, compiled to one getter of `str | None`."""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.configuration.mapping import Function
from streams.mapping.items import Problems, RefusedInMapping
from streams.mapping.numbers import Step, plain_number
from streams.mapping.paths import Getter, compile_path, constant_of, scalar_text

TextGetter = Callable[[Any, Any], str | None]
Tables = Mapping[str, Mapping[str, str]]


def compile_text(expression: Any, tables: Tables, problems: Problems) -> TextGetter:
    """A getter of the text that `expression` (a path, a constant or a Function) gives; None where nothing is.

    The getter raises Refusal: UNKNOWN_CODE for a value that `codes` or `table` do not list, BAD_FIELD for a list or a
    record.
    """
    if isinstance(expression, str):
        constant = constant_of(expression)
        return (lambda node, root: constant) if constant is not None else _plain(compile_path(expression, problems))
    if not isinstance(expression, Function):
        problems.add("one value is expected here, not a list or a record")
        return lambda node, root: None
    if not expression.path and not expression.join:
        problems.add("`path` is missing; say where the value stands")
        return lambda node, root: None
    if expression.join:
        parts = [compile_text(part, tables, problems.at("join", index)) for index, part in enumerate(expression.join)]
        getter: Getter = _joined(parts, expression.by)
    else:
        getter = compile_path(expression.path, problems.at("path"))
    if expression.split:
        getter = _part(getter, expression.split, expression.part)
    return _through(getter, expression.default, _steps(expression, tables, problems))


def outcomes(expression: Any, tables: Tables) -> list[str] | None:
    """Every text that `expression` can give when that is known from the configuration; None: depends on the record."""
    if isinstance(expression, str):
        constant = constant_of(expression)
        return None if constant is None else [constant]
    if isinstance(expression, Function):
        table = expression.codes if expression.codes is not None else tables.get(expression.table or "")
        if table is not None:
            return [*table.values(), *([] if expression.default is None else [expression.default])]
    return None


def _plain(getter: Getter) -> TextGetter:
    def text(node: Any, root: Any) -> str | None:
        value = getter(node, root)
        return value if type(value) is str else scalar_text(value)

    return text


def _joined(parts: list[TextGetter], by: str) -> Getter:
    def text(node: Any, root: Any) -> str | None:
        found = [part(node, root) for part in parts]
        return by.join(map(str, found)) if all(value and value.strip() for value in found) else None

    return text


def _part(getter: Getter, separator: str, index: int) -> Getter:
    def text(node: Any, root: Any) -> str | None:
        value = scalar_text(getter(node, root))
        parts = [] if value is None else value.split(separator)
        return parts[index] if -len(parts) <= index < len(parts) else None

    return text


def _through(getter: Getter, default: str | None, steps: list[Step]) -> TextGetter:
    def text(node: Any, root: Any) -> str | None:
        value = scalar_text(getter(node, root))
        if value is None or (default is not None and not value.strip()):
            return default
        for step in steps:
            value = step(value)
        return value

    return text


def _steps(function: Function, tables: Tables, problems: Problems) -> list[Step]:
    steps: list[Step] = []
    if function.trim:
        steps.append(str.strip)
    if function.case is not None:
        steps.append(str.upper if function.case == "upper" else str.lower)
    if function.strip_zeros:
        steps.append(without_leading_zeros)
    if function.pad:
        steps.append(_padded(function.pad))
    if function.codes is not None and function.table is not None:
        problems.add("either `codes` or `table`, not both")
    if function.codes is not None:
        steps.append(_looked_up(function.codes, "codes"))
    elif function.table is not None:
        table = tables.get(function.table)
        if table is None:
            known = ", ".join(sorted(tables)) or "none"
            problems.at("table").add(f"`table: {function.table}` is not among `tables` (there: {known})")
        else:
            steps.append(_looked_up(table, f"table {function.table}"))
    if function.number is not None:
        steps.append(plain_number(function.number))
    return steps


def without_leading_zeros(text: str) -> str:
    return text.lstrip("0") or ("0" if text else "")


def _padded(length: int) -> Step:
    return lambda text: text.zfill(length) if text.isdecimal() else text


def _looked_up(table: Mapping[str, str], name: str) -> Step:
    other = table.get("*")

    def look_up(text: str) -> str:
        found = table.get(text, other)
        if found is None:
            raise RefusedInMapping("UNKNOWN_CODE", f"`{text[:64]}` is not in {name}")
        return found

    return look_up
