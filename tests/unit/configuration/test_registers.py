"""Source formats and ERP adapters are asked what they can do, never what they are called (docs/extending.md)."""

import ast
from pathlib import Path

import pytest

from schemas.configuration.adapters import ADAPTERS, NO_ADAPTER
from schemas.configuration.formats import FORMATS

ROOT = Path(__file__).parents[3]
NAMES = {*FORMATS, *ADAPTERS, NO_ADAPTER}
ASKED = {"format", "adapter", "erp", "wanted"}


def asked_by_name(source: str) -> list[int]:
    """Lines that compare a format or an adapter with a name, by `==`, `in` or `match`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            subjects, texts = [node.left, *node.comparators], [ast.walk(one) for one in (node.left, *node.comparators)]
        elif isinstance(node, ast.Match):
            subjects, texts = [node.subject], [ast.walk(case.pattern) for case in node.cases]
        else:
            continue
        named = {part.value for walk in texts for part in walk if isinstance(part, ast.Constant) and isinstance(part.value, str)}
        if named & NAMES and any(_called(one) in ASKED for one in subjects):
            found.append(node.lineno)
    return found


def _called(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


@pytest.mark.parametrize("layer", ["app", "streams", "tables", "schemas"])
def test_no_place_compares_a_format_or_an_adapter_with_a_name(layer: str) -> None:
    files = sorted((ROOT / layer).rglob("*.py"))
    assert [f"{path.name}:{line}" for path in files for line in asked_by_name(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize(
    "line",
    [
        'if read.format == "csv": pass',
        'x = source.read.format in ("shdr", "ini")',
        'if erp.erp.adapter != "none": pass',
        'match read.format:\n    case "xml":\n        pass',
        'if erp not in ("", "sim", "tryton"): pass',
    ],
)
def test_a_comparison_is_seen(line: str) -> None:
    assert asked_by_name(line) == [1]
