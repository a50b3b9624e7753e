"""docs/extending.md: what it builds is built in a copy of the program, and passes what every format and adapter must pass."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "extending.md"
PARTS = (
    *("app", "streams", "tables", "schemas", "tests/platform", "tests/unit", "tests/integration"),
    *("tests/conftest.py", "pyproject.toml", "lineledger.py"),
)
_STEP = re.compile(r"^(?:New file|In `(\w+)` of) `([^`]+)`:\n\n```\w+\n(.*?)^```$", re.M | re.S)


class Block(NamedTuple):
    """A block of the page: a new file, or lines of the table `table` in a file."""

    table: str
    file: str
    text: str


def blocks(section: str) -> list[Block]:
    """What a section (its heading) makes, in its order."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    return [Block(*found) for found in _STEP.findall(text)]


def built(section: str, folder: Path) -> list[Block]:
    """A copy of the program with what the section makes."""
    for part in PARTS:
        whole, target = ROOT / part, folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if whole.is_dir():
            shutil.copytree(whole, target, ignore=shutil.ignore_patterns("__pycache__", ".cache"))
        else:
            shutil.copy(whole, target)
    made = blocks(section)
    for table, file, text in made:
        target = folder / file
        if not table:
            assert not target.exists(), f"{file} is there already"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            continue
        head, begin, rest = target.read_text(encoding="utf-8").partition(f"\n{table}: ")
        inner, end, tail = rest.partition("\n    }\n")
        assert begin, f"{file} has no {table}"
        assert end, f"{table} of {file} does not end as expected"
        target.write_text(f"{head}{begin}{inner}\n{text.rstrip()}{end}{tail}", encoding="utf-8")
    return made


def run(folder: Path, *command: str) -> str:
    """The output of a Python command in the copy. It must end well."""
    environ = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environ, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return done.stdout


def passed(output: str) -> int:
    found = re.search(r"(\d+) passed", output)
    assert found, output[-2000:]
    assert "skipped" not in output
    return int(found[1])


def lints(folder: Path, made: list[Block]) -> None:
    files = [block.file for block in made if block.file.endswith(".py")]
    run(folder, "-m", "ruff", "check", "--no-cache", *files)
    run(folder, "-m", "ruff", "format", "--no-cache", "--check", *files)


PLANT = """
plant: {id: P, zone: Europe/Prague}
sources:
  gateway:
    read: {format: logfmt, occurred_at: time, equipment: =M1}
    files: "*.log"
    private: [who]
    events:
      - {emit: ProcessValue, name: =n, value: v}
equipment: {M1: {}}
"""


def test_the_format_of_the_page_passes_what_every_format_must(tmp_path: Path) -> None:
    made = built("A source format", tmp_path)
    assert [block.file for block in made if not block.file.startswith("tests/")] == [
        "streams/mapping/formats/logfmt.py",
        "schemas/configuration/formats.py",
    ], "a format is its own module and one registration"
    lints(tmp_path, made)
    suite = "tests/unit/streams/mapping/test_formats.py"
    output = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", suite, "-k", "logfmt or registered")
    assert passed(output) > 10
    config = tmp_path / "config"
    config.mkdir()
    for name, text in (("plant.yaml", PLANT), ("rules.yaml", ""), ("erp.yaml", "")):
        (config / name).write_text(text, encoding="utf-8")
    (tmp_path / "a.log").write_bytes(b'time=2026-11-20T22:00:00Z v=11 who="anna.k"\nnoise\n')
    command = ("-c", "from lineledger import main; main()", "config")
    assert "No problem found" in run(tmp_path, *command, "check", "--config", str(config))
    with pytest.raises(AssertionError, match=r"REFUSED BAD_LINE(.|\n)*BAD_LINE 1   ProcessValue 1"):
        run(tmp_path, *command, "try", "--config", str(config), "a.log")  # ends with 1: one record is refused


ERP = "erp: {adapter: shopbook, url: https://book.example, secret: book%s}\n"
SILENT = """
plant: {id: P, zone: Europe/Prague}
sources: {s: {read: {}, events: [{ignore: true}]}}
"""


def test_the_adapter_of_the_page_passes_what_every_adapter_must(tmp_path: Path) -> None:
    made = built("An ERP adapter", tmp_path)
    assert sorted({str(Path(block.file).parent) for block in made if not block.file.startswith("tests/")}) == [
        "app/erp/shopbook",
        "schemas/configuration",
    ], "an adapter is its own folder and one registration"
    lints(tmp_path, made)
    suites = ("tests/integration/erp/test_shopbook.py", "tests/unit/erp/test_connectors.py")
    assert passed(run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", *suites, "-k", "shopbook or registered")) > 15
    config = tmp_path / "config"
    config.mkdir()
    command = ("-c", "from lineledger import main; main()", "config", "check", "--config", str(config))
    for name, text in (("plant.yaml", SILENT), ("rules.yaml", "on_hold: {receipt: wait}"), ("erp.yaml", ERP % "")):
        (config / name).write_text(text, encoding="utf-8")
    with pytest.raises(AssertionError, match=r"`adapter: shopbook` takes one call at a time; write `concurrency: 1`"):
        run(tmp_path, *command)
    (config / "erp.yaml").write_text(ERP % ", concurrency: 1", encoding="utf-8")
    assert "No problem found" in run(tmp_path, *command)
