"""The program does not depend on the folder of its start, nor on other packages called app, streams, tables or schemas."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.command import PROJECT

PACKAGES = ("app", "streams", "tables", "schemas")
CASE = PROJECT / "tests" / "e2e" / "tool_room"
COMMAND = [str(Path(sys.executable).parent / "lineledger")]


@pytest.fixture
def strangers(tmp_path: Path) -> Path:
    """A folder with packages of the same names, and modules that everybody has."""
    folder = tmp_path / "strangers"
    for name in PACKAGES:
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text(f"raise RuntimeError('a stranger called {name}')\n", encoding="utf-8")
    (folder / "typing.py").write_text("raise RuntimeError('a stranger called typing')\n", encoding="utf-8")
    return folder


def _run(arguments: list[str], cwd: Path, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=cwd, env={**os.environ, **(environ or {})}, capture_output=True, text=True, timeout=300, check=False
    )


def _case(folder: Path) -> tuple[Path, list[str]]:
    """Configuration and one file of input that a run takes."""
    config = folder / "config"
    config.mkdir()
    for name in ("plant.yaml", "rules.yaml", "erp.yaml"):
        shutil.copy(PROJECT / "tests" / "e2e" / "live" / name, config)
    (config / "erp.yaml").write_text("erp: {adapter: sim}\n", encoding="utf-8")
    moment = 1_700_000_000_000
    records: list[dict[str, object]] = [
        {"type": "order", "po": "O1", "qty": 100, "id": "o"},
        {"type": "start", "po": "O1", "run": "R1", "id": "r"},
        *({"type": "shots", "n": 100 + n, "seq": n, "id": f"s{n}"} for n in range(5)),
    ]
    lines = [json.dumps({"ts": moment + 1000 * number, "m": "P1", **record}) for number, record in enumerate(records)]
    (folder / "input.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return config, ["--input", f"presses={folder / 'input.jsonl'}"]


def test_a_run_with_its_workers_finds_its_own_packages(strangers: Path, tmp_path: Path) -> None:
    """From a folder that has packages of these names, with the same folder in PYTHONPATH for the command itself."""
    config, inputs = _case(tmp_path)
    out = tmp_path / "out"
    done = _run([*COMMAND, "run", "--embedded", "--config", str(config), *inputs, "--out", str(out)], strangers)
    logs = "".join(path.read_text(errors="replace") for path in sorted((out / "logs").glob("*.log")))
    assert (done.returncode, "stranger" in logs) == (0, False), done.stderr + logs[-3000:]


@pytest.mark.parametrize(
    "command",
    [["--help"], ["worker", "orders", "--bootstrap", "127.0.0.1:1"], ["config", "check", "--config", "x"]],
    ids=lambda command: command[0],
)
def test_commands_find_their_own_packages_whatever_stands_in_pythonpath(strangers: Path, command: list[str]) -> None:
    (strangers / "typing.py").unlink()  # Python's own modules are nobody's to defend
    done = _run([*COMMAND, *command], strangers, {"PYTHONPATH": str(strangers)})
    assert "stranger" not in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert done.returncode in (0, 1, 2)


def test_a_child_needs_no_folder_at_all(tmp_path: Path) -> None:
    """The folder of the start was removed, or may not be read."""
    gone = tmp_path / "gone"
    gone.mkdir()
    script = "import os, subprocess, sys\nos.rmdir(os.getcwd())\nsys.exit(subprocess.run(sys.argv[1:]).returncode)"
    done = _run([sys.executable, "-c", script, *COMMAND, "worker", "nonsense", "--bootstrap", "127.0.0.1:1"], gone)
    assert (done.returncode, "UNKNOWN_STAGE" in done.stderr) == (2, True), done.stderr


LOCK_OUT = """
import ctypes, os, sys
os.chdir(sys.argv[1])
os.chmod(".", 0)
for capability in (1, 2):  # what lets root read everything: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)
os.execv(sys.argv[2], sys.argv[2:])
"""
"""Run a command in a folder that it may not read, also as root."""


def test_a_folder_without_rights_is_no_hindrance(tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    lock_out = [sys.executable, "-c", LOCK_OUT, str(locked)]
    try:
        listed = _run([*lock_out, sys.executable, "-c", "import os; os.listdir('.')"], tmp_path)
        assert "PermissionError" in listed.stderr, "the folder is locked"
        locked.chmod(0o700)
        done = _run([*lock_out, *COMMAND, "worker", "nonsense", "--bootstrap", "127.0.0.1:1"], tmp_path)
    finally:
        locked.chmod(0o700)
    assert (done.returncode, "UNKNOWN_STAGE" in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_written_over_ours_is_named(tmp_path: Path, name: str) -> None:
    """Another distribution with the same name in the same folder: pip writes one over the other."""
    shutil.copy(PROJECT / "lineledger.py", tmp_path)
    for each in PACKAGES:
        shutil.copytree(PROJECT / each, tmp_path / each, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / name / "__init__.py").write_text("VERSION = '3.9'\n", encoding="utf-8")
    done = _run([sys.executable, "-P", str(tmp_path / "lineledger.py"), "app.cli.main", "--help"], tmp_path)
    assert (done.returncode, done.stderr.split(":")[0]) == (2, "PACKAGE_CLASH"), done.stderr
    assert str(tmp_path / name) in done.stderr


def test_a_package_that_was_imported_before_ours_is_named(strangers: Path) -> None:
    (strangers / "tables" / "__init__.py").write_text("", encoding="utf-8")
    script = "import sys; sys.path.insert(0, sys.argv[1]); import tables; sys.path.pop(0); import lineledger; lineledger.main()"
    done = _run([sys.executable, "-P", "-c", script, str(strangers)], PROJECT)
    assert (done.returncode, done.stderr.split(":")[0]) == (2, "PACKAGE_CLASH"), done.stderr
    assert str(strangers / "tables") in done.stderr
