"""The documentation against the program: documents, links, codes, tests, topics and commands are what they say they are."""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path

import pytest

from app.fatal import Exit
from schemas import codes as register
from schemas.catalog import catalog
from tests.docs import codes, commands, decisions, markdown

ROOT = codes.ROOT
REQUIRED = (
    "README.md",
    "CONTRIBUTING.md",
    "LICENSE",
    *(
        f"docs/{name}.md"
        for name in (
            *("architecture", "domain", "faust", "guarantees", "invariants", "exceptions", "walkthrough"),
            *("configuration", "mapping", "counting", "examples"),
            "recordings",
        )
    ),
    *(f"docs/adr/{number:04d}-*.md" for number in range(1, 12)),
)
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
INVARIANTS = [f"I{number}" for number in range(1, 9)]
ACCEPTED_GAPS = {"I4", "I5", "I6", "I8"}
"""Invariants of which docs/invariants.md says that a part has no executable check yet."""
ANNOUNCED: set[str] = set()
"""Commands that messages of the engine and docs/guarantees.md name and that do not exist yet."""
NOBODY_SENDS = {"ERP_UNAVAILABLE"}
"""Codes that are recognised and that nothing in the program sends."""
MACHINE_PATHS = re.compile(r"/(?:work|root|home|tmp)/")

each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


@cache
def document(name: str) -> markdown.Document:
    return markdown.read(ROOT / name)


@cache
def found_codes() -> codes.Found:
    return codes.find(codes.modules(), codes.messages())


@pytest.mark.parametrize("name", REQUIRED)
def test_the_document_exists_and_says_something(name: str) -> None:
    found = list(ROOT.glob(name))
    assert len(found) == 1, f"{name}: {found}"
    assert len(found[0].read_text(encoding="utf-8").splitlines()) > 15


def test_the_readme_begins_with_two_commands_that_the_makefile_has() -> None:
    language, first = document("README.md").blocks[0]
    assert (language, first.splitlines()) == ("bash", ["make demo", "make test"])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"demo", "test"} <= set(re.findall(r"^([\w-]+):", makefile, re.M))


@each_document
def test_links_lead_somewhere(path: Path) -> None:
    for link in markdown.read(path).links:
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{path.name}: {link}"
        assert not anchor or anchor in markdown.read(target).anchors, f"{path.name}: {link}"


@each_document
def test_files_and_tests_that_are_named_exist(path: Path) -> None:
    names = {name for file in (ROOT / "tests").rglob("test_*.py") for name in _tests_in(file)}
    made = set(re.findall(r"^New file `([^`]+)`:", path.read_text(encoding="utf-8"), re.M))
    """By the reader of docs/extending.md."""
    for code in markdown.read(path).inline:
        if code in made:
            continue
        if re.fullmatch(r"(?:app|streams|tables|schemas|tests|deploy|docs|benchmarks)/[\w./*-]+", code) and code == code.lower():
            assert list(ROOT.glob(code.rstrip("/"))), f"{path.name}: {code}"
        elif re.fullmatch(r"(?:\w+/)+test_\w+\.py", code):
            assert (ROOT / "tests" / code).is_file(), f"{path.name}: {code}"
        elif re.fullmatch(r"test_\w+", code):
            assert code in names, f"{path.name}: {code}"
        elif "::" in code:
            file, name = code.split("::")
            assert name in _tests_in(ROOT / file), f"{path.name}: {code}"


@each_document
def test_names_in_files_are_there(path: Path) -> None:
    """`_limit` in `streams/orders/book.py`"""
    for name, file in re.findall(r"`([\w.]+)` in\s+`((?:\w+/)+\w+\.\w+)`", path.read_text(encoding="utf-8")):
        source = (ROOT / file).read_text(encoding="utf-8")
        assert all(re.search(rf"\b{part}\b", source) for part in name.split(".")), f"{path.name}: {name} in {file}"


@each_document
def test_what_is_typed_to_build_and_test_is_there(path: Path) -> None:
    """Targets of make, modules and paths of pytest, without running them."""
    content = markdown.read(path)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([\w./-]+):", makefile, re.M))
    lines = [line for language, block in content.blocks if language == "bash" for line in block.splitlines()] + content.inline
    for line in lines:
        command = line.partition("#")[0].split()
        if command[:1] == ["make"]:
            assert {word for word in command[1:] if "=" not in word} <= targets, f"{path.name}: {line}"
        for module in re.findall(r" -m ([\w.]+)", line) if "python" in line else ():
            assert importlib.util.find_spec(module), f"{path.name}: {line}"
        if "pytest" in command:
            named = [word for word in command[command.index("pytest") + 1 :] if word.startswith("tests/")]
            assert all((ROOT / word).exists() for word in named), f"{path.name}: {line}"


