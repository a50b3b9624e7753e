"""`python -m benchmarks.recorded [--short]`: a moulding shop's history by `lineledger run`, at clock steps of 10 min and of 60 s.

Each run is a process of its own, from its start to its report, without an ERP. The steps take turns: a slow minute hits both.
The last line is the result as JSON. Exit 1: a run was not exact, or beyond the goal for time or memory (not with --short).
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.plants import moulding

PROJECT = Path(__file__).parents[1]
CONFIG = PROJECT / "tests" / "data" / "moulding"
STEP = "step: 10 min"
STEPS = {"10 min": STEP, "60 s": "step: 60 s"}
REPEATS = 3
WHOLE, SHORT = moulding.Size(16, 46, 25), moulding.Size(1, 4, 1200)
"""About 600,000 shots, and about 200."""
GOAL_SECONDS, GOAL_MB = 20.0, 700


class Spent(NamedTuple):
    seconds: float
    cpu_seconds: float
    peak_mb: int


def main(short: bool) -> int:
    load = os.getloadavg()[0]
    print(f"load average {load:.2f}, {os.cpu_count()} cores", flush=True)
    spent: dict[str, list[Spent]] = {step: [] for step in STEPS}
    with tempfile.TemporaryDirectory(prefix="lineledger-bench-") as directory:
        base = Path(directory)
        shop = moulding.generate(base / "exports", 1, SHORT if short else WHOLE)
        for number in range(1 if short else REPEATS):
            for step in STEPS:
                spent[step].append(_run(base, step, list(shop.files.values())))
                print(f"{number + 1}. {step}: {spent[step][-1]}", flush=True)
    result: dict[str, Any] = {"shots": shop.shots, "load": load, "short": short}
    for step, runs in spent.items():
        medians = Spent(*(statistics.median(values) for values in zip(*runs, strict=True)))  # type: ignore[arg-type]
        result[step] = {**medians._asdict(), "shots_per_second": round(shop.shots / medians.seconds)}
    result["cpu_60s_to_10min"] = round(result["60 s"]["cpu_seconds"] / result["10 min"]["cpu_seconds"], 2)
    print(json.dumps(result), flush=True)
    worst = result["60 s"]
    return 0 if short or (worst["seconds"] <= GOAL_SECONDS and worst["peak_mb"] <= GOAL_MB) else 1


def _run(base: Path, step: str, files: Sequence[Path]) -> Spent:
    """Raises RuntimeError when it was not exact."""
    config, out = base / "config", base / "out"
    for old in (config, out):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(CONFIG, config)
    plant = config / "plant.yaml"
    text = plant.read_text(encoding="utf-8")
    if STEP not in text:
        raise RuntimeError(f"{CONFIG}: the clock's step is another one now")
    plant.write_text(text.replace(STEP, STEPS[step]), encoding="utf-8")
    inputs = [word for path in files for word in ("--input", str(path))]
    command = [sys.executable, "-m", "app.cli.main", "run", "--config", str(config), *inputs, "--erp", "none", "--out", str(out)]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"a run at {step} ended with exit code {process.returncode}")
    seconds, cpu = time.monotonic() - began, used.ru_utime + used.ru_stime
    return Spent(round(seconds, 2), round(cpu, 2), used.ru_maxrss // 1024)


if __name__ == "__main__":
    sys.exit(main("--short" in sys.argv[1:]))
