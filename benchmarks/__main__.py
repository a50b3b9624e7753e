"""`python -m benchmarks [--short]`: equipment against plain Faust in the same run, then the whole chain.

The gate is the ratio (machines differ); absolute figures and the load average are printed beside it. Exit 1: a gate failed.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chain import chain_rate
from benchmarks.workload import Workload, drop, load
from tests.platform import available

REPEATS, RATIO_GATE, FRAMES_GATE, GAP_GATE, CHAIN_GATE = 3, 8.0, 1_000_000, 1.5, 20_000
SHORT_RATIO_GATE = 5.0
"""One short round on a busy machine scatters; it only guards against a collapse."""
TIMEOUT_SECONDS = 180


def contest(module: str, bootstrap: str, work: Workload, directory: Path, readings: int) -> dict[str, float]:
    """One process of a contestant over the workload; its figures."""
    read, write = os.pipe()
    command = [
        sys.executable,
        "-m",
        module,
        bootstrap,
        work.prefix,
        str(readings // work.per_frame),
        str(readings),
        str(directory),
    ]
    with (directory.parent / f"{directory.name}.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, pass_fds=(write,), env={**os.environ, "RESULT_FD": str(write)}
        )
        os.close(write)
        out, _ = process.communicate(timeout=TIMEOUT_SECONDS)
    with os.fdopen(read, "rb") as pipe:
        out += pipe.read()
    found = re.search(rb'\{"rate".*\}', out)
    if found is None:
        raise RuntimeError(f"{module} gave no figure; see {directory.name}.log")
    result: dict[str, float] = json.loads(found[0])
    return result


def median(name: str, results: list[dict[str, float]]) -> float:
    rates = [result["rate"] for result in results]
    middle = statistics.median(rates)
    gap = max(result.get("max_gap", 0.0) for result in results)
    shown = ", ".join(f"{rate:,.0f}" for rate in rates)
    print(f"{name:<34} median {middle:>12,.0f} readings/s   of [{shown}]   longest checkpoint gap {gap:.2f} s", flush=True)
    return middle


def main(short: bool) -> int:
    repeats = 1 if short else REPEATS
    single, framed, plain_readings = (150_000, 4_000_000, 15_000) if short else (400_000, 12_000_000, 40_000)
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="lineledger-bench-") as folder, available.kafka(Path(folder)) as bootstrap:
        base = Path(folder)
        print(f"load average {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores, broker on the same machine", flush=True)
        plain: list[dict[str, float]] = []
        one: list[dict[str, float]] = []
        hundred: list[dict[str, float]] = []
        for turn in range(repeats):  # interleaved: a slow minute hits everybody; each with topics of its own, so all start cold
            for results, module, readings, per_frame in (
                (plain, "plain_faust_worker", plain_readings, 1),
                (one, "equipment_worker", single, 1),
                (hundred, "equipment_worker", framed, 100),
            ):
                work = load(bootstrap, readings, per_frame)
                results.append(contest(f"benchmarks.{module}", bootstrap, work, base / f"{module}-{per_frame}-{turn}", readings))
                drop(bootstrap, work.prefix)
        slow, fast, packed = (
            median("plain Faust, frames of 1", plain),
            median("equipment, frames of 1", one),
            median("equipment, frames of 100", hundred),
        )
        gate = SHORT_RATIO_GATE if short else RATIO_GATE
        print(f"ratio {fast / slow:.1f} (gate {gate})   frames of 100: {packed / slow:.0f} times plain Faust", flush=True)
        gap = max(result["max_gap"] for result in [*one, *hundred])
        checks = [
            ("ratio", fast / slow, gate),
            ("frames of 100", packed, FRAMES_GATE),
            ("checkpoint gap", -gap, -GAP_GATE),
        ]
        failed += [name for name, value, gate in checks if value < gate and (name == "ratio" or not short)]
        rate = chain_rate(base, short)
        print(f"whole chain from raw JSON              {rate:>12,.0f} raw records/s (goal {CHAIN_GATE:,})", flush=True)
    print(f"load average {os.getloadavg()[0]:.2f}   {'FAILED: ' + ', '.join(failed) if failed else 'passed'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    began = time.monotonic()
    code = main("--short" in sys.argv[1:])
    print(f"ran {time.monotonic() - began:.0f} s")
    raise SystemExit(code)
