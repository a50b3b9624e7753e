"""Which columns a csv source reads: a header without one of them is refused, so that a renamed column is never silently empty."""

from collections.abc import Iterator
from typing import Any

from schemas.configuration.mapping import Function, Nested, Source
from streams.mapping.paths import path_steps


def wanted_columns(source: Source) -> list[frozenset[str]]:
    """A set of names per path expression: one of `a || b` must be there. None where a constant stands in for all."""
    found = {names: None for text in _texts(source) if (names := _alternatives(text))}
    return list(found)


def _texts(source: Source) -> Iterator[str]:
    read = source.read
    yield from source.private
    if read.event_id not in ("content", "position"):
        yield read.event_id
    if read.received_at != "running_max":
        yield from _paths(read.received_at)
    for expression in (read.sequence, read.occurred_at, read.equipment, read.correlation_id):
        yield from _paths(expression)
    for emission in source.emissions:
        yield from (*emission.when, *emission.unless)
        yield from _paths(list(emission.fields.values()))


def _paths(expression: Any) -> Iterator[str]:
    if isinstance(expression, str):
        yield expression
    elif isinstance(expression, Function):
        if expression.default is None:
            yield from _paths(expression.join or expression.path)
        yield from _paths(expression.unit)
    elif isinstance(expression, list):
        for item in expression:
            yield from _paths(item)
    elif isinstance(expression, Nested):
        yield from _paths(list(expression.fields.values()))


def _alternatives(text: str) -> frozenset[str]:
    parts = [part.strip() for part in text.split("||")]
    if any(part.startswith("=") for part in parts):
        return frozenset()
    steps = [path_steps(part.removeprefix("$.")) for part in parts]
    return frozenset(str(found[0]) for found in steps if found)
