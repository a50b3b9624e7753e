"""Run pytest with one defect planted: `python -m tests.mutants.planted MODULE OLD NEW PYTEST-ARGUMENT ...`.

The module's source is changed while it is imported; no file is written. Exit code: pytest's; 64 when OLD does not stand in
the source exactly once, so that a mutant cannot outlive the line that it was made for.

`in_a_fork` does the same in a process forked from one that has imported what the project imports of others, and nothing of the
project: that import takes longer than most of the tests.
"""

import ast
import multiprocessing
import os
import sys
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from tests.mutants.planting import PlantedFinder, source_of

STALE = 64
PROJECT = Path(__file__).parents[2]
OWN = ("app", "streams", "tables", "schemas", "tests", "benchmarks", "lineledger")
LIMIT_S = 300.0


def main(module: str, old: str, new: str, *arguments: str) -> int:
    if source_of(module).read_text(encoding="utf-8").count(old) != 1:
        return STALE
    sys.meta_path.insert(0, PlantedFinder(module, old, new))
    return int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning", *arguments]))


def in_a_fork(output: Path, *arguments: str) -> int | None:
    """`main` with these arguments, its output in a file; the exit code, None where it took longer than LIMIT_S."""
    child = _server().Process(target=_told, args=(str(output), arguments))
    child.start()
    child.join(LIMIT_S)
    if child.exitcode is None:
        child.kill()
        child.join()
        return None
    return child.exitcode


@cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_of_others()))
    return context


@cache
def _of_others() -> tuple[str, ...]:
    """Modules of other packages that the project's sources import at their top; the server passes over what is not there."""
    found = {"pytest", "hypothesis.stateful"}
    for folder in ("app", "streams", "tables", "schemas"):
        for source in (PROJECT / folder).rglob("*.py"):
            for line in ast.parse(source.read_text(encoding="utf-8")).body:
                if isinstance(line, ast.Import):
                    found |= {name.name for name in line.names}
                elif isinstance(line, ast.ImportFrom) and line.module and not line.level:
                    found.add(line.module)
    return tuple(sorted(name for name in found if name.partition(".")[0] not in OWN))


def _told(output: str, arguments: tuple[str, ...]) -> None:
    os.chdir(PROJECT)
    with Path(output).open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.exit(main(*arguments))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
