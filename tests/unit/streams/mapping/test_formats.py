"""Every source format of the register passes the same cases, and the documents name it."""

import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest

from schemas.configuration.formats import FORMATS
from streams.mapping import formats
from tests.unit.streams.mapping.contract import CASES, Case, Example, case_name

MAPPED = [name for name, entry in FORMATS.items() if not entry.of_people]
PARTS = {"contract", "loading"}


@pytest.mark.parametrize("case", CASES, ids=case_name)
@pytest.mark.parametrize("name", MAPPED)
def test_contract(name: str, case: Case, tmp_path: Path) -> None:
    example: Example = import_module(f"tests.unit.streams.mapping.examples.{name}").EXAMPLE
    assert example.format == name
    case(example, tmp_path)


def test_each_format_has_a_module_and_each_module_is_registered() -> None:
    assert {module.name for module in pkgutil.iter_modules(formats.__path__)} - PARTS == FORMATS.keys()


def test_the_documents_name_the_formats_and_their_settings() -> None:
    text = (Path(__file__).parents[4] / "docs" / "mapping.md").read_text(encoding="utf-8")
    row = re.search(r"^\| `read\.format` \| ([^(]+) \(json\)", text, re.MULTILINE)
    assert row is not None
    assert row[1].split(", ") == list(FORMATS)
