"""docs/commands.md from the command line itself: each command, its options and what its exit code 1 says.

As a program (`python -m app.cli.reference`) it writes the document anew; tests/docs compares the two.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from app.cli import main
from app.cli.exits import SAYS_1

DOCUMENT = Path(__file__).parents[2] / "docs" / "commands.md"
_TABLE = re.compile(r"<!-- commands -->\n.*?<!-- end of commands -->", re.S)


def commands() -> dict[str, list[str]]:
    """Command -> its options and arguments as people type them; hidden ones left out."""
    if not main.app.registered_commands:
        main._wire()
    return dict(sorted(_below(typer.main.get_command(main.app), ())))


def _below(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    if not hasattr(command, "commands"):
        yield " ".join(path), [_typed(one) for one in command.params if not getattr(one, "hidden", False)]
        return
    for name, inner in command.commands.items():
        yield from _below(inner, (*path, name))


def _typed(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        name = str(parameter.name).upper()
        return name if parameter.required else f"[{name}]"
    return str(max(parameter.opts, key=len))


def table() -> str:
    """The table in Markdown, with a line per command."""
    rows = ["| command | takes | 1 says |", "| --- | --- | --- |"]
    rows += [
        f"| `{name}` | {' '.join(f'`{one}`' for one in takes)} | {SAYS_1[name] or '-'} |" for name, takes in commands().items()
    ]
    return "\n".join(rows)


def document(text: str) -> str:
    """docs/commands.md with the table between its marks."""
    return _TABLE.sub(lambda _: f"<!-- commands -->\n{table()}\n<!-- end of commands -->", text)


if __name__ == "__main__":
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
