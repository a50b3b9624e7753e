"""`python -m benchmarks.side_by_side REV`: the fold of equipment by an older revision and by this one, in turns of a few ten ms.

Two processes fold the same readings, one part each in turn, and each measures its own CPU time: what else the machine does
meets both. A ratio that is steady to about 3 % where whole rounds scatter by a third. Exit 1: one is below `GATE`.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.contest import PROJECT, revision

GATE = 0.95
TURNS = 40
KINDS = ((1, 0.0), (100, 0.0), (1, 0.05), (100, 0.05))
"""Readings per frame, share of late ones."""
_FOLDER = """
import sys, time
from benchmarks.equipment_fold import MACHINES, Bench, arriving, framed

per_frame, late, turns = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
size, batch = {1: (4_000, 500), 100: (80_000, 100)}[per_frame]
bench = Bench()
messages = [framed(*some) for some in arriving(size * turns, per_frame, late, MACHINES)]
size //= per_frame
for turn in range(turns):
    print("ready", flush=True)
    sys.stdin.readline()
    part = messages[turn * size : (turn + 1) * size]
    began = time.process_time()
    for first in range(0, size, batch):
        bench.fold(part[first : first + batch])
    bench.checkpoint()
    print(time.process_time() - began, flush=True)
"""
"""Both revisions run it by their own files."""


@contextmanager
def folder(tree: Path, per_frame: int, late: float) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", _FOLDER, str(per_frame), str(late), str(TURNS)]
    with subprocess.Popen(command, cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def turn(process: "subprocess.Popen[str]") -> float:
    """Seconds of CPU time of one part."""
    assert process.stdin is not None
    assert process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        raise RuntimeError("the revision does not fold this workload")
    process.stdin.write("\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def ratios(older: Path, per_frame: int, late: float) -> list[float]:
    """Speed of this revision as a multiple of the older one's, by turns, ascending."""
    with folder(older, per_frame, late) as before, folder(PROJECT, per_frame, late) as now:
        found = []
        for number in range(TURNS):
            if number % 2:
                mine, its = turn(now), turn(before)
            else:
                its, mine = turn(before), turn(now)
            found.append(its / mine)
    return sorted(found)


def main(name: str) -> int:
    below = False
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lineledger-bench-")))
        tree = stack.enter_context(revision(name, base))
        for per_frame, late in KINDS:
            found = ratios(tree, per_frame, late)
            middle = statistics.median(found)
            quartiles = f"quartiles {found[TURNS // 4]:.2f} and {found[3 * TURNS // 4]:.2f}"
            print(f"frames of {per_frame:<4} {late:>4.0%} late   {middle:.3f} times as fast as {name}   {quartiles}", flush=True)
            below |= middle < GATE
    return int(below)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side")
    parser.add_argument("revision", help="an older revision of this project")
    raise SystemExit(main(parser.parse_args().revision))
