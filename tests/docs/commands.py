"""Documented `lineledger` commands against the real command line, without running them."""

import shlex
from typing import Any

import typer

from app.cli import main

_PLACEHOLDER_ERRORS = frozenset({"MissingParameter", "BadOptionUsage"})
"""What is wrong with a command that a sentence only names, and what a reader completes."""


def command_line() -> Any:
    """The command tree as `lineledger` has it."""
    if not main.app.registered_commands:
        main._wire()
    return typer.main.get_command(main.app)


def in_block(text: str) -> list[list[str]]:
    """Arguments of each lineledger command in a shell block: comments, pipes and redirections left out."""
    parts = [part for line in text.splitlines() for part in _simple_commands(line)]
    return [part[1:] for part in parts if part and part[0] == "lineledger"]


def _simple_commands(line: str) -> list[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    parts: list[list[str]] = [[]]
    for token in lexer:
        if set(token) <= set("|&;<>"):
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def wrong_with(root: Any, arguments: list[str], complete: bool) -> str:
    """Why the command line refuses `arguments`; empty: it does not. Not `complete`: what is left out may be missing."""
    command, name, rest = root, "lineledger", list(arguments)
    while hasattr(command, "commands"):
        if not rest and command is not root and command.invoke_without_command:
            return ""
        if not rest:
            return "" if not complete else f"{name}: a command is missing"
        if rest[0] in ("--help", "--version"):
            return ""
        if command is not root and command.invoke_without_command and rest[0].startswith("-"):
            break
        if rest[0] not in command.commands:
            return f"{name} has no command {rest[0]}"
        name = rest.pop(0)
        command = command.commands[name]
    if "--help" in rest:
        return ""
    try:
        command.make_context(name, rest)
    except Exception as refused:  # the command line library keeps its exceptions to itself
        if not complete and type(refused).__name__ in _PLACEHOLDER_ERRORS:
            return ""
        return f"{name}: {refused}"
    return ""
