"""One contestant over one workload: a process of its own, on topics of its own, so that every one starts cold."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.workload import Workload, drop, load

PROJECT = Path(__file__).parents[1]
TIMEOUT_SECONDS = 300
_LOADER = (
    "import json, sys; from benchmarks.workload import load; "
    "print(json.dumps(load(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).prefix))"
)


@dataclass(slots=True)
class Contestant:
    """`module` folds `readings` in frames of `per_frame`, a share of `late` out of order. `tree`: the program's files."""

    name: str
    module: str
    readings: int
    per_frame: int
    late: float = 0.0
    tree: Path = PROJECT
    results: list[dict[str, float]] = field(default_factory=list)

    def compete(self, bootstrap: str, folder: Path) -> None:
        work = self._load(bootstrap)
        try:
            self.results.append(self._run(bootstrap, work, folder / f"{len(self.results)}-{self.name.replace(' ', '-')}"))
        finally:
            drop(bootstrap, work.prefix)

    def _load(self, bootstrap: str) -> Workload:
        if self.tree == PROJECT:
            return load(bootstrap, self.readings, self.per_frame, self.late)
        # Another revision writes its own frames: its schemas may differ.
        command = [sys.executable, "-c", _LOADER, bootstrap, str(self.readings), str(self.per_frame)]
        out = subprocess.run(command, cwd=self.tree, stdout=subprocess.PIPE, check=True, timeout=TIMEOUT_SECONDS).stdout
        frames = self.readings // self.per_frame
        return Workload(json.loads(out), frames * self.per_frame, frames)

    def _run(self, bootstrap: str, work: Workload, directory: Path) -> dict[str, float]:
        read, write = os.pipe()
        command = [sys.executable, "-m", f"benchmarks.{self.module}", bootstrap, work.prefix]
        command += [str(work.frames), str(work.readings), str(directory)]
        environ = {**os.environ, "RESULT_FD": str(write)}
        log = directory.parent / f"{directory.name}.log"
        with log.open("wb") as errors:
            process = subprocess.Popen(
                command, cwd=self.tree, stdout=subprocess.PIPE, stderr=errors, pass_fds=(write,), env=environ
            )
            os.close(write)
            out, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        with os.fdopen(read, "rb") as pipe:
            out += pipe.read()
        found = re.search(rb'\{"rate".*\}', out)
        if found is None:
            raise RuntimeError(f"{self.name} gave no figure:\n{log.read_text(errors='replace')[-2000:]}")
        result: dict[str, float] = json.loads(found[0])
        return result


@contextmanager
def revision(name: str, folder: Path) -> Iterator[Path]:
    """The files of a revision of this project, for as long as the context lasts."""
    tree = folder / f"tree-{name}"
    subprocess.run(["git", "-C", str(PROJECT), "worktree", "add", "--quiet", "--detach", str(tree), name], check=True)
    try:
        yield tree
    finally:
        subprocess.run(["git", "-C", str(PROJECT), "worktree", "remove", "--force", str(tree)], check=True)
