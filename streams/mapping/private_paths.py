"""Where a source has private values: stated paths, and those from which a rule reads a person."""

from collections.abc import Iterator
from typing import Any

from schemas.configuration.mapping import Function, Source
from schemas.configuration.plant import PlantConfig
from streams.mapping.formats import format_of
from streams.mapping.items import Problems
from streams.mapping.paths import Steps
from streams.mapping.records import PERSONS


def maps_private(plant: PlantConfig) -> bool:
    """Does any source of the plant have values that leave it as hashes only?"""
    for source in plant.sources.values():
        if source.private or plant.private or any(PERSONS & emission.fields.keys() for emission in source.emissions):
            return True
    return False


def private_paths(source: Source, plant: PlantConfig, problems: Problems) -> list[Steps]:
    """Paths to hash: the stated ones, and those from which a rule reads a person. What a path is, the format says."""
    format_ = format_of(source.read)
    found: dict[Steps, None] = {}
    for index, text in enumerate([*source.private, *plant.private]):
        steps = format_.private_steps(text)
        if steps is None:
            problems.at("private", index).add(f"`{text}` is no plain path; write `a.b`")
        else:
            found[steps] = None
    if format_.hides_people:
        for rule in source.emissions:
            for expression in (rule.fields[name] for name in PERSONS & rule.fields.keys()):
                for path in _read_at(expression):
                    steps = format_.private_steps(path)
                    if steps is not None:
                        found[steps] = None
    return list(found)


def _read_at(expression: Any) -> Iterator[str]:
    """The plain paths that an expression reads: `a || b` are two."""
    if isinstance(expression, str):
        yield from (part.strip() for part in expression.split("||"))
    elif isinstance(expression, Function):
        for part in expression.join or [expression.path]:
            yield from _read_at(part)
