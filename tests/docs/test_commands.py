"""docs/commands.md against the command line: every command and option is there, and every option that a document names exists."""

import ast
import re
from pathlib import Path

import pytest

from app.cli import exits, reference
from tests.docs import markdown
from tests.docs.codes import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
NOT_OURS = {"--alter", "--topic", "--add-config", "--help", "--version", "--hash"}
"""Options of Kafka's own tools, and of every command."""
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def test_the_document_is_written_from_the_command_line() -> None:
    text = reference.DOCUMENT.read_text(encoding="utf-8")
    assert reference.document(text) == text, "python -m app.cli.reference writes it anew"


def test_every_command_says_what_1_means() -> None:
    assert exits.SAYS_1.keys() == reference.commands().keys()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_option_that_is_named_exists(path: Path) -> None:
    there = {option for takes in reference.commands().values() for option in takes} | NOT_OURS
    content = markdown.read(path)
    texts = [*(block for language, block in content.blocks if language in ("bash", "")), *content.inline]
    named = {option for text in texts if "lineledger" in text or text.startswith("--") for option in _OPTION.findall(text)}
    assert named <= there, f"{path.name}: {sorted(named - there)}"


def test_exit_codes_stand_in_one_place() -> None:
    """A command that ends with a number of its own would not be in the table."""
    own = []
    for path in sorted((ROOT / "app" / "cli").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Exit"):
                own += [f"{path.name}:{node.lineno}" for one in node.args if isinstance(one, ast.Constant)]
    assert own == []
