"""The command line imports what is called: a question about a code does not wait for Faust, Kafka and the ERP."""

import subprocess
import sys

import pytest

HEAVY = ("faust", "confluent_kafka", "aiohttp", "numpy")
SCRIPT = """
import sys
from app.cli import main
main._wire(sys.argv[1])
print(*(name for name in sys.argv[2:] if name in sys.modules))
print(*(command.name for command in main.app.registered_commands), *(group.name for group in main.app.registered_groups))
"""


def imported(command: str) -> tuple[list[str], list[str]]:
    """(heavy packages that were imported, commands that can be called)."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, command, *HEAVY], capture_output=True, text=True, check=True)
    heavy, commands = done.stdout.split("\n")[:2]
    return heavy.split(), commands.split()


def test_one_command_is_imported_alone() -> None:
    assert imported("explain-code") == ([], ["explain-code"])


@pytest.mark.parametrize("command", ["run", "demo", "parked"])
def test_no_question_and_no_run_needs_faust(command: str) -> None:
    heavy, commands = imported(command)
    assert "faust" not in heavy
    assert commands == [command]


def test_help_knows_every_command() -> None:
    _, commands = imported("")
    assert {"run", "worker", "config", "explain-code", "status"} <= set(commands)
    assert imported("no-such-command")[1] == commands
