"""The command line as people use it: a process of its own, with a time limit."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
TIMEOUT_S = 300.0
"""Of one command. The longest one here takes less than a minute on two cores."""


@dataclass(slots=True, frozen=True)
class Outcome:
    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def said(self) -> str:
        """Both streams, for the message of an assertion."""
        return f"exit {self.code}\n{self.stdout[-3000:]}\n{self.stderr[-3000:]}"


def lineledger(*arguments: str | Path, environ: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S) -> Outcome:
    """Run `lineledger ARGUMENTS`. Raises subprocess.TimeoutExpired."""
    done = subprocess.run(
        [sys.executable, "-m", "app.cli.main", *map(str, arguments)],
        cwd=PROJECT,
        env={**os.environ, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
