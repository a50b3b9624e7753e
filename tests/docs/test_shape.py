"""The shape of the code that a reader relies on: short files and lists of parameters, one class of a name."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_PARAMETERS, MOST_LINES = 6, 400
FOLDERS = ("app", "benchmarks", "schemas", "streams", "tables", "tests")


def functions(*folders: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """Without the object or class that a method belongs to."""
    takes = function.args
    named = [*takes.posonlyargs, *takes.args, takes.vararg, *takes.kwonlyargs, takes.kwarg]
    return [one.arg for one in named if one is not None and one.arg not in ("self", "cls")]


def test_no_file_has_more_than_four_hundred_lines() -> None:
    """A file is one idea; records.py of schemas is generated."""
    files = [
        path
        for folder in (*FOLDERS, "deploy")
        for path in (ROOT / folder).rglob("*.py")
        if path != ROOT / "schemas" / "records.py"
    ]
    assert len(files) > 300
    long = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").count("\n") for path in files}
    assert {path: lines for path, lines in long.items() if lines > MOST_LINES} == {}


def test_no_function_of_streams_and_tables_has_more_than_six_parameters() -> None:
    assert [where for where, node in functions("streams", "tables") if len(parameters(node)) > MOST_PARAMETERS] == []


def test_a_public_class_name_appears_once() -> None:
    """A search for a name finds one thing; a name of a record (schemas/records.py, generated) is no other class's."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for folder in ("app", "streams", "tables", "schemas"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[node.name].append(str(path.relative_to(ROOT)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_an_executor_is_composed_in_one_place() -> None:
    """A second composition would have a budget, a guard or a lease of its own."""
    composed = {"Executor", "Budget", "OwnErp"}
    places = {
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "app").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in composed
    }
    assert places == {"app/erp/endpoint.py"}
