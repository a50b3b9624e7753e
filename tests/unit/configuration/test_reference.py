"""docs/configuration.md is complete: every key, function, event, field and code, and its examples are the tested ones."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from schemas.configuration import ErpConfig, PlantConfig, RulesConfig
from schemas.configuration.mapping import Each, EventRule, Function
from streams.mapping.records import CANONICAL, COMMON, READING, fields_of

ROOT = Path(__file__).parents[3]
REFERENCE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
NOT_WRITTEN = {"fields", "line"}


def keys(model: type[BaseModel]) -> Iterator[str]:
    """Every key of a model and of the sections in it, as people write it."""
    schema = model.model_json_schema()
    for section in [schema, *schema.get("$defs", {}).values()]:
        yield from section.get("properties", {})


@pytest.mark.parametrize("model", [PlantConfig, RulesConfig, ErpConfig, Function, Each, EventRule])
def test_every_key_is_described(model: type[BaseModel]) -> None:
    triggers = {"tag", "interval_us", "amount"}  # written as words, not as keys
    described = re.findall(r"[A-Za-z_0-9]+", " ".join(re.findall(r"`[^`]*`", REFERENCE)))
    assert set(keys(model)) - NOT_WRITTEN - triggers <= set(described)


@pytest.mark.parametrize("record", [*CANONICAL, "Output", "OrderItem", "Operation", "Component"])
def test_every_event_and_field_is_described(record: str) -> None:
    row = next(line for line in REFERENCE.splitlines() if line.startswith(f"| {record} |"))
    described = set(re.findall(r"[a-z_]+", row.split("|", 3)[3]))
    assert set(fields_of(record)) - COMMON <= described


def test_every_code_is_described() -> None:
    source = "".join(path.read_text() for path in (ROOT / "streams" / "mapping").glob("*.py"))
    raised = set(re.findall(r'Refusal\(\s*"([A-Z_]+)"', source)) | {"AMBIGUOUS_TIME", "CLOCK_AHEAD"}
    described = set(re.findall(r"^\| ([A-Z_]+) \|", REFERENCE, re.MULTILINE))
    assert len(raised) > 10
    assert raised == described
    assert f"| {READING} |" in REFERENCE


def test_the_examples_are_the_tested_files() -> None:
    shown = re.findall(r"<!-- (\S+) -->\n```\w+\n(.*?)```\n", REFERENCE, re.DOTALL)
    assert len(shown) == 6
    for path, text in shown:
        assert text == (ROOT / path).read_text(encoding="utf-8"), path
