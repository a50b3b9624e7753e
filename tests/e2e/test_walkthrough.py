"""docs/walkthrough.md, typed as it stands: every command works, and what the page shows is what comes out."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from app.demo.recordings import EXCERPTS, recordings
from tests.e2e.command import PROJECT, lineledger
from tests.e2e.exported import rows

PAGE = PROJECT / "docs" / "walkthrough.md"
TIMEOUT_S = 180.0


class Block(NamedTuple):
    """Commands, and the lines that the page shows under them (some of what is printed, in its order)."""

    commands: str
    shown: list[str]


def blocks() -> list[Block]:
    found = re.findall(r"```bash\n(.*?)```(?:\s*```text\n(.*?)```)?", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return [Block(commands, shown.splitlines()) for commands, shown in found]


def comparable(line: str) -> str:
    """Document numbers follow the order of calls, which is the broker's."""
    return re.sub(r"document \d+", "document N", line.rstrip())


def missing(shown: list[str], printed: str) -> str:
    """The first line of the page that was not printed behind the one before it; empty: none."""
    lines = iter(map(comparable, printed.splitlines()))
    return next((line for line in shown if comparable(line) not in lines), "")


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder in which every block was typed in order, and what each one printed."""
    folder = tmp_path_factory.mktemp("walkthrough")
    (folder / "app").symlink_to(PROJECT / "app")
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    printed = []
    for block in blocks():
        done = subprocess.run(
            ["bash", "-ec", block.commands],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, f"{block.commands}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        printed.append(done.stdout)
    return folder, printed


def test_what_the_page_shows_comes_out(typed: tuple[Path, list[str]]) -> None:
    shown = [(block, printed) for block, printed in zip(blocks(), typed[1], strict=True) if block.shown]
    assert len(shown) >= 5
    for block, printed in shown:
        line = missing(block.shown, printed)
        assert not line, f"{block.commands}does not print\n{line}\nbut\n{printed}"


def test_the_sentences_about_the_other_rule(typed: tuple[Path, list[str]]) -> None:
    folder, _ = typed
    counts = [sum(row["kind"] == "scrap" for row in rows(folder / "out" / name / "postings.csv")) for name in ("small", "hourly")]
    pieces = [
        sum(int(row["quantity"]) for row in rows(folder / "out" / name / "postings.csv") if row["kind"] == "yield")
        for name in ("small", "hourly")
    ]
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"there are {counts[1]} scrap postings instead of {counts[0]}" in page
    assert f"Yield is {pieces[0] - pieces[1]} pieces less than before" in page


# The README's own list of commands, on the full demo that `make demo` runs


OF_THE_CLOCK = ("To the ERP", "Speed")
"""Lines of the report that depend on the speed of the machine; so does the note behind a row of the balance."""
OF_THE_RECORDINGS = ("Raw records", "Healed by itself", "machine_time")
"""Lines that the excerpts of the recordings change; the README shows those of the whole ones."""


def comparable_report(report: str) -> list[str]:
    whole = EXCERPTS not in {path.parent for path in recordings()}
    left_out = OF_THE_CLOCK if whole else OF_THE_CLOCK + OF_THE_RECORDINGS
    lines = [re.sub(r"by [\d,]+ requests|   [\d,]+ of posted are in blocked stock", "", line) for line in report.splitlines()]
    return [" ".join(line.split()) for line in lines if line.strip() and not line.startswith(left_out)]


def test_what_the_readme_tells_to_try(tmp_path: Path) -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"## What to try next\n.*?```bash\n(.*?)```", readme, re.DOTALL)
    commands = [line.partition("#")[0].split() for line in block.splitlines()]
    assert len(commands) >= 7
    out = tmp_path / "demo"
    demo = lineledger("demo", "--embedded", "--out", out)
    assert demo.code == 0, demo.said
    (report,) = re.findall(r"## What you see\n.*?```text\n(.*?)```", readme, re.DOTALL)
    assert [
        line for line in comparable_report(report) if line not in comparable_report(demo.stdout.replace(str(out), "out/demo"))
    ] == []
    for name, *arguments in commands:
        assert name == "lineledger"
        if "tryton" in arguments:
            continue  # test_tryton_demo.py runs it
        outcome = lineledger(*(str(out) if argument == "out/demo" else argument for argument in arguments))
        assert outcome.code == 0, outcome.said
        assert len(outcome.stdout) > 60, f"{arguments} shows nothing: {outcome.said}"
        assert not re.search(r"\d/\d|\{'", outcome.stdout), f"{arguments}: a fraction or a dict: {outcome.said}"