@each_document
def test_no_machine_is_told_of(path: Path) -> None:
    assert not MACHINE_PATHS.search(path.read_text(encoding="utf-8"))


def test_every_invariant_names_its_check_and_its_tests() -> None:
    sections = document("docs/invariants.md").sections("I")
    assert list(sections) == INVARIANTS
    for name, lines in sections.items():
        text = "\n".join(lines)
        assert "\nCheck: " in text, name
        assert re.search(r"^- `tests/[\w/]+\.py::\w+`$", text, re.M), f"{name} names no test"
    assert {name for name, lines in sections.items() if any(line.startswith("- Gap: ") for line in lines)} == ACCEPTED_GAPS


def test_every_trap_of_the_recordings_has_a_rule_and_a_test() -> None:
    header, *found = next(table for table in document("docs/recordings.md").tables() if table[0][0] == "trap")
    assert [row[0] for row in found] == [str(number) for number in range(1, 14)]
    for row in found:
        assert len(row) == len(header) and all(row), row[0]
        assert "::test_" in row[-1], f"trap {row[0]} names no test"


def test_every_code_is_explained_and_every_explained_code_exists() -> None:
    explained = {row[0] for table in _code_tables() for row in table[1:]}
    assert explained - found_codes().codes.keys() == set(), "explained, but nothing in the source"
    missing = {code: sorted(files) for code, files in found_codes().codes.items() if code not in explained}
    assert missing == {}, "in the source, but not in docs/exceptions.md"


def test_no_text_that_looks_like_a_code_stands_in_an_unknown_position() -> None:
    assert {entry for entry in found_codes().unplaced if entry.split()[-1] not in NOBODY_SENDS} == set()


def test_every_row_of_a_table_of_codes_is_filled() -> None:
    tables = _code_tables()
    assert len(tables) >= 8
    for header, *rows in tables:
        assert [row[0] for row in rows] == list(dict.fromkeys(row[0] for row in rows)), "a code stands twice in one table"
        assert all(len(row) == len(header) and all(row) for row in rows)


def test_the_tables_of_codes_are_the_register() -> None:
    text = (ROOT / "docs/exceptions.md").read_text(encoding="utf-8")
    assert text == register.document(text), "run `python -m schemas.codes`"
    assert set(register.sections_of(text)) == {entry.section for entry in register.register()}


def test_a_code_has_one_owner() -> None:
    owners: dict[str, set[str]] = {}
    for entry in register.register():
        owners.setdefault(entry.name, set()).add(entry.owner)
    assert {code: names for code, names in owners.items() if len(names) > 1} == {}


def test_exit_codes_are_unique_and_stand_with_their_numbers() -> None:
    exits = {entry.name: entry.exit for entry in register.register() if entry.exit}
    assert exits == {name: int(code) for name, code in Exit.__members__.items()}
    assert len({int(code) for code in Exit.__members__.values()}) == len(Exit.__members__), "two ends with one number"


def test_the_extractor_sees_every_position() -> None:
    source = '''
"""NOT_A_CODE: this is documentation."""
CHOSEN, TABLE = "x", {}
NAMED = "AS_A_CONSTANT"
BY_STATE = {"locked": "IN_A_TABLE"}
class Wrong(ValueError):
    code = "AS_AN_ATTRIBUTE"
class Exit(IntEnum):
    AS_A_MEMBER = 70
def f(step, row, a):
    refuse(step, "stage", "AS_AN_ARGUMENT", "detail")
    Answer("retry", code="AS_A_KEYWORD")
    Refusal(BY_STATE[a]); Refusal(NAMED); Refusal("SINGLE")
    row.code, row.detail = "IN_A_TUPLE", ""
    code = "ON_ONE_SIDE" if a else "ON_THE_OTHER"
    code = getattr(a, "code", "AS_A_DEFAULT")
    print(f"IN_A_MESSAGE: {a}", os.environ["LINELEDGER_HOME"])
    return {"code": "IN_A_DICT"}, RefusedRecord(a or "AS_A_FALLBACK"), frozenset({"IN_A_TABLE", "SOMEWHERE_ELSE"})
'''
    found = codes.find([codes.Module("app/x.py", ast.parse(source))])
    assert found.codes.keys() == {
        *("AS_A_CONSTANT", "IN_A_TABLE", "AS_AN_ATTRIBUTE", "AS_A_MEMBER", "AS_AN_ARGUMENT", "AS_A_KEYWORD", "SINGLE"),
        *("IN_A_TUPLE", "ON_ONE_SIDE", "ON_THE_OTHER", "AS_A_DEFAULT", "IN_A_MESSAGE", "IN_A_DICT", "AS_A_FALLBACK"),
    }
    assert found.unplaced == ["app/x.py:18 SOMEWHERE_ELSE"]


