"""`python -m benchmarks [--short] [--against REV]`: equipment against plain Faust in the same run, then the whole chain.

The gates are ratios (machines differ); absolute figures and the load average are printed beside them. Exit 1: a gate failed.
`--against`: the same workloads by an older revision of this project, in the same run.
"""

import argparse
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.chain import chain_rate
from benchmarks.contest import Contestant, revision
from tests.platform import available

REPEATS, LATE = 3, 0.05
RATIO_GATE, FRAMES_GATE, LATE_GATE, GAP_GATE, CHAIN_GOAL = 8.0, 1_000_000, 0.5, 1.5, 40_000
ONE_GOAL, FRAMES_GOAL = 120_000, 2_000_000
"""Readings per second in order. Late ones must not cost more than half of that, or of what this machine reaches."""
SHORT_RATIO_GATE = 5.0
"""One short round on a busy machine scatters; it only guards against a collapse."""
EQUIPMENT = "equipment_worker"


def show(contestant: Contestant) -> float:
    """Print a contestant's line; the median of its rates."""
    rates = [result["rate"] for result in contestant.results]
    gap = max(result.get("max_gap", 0.0) for result in contestant.results)
    middle = statistics.median(rates)
    shown = ", ".join(f"{rate:,.0f}" for rate in rates)
    line = f"{contestant.name:<36} median {middle:>12,.0f} readings/s   of [{shown}]"
    print(f"{line}   longest checkpoint gap {gap:.2f} s" if gap else line, flush=True)
    return middle


def main(short: bool, against: str) -> int:
    few, many, plain = (150_000, 4_000_000, 15_000) if short else (400_000, 12_000_000, 40_000)
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lineledger-bench-")))
        bootstrap = stack.enter_context(available.kafka(base))
        slow = Contestant("plain Faust, frames of 1", "plain_faust_worker", plain, 1)
        one = Contestant("frames of 1", EQUIPMENT, few, 1)
        packed = Contestant("frames of 100", EQUIPMENT, many, 100)
        one_late = Contestant("frames of 1, 5 % late", EQUIPMENT, few, 1, LATE)
        packed_late = Contestant("frames of 100, 5 % late", EQUIPMENT, many, 100, LATE)
        contestants = [slow, one, packed, one_late, packed_late]
        if against:
            tree = stack.enter_context(revision(against, base))
            contestants.append(Contestant(f"frames of 1, {against}", EQUIPMENT, few, 1, tree=tree))
            contestants.append(Contestant(f"frames of 100, {against}", EQUIPMENT, many, 100, tree=tree))
        print(f"load average {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores, broker on the same machine", flush=True)
        for _ in range(1 if short else REPEATS):  # interleaved: a slow minute hits everybody
            for contestant in contestants:
                contestant.compete(bootstrap, base)
        medians = {contestant.name: show(contestant) for contestant in contestants}
        ratio = medians[one.name] / medians[slow.name]
        late_one = medians[one_late.name] / min(medians[one.name], ONE_GOAL)
        late_packed = medians[packed_late.name] / min(medians[packed.name], FRAMES_GOAL)
        gap = max(result["max_gap"] for each in (one, packed) for result in each.results)
        print(f"times plain Faust: {ratio:.1f} in frames of 1, {medians[packed.name] / medians[slow.name]:.0f} in frames of 100")
        print(
            f"5 % late against in order (at most {ONE_GOAL:,} and {FRAMES_GOAL:,}): "
            f"{late_one:.2f} in frames of 1, {late_packed:.2f} in frames of 100",
            flush=True,
        )
        if against:
            older = [medians[f"{name}, {against}"] for name in (one.name, packed.name)]
            print(
                f"against {against}: {medians[one.name] / older[0]:.2f} and {medians[packed.name] / older[1]:.2f} times as fast"
            )
        gates = [("ratio", ratio, SHORT_RATIO_GATE if short else RATIO_GATE)]
        if not short:
            gates += [
                ("frames of 100", medians[packed.name], FRAMES_GATE),
                ("late, frames of 1", late_one, LATE_GATE),
                ("late, frames of 100", late_packed, LATE_GATE),
                ("checkpoint gap", -gap, -GAP_GATE),
            ]
        failed = [name for name, value, gate in gates if value < gate]
        rate = chain_rate(base, short)
        print(f"whole chain from raw JSON {rate:>24,.0f} raw records/s (goal {CHAIN_GOAL:,})", flush=True)
    print(f"load average {os.getloadavg()[0]:.2f}   {'FAILED: ' + ', '.join(failed) if failed else 'passed'}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--short", action="store_true", help="one small round; only the ratio to plain Faust is a gate")
    parser.add_argument("--against", default="", metavar="REV", help="an older revision of this project")
    asked = parser.parse_args()
    began = time.monotonic()
    code = main(asked.short, asked.against)
    print(f"ran {time.monotonic() - began:.0f} s")
    raise SystemExit(code)
