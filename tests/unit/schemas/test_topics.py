"""Names of topics stand once: in the catalog, and as constants."""

import ast
from pathlib import Path

from schemas import topics
from schemas.catalog import catalog

PROJECT = Path(__file__).parents[3]
OF_RAW = "raw"
"""Stands for the topics that plant.yaml names."""
AMBIGUOUS = {"config", "exceptions"}
"""Words that are names of commands, too."""


def constants() -> set[str]:
    return {value for name, value in vars(topics).items() if name.isupper() and isinstance(value, str)}


def test_the_constants_are_the_topics_of_the_catalog() -> None:
    assert constants() == set(catalog().topics) - {OF_RAW}


def literals(source: str) -> list[str]:
    found = [node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)]
    return [value for value in found if isinstance(value, str) and value.lstrip("}{") in constants() - AMBIGUOUS]


def test_a_literal_is_found() -> None:
    assert literals('step.emit("orders.inbox", key, record)') == ["orders.inbox"]


def test_no_code_names_a_topic_by_a_literal() -> None:
    found = {
        str(path.relative_to(PROJECT)): literals(path.read_text(encoding="utf-8"))
        for room in ("app", "streams", "tables")
        for path in sorted((PROJECT / room).rglob("*.py"))
    }
    assert {path: names for path, names in found.items() if names} == {}