@each_document
def test_documented_commands_are_accepted_by_the_command_line(path: Path) -> None:
    root, content = commands.command_line(), markdown.read(path)
    for language, block in content.blocks:
        for arguments in commands.in_block(block) if language == "bash" else ():
            assert not (wrong := commands.wrong_with(root, arguments, complete=True)), f"{path.name}: {arguments}: {wrong}"
    for code in content.inline:
        if code.startswith("lineledger ") and code not in ANNOUNCED:
            arguments = code.split()[1:] if "..." not in code else code.partition("...")[0].split()[1:]
            assert not (wrong := commands.wrong_with(root, arguments, complete=False)), f"{path.name}: {code}: {wrong}"


def test_announced_commands_are_still_missing() -> None:
    root = commands.command_line()
    there = {command for command in ANNOUNCED if not commands.wrong_with(root, command.split()[1:], complete=False)}
    assert there == set(), "they exist now: take them off the list"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("lineledger topics plan --bootstrap h:1 --raw a | head  # a comment", ""),
        ("cd x && lineledger reconcile --out o > f", ""),
        ("lineledger topics plan --bootstap h:1", "No such option"),
        ("lineledger trace", "Missing"),
        ("lineledger reconcile now", "unexpected extra"),
        ("lineledger topics era", "has no command era"),
        ("lineledger topics", "a command is missing"),
    ],
)
def test_the_check_of_commands_sees_what_is_wrong(line: str, wrong: str) -> None:
    (arguments,) = commands.in_block(line)
    found = commands.wrong_with(commands.command_line(), arguments, complete=True)
    assert wrong in found if wrong else found == ""


def test_the_table_of_topics_is_the_catalog() -> None:
    (table,) = [
        table
        for table in document("docs/architecture.md").tables()
        if table[0] == ["topic", "key", "owner", "retention", "public"]
    ]
    wanted = [
        [topic.name, topic.key, topic.owner, topic.retention, "yes" if topic.public else "-"]
        for topic in catalog().topics.values()
    ]
    assert table[1:] == wanted


def test_the_table_of_rows_is_the_catalog() -> None:
    (table,) = [
        table for table in document("docs/architecture.md").tables() if table[0] == ["stage", "row", "key", "kept", "after"]
    ]
    wanted = [
        [stage, kind.record, kind.key, kind.keep or "-", kind.after]
        for stage, kinds in catalog().rows.items()
        for kind in kinds.values()
    ]
    assert table[1:] == wanted


@pytest.mark.parametrize("path", decisions.files(), ids=lambda path: path.stem)
def test_a_decision_has_context_decision_and_consequences(path: Path) -> None:
    content = markdown.read(path)
    assert content.prose[0].startswith(f"# {path.stem[:4]} ")
    assert [line for line in content.prose if line.startswith("## ")] == ["## Context", "## Decision", "## Consequences"]


def test_a_decision_has_a_number_of_its_own() -> None:
    numbers = [path.name[:4] for path in decisions.files()]
    assert [number for number in numbers if numbers.count(number) > 1] == []


def test_the_index_of_decisions_has_a_line_for_each() -> None:
    assert decisions.INDEX.read_text(encoding="utf-8") == decisions.index(), "run `python -m tests.docs.decisions`"


def _code_tables() -> list[list[list[str]]]:
    return [table for table in document("docs/exceptions.md").tables() if table[0][0] == "code"]


@cache
def _tests_in(file: Path) -> frozenset[str]:
    """What pytest collects of a module: functions, and test cases that a state machine gives to a name."""
    if not file.is_file():
        return frozenset()
    names = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return frozenset(name for name in names if name.startswith("test_"))
