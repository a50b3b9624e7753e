"""The reference of the configuration has every key, function, event, field and code, and its examples are the tested ones."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from app.configuration import load, mappers
from app.configuration.yaml_text import read_yaml
from app.inputs.cut_files import cut
from schemas.configuration import ErpConfig, InstallationConfig, PlantConfig, RulesConfig
from schemas.configuration.mapping import Each, EventRule, Function
from schemas.records import ProcessValue, ScrapDeclared
from streams.mapping import RawRecord, RefusedRecord
from streams.mapping.records import CANONICAL, READING, fields_of
from tables.canonical import ENVELOPE
from tables.plant.local_time import EPOCH
from tables.quantity import decimal_text
from tests.unit.streams.mapping.sources import AT, mapper_of, one

ROOT = Path(__file__).parents[3]
PAGES = ("configuration", "mapping", "counting", "examples")
REFERENCE = "".join((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") for page in PAGES)
NOT_WRITTEN = {"fields", "line"}


def keys(model: type[BaseModel]) -> Iterator[str]:
    """Every key of a model and of the sections in it, as people write it."""
    schema = model.model_json_schema()
    for section in [schema, *schema.get("$defs", {}).values()]:
        yield from section.get("properties", {})


@pytest.mark.parametrize("model", [PlantConfig, RulesConfig, ErpConfig, InstallationConfig, Function, Each, EventRule])
def test_every_key_is_described(model: type[BaseModel]) -> None:
    triggers = {"tag", "interval_us", "amount"}  # written as words, not as keys
    described = re.findall(r"[A-Za-z_0-9]+", " ".join(re.findall(r"`[^`]*`", REFERENCE)))
    assert set(keys(model)) - NOT_WRITTEN - triggers <= set(described)


@pytest.mark.parametrize("record", [*CANONICAL, "Output", "OrderItem", "Operation", "Component"])
def test_every_event_and_field_is_described(record: str) -> None:
    row = next(line for line in REFERENCE.splitlines() if line.startswith(f"| {record} |"))
    described = set(re.findall(r"[a-z_]+", row.split("|", 3)[3]))
    assert set(fields_of(record)) - ENVELOPE <= described


def test_every_code_is_described() -> None:
    source = "".join(path.read_text() for path in (ROOT / "streams" / "mapping").glob("*.py"))
    raised = set(re.findall(r'Refused(?:InMapping|Record)\(\s*"([A-Z_]+)"', source)) | {"AMBIGUOUS_TIME", "CLOCK_AHEAD"}
    described = set(re.findall(r"^\| ([A-Z_]+) \|", REFERENCE, re.MULTILINE))
    assert len(raised) > 10
    assert raised == described
    assert f"| {READING} |" in REFERENCE


def test_the_examples_are_the_tested_files() -> None:
    shown = re.findall(r"<!-- (\S+) -->\n```\w+\n(.*?)```\n", REFERENCE, re.DOTALL)
    assert len(shown) == 14
    for path, text in shown:
        encoding = "cp1250" if path.endswith(".csv") else "utf-8"
        assert text == (ROOT / path).read_text(encoding=encoding), path


EXAMPLES = re.findall(r"\| `(\w+)\b[^|\n]*\|[^\n]*\| `(\{.*\})` reads `(.*)` as `?([^`\n]*?)`? \|\n", REFERENCE)


def test_every_function_has_an_example() -> None:
    assert {function for function, *_ in EXAMPLES} == set(Function.model_fields)


@pytest.mark.parametrize(("function", "expression", "value", "result"), EXAMPLES, ids=[example[1] for example in EXAMPLES])
def test_the_examples_of_functions_are_true(function: str, expression: str, value: str, result: str) -> None:
    content = read_yaml(f"expression: {expression}".encode()).content["expression"]
    assert function in content
    times = function in {"date", "zone", "zones", "ambiguous"}
    rule = {"emit": "OrderClosed", "order": "=1", "occurred_at": content} if times else {"emit": "ProcessValue", "value": content}
    if "unit" in content:
        rule = {"emit": "ScrapDeclared", "quantity": content}
    elif not times:
        rule |= {"name": "=n"}
    mapper = mapper_of([rule], tables={"scrap": {"SHORT": "short_shot"}})
    record = json.dumps({"id": "e", "ts": AT, "rx": AT, "m": "M1", "uom": "ST", "v": "HERE"}).replace('"HERE"', value)
    item = one(mapper, record)
    if isinstance(item, RefusedRecord):
        found = item.code
    elif isinstance(item, ScrapDeclared):
        found = f"{decimal_text(item.quantity.amount, item.quantity.scale)} {item.quantity.unit}"
    elif isinstance(item, ProcessValue):
        found = item.value
    else:
        found = (EPOCH + timedelta(microseconds=item.occurred_at)).isoformat().replace("+00:00", "Z")
    assert found == result


@pytest.mark.parametrize("folder", ["presses", "mill", "weighing", "b2mml"])
def test_the_example_files_are_read_as_the_text_says(folder: str) -> None:
    refused = {"presses": ["NO_MAPPING"], "mill": ["BAD_LINE", "BAD_LINE"], "weighing": ["BAD_DECIMAL"], "b2mml": []}
    configuration = load(ROOT / "tests/data" / folder)
    codes, events = [], 0
    for name, mapper in mappers(configuration).items():
        (sample,) = (
            path
            for path in (ROOT / "tests/data" / folder).iterdir()
            if any(path.match(glob) for glob in configuration.plant.sources[name].files)
        )
        for number, value in cut(sample, mapper.read):
            items = mapper.map(RawRecord(value, name, sample.name, number))
            codes += [item.code for item in items if isinstance(item, RefusedRecord)]
            events += sum(not isinstance(item, RefusedRecord) for item in items)
    assert codes == refused[folder]
    assert events >= 2
