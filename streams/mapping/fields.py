"""Fields of records: from an expression of the configuration to a getter of the field's own type, lists included."""

import types
from collections.abc import Callable
from typing import Any, Union, get_args, get_origin

from schemas.configuration.mapping import Each, Nested
from schemas.records import RECORDS, Quantity
from streams.mapping.items import MAX_LIST, Problems, RefusedInMapping
from streams.mapping.paths import compile_path
from streams.mapping.records import TIMES, Field, fields_of
from streams.mapping.scalars import FieldGetter, Scope, flag_field, quantity_field, text_field, whole_field
from streams.mapping.times import compile_time


def compile_field(record: str, field: Field, expression: Any, scope: Scope, problems: Problems) -> FieldGetter:
    """The getter of one field of `record` by the field's type; `expression` is what the rule says."""
    hint = field.hint
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(arg for arg in get_args(hint) if arg is not type(None))
    if hint is Quantity:
        return quantity_field(expression, scope, problems)
    if get_origin(hint) is list:
        return _list(record, field, get_args(hint)[0], expression, scope, problems)
    if field.name in TIMES:
        return compile_time(expression, scope.plant.tables, scope.plant.plant.zone, problems)
    if hint is bool:
        return flag_field(field.name, expression, scope, problems)
    if hint is int:
        return whole_field(field.name, scope.number_text(expression, problems))
    return text_field(record, field.name, expression, scope, problems)


def compile_nested(record: str, expressions: dict[str, Any], scope: Scope, problems: Problems) -> Callable[[Any, Any, int], Any]:
    """A builder of nested records of type `record`. Raises Refusal MISSING_FIELD with the field's name."""
    known = fields_of(record)
    getters: list[tuple[str, FieldGetter, bool]] = []
    for name, expression in expressions.items():
        here = problems.at(name)
        if name not in known:
            here.add(f"{record} has no field `{name}`; it has {', '.join(known)}")
            continue
        getter = compile_field(record, known[name], expression, scope, here)
        getters.append((name, getter, known[name].required))
    missing = [name for name, field in known.items() if field.required and name not in expressions]
    if missing:
        problems.add(f"{record} needs {', '.join(f'`{name}`' for name in missing)}")
    cls = RECORDS[record]

    def build(node: Any, root: Any, arrived_at: int) -> Any:
        values = {}
        for name, getter, required in getters:
            value = getter(node, root, arrived_at)
            if value is None or (required and value == ""):
                if required:
                    raise RefusedInMapping("MISSING_FIELD", f"{record} has no `{name}`")
                continue
            values[name] = value
        return cls(**values)

    return build


def _list(record: str, field: Field, of: Any, expression: Any, scope: Scope, problems: Problems) -> FieldGetter:
    if isinstance(expression, Each):
        each = compile_path(expression.each, problems.at("each"), many=True)
        inner: Any = expression.fields
        if of is str:
            inner = "value" if expression.value is None else expression.value
            if expression.fields:
                problems.add(f"`{field.name}` is a list of texts; use `value` instead of fields")
    elif isinstance(expression, list):
        return _written_out(record, field, of, expression, scope, problems)
    else:
        problems.add(f"`{field.name}` is a list; write {{each: path, ...}} or a list")
        return lambda node, root, arrived_at: None
    itself = of is str and expression.value is None
    if of is str:
        build = text_field(record, field.name, inner, scope, problems)
    else:
        build = compile_nested(of.__name__, inner, scope, problems)

    def get(node: Any, root: Any, arrived_at: int) -> list[Any] | None:
        found = each(node, root)
        if found is None:
            return None
        if not isinstance(found, list):
            raise RefusedInMapping("BAD_FIELD", f"`{expression.each}` is no list")
        if len(found) > MAX_LIST:
            raise RefusedInMapping("BAD_FIELD", f"`{expression.each}` has more than {MAX_LIST} elements")
        built = []
        for index, element in enumerate(found):
            try:
                value = build({"value": element} if itself else element, root, arrived_at)
            except RefusedInMapping as wrong:
                raise RefusedInMapping(wrong.code, f"{field.name}[{index}]: {wrong.detail}") from None
            if value is None or value == "":
                raise RefusedInMapping("MISSING_FIELD", f"{field.name}[{index}] is empty")
            built.append(value)
        return built

    return get


def _written_out(record: str, field: Field, of: Any, items: list[Any], scope: Scope, problems: Problems) -> FieldGetter:
    builders = []
    for index, item in enumerate(items):
        here = problems.at(index)
        if of is str:
            builders.append(text_field(record, field.name, item, scope, here))
        elif isinstance(item, Nested):
            builders.append(compile_nested(of.__name__, item.fields, scope, here))
        else:
            here.add(f"an element of `{field.name}` is a record like {{material: part}}")

    def get(node: Any, root: Any, arrived_at: int) -> list[Any]:
        built = [build(node, root, arrived_at) for build in builders]
        return [value for value in built if value is not None and value != ""]

    return get
